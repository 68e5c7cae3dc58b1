//! The record of a run: one JSON object on one line, appended to a file that many runs can share.
//!
//! It collects and writes; it decides nothing.

mod process;
mod write;

pub use process::Process;
pub use write::{Sink, open_private};

use crate::cli::Parsed;
use crate::outcome::Outcome;
use crate::plan::{Op, Plan};
use nvidia_simulated_machine::text::{Text, Utf8};
use serde::Serialize;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// One run, as a reader of the file sees it.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    /// The process as it was started.
    #[serde(flatten)]
    pub process: &'a Process,
    /// The container's process, if the command has one.
    pub target: Option<Target>,
    /// The container's root, if one was named.
    pub rootfs: Option<Rootfs>,
    /// The options, if the command line was valid.
    pub parsed: Option<&'a Parsed>,
    /// What was done, or would have been, in order.
    pub plan: Vec<&'a Op>,
    /// The end of the run.
    pub outcome: End<'a>,
}

/// The process that `--pid` names, or the parent process.
#[derive(Debug, Serialize)]
pub struct Target {
    pid: i32,
    exists: bool,
    namespaces: process::Namespaces,
}

/// The container's root, as the command line names it.
#[derive(Debug, Serialize)]
pub struct Rootfs {
    path: Utf8,
    exists: bool,
}

/// The end of a run; standard output is not repeated, since the caller has it.
#[derive(Debug, Serialize)]
pub struct End<'a> {
    exit: i32,
    signal: Option<i32>,
    stderr: Utf8,
    failure: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// Puts a record together, looking up the target and the root while they exist.
    #[must_use]
    pub fn new(process: &'a Process, parsed: Option<&'a Parsed>, plan: &'a Plan) -> Self {
        let rootfs = parsed.and_then(|p| p.rootfs.clone()).map(|path| Rootfs {
            exists: Path::new(std::ffi::OsStr::from_bytes(&nvidia_simulated_machine::text::bytes(&path))).is_dir(),
            path: Utf8(path),
        });
        let target = parsed.map(|p| p.pid).filter(|pid| *pid > 0).map(|pid| Target {
            pid,
            exists: Path::new(&format!("/proc/{pid}")).exists(),
            namespaces: process::namespaces(&pid.to_string()),
        });
        Self {
            process,
            target,
            rootfs,
            parsed,
            plan: plan.recorded(),
            outcome: End { exit: 0, signal: None, stderr: Utf8::default(), failure: None },
        }
    }

    /// Adds how the run ended, and which failure was asked for.
    #[must_use]
    pub fn ended(mut self, outcome: &Outcome, failure: Option<&'a str>) -> Self {
        let stderr = Utf8(Text::from(outcome.stderr.clone()));
        self.outcome = End { exit: outcome.exit, signal: outcome.signal, stderr, failure };
        self
    }
}
