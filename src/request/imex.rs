//! IMEX channels (SPEC section 7, last paragraph): by mounts, else by variable under the same privilege rule as devices.

use super::devices::{Devices, MountRequests, variables_count};
use crate::config::{Config, Key};
use crate::container::Spec;
use crate::origin::Origin;
use crate::text::comma_list;

/// The variable that asks for channels.
pub const VARIABLE: &str = "NVIDIA_IMEX_CHANNELS";

/// The channels of a container, in order, each once, and which input asked.
#[must_use]
pub fn requested(config: &Config<'_>, spec: &Spec<'_>, mounts: &MountRequests) -> Option<(Vec<String>, Origin)> {
    if config.flag(Key::IgnoreImexChannelRequests) {
        return None;
    }
    if let Some(channels) = mounts.channels() {
        return Some(channels);
    }
    if !variables_count(config, spec) {
        return None;
    }
    // `all` means none here: nobody knows how many channels there are.
    match Devices::from_items(comma_list(spec.environment.get(VARIABLE)?)) {
        Devices::Some(channels) => Some((channels, Origin::Variable(VARIABLE.to_owned()))),
        Devices::All | Devices::None | Devices::Void => None,
    }
}
