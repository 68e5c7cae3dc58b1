//! The two libraries of the simulated driver, as files. The build makes them of the crates `nvml` and `cuda`: by
//! `build.rs` under cargo, by targets of their own under Bazel. It must not know what they answer.
#![no_std]

/// `libnvidia-ml.so.1`, an ELF file for the machine that the program is built for; empty where the crates have no code
/// for that machine.
pub const NVML: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libnvidia-ml.so.1"));

/// `libcuda.so.1`, in the same way.
pub const CUDA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libcuda.so.1"));
