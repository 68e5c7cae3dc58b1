//! Driver capabilities (SPEC section 8): a closed set, of which a container gets what it asks for and may have.
//! Must not know how a capability becomes an argument's place.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use crate::config::{Config, Key};
use crate::container::ImageEnvironment;
use crate::error::Error;
use crate::origin::Origin;
use crate::text::comma_list;

/// The variable that asks.
pub const VARIABLE: &str = "NVIDIA_DRIVER_CAPABILITIES";
/// The word that asks for everything.
const ALL: &str = "all";

/// Name and flag of each capability, in alphabetical order, which is the order of the command line.
const TABLE: [(&str, &str); 7] = [
    ("compat32", "--compat32"),
    ("compute", "--compute"),
    ("display", "--display"),
    ("graphics", "--graphics"),
    ("ngx", "--ngx"),
    ("utility", "--utility"),
    ("video", "--video"),
];

/// A set of driver capabilities.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities(u8);

impl Capabilities {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Capabilities((1 << TABLE.len()) - 1)
    }

    /// What an image gets that does not ask.
    #[must_use]
    pub fn default_of_images() -> Self {
        ["utility", "compute"].iter().filter_map(|name| Self::named(name)).fold(Capabilities(0), Self::union)
    }

    /// The set of one capability; `None` for another word.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().position(|(known, _)| *known == name).map(|bit| Capabilities(1 << bit))
    }

    /// What is in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Capabilities(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Capabilities(self.0 & other.0)
    }

    /// Whether all of another set is in this one.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the members, in alphabetical order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.members().map(|(name, _)| name)
    }

    /// The flags of the members, in alphabetical order.
    pub fn flags(self) -> impl Iterator<Item = &'static str> {
        self.members().map(|(_, flag)| flag)
    }

    fn members(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        TABLE.iter().enumerate().filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, row)| *row)
    }
}

impl Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, _)) in self.members().enumerate() {
            write!(f, "{}{name}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// The capabilities of a container, and which input decided.
///
/// # Errors
/// [`Error::DriverCapabilities`] when the container asks for one that is not supported.
pub fn granted(config: &Config<'_>, environment: &ImageEnvironment<'_>) -> Result<(Capabilities, Origin), Error> {
    let supported = config.supported();
    match environment.get(VARIABLE) {
        None if environment.is_legacy() => Ok((supported, Origin::LegacyImage(VARIABLE))),
        None | Some("") => Ok((supported.intersection(Capabilities::default_of_images()), Origin::Unset(VARIABLE))),
        Some(list) => {
            let asked = parse(list, supported).ok_or_else(|| Error::DriverCapabilities {
                asked: sorted(list),
                allowed: supported.to_string(),
                place: config.place(Key::SupportedDriverCapabilities),
            })?;
            Ok((asked, Origin::Variable(VARIABLE.to_owned())))
        }
    }
}

/// The set that a list names, unless something in it is not supported. `all` hides what stands beside it.
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
