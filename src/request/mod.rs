//! What a container asks for and may have: turns configuration and specification into a request, or into the reason why
//! this is not a GPU container (SPEC sections 7 to 9). Must not know arguments, the machine or the mode.

pub mod capabilities;
pub mod devices;
pub mod imex;
pub mod requirements;

use std::fmt::{self, Display};

use devices::{Devices, MountRequests, VariableRequest};
use imex::Imex;
use requirements::Requirement;

use crate::config::Config;
use crate::container::Spec;
use crate::contract::capabilities::Capabilities;
use crate::contract::origin::Origin;
use crate::contract::variables::{IMEX_CHANNELS, MIG_CONFIG, MIG_MONITOR};
use crate::error::Error;
use crate::text::{Excerpt, comma_list};

/// A value of the request and the input that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<T> {
    /// What was asked for.
    pub value: T,
    /// The input that asked, or the rule that applies if none did.
    pub origin: Origin,
}

/// What a GPU container gets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Request {
    /// The devices; never [`Devices::Void`].
    pub devices: Asked<Devices>,
    /// `NVIDIA_MIG_CONFIG_DEVICES`, passed on as it is.
    pub mig_config: Option<String>,
    /// `NVIDIA_MIG_MONITOR_DEVICES`, passed on as it is.
    pub mig_monitor: Option<String>,
    /// The outcome of its request for IMEX channels.
    pub imex: Imex,
    /// The driver capabilities that it asks for and may have.
    pub capabilities: Asked<Capabilities>,
    /// What its image requires of the driver, in the order of the command line.
    pub requirements: Vec<Requirement>,
}

/// Whether a container gets GPUs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum ContainerKind {
    /// A GPU container, and what it gets.
    Gpu(Request),
    /// A container that the hook leaves alone.
    NoGpu(NoGpuReason),
}

/// Why a container is not a GPU container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoGpuReason {
    /// Nothing asks for devices, or `void` does.
    NothingRequested,
    /// Variables ask for devices, but the configuration does not accept that from an unprivileged container.
    Ignored {
        /// Their names, in the order of the configuration.
        variables: Vec<String>,
        /// None of them is set, and the rule for legacy images asks in their place.
        by_legacy_rule: bool,
    },
}

/// What asks in a legacy image.
const LEGACY_RULE: &str = "CUDA_VERSION without NVIDIA_REQUIRE_CUDA (a legacy image)";

impl Display for NoGpuReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoGpuReason::NothingRequested => f.write_str("nothing asks for a GPU"),
            NoGpuReason::Ignored { variables, by_legacy_rule } => {
                match by_legacy_rule {
                    true => f.write_str(LEGACY_RULE)?,
                    false => write!(f, "{}", Excerpt(&variables.join(" and ")))?,
                }
                let verb = if *by_legacy_rule || variables.len() == 1 { "asks" } else { "ask" };
                write!(
                    f,
                    " {verb} for GPUs, but the container is not privileged and the configuration ignores such requests"
                )
            }
        }
    }
}

impl NoGpuReason {
    /// The warning that explains why a request was ignored.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let NoGpuReason::Ignored { variables, by_legacy_rule } = self else { return None };
        let asks = if *by_legacy_rule { format!("{LEGACY_RULE} asks for them; ") } else { String::new() };
        Some(format!(
            "level=warning msg=\"Ignoring devices requested by environment variable(s) in unprivileged container: [{}]\"; {asks}accept-nvidia-visible-devices-envvar-when-unprivileged = true would accept them",
            Excerpt(&variables.join(" "))
        ))
    }
}

impl Request {
    /// The warning that explains why a part of the request was ignored.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        (self.imex == Imex::Ignored).then(|| {
            format!("level=warning msg=\"Ignoring request by environment variable(s) in unprivileged container: [{IMEX_CHANNELS}]\"; accept-nvidia-visible-devices-envvar-when-unprivileged = true would accept it")
        })
    }

    /// Derives the request of a container.
    ///
    /// # Errors
    /// Those of mounts, devices, MIG requests, channels, capabilities and requirements, in this order.
    pub fn derive(config: &Config<'_>, spec: &Spec<'_>) -> Result<ContainerKind, Error> {
        let mounts = MountRequests::read(&spec.device_mounts)?;
        let devices = match requested_devices(config, spec, &mounts) {
            Ok(devices) => devices,
            Err(reason) => return Ok(ContainerKind::NoGpu(reason)),
        };
        if let Devices::Some(_) = devices.value {
            check_lists(&devices.origin, spec)?;
        }
        let mig_config = mig(spec, MIG_CONFIG, "CONFIG")?;
        let mig_monitor = mig(spec, MIG_MONITOR, "MONITOR")?;
        let imex = imex::requested(config, spec, &mounts);
        if let Some(channels) = imex.channels() {
            check_lists(&channels.origin, spec)?;
        }
        let (value, origin) = capabilities::granted(config, &spec.environment)?;
        let requirements = requirements::stated(config, &spec.environment)?;
        for Requirement { expression, origin } in &requirements {
            if let Origin::Variable(variable) = origin {
                check_text(variable, expression)?;
            }
        }
        let capabilities = Asked { value, origin };
        let request = Request { devices, mig_config, mig_monitor, imex, capabilities, requirements };
        Ok(ContainerKind::Gpu(request))
    }
}

fn requested_devices(
    config: &Config<'_>,
    spec: &Spec<'_>,
    mounts: &MountRequests,
) -> Result<Asked<Devices>, NoGpuReason> {
    if let Some((value, origin)) = mounts.devices() {
        return Ok(Asked { value, origin });
    }
    let request = VariableRequest::read(config, &spec.environment);
    if request.devices == Devices::Void {
        return Err(NoGpuReason::NothingRequested);
    }
    if !devices::accepts_variables(config, spec) {
        let VariableRequest { variables, by_legacy_rule, .. } = request;
        return Err(NoGpuReason::Ignored { variables, by_legacy_rule });
    }
    Ok(Asked { origin: request.origin(), value: request.devices })
}

/// Applies [`check_text`] to each item in the lists of the variables that asked. Items are passed on without
/// surrounding white space.
fn check_lists(origin: &Origin, spec: &Spec<'_>) -> Result<(), Error> {
    for origin in origin.each() {
        if let Origin::Variable(variable) = origin {
            let list = spec.environment.get(variable).unwrap_or_default();
            comma_list(list).try_for_each(|item| check_text(variable, item))?;
        }
    }
    Ok(())
}

/// MIG requests reach beyond the container, so only a privileged container may make them.
fn mig(spec: &Spec<'_>, variable: &str, what: &'static str) -> Result<Option<String>, Error> {
    match spec.environment.get(variable).filter(|value| !value.is_empty()) {
        Some(_) if !spec.privileged => Err(Error::MigUnprivileged { what }),
        None => Ok(None),
        Some(value) => check_text(variable, value).map(|()| Some(value.to_owned())),
    }
}

/// Refuses control characters in a value that is passed on: nvidia-container-cli repeats the value to an
/// administrator's terminal. NUL, which no argument can hold, has its own message.
fn check_text(variable: &str, value: &str) -> Result<(), Error> {
    match value.chars().find(|character| character.is_control() && *character != '\0') {
        Some(character) => Err(Error::ControlCharacter { variable: variable.to_owned(), character }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gets_no_gpu_is_told_why() {
        assert_eq!(NoGpuReason::NothingRequested.to_string(), "nothing asks for a GPU");
        let ignored = |names: &[&str]| NoGpuReason::Ignored {
            variables: names.iter().map(ToString::to_string).collect(),
            by_legacy_rule: false,
        };
        assert!(ignored(&["A"]).to_string().starts_with("A asks for GPUs, but the container is not privileged"));
        assert!(ignored(&["A", "B"]).to_string().starts_with("A and B ask for GPUs, but the container is not"));
    }
}
