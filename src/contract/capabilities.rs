//! Driver capabilities as a closed set (SPEC section 8). Must not know who asks for one or who may have it.

use std::fmt::{self, Display};

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
    /// The set of all seven.
    #[must_use]
    pub fn all() -> Self {
        Capabilities((1 << TABLE.len()) - 1)
    }

    /// What an image gets if it does not ask.
    #[must_use]
    pub fn image_default() -> Self {
        ["utility", "compute"].iter().filter_map(|name| Self::named(name)).fold(Capabilities(0), Self::union)
    }

    /// The set of one capability; `None` for any other word.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_in_one_order() {
        let set = |name| Capabilities::named(name).unwrap();
        let both = set("utility").union(set("compute"));
        assert_eq!(both.names().collect::<Vec<_>>(), ["compute", "utility"]);
    }
}
