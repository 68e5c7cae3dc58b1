//! Which driver capabilities a container gets: those that it asks for and may have (SPEC section 8). Must not know how
//! a capability becomes an argument.

use std::collections::BTreeSet;

use crate::config::Config;

use crate::container::ImageEnvironment;
use crate::contract::capabilities::Capabilities;
use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::contract::variables::DRIVER_CAPABILITIES;
use crate::error::Error;
use crate::text::comma_list;

/// The word that asks for everything.
const ALL: &str = "all";

/// The capabilities of a container, and the input that decided them.
///
/// # Errors
/// [`Error::DriverCapabilities`] if the container asks for a capability that is not supported.
pub fn granted(config: &Config<'_>, environment: &ImageEnvironment<'_>) -> Result<(Capabilities, Origin), Error> {
    let supported = config.supported();
    match environment.get(DRIVER_CAPABILITIES) {
        None if environment.is_legacy() => Ok((supported, Origin::LegacyImage(DRIVER_CAPABILITIES))),
        None | Some("") => {
            Ok((supported.intersection(Capabilities::image_default()), Origin::Unset(DRIVER_CAPABILITIES)))
        }
        Some(list) => {
            let asked = parse(list, supported).ok_or_else(|| Error::DriverCapabilities {
                asked: sorted(list),
                allowed: supported.to_string(),
                place: config.place(Key::SupportedDriverCapabilities),
            })?;
            Ok((asked, Origin::Variable(DRIVER_CAPABILITIES.to_owned())))
        }
    }
}

/// The set that a list names; `None` if an item in it is not supported. `all` overrides the items next to it.
fn parse(list: &str, supported: Capabilities) -> Option<Capabilities> {
    if comma_list(list).any(|item| item == ALL) {
        return Some(supported);
    }
    comma_list(list).try_fold(Capabilities::default(), |set, item| {
        Capabilities::named(item).filter(|one| supported.contains(*one)).map(|one| set.union(one))
    })
}

fn sorted(list: &str) -> String {
    comma_list(list).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}
