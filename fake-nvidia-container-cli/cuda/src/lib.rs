//! A `libcuda.so.1` that has no GPU to compute on, and says so as the driver does: `cuInit` returns
//! CUDA_ERROR_NO_DEVICE. If the given file has `cuda.init 0`, it initializes and reports the devices: count, name,
//! UUID, memory, attributes. Functions that would compute return CUDA_ERROR_NOT_SUPPORTED. It must not know where the
//! file comes from.
//!
//! Like NVML's stand-in, this crate is a member of the workspace. The build of the crate `libraries` makes the library.
#![no_std]

mod attributes;
mod code;
mod devices;
mod driver;
mod table;
