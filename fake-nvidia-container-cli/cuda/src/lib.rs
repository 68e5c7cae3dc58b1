//! A `libcuda.so.1` that has no GPU to compute on, and says so as the driver does: `cuInit` is CUDA_ERROR_NO_DEVICE. If
//! the given file has `cuda.init 0`, it initializes and tells which devices there are: count, name, UUID, memory,
//! attributes. Whatever would compute is CUDA_ERROR_NOT_SUPPORTED. It must not know where the file comes from.
//!
//! Like NVML's stand-in, the crate is a member of the workspace, and the library is made by the build of the crate
//! `libraries`.
#![no_std]

mod attributes;
mod code;
mod devices;
mod driver;
mod table;
