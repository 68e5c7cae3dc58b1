//! Starts on a machine that fails: each system call of the hook in turn returns an error, reads and writes are cut
//! short, memory, descriptors and disks run out, streams are closed. Whatever happens, the hook executes exactly the
//! right program with the right arguments and environment, or ends with status 1 and one message. It never ends by a
//! signal, never executes another command line, and never hangs.
//!
//! - plain: each call of each scene with one error, and the limits;
//! - `NVIDIA_HOOK_FAULTS=all`: each call with every error (`.ci/run`).
//!
//! Calls before `main` belong to the C library and its loader, which end in their own way. They are the calls that
//! `poststop`, a command that does nothing, makes too. There it is enough that nothing else is executed.
#![no_main]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes the world that the hook reads"
)]

// Intercepting a system call means changing the registers of a processor, which are spelled out here.
#[cfg(target_arch = "x86_64")]
mod faults {
    pub mod inject;
    pub mod judge;
    pub mod launcher;
    pub mod limits;
    pub mod scenes;
    pub mod trace;
}

use std::ffi::OsString;

nvidia_hook_conformance::entry!(run);

#[cfg(target_arch = "x86_64")]
fn run(words: Vec<OsString>) -> u8 {
    if words.get(1).is_some_and(|word| word == faults::launcher::ARGUMENT) {
        return faults::launcher::launch(&words[2..]);
    }
    let all = std::env::var_os("NVIDIA_HOOK_FAULTS").is_some_and(|value| value == "all");
    let tests = faults::inject::tests(all).into_iter().chain(faults::limits::tests()).collect();
    u8::from(libtest_mimic::run(&libtest_mimic::Arguments::from_iter(words), tests).has_failed())
}

#[cfg(not(target_arch = "x86_64"))]
fn run(_words: Vec<OsString>) -> u8 {
    println!("nothing runs here: the registers of this processor are not spelled out");
    0
}
