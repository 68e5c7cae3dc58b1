//! The words of every failure, one arm an error: what failed in the words that people search for, the input that caused
//! it, and what to do. Must not decide anything.

use std::fmt::{self, Display};
use std::io;

use super::{Error, MountFault};
use crate::text::{Line, Shown};

/// The reason of an operating system error, in its own lower-case words.
#[must_use]
pub fn reason(cause: &io::Error) -> String {
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
                crate::contract::capabilities::Capabilities::all(),
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
            Error::Exec { program, key, cause } => {
                write!(f, "exec failed: {}: {}", reason(cause), program.display())?;
                match key {
                    Some(key) => write!(f, ", which {} names; is it", key.row().name)?,
                    None => f.write_str(", the first of the search; is it")?,
                }
                f.write_str(" an executable program for this machine?")
            }
        }
    }
}
