//! `nvidia-hookctl`, as a library: everything but its entry point. It explains what the hook would do for a container,
//! checks a configuration, examines a host, says what an error line means, writes and validates the file by which
//! engines start the hook, and turns a failing start into a test case.
//!
//! It uses the hook's library, so what it predicts is what a start decides, and adds only what no start needs. It works
//! without the hook: on a host that runs the published one, this one file answers "why no GPU?".
//!
//! - *Nothing is executed and nothing is changed*, except for the file that `oci-hook --hooks-dir` writes, the hook
//!   that `capture` stands in front of, and the case folder that `capture` writes.
//! - *Every command returns an [`answer::Answer`]*; only `main` prints.
//!
//! The library is internal to this project. Its interface may change with any version.

// A short name, because nearly every file uses it. Not a rename in Cargo.toml: Bazel would have to repeat that.
extern crate nvidia_container_runtime_hook as hook;

pub mod answer;
pub mod arguments;
pub mod capture;
pub mod cdi;
mod cdi_rules;
pub mod check;
pub mod doctor;
pub mod driver;
pub mod explain;
pub mod finding;
pub mod gpus;
pub mod hooks_d;
pub mod inspect;
pub mod oci_hook;
pub mod page;
pub mod replay;
pub mod requirement;
pub mod tree;
pub mod variables;
pub mod why;
pub mod yaml;

use std::ffi::OsString;

use answer::{Answer, Scene};
use arguments::{Arguments, Command};
use clap::Parser;
use hook::invocation::Environ;

/// The version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs a command line, the program's name first, in an environment.
#[must_use]
pub fn run(words: &[OsString], environ: Environ<'_>) -> Answer {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => return Answer::usage(&error),
    };
    match &arguments.command {
        Command::Explain(explain) => explain::run(explain, &Scene::new(&explain.common, environ)),
        Command::Check(check) => check::run(check, &Scene::new(&check.common, environ)),
        Command::Why(why) => why::run(why, &Scene::new(&why.common, environ)),
        Command::Capture(capture) => capture::run(capture, environ),
        Command::Replay(replay) => replay::run(replay, &Scene::of(None, None, replay.output, environ)),
        Command::Doctor(doctor) => doctor::run(&Scene::new(&doctor.common, environ)),
        Command::OciHook(oci_hook) => {
            oci_hook::run(oci_hook, &Scene::of(oci_hook.host_root.as_deref(), None, oci_hook.output, environ))
        }
    }
}
