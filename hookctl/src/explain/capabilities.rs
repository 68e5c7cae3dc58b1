//! Which driver capabilities a container asks for, may have and gets. Must not decide: `request` does.

use super::devices::place_of;
use super::report::Capabilities;
use hook::config::Config;
use hook::container::Spec;
use hook::contract;
use hook::contract::keys::Key;
use hook::contract::origin::Origin;
use hook::contract::variables::DRIVER_CAPABILITIES;
use hook::request::capabilities;

/// The part of the report about driver capabilities.
pub fn driver_capabilities(config: &Config<'_>, spec: &Spec<'_>) -> Capabilities {
    let granted = capabilities::granted(config, &spec.environment).ok();
    let why = match &granted {
        Some((_, Origin::LegacyImage(_))) => "a legacy image that does not ask gets all that is allowed".to_owned(),
        Some((_, Origin::Unset(_))) => "an image that does not ask gets utility and compute".to_owned(),
        Some(_) => "as asked".to_owned(),
        None => "something that is asked for is not allowed".to_owned(),
    };
    Capabilities {
        asked: spec.environment.get(DRIVER_CAPABILITIES).map(str::to_owned),
        allowed: names(config.supported()),
        allowed_place: place_of(config, Key::SupportedDriverCapabilities),
        given: granted.map(|(given, _)| names(given)),
        why,
    }
}

fn names(set: contract::capabilities::Capabilities) -> Vec<String> {
    set.names().map(str::to_owned).collect()
}
