//! IMEX channels (SPEC section 7, last paragraph): requested by mounts, or else by a variable under the same privilege
//! rule as devices.

use super::Asked;
use super::devices::{Devices, MountRequests, accepts_variables};
use crate::config::Config;
use crate::container::Spec;
use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::contract::variables::IMEX_CHANNELS;
use crate::text::comma_list;

/// The outcome of a container's request for channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imex {
    /// Nothing asks for channels, or the configuration drops such requests.
    None,
    /// The channels, in order and without duplicates, and the input that asked for them.
    Channels(Asked<Vec<String>>),
    /// The variable asks for channels, but the configuration does not accept that from an unprivileged container.
    Ignored,
}

impl Imex {
    /// The channels that are passed on.
    #[must_use]
    pub fn channels(&self) -> Option<&Asked<Vec<String>>> {
        match self {
            Imex::Channels(channels) => Some(channels),
            Imex::None | Imex::Ignored => None,
        }
    }
}

/// Reads the request of a container.
#[must_use]
pub fn requested(config: &Config<'_>, spec: &Spec<'_>, mounts: &MountRequests) -> Imex {
    if config.flag(Key::IgnoreImexChannelRequests) {
        return Imex::None;
    }
    if let Some((value, origin)) = mounts.channels() {
        return Imex::Channels(Asked { value, origin });
    }
    // `all` asks for no channel: the hook cannot know how many there are.
    match Devices::from_items(comma_list(spec.environment.get(IMEX_CHANNELS).unwrap_or_default())) {
        Devices::Some(_) if !accepts_variables(config, spec) => Imex::Ignored,
        Devices::Some(value) => Imex::Channels(Asked { value, origin: Origin::Variable(IMEX_CHANNELS.to_owned()) }),
        Devices::All | Devices::None | Devices::Void => Imex::None,
    }
}
