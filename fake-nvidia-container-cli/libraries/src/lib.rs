//! The two libraries of the simulated driver, as files. They are built from the crates `nvml` and `cuda`: by `build.rs`
//! under cargo, by separate targets under Bazel. This crate must not know what they answer.
#![no_std]

/// `libnvidia-ml.so.1`, an ELF file for the machine that the program is built for; empty if the crates have no code for
/// that machine.
pub const NVML: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libnvidia-ml.so.1"));

/// `libcuda.so.1`, likewise.
pub const CUDA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libcuda.so.1"));
