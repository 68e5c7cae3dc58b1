//! Every way in which the hook fails. Where the published hook has words that people search for, they come first;
//! behind them stand the input that caused the failure and what to do. Must not print: only `run` does.
//!
//! Messages name variables of the container, and show values only of those that the contract defines (NVIDIA_*,
//! CUDA_VERSION, swarm variables).

use std::fmt::{self, Display};
use std::io;
use std::path::PathBuf;

use crate::config::Key;
use crate::text::{Line, Shown};

/// Where in the configuration something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file; line and column count characters from 1.
    File {
        /// The file.
        path: PathBuf,
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// Nowhere: the key has its default.
    Default(&'static str),
}

impl Place {
    /// The place of a key that no file sets.
    #[must_use]
    pub fn default_of(key: Key) -> Self {
        Place::Default(key.row().name)
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Place::Default(key) => write!(f, "default of {key}"),
        }
    }
}

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
        /// The system's reason.
        cause: io::Error,
    },
}

impl Error {
    /// The status with which the hook ends.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        1
    }

    /// A line that people expect before the error itself.
    #[must_use]
    pub fn preamble(&self) -> Option<&str> {
        match self {
            Error::Mode { found, .. } => Some(found),
            _ => None,
        }
    }
}

/// The reason of an operating system error, in its own lower-case words.
fn reason(cause: &io::Error) -> String {
    match cause.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_lowercase(),
        None => cause.to_string(),
    }
}

const CONFIG: &str = "error getting hook config: failed to load config:";

impl Display for Error {
    #[expect(clippy::too_many_lines, reason = "one arm an error; splitting would hide that each has its words")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::ConfigUnreadable { path, cause } => write!(
                f,
                "{CONFIG} couldn't open required configuration file: {}: {}; make the file readable, or name another with --config",
                path.display(),
                reason(cause)
            ),
            Error::Config { place, message } => {
                write!(f, "{CONFIG} {place}: {}; correct this line", Shown(message))
            }
            Error::UnsupportedConfigCapability { place, value, name } => write!(
                f,
                "error getting hook config: Invalid value for config option 'supported-driver-capabilities'; {} (supported: {}): {place}: unknown capability '{}'; remove it, or write \"all\" alone",
                Shown(value),
                crate::request::capabilities::Capabilities::all(),
                Shown(name)
            ),
            Error::CliVersion { place, value } => write!(
                f,
                "{CONFIG} {place}: nvidia-container-runtime-hook.cli-version value \"{}\" is not a version from 1.14.0 on; write one such as \"1.17.8\", or \"newest\"",
                Shown(value)
            ),
            Error::LdconfigNotHost { place, value } => write!(
                f,
                "{CONFIG} nvidia-container-cli.ldconfig value \"{0}\" is not host-relative (does not start with a '@'): {place}: invalid config value; write ldconfig = \"@{1}\" to use the host's program",
                Shown(value),
                Shown(if value.starts_with('/') { value } else { "/sbin/ldconfig" })
            ),
            Error::LdconfigNotAbsolute { place, value } => write!(
                f,
                "{CONFIG} nvidia-container-cli.ldconfig value \"{}\" is not an absolute path behind the '@': {place}: invalid config value; write ldconfig = \"@/sbin/ldconfig\"",
                Shown(value)
            ),
            Error::CliEnvironment { place, entry } => write!(
                f,
                "{CONFIG} {place}: nvidia-container-cli.environment entry \"{}\" is not NAME=VALUE; give it a name and a '='",
                Shown(entry.split('=').next().unwrap_or_default())
            ),
            Error::CliPathRelative { place, value } => write!(
                f,
                "couldn't find binary nvidia-container-cli: {place}: nvidia-container-cli.path value \"{}\" is relative; give an absolute path, or remove the key to have the program searched",
                Shown(value)
            ),
            Error::State(message) => write!(
                f,
                "could not decode container state: standard input: {}; the hook is started by a runtime, which writes the container state as JSON",
                Shown(message)
            ),
            Error::Pid(pid) => write!(
                f,
                "could not decode container state: standard input: pid is {}; it must be the container's process id, from 1 to 2147483647",
                Shown(pid)
            ),
            Error::Bundle(bundle) => write!(
                f,
                "could not open OCI spec: standard input: bundle is {}; the runtime must give the bundle's absolute path",
                Shown(bundle)
            ),
            Error::SpecUnreadable { path, cause } => write!(
                f,
                "could not open OCI spec: open {}: {}; the state names this bundle, is it the right one and readable?",
                path.display(),
                reason(cause)
            ),
            Error::Spec { path, message } => {
                write!(f, "could not decode OCI spec: {}:{}; the bundle is faulty", path.display(), Shown(message))
            }
            Error::SpecMember { path, member, name } => write!(
                f,
                "{member} is empty in OCI spec: {} has no \"{name}\"; the OCI specification requires it",
                path.display()
            ),
            Error::Capabilities { path, message } => write!(
                f,
                "could not decode Process.Capabilities in OCI spec: {}: {}; see process.capabilities and ociVersion",
                path.display(),
                Shown(message)
            ),
            Error::RootPath { path } => write!(
                f,
                "Root is empty in OCI spec: {} has no \"root.path\"; give the path of the container's root filesystem",
                path.display()
            ),
            Error::EnvironmentEntry { path, index } => write!(
                f,
                "invalid environment variable: {}: process.env[{index}] has no '='; write NAME=VALUE",
                path.display()
            ),
            Error::DeviceMount { index, destination, fault } => {
                write!(f, "invalid device mount: mounts[{index}] at {}: ", Shown(destination))?;
                match fault {
                    MountFault::Empty => f.write_str("no device name")?,
                    MountFault::Character(c) => write!(f, "a device name has no {c:?}")?,
                    MountFault::Dash => f.write_str("a device name does not begin with '-'")?,
                    MountFault::Nested => f.write_str("a device name has no '/'")?,
                    MountFault::Cdi => f.write_str("not a CDI name")?,
                    MountFault::Word => f.write_str("only NVIDIA_VISIBLE_DEVICES may say 'none' or 'void'")?,
                }
                f.write_str("; mount /dev/null at /var/run/nvidia-container-devices/DEVICE, .../cdi/VENDOR/CLASS/NAME or .../imex/CHANNEL")
            }
            Error::MigUnprivileged { what } => write!(
                f,
                "cannot set MIG_{what}_DEVICES in non privileged container: NVIDIA_MIG_{what}_DEVICES is set; give the container CAP_SYS_ADMIN, or unset the variable"
            ),
            Error::DriverCapabilities { asked, allowed, place } => write!(
                f,
                "unsupported capabilities found in '{}' (allowed '{allowed}'): NVIDIA_DRIVER_CAPABILITIES asks for more than supported-driver-capabilities ({place}) allows; ask for less, or allow more",
                Shown(asked)
            ),
            Error::CudaVersion { value, reason } => write!(
                f,
                "failed to get requirements failed to get version: invalid CUDA version {}: invalid version string: {reason}; correct CUDA_VERSION in the image, or set NVIDIA_DISABLE_REQUIRE=true",
                Shown(value)
            ),
            Error::ImexTooOld { place, option, since } => write!(
                f,
                "cannot serve the requested IMEX channels: {option} needs nvidia-container-cli {since}, but nvidia-container-runtime-hook.cli-version ({place}) says older; upgrade nvidia-container-cli and cli-version, or drop the request",
            ),
            Error::Mode { reason, .. } => write!(
                f,
                "invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker --gpus flag) is not supported. Please use the NVIDIA Container Runtime (e.g. specify the --runtime=nvidia flag) instead: {}; to serve the container all the same, set nvidia-container-runtime-hook.skip-mode-detection = true",
                Shown(reason)
            ),
            Error::CliNotFound { searched, place } => write!(
                f,
                "couldn't find binary nvidia-container-cli in PATH: searched {}; install it (package libnvidia-container-tools), or set nvidia-container-cli.path ({place})",
                Line(searched)
            ),
            Error::Nul { what } => {
                write!(f, "exec failed: invalid argument: {} holds a NUL character; remove it", Shown(what))
            }
            Error::Exec { program, cause } => write!(
                f,
                "exec failed: {}: {}; is it an executable program for this machine?",
                reason(cause),
                program.display()
            ),
        }
    }
}

impl std::error::Error for Error {}
