//! Every way in which the hook fails. Where the published hook has words that people search for, they come first;
//! behind them stand the input that caused the failure and what to do. Must not print: only `run` does.
//!
//! The words are in `words.rs`. They name variables of the container, and show values only of those that the contract
//! defines (NVIDIA_*, CUDA_VERSION, swarm variables).

mod words;

pub use words::{ValueFault, reason};

use std::io;
use std::path::PathBuf;

use crate::contract::keys::Key;
use crate::contract::origin::Place;

/// What stands in the way of a device that a mount requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountFault {
    /// Nothing is left as a name.
    Empty,
    /// A character that no name has.
    Character(char),
    /// A leading dash.
    Dash,
    /// A further path element.
    Nested,
    /// Not a CDI name below `cdi/`.
    Cdi,
    /// `none` or `void`, which only mean something in a variable.
    Word,
}

/// A failure of the hook. Each one ends it with exit status 1.
#[derive(Debug)]
pub enum Error {
    /// The configuration file exists, or must, and cannot be read.
    ConfigUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// The configuration file is not TOML, or a known key has a wrong type.
    Config {
        /// Where.
        place: Place,
        /// What is wrong there.
        message: String,
    },
    /// `supported-driver-capabilities` holds a word that is no capability.
    UnsupportedConfigCapability {
        /// Where.
        place: Place,
        /// The whole value.
        value: String,
        /// The word.
        name: String,
    },
    /// `cli-version` is no version, or one that is too old.
    CliVersion {
        /// Where.
        place: Place,
        /// The value.
        value: String,
    },
    /// `ldconfig` names a program of the container, and that is not allowed.
    LdconfigNotHost {
        /// Where.
        place: Place,
        /// The value.
        value: String,
    },
    /// `ldconfig` names a program of the host by a relative path.
    LdconfigNotAbsolute {
        /// Where.
        place: Place,
        /// The value.
        value: String,
    },
    /// An entry of `environment` is not `NAME=VALUE`.
    CliEnvironment {
        /// Where.
        place: Place,
        /// The entry.
        entry: String,
    },
    /// `path` is relative.
    CliPathRelative {
        /// Where.
        place: Place,
        /// The value.
        value: String,
    },
    /// Standard input holds no container state.
    State(String),
    /// The state's `pid` is no process id.
    Pid(String),
    /// The state names no bundle, or a relative one.
    Bundle(String),
    /// `config.json` cannot be opened or read.
    SpecUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// `config.json` is not what the OCI specification says.
    Spec {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        message: String,
    },
    /// `config.json` lacks a member that must be there.
    SpecMember {
        /// The file.
        path: PathBuf,
        /// The member as the published hook calls it.
        member: &'static str,
        /// The member as the file would have it.
        name: &'static str,
    },
    /// `process.capabilities` has not the form that goes with `ociVersion`.
    Capabilities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// `root.path` is absent or empty.
    RootPath {
        /// The file.
        path: PathBuf,
    },
    /// An entry of `process.env` has no `=`.
    EnvironmentEntry {
        /// The file.
        path: PathBuf,
        /// Its index.
        index: usize,
    },
    /// A mount requests a device by an impossible name.
    DeviceMount {
        /// Index in `mounts`.
        index: usize,
        /// The destination.
        destination: String,
        /// What is wrong.
        fault: MountFault,
    },
    /// A MIG request of a container that is not privileged.
    MigUnprivileged {
        /// `CONFIG` or `MONITOR`.
        what: &'static str,
    },
    /// Driver capabilities that the configuration does not allow.
    DriverCapabilities {
        /// What was asked for, sorted.
        asked: String,
        /// What is allowed.
        allowed: String,
        /// Where the allowed set stands.
        place: Place,
    },
    /// `CUDA_VERSION` of a legacy image is no version.
    CudaVersion {
        /// Its value.
        value: String,
        /// Why not.
        reason: &'static str,
    },
    /// An IMEX channel is requested of a program that is too old to give it.
    ImexTooOld {
        /// Where the version stands.
        place: Place,
        /// What the program does not know.
        option: &'static str,
        /// The version that brought it.
        since: &'static str,
    },
    /// The mode is not `legacy`.
    Mode {
        /// The line that says what the mode is.
        found: String,
        /// Why it is.
        reason: String,
    },
    /// No `nvidia-container-cli` in any directory.
    CliNotFound {
        /// The search path.
        searched: String,
        /// Where the path could be set.
        place: Place,
    },
    /// An argument or a variable holds a NUL character.
    Nul {
        /// Which one.
        what: String,
    },
    /// The system refused to execute the program.
    Exec {
        /// The program.
        program: PathBuf,
        /// The key that names it; `None` where it was searched.
        key: Option<Key>,
        /// The system's reason.
        cause: io::Error,
    },
}

impl Error {
    /// A line that people expect before the error itself.
    #[must_use]
    pub fn preamble(&self) -> Option<&str> {
        match self {
            Error::Mode { found, .. } => Some(found),
            _ => None,
        }
    }
}

impl std::error::Error for Error {}
