//! The words of every failure, one match arm for each error: what failed, in the words that people search for, the
//! input that caused it, and what to do. Must not decide anything.

use std::fmt::{self, Display};
use std::io;
use std::path::Path;

use super::{Doubt, Error, MountFault, Unanswered};
use crate::contract::keys::Key;
use crate::text::{Escaped, Excerpt};

/// The reason for an operating system error, in the system's words and in lower case.
#[must_use]
pub fn reason(cause: &io::Error) -> String {
    match cause.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_lowercase(),
        None => cause.to_string(),
    }
}

/// What is wrong with the value of a key, without its place and without the words that a start puts before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValueFault {
    /// The key; `None` for a failure that no value caused.
    pub key: Option<Key>,
    /// What is wrong, in a clause that names the value.
    pub what: String,
    /// What to write instead, in the imperative.
    pub remedy: String,
}

impl Error {
    /// The fault of a value in the configuration; `None` for any other failure. The messages of a start and the
    /// findings of a check are built from it.
    #[must_use]
    pub fn value_fault(&self) -> Option<ValueFault> {
        let fault = |key: Key, what: String, remedy: String| Some(ValueFault { key: Some(key), what, remedy });
        let value_of = |key: Key, value: &str| format!("{} value \"{}\"", key.row().name, Excerpt(value));
        match self {
            Error::UnsupportedConfigCapability { name, .. } => fault(
                Key::SupportedDriverCapabilities,
                format!("unknown capability '{}'", Excerpt(name)),
                "remove it, or write \"all\" alone".to_owned(),
            ),
            Error::CliVersion { value, .. } => fault(
                Key::HookCliVersion,
                format!("{} is not a version from 1.14.0 on", value_of(Key::HookCliVersion, value)),
                "write one such as \"1.17.8\", or \"newest\"".to_owned(),
            ),
            Error::Rootless { value, .. } => fault(
                Key::HookRootless,
                format!("{} is neither \"auto\" nor \"off\"", value_of(Key::HookRootless, value)),
                "write one of them".to_owned(),
            ),
            Error::LdconfigNotHost { value, .. } => {
                let host = Excerpt(if value.starts_with('/') { value } else { "/sbin/ldconfig" });
                fault(
                    Key::CliLdconfig,
                    format!("{} is not host-relative (does not start with a '@')", value_of(Key::CliLdconfig, value)),
                    format!("write ldconfig = \"@{host}\" to use the host's program"),
                )
            }
            Error::LdconfigNotAbsolute { value, .. } => fault(
                Key::CliLdconfig,
                format!("{} is not an absolute path after the '@'", value_of(Key::CliLdconfig, value)),
                "write ldconfig = \"@/sbin/ldconfig\"".to_owned(),
            ),
            Error::CliEnvironment { entry, .. } => fault(
                Key::CliEnvironment,
                // The value of an entry may be a secret.
                format!(
                    "{} entry \"{}\" is not NAME=VALUE",
                    Key::CliEnvironment.row().name,
                    Excerpt(entry.split('=').next().unwrap_or_default())
                ),
                "give it a name and a '='".to_owned(),
            ),
            Error::CliPathRelative { value, .. } => fault(
                Key::CliPath,
                format!("{} is relative", value_of(Key::CliPath, value)),
                "give an absolute path, or remove the key to have the program searched".to_owned(),
            ),
            _ => None,
        }
    }
}

const CONFIG: &str = "error getting hook config: failed to load config:";
const NOT_LOADED: &str = "couldn't open required configuration file: failed to load specified config file";

/// Why the configuration file cannot be read; each reason has its own remedy.
fn unreadable(f: &mut fmt::Formatter<'_>, path: &Path, cause: &io::Error, named: bool) -> fmt::Result {
    let (path, remedy) = (path.display(), remedy_for_unreadable(cause, named));
    match cause.kind() {
        io::ErrorKind::NotFound => write!(
            f,
            "{CONFIG} couldn't open required configuration file: file does not exist: open {path}: {}; {remedy}",
            reason(cause)
        ),
        io::ErrorKind::InvalidData
        | io::ErrorKind::ResourceBusy
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::TimedOut => write!(f, "{CONFIG} {NOT_LOADED}: {path}: {}; {remedy}", reason(cause)),
        _ => write!(f, "{CONFIG} {NOT_LOADED}: open {path}: {}; {remedy}", reason(cause)),
    }
}

/// What to do about a configuration file that cannot be read. A file that was `named` must exist.
#[must_use]
pub fn remedy_for_unreadable(cause: &io::Error, named: bool) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "create it, or name another with --config",
        io::ErrorKind::InvalidData => "save the file as UTF-8, or remove the character",
        io::ErrorKind::ResourceBusy if named => {
            "replace it by renaming a whole file; for the defaults write a comment into it"
        }
        io::ErrorKind::ResourceBusy => {
            "replace it by renaming a whole file; for the defaults remove it, or write a comment into it"
        }
        io::ErrorKind::UnexpectedEof => "let its writer write the configuration; for the defaults, a comment",
        io::ErrorKind::TimedOut => "let its writer end, or name a file with --config",
        _ => "make the file readable, or name another with --config",
    }
}

/// What a start could not learn about the machine, each with its own way around the question.
fn machine(f: &mut fmt::Formatter<'_>, question: &Unanswered, doubt: Doubt) -> fmt::Result {
    let (subject, remedy) = match doubt {
        Doubt::Platform => {
            ("the kind of machine", "or set nvidia-container-runtime.mode = \"legacy\", if this is not a Tegra")
        }
        Doubt::Program => ("which nvidia-container-cli comes first", "or name it with nvidia-container-cli.path"),
        Doubt::Distribution => ("the distribution", "or set nvidia-container-cli.user, which may be empty"),
        Doubt::Ldconfig => ("whether ldconfig is wrapped", "or remove it"),
        Doubt::Rootless => {
            ("whether this is the host's root", "or set nvidia-container-runtime-hook.rootless = \"off\"")
        }
    };
    let Unanswered { call, path, cause } = question;
    write!(f, "cannot tell {subject}: {call} {}: {}; make it readable, {remedy}", path.display(), reason(cause))
}

impl Display for Error {
    #[expect(clippy::too_many_lines, reason = "one arm an error; splitting would hide that each has its words")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = self.value_fault().unwrap_or_default();
        match self {
            Error::ConfigUnreadable { path, named, cause } => unreadable(f, path, cause, *named),
            Error::ConfigRelative { by, value } => write!(
                f,
                "{CONFIG} {NOT_LOADED}: {by} is \"{}\", which is relative; give an absolute path: the working directory is the runtime's",
                Excerpt(value)
            ),
            Error::Config { place, is_toml, message } => write!(
                f,
                "{CONFIG} {}: {place}: {}; correct this line",
                if *is_toml { "failed to unmarshal config" } else { NOT_LOADED },
                Excerpt(message)
            ),
            Error::UnsupportedConfigCapability { place, value, .. } => write!(
                f,
                "error getting hook config: Invalid value for config option 'supported-driver-capabilities'; {} (supported: {}): {place}: {}; {}",
                Excerpt(value),
                crate::contract::capabilities::Capabilities::all(),
                fault.what,
                fault.remedy
            ),
            Error::CliVersion { place, .. } | Error::CliEnvironment { place, .. } | Error::Rootless { place, .. } => {
                write!(f, "{CONFIG} {place}: {}; {}", fault.what, fault.remedy)
            }
            Error::LdconfigNotHost { place, .. } | Error::LdconfigNotAbsolute { place, .. } => {
                write!(f, "{CONFIG} {}: {place}: invalid config value; {}", fault.what, fault.remedy)
            }
            Error::CliPathRelative { place, .. } => {
                write!(f, "couldn't find binary nvidia-container-cli: {place}: {}; {}", fault.what, fault.remedy)
            }
            Error::State(message) => write!(
                f,
                "could not decode container state: standard input: {}; the hook is started by a runtime, which writes the container state as JSON",
                Excerpt(message)
            ),
            Error::Pid(pid) => write!(
                f,
                "could not decode container state: standard input: pid is {}; it must be the container's process id, from 1 to 2147483647",
                Excerpt(pid)
            ),
            Error::Bundle(bundle) => write!(
                f,
                "could not open OCI spec: standard input: bundle is {}; the runtime must give the bundle's absolute path",
                Excerpt(bundle)
            ),
            Error::SpecUnreadable { path, cause } => write!(
                f,
                "could not open OCI spec: open {}: {}; the state names this bundle, is it the right one and readable?",
                path.display(),
                reason(cause)
            ),
            Error::Spec { path, message } => {
                write!(f, "could not decode OCI spec: {}:{}; the bundle is faulty", path.display(), Excerpt(message))
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
                Excerpt(message)
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
                write!(f, "invalid device mount: mounts[{index}] at {}: ", Excerpt(destination))?;
                match fault {
                    MountFault::Empty => f.write_str("no device name")?,
                    MountFault::Character(c) => write!(f, "a device name cannot contain {c:?}")?,
                    MountFault::Dash => f.write_str("a device name cannot begin with '-'")?,
                    MountFault::Nested => {
                        f.write_str("a device name cannot contain '/', unless it is MIG-GPU-UUID/GI/CI")?
                    }
                    MountFault::Cdi => f.write_str("not a CDI name")?,
                    MountFault::Word => f.write_str("only NVIDIA_VISIBLE_DEVICES may say 'none' or 'void'")?,
                }
                f.write_str("; mount /dev/null at /var/run/nvidia-container-devices/DEVICE, .../cdi/VENDOR/CLASS/NAME or .../imex/CHANNEL")
            }
            Error::ControlCharacter { variable, character } => write!(
                f,
                "invalid value of {}: it holds the control character {character:?}; remove it from the container's variable",
                Excerpt(variable)
            ),
            Error::MigUnprivileged { what } => write!(
                f,
                "cannot set MIG_{what}_DEVICES in non privileged container: NVIDIA_MIG_{what}_DEVICES is set; give the container CAP_SYS_ADMIN, or unset the variable"
            ),
            Error::DriverCapabilities { asked, allowed, place } => write!(
                f,
                "unsupported capabilities found in '{}' (allowed '{allowed}'): NVIDIA_DRIVER_CAPABILITIES asks for more than supported-driver-capabilities ({place}) allows; ask for less, or allow more",
                Excerpt(asked)
            ),
            Error::CudaVersion { value, reason } => write!(
                f,
                "failed to get requirements failed to get version: invalid CUDA version {}: invalid version string: {reason}; correct CUDA_VERSION in the image, or set NVIDIA_DISABLE_REQUIRE=true",
                Excerpt(value)
            ),
            Error::ImexTooOld { place, option, since } => write!(
                f,
                "cannot serve the requested IMEX channels: {option} needs nvidia-container-cli {since}, but nvidia-container-runtime-hook.cli-version ({place}) says older; upgrade nvidia-container-cli and cli-version, drop the request, or set features.ignore-imex-channel-requests = true to have such requests ignored",
            ),
            Error::Machine { question, doubt } => machine(f, question, *doubt),
            Error::Mode { reason, .. } => write!(
                f,
                "invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker --gpus flag) is not supported. Please use the NVIDIA Container Runtime (e.g. specify the --runtime=nvidia flag) instead: {}; to serve the container all the same, set nvidia-container-runtime-hook.skip-mode-detection = true",
                Excerpt(reason)
            ),
            Error::CliNotFound { searched, place } => write!(
                f,
                "couldn't find binary nvidia-container-cli in PATH: exec: \"nvidia-container-cli\": executable file not found in $PATH: searched {}; install it (package libnvidia-container-tools), or set nvidia-container-cli.path ({place})",
                Escaped(searched)
            ),
            Error::Nul { what } => {
                write!(f, "exec failed: invalid argument: {} holds a NUL character; remove it", Excerpt(what))
            }
            Error::ClosedStreams(cause) => write!(
                f,
                "exec failed: open /dev/null: {}: the hook was started without standard output or error; give it both, or a machine with /dev/null",
                reason(cause)
            ),
            Error::Exec { program, key, cause } => {
                write!(f, "exec failed: {}: {}", reason(cause), program.display())?;
                if cause.kind() == io::ErrorKind::ArgumentListTooLong {
                    return f.write_str("; the arguments and the environment that it would get are larger than the system allows: shorten the container's NVIDIA_ variables, above all lists of devices and requirements, or the environment of the engine");
                }
                match key {
                    Some(key) => write!(f, ", which {} names; is it", key.row().name)?,
                    None => f.write_str(", the first of the search; is it")?,
                }
                f.write_str(" an executable program for this machine?")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_does_not_end_has_a_remedy_of_its_own() {
        let (path, cause) = ("/c.toml".into(), io::Error::new(io::ErrorKind::TimedOut, "the pipe was not closed"));
        let said = Error::ConfigUnreadable { path, named: true, cause }.to_string();
        assert!(
            said.ends_with("/c.toml: the pipe was not closed; let its writer end, or name a file with --config"),
            "{said}"
        );
    }
}
