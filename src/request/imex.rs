//! IMEX channels (SPEC section 7, last paragraph): by mounts, else by variable under the same privilege rule as devices.

use super::devices::{Devices, MountRequests, variables_count};
use crate::config::Config;
use crate::container::Spec;
use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::contract::variables::IMEX_CHANNELS;
use crate::text::comma_list;

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
    match Devices::from_items(comma_list(spec.environment.get(IMEX_CHANNELS)?)) {
        Devices::Some(channels) => Some((channels, Origin::Variable(IMEX_CHANNELS.to_owned()))),
        Devices::All | Devices::None | Devices::Void => None,
    }
}
