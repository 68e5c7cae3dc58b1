//! Every test of the hook that is not a case: its command line, what it passes on as a process, the example that
//! newcomers see, and what build files repeat. One program, which is also the launcher and the nvidia-container-cli of
//! its tests. `cargo demo` is this program with `--show`.
#![no_main]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes the world that the hook reads"
)]

mod suite {
    pub mod build_files;
    pub mod cli;
    pub mod demo;
    pub mod hardening;
    pub mod note;
    pub mod process;
    pub mod recipe;
    pub mod wrong_hooks;
}

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use hook_test_support::programs;
use libtest_mimic::{Arguments, Trial};
use nvidia_hook_conformance::entry::copy_as_cli;

nvidia_hook_conformance::entry!(run, suite::hardening::act);

fn run(words: Vec<OsString>) -> u8 {
    if words.iter().any(|word| word == "--show") {
        print!("{}", suite::demo::story());
        return 0;
    }
    let tests = [
        suite::build_files::tests(),
        suite::cli::tests(),
        suite::demo::tests(),
        suite::hardening::tests(),
        suite::note::tests(),
        suite::process::tests(),
        suite::recipe::tests(),
        suite::wrong_hooks::tests(),
    ];
    let tests = tests.into_iter().flatten().collect();
    let has_failed = libtest_mimic::run(&Arguments::from_iter(words), tests).has_failed();
    suite::process::end();
    u8::from(has_failed)
}

/// A test that fails by panicking.
fn test(name: impl Into<String>, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        test();
        Ok(())
    })
}

/// Copies the stand-in for nvidia-container-cli to a path. A link would lead out of the machine that a test makes, to
/// where Bazel's sandbox has nothing. `cp` makes the copy: a program that another thread starts meanwhile could inherit
/// a descriptor of this process, and a file that is open for writing cannot be executed.
fn put_cli(place: &Path) {
    match programs::fake() {
        Some(fake) => assert!(Command::new("cp").arg("-L").arg(fake).arg(place).status().unwrap().success()),
        None => copy_as_cli(place).unwrap(),
    }
}

/// The hook under test.
fn hook() -> PathBuf {
    programs::hook(env!("CARGO_BIN_EXE_nvidia-container-runtime-hook"))
}
