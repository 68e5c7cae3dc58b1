//! The program `nvidia-hook-conformance`: its entry, and the cases that a release build carries.
#![no_main]

use std::ffi::OsString;

nvidia_hook_conformance::entry!(run);

/// The cases, packed by `build.rs`; nothing in a debug build.
const CASES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cases"));

fn run(words: Vec<OsString>) -> u8 {
    nvidia_hook_conformance::program::run(words, CASES)
}
