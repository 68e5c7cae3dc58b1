//! Every way in which the hook fails. Where the published hook has words that people search for, they come first;
//! after them stand the input that caused the failure and what to do. Must not print: only `run` does.
//!
//! The words are in `words.rs`. They name variables of the container, and show values only of those that the contract
//! defines (NVIDIA_*, CUDA_VERSION, swarm variables).

mod words;

pub use words::{ValueFault, reason};

use std::io;
use std::path::{Path, PathBuf};

use crate::contract::keys::Key;
use crate::contract::origin::Place;

/// What stands in the way of a device that a mount requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountFault {
    /// Nothing is left as a name.
    Empty,
    /// A character that a name cannot have.
    Character(char),
    /// A leading dash, as an option has.
    Dash,
    /// A further path element, which only the old names of MIG devices have.
    Nested,
    /// Not a CDI name below `cdi/`.
    Cdi,
    /// `none` or `void`, which only mean something in a variable.
    Word,
}

/// What a start cannot tell where the machine does not answer a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The kind of machine, on which mode `auto` depends.
    Platform,
    /// The first `nvidia-container-cli` of the search.
    Program,
    /// The distribution, on which the user that queries the driver depends.
    Distribution,
    /// Whether ldconfig is wrapped.
    Ldconfig,
    /// Whether the start is that of the host's root.
    Rootless,
}

/// A question that the machine did not answer. What cannot be told is never taken for "no".
#[derive(Debug)]
pub struct Unanswered {
    /// The call that failed: `open`, `stat`, `access` or `readdir`.
    pub call: &'static str,
    /// The path that it was about.
    pub path: PathBuf,
    /// The system's reason.
    pub cause: io::Error,
}

impl Unanswered {
    /// A call about a path that failed, for `map_err`.
    pub fn of(call: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Unanswered { call, path: path.to_path_buf(), cause }
    }

    /// The failure of a start that cannot tell something for want of an answer.
    #[must_use]
    pub fn leaves(self, doubt: Doubt) -> Error {
        Error::Machine { question: self, doubt }
    }
}

/// A failure of the hook. Each one ends it with exit status 1.
#[derive(Debug)]
pub enum Error {
    /// The configuration file exists, or must, and cannot be read.
    ConfigUnreadable {
        /// The path by which it was named or searched.
        path: PathBuf,
        /// The system's reason, or why the bytes are not text.
        cause: io::Error,
    },
    /// The configuration is named by a path that depends on the working directory.
    ConfigRelative {
        /// The flag or the variable that names it.
        by: &'static str,
        /// The path as it was given.
        value: String,
    },
    /// The configuration file is not TOML, or a known key has a wrong type.
    Config {
        /// The line and column of the fault.
        place: Place,
        /// The file is TOML; a type is wrong.
        is_toml: bool,
        /// What is wrong there.
        message: String,
    },
    /// `supported-driver-capabilities` holds a word that is not a capability.
    UnsupportedConfigCapability {
        /// Line and column of the value.
        place: Place,
        /// The whole value of the key.
        value: String,
        /// The word that is not a capability.
        name: String,
    },
    /// `cli-version` is not a version, or one that is too old.
    CliVersion {
        /// Line and column of the value.
        place: Place,
        /// The value as it is written.
        value: String,
    },
    /// `rootless` is not one of its words.
    Rootless {
        /// Line and column of the value.
        place: Place,
        /// The value as it is written.
        value: String,
    },
    /// `ldconfig` names a program of the container, and that is not allowed.
    LdconfigNotHost {
        /// Line and column of the value.
        place: Place,
        /// The value as it is written.
        value: String,
    },
    /// `ldconfig` names a program of the host by a relative path.
    LdconfigNotAbsolute {
        /// Line and column of the value.
        place: Place,
        /// The value as it is written.
        value: String,
    },
    /// An entry of `environment` is not `NAME=VALUE`.
    CliEnvironment {
        /// Line and column of the value.
        place: Place,
        /// The entry as it is written.
        entry: String,
    },
    /// `path` is relative.
    CliPathRelative {
        /// Line and column of the value.
        place: Place,
        /// The value as it is written.
        value: String,
    },
    /// Standard input does not hold a container state: what is wrong.
    State(String),
    /// The state's `pid` cannot be a process id.
    Pid(String),
    /// The state does not name a bundle, or names a relative one.
    Bundle(String),
    /// `config.json` cannot be opened or read.
    SpecUnreadable {
        /// The path of the `config.json`.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// `config.json` is not what the OCI specification says.
    Spec {
        /// The path of the `config.json`.
        path: PathBuf,
        /// Line, column and reason.
        message: String,
    },
    /// `config.json` lacks a member that must be there.
    SpecMember {
        /// The `config.json`.
        path: PathBuf,
        /// The member as the published hook calls it.
        member: &'static str,
        /// The member as the file would have it.
        name: &'static str,
    },
    /// `process.capabilities` does not have the form that goes with `ociVersion`.
    Capabilities {
        /// The path of the `config.json`.
        path: PathBuf,
        /// What is wrong with it, in words.
        message: String,
    },
    /// `root.path` is absent or empty.
    RootPath {
        /// The path of the `config.json`.
        path: PathBuf,
    },
    /// An entry of `process.env` has no `=`.
    EnvironmentEntry {
        /// The path of the `config.json`.
        path: PathBuf,
        /// Its index in `process.env`.
        index: usize,
    },
    /// A mount requests a device by an impossible name.
    DeviceMount {
        /// The index of the mount in `mounts`, from 0.
        index: usize,
        /// The destination, cleaned.
        destination: String,
        /// What is wrong with its name.
        fault: MountFault,
    },
    /// A variable that is passed on holds a control character.
    ControlCharacter {
        /// The variable.
        variable: String,
        /// The first such character.
        character: char,
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
    /// `CUDA_VERSION` of a legacy image is not a version.
    CudaVersion {
        /// The value of the variable.
        value: String,
        /// Why it is not one, in the words of the published hook.
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
    /// The machine did not answer a question on which the command line depends.
    Machine {
        /// The question.
        question: Unanswered,
        /// What cannot be told.
        doubt: Doubt,
    },
    /// The mode is not `legacy`.
    Mode {
        /// The line that says what the mode is.
        found: String,
        /// What led to it.
        reason: String,
    },
    /// `nvidia-container-cli` is not in any directory of the search path.
    CliNotFound {
        /// The directories, separated by colons.
        searched: String,
        /// Where the path could be set.
        place: Place,
    },
    /// An argument or a variable holds a NUL character.
    Nul {
        /// The kind and name of the one that does.
        what: String,
    },
    /// Standard output or error is closed, and `/dev/null` cannot be opened in its place.
    ClosedStreams(
        /// The system's reason.
        io::Error,
    ),
    /// The system refused to execute the program.
    Exec {
        /// The path that was to be executed.
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
