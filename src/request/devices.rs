//! Which devices a container asks for, and by which source (SPEC section 7). Must not know whether it may have them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::config::Config;
use crate::container::mounts::DeviceMount;
use crate::container::{ImageEnvironment, Spec};
use crate::contract::cdi;
use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::contract::variables::VISIBLE_DEVICES;
use crate::error::{Error, MountFault};
use crate::text::comma_list;

/// Below [`crate::container::mounts::DEVICES_ROOT`]: CDI names.
const CDI: &str = "cdi";
/// Also below [`crate::container::mounts::DEVICES_ROOT`]: IMEX channels.
const IMEX: &str = "imex";

/// A request for devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Devices {
    /// `all`: every GPU of the host.
    All,
    /// `none`: a GPU container that gets the driver's files but no device.
    None,
    /// `void`, or nothing: not a GPU container.
    Void,
    /// Devices by index, UUID or name, each once.
    Some(Vec<String>),
}

impl Devices {
    /// What a list of items asks for: `void` anywhere wins, then the first of `all` and `none`.
    #[must_use]
    pub fn from_items<'a>(items: impl Iterator<Item = &'a str> + Clone) -> Self {
        if items.clone().any(|item| item == "void") {
            return Devices::Void;
        }
        match items.clone().find(|item| matches!(*item, "all" | "none")) {
            Some("all") => Devices::All,
            Some(_) => Devices::None,
            None => match unique(items) {
                ids if ids.is_empty() => Devices::Void,
                ids => Devices::Some(ids),
            },
        }
    }

    /// The value of `--device=`; `None` if the argument is not passed.
    #[must_use]
    pub fn argument(&self) -> Option<Cow<'static, str>> {
        match self {
            Devices::All => Some(Cow::Borrowed("all")),
            Devices::None | Devices::Void => None,
            Devices::Some(ids) => Some(Cow::Owned(ids.join(","))),
        }
    }

    /// Whether devices are requested, all of them by fully qualified CDI names.
    #[must_use]
    pub fn are_all_cdi(&self) -> bool {
        matches!(self, Devices::Some(ids) if ids.iter().all(|id| cdi::is_qualified(id)))
    }
}

/// The items of a list without duplicates, in the order of their first appearance.
fn unique<'a>(items: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    items.filter(|item| seen.insert(*item)).map(str::to_owned).collect()
}

/// What the container's mounts ask for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct MountRequests {
    devices: Vec<(String, usize)>,
    channels: Vec<(String, usize)>,
}

impl MountRequests {
    /// Sorts the device mounts of a container into devices and IMEX channels.
    ///
    /// # Errors
    /// [`Error::DeviceMount`] for the first mount whose device name is invalid: a request is never dropped.
    pub fn read(mounts: &[DeviceMount]) -> Result<Self, Error> {
        let mut requests = MountRequests::default();
        for mount in mounts {
            let fault = |fault| Error::DeviceMount { index: mount.index, destination: mount.destination(), fault };
            match mount.name.split_once('/') {
                Some((CDI, name)) => {
                    requests.devices.push((cdi_name(name).ok_or(fault(MountFault::Cdi))?, mount.index));
                }
                Some((IMEX, channel)) => {
                    check_name(channel).map_err(fault)?;
                    requests.channels.push((channel.to_owned(), mount.index));
                }
                None if matches!(mount.name.as_str(), CDI | IMEX) => return Err(fault(MountFault::Empty)),
                _ => {
                    if !is_old_mig_name(&mount.name) {
                        check_name(&mount.name).map_err(fault)?;
                    }
                    requests.devices.push((mount.name.clone(), mount.index));
                }
            }
        }
        Ok(requests)
    }

    /// The devices, if any are asked for, and the mounts that ask for them.
    #[must_use]
    pub fn devices(&self) -> Option<(Devices, Origin)> {
        asked_by(&self.devices).map(|(items, origin)| (Devices::from_items(items.iter().copied()), origin))
    }

    /// The IMEX channels, if any are asked for, and the mounts that ask for them.
    #[must_use]
    pub fn channels(&self) -> Option<(Vec<String>, Origin)> {
        asked_by(&self.channels).map(|(items, origin)| (unique(items.into_iter()), origin))
    }
}

fn asked_by(requests: &[(String, usize)]) -> Option<(Vec<&str>, Origin)> {
    let origins: Vec<Origin> = requests.iter().map(|(_, index)| Origin::Mount(*index)).collect();
    let items = requests.iter().map(|(item, _)| item.as_str()).collect();
    (!requests.is_empty()).then_some((items, Origin::Several(origins)))
}

/// `VENDOR/CLASS/NAME` or `VENDOR/CLASS=NAME` as a CDI name.
fn cdi_name(path: &str) -> Option<String> {
    let (vendor, rest) = path.split_once('/')?;
    let (class, device) = rest.split_once(['/', '='])?;
    Some(format!("{vendor}/{class}={device}")).filter(|name| cdi::is_qualified(name))
}

/// `MIG-GPU-UUID/GI/CI`, as drivers before R470 named MIG devices: the only device name that contains slashes.
fn is_old_mig_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("MIG-GPU-") else { return false };
    let mut parts = rest.split('/');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.next().is_some_and(is_uuid)
        && parts.next().is_some_and(is_number)
        && parts.next().is_some_and(is_number)
        && parts.next().is_none()
}

/// Five groups of 8, 4, 4, 4 and 12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// A name must be a single list item, and must not be mistaken for an option.
fn check_name(name: &str) -> Result<(), MountFault> {
    if name.is_empty() {
        return Err(MountFault::Empty);
    }
    if name.starts_with('-') {
        return Err(MountFault::Dash);
    }
    if name.contains('/') {
        return Err(MountFault::Nested);
    }
    if matches!(name, "none" | "void") {
        return Err(MountFault::Word);
    }
    match name.chars().find(|c| *c == ',' || c.is_whitespace() || c.is_control()) {
        Some(c) => Err(MountFault::Character(c)),
        None => Ok(()),
    }
}

/// What the container's variables ask for, and which variables were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableRequest {
    /// What they ask for together.
    pub devices: Devices,
    /// The variables that were read: the swarm variables that are set, or else `NVIDIA_VISIBLE_DEVICES`.
    pub variables: Vec<String>,
    /// None of them is set, and the image is a legacy image, which gets `all`.
    pub by_legacy_rule: bool,
}

impl VariableRequest {
    /// Reads the request from an environment.
    #[must_use]
    pub fn read(config: &Config<'_>, environment: &ImageEnvironment<'_>) -> Self {
        let swarm: Vec<&str> = config.swarm_variables().filter(|name| environment.get(name).is_some()).collect();
        let names = if swarm.is_empty() { vec![VISIBLE_DEVICES] } else { swarm };
        let values: Vec<&str> = names.iter().filter_map(|name| environment.get(name)).collect();
        let by_legacy_rule = values.is_empty() && environment.is_legacy();
        let devices = match by_legacy_rule {
            true => Devices::All,
            false => Devices::from_items(values.iter().copied().flat_map(comma_list)),
        };
        VariableRequest { devices, variables: names.into_iter().map(str::to_owned).collect(), by_legacy_rule }
    }

    /// The origin of the devices.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match (self.by_legacy_rule, self.variables.as_slice()) {
            (true, _) => Origin::LegacyImage(VISIBLE_DEVICES),
            (false, [one]) => Origin::Variable(one.clone()),
            (false, several) => Origin::Several(several.iter().cloned().map(Origin::Variable).collect()),
        }
    }
}

/// Whether a container's requests by variable are accepted.
#[must_use]
pub fn accepts_variables(config: &Config<'_>, spec: &Spec<'_>) -> bool {
    spec.privileged || config.flag(Key::AcceptEnvvarUnprivileged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_old_form_of_mig_names_has_slashes() {
        const UUID: &str = "fef8089b-1234-5678-9abc-def012345678";
        assert!(is_old_mig_name(&format!("MIG-GPU-{UUID}/1/0")));
        assert!(is_old_mig_name(&format!("MIG-GPU-{}/13/0", UUID.to_uppercase())));
        for name in ["MIG-GPU-x/1/0", "MIG-GPU-/1/0", "GPU-1/2/3", "1/0", "MIG-GPU-fef8089b-1234-5678-9abc/1/0"] {
            assert!(!is_old_mig_name(name), "{name}");
        }
        for rest in ["", "/1", "/1/", "/1/0/", "/1/0/0", "//0", "/a/0", "/1/-0", "/1/0,1"] {
            assert!(!is_old_mig_name(&format!("MIG-GPU-{UUID}{rest}")), "{rest}");
        }
        assert!(!is_old_mig_name(&format!("MIG-{UUID}/1/0")));
    }

    #[test]
    fn void_wins_then_the_first_of_all_and_none_and_ids_count_once() {
        let of = |list: &str| Devices::from_items(comma_list(list));
        assert_eq!(of("0,all,void"), Devices::Void);
        assert_eq!((of("1,none,all"), of("1,all,none")), (Devices::None, Devices::All));
        assert_eq!(of(" 1,0,,1 "), Devices::Some(vec!["1".to_owned(), "0".to_owned()]));
        assert_eq!(of(","), Devices::Void);
    }
}
