//! The program `nvidia-hook-conformance`: its entry, and the cases that a release build carries.
#![no_main]

use std::ffi::OsString;

nvidia_hook_conformance::entry!(run);

/// The cases, packed by `build.rs`.
#[cfg(packed)]
const CASES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cases"));
/// Empty in a debug build, and in a build that runs no build script.
#[cfg(not(packed))]
const CASES: &[u8] = &[];

fn run(words: Vec<OsString>) -> u8 {
    nvidia_hook_conformance::program::run(words, CASES)
}
