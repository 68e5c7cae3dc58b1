//! Every way in which the hook can fail. If the published hook has words that people search for, they come first,
//! followed by the input that caused the failure and what to do. Must not print: only `run` does.
//!
//! The words are in `words.rs`. They name variables of the container, but show the values only of those that the
//! contract defines (NVIDIA_*, CUDA_VERSION, swarm variables).

mod words;

pub use words::{ValueFault, reason, remedy_for_unreadable};

use std::io;
use std::path::{Path, PathBuf};

use crate::contract::keys::Key;
use crate::contract::origin::Place;

/// Why a mount's request for a device is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountFault {
    /// There is no name.
    Empty,
    /// A character that a name cannot have.
    Character(char),
    /// A leading dash, like that of an option.
    Dash,
    /// An additional path element, which only the old names of MIG devices have.
    Nested,
    /// Not a CDI name below `cdi/`.
    Cdi,
    /// `none` or `void`, which have a meaning only in a variable.
    Word,
}

/// What a start cannot tell if the machine does not answer a question.
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
    /// Whether the host's root started the hook.
    Rootless,
}

/// A question that the machine did not answer. A missing answer is never taken for "no".
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
    /// Records a failed call on a path, for `map_err`.
    pub fn of(call: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Unanswered { call, path: path.to_path_buf(), cause }
    }

    /// The failure of a start that cannot tell something without the answer.
    #[must_use]
    pub fn leaves(self, doubt: Doubt) -> Error {
        Error::Machine { question: self, doubt }
    }
}

/// A failure of the hook. Each ends the hook with exit status 1.
#[derive(Debug)]
pub enum Error {
    /// The configuration file exists, or must exist, but cannot be read.
    ConfigUnreadable {
        /// The path that was named or searched.
        path: PathBuf,
        /// Whether the file itself was named, so that it must exist.
        named: bool,
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
    /// The configuration file is not TOML, or a known key has the wrong type.
    Config {
        /// The line and column of the fault.
        place: Place,
        /// The file is TOML, but a type is wrong.
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
    /// `cli-version` is not a version, or is too old.
    CliVersion {
        /// Line and column of the value.
        place: Place,
        /// The value as it is written.
        value: String,
    },
    /// `rootless` is neither `auto` nor `off`.
    Rootless {
        /// Line and column of the value.
        place: Place,
        /// The value as it is written.
        value: String,
    },
    /// `ldconfig` names a program of the container, which is not allowed.
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
    /// Standard input does not hold a container state; says what is wrong.
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
    /// `config.json` does not conform to the OCI specification.
    Spec {
        /// The path of the `config.json`.
        path: PathBuf,
        /// Line, column and reason.
        message: String,
    },
    /// `config.json` lacks a required member.
    SpecMember {
        /// The path of the `config.json`.
        path: PathBuf,
        /// The member, by the published hook's name for it.
        member: &'static str,
        /// The member, by its name in the file.
        name: &'static str,
    },
    /// `process.capabilities` does not have the form that `ociVersion` requires.
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
    /// A mount requests a device by an invalid name.
    DeviceMount {
        /// The index of the mount in `mounts`, from 0.
        index: usize,
        /// The destination, cleaned.
        destination: String,
        /// What is wrong with its name.
        fault: MountFault,
    },
    /// A variable that is passed on contains a control character.
    ControlCharacter {
        /// The variable.
        variable: String,
        /// The first such character.
        character: char,
    },
    /// A MIG request from a container that is not privileged.
    MigUnprivileged {
        /// `CONFIG` or `MONITOR`.
        what: &'static str,
    },
    /// A request for driver capabilities that the configuration does not allow.
    DriverCapabilities {
        /// What was asked for, sorted.
        asked: String,
        /// What is allowed.
        allowed: String,
        /// Where the allowed set is configured.
        place: Place,
    },
    /// `CUDA_VERSION` of a legacy image is not a version.
    CudaVersion {
        /// The value of the variable.
        value: String,
        /// Why it is not a version, in the words of the published hook.
        reason: &'static str,
    },
    /// An IMEX channel is requested, but the program is too old to provide it.
    ImexTooOld {
        /// Where the version is configured.
        place: Place,
        /// The option that the program does not know.
        option: &'static str,
        /// The version that introduced it.
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
        /// What led to that mode.
        reason: String,
    },
    /// `nvidia-container-cli` is not in any directory of the search path.
    CliNotFound {
        /// The directories, separated by colons.
        searched: String,
        /// Where the path can be set.
        place: Place,
    },
    /// An argument or a variable contains a NUL character.
    Nul {
        /// The kind and name of that argument or variable.
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
        /// The key that names it; `None` if the program was searched for.
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
