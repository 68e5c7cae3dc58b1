//! The versions of `nvidia-container-cli` that can be imitated, and the text of `--version`.

use std::fmt;
use std::str::FromStr;

/// A release, 1.14.0 to 1.20.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u8, pub u8, pub u8);

impl Version {
    /// The oldest release that can be imitated.
    pub const OLDEST: Self = Self(1, 14, 0);
    /// The newest, which is the default.
    pub const NEWEST: Self = Self(1, 20, 0);
}

impl FromStr for Version {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let wrong = || format!("`{word}` is not a version from {} to {}", Self::OLDEST, Self::NEWEST);
        let mut parts = word.split('.').map(|p| p.parse::<u8>().ok().filter(|_| p.bytes().all(|b| b.is_ascii_digit())));
        let mut part = || parts.next().flatten();
        let version = match (part(), part(), part()) {
            (Some(major), Some(minor), Some(patch)) => Self(major, minor, patch),
            _ => return Err(wrong()),
        };
        let known = (Self::OLDEST..=Self::NEWEST).contains(&version) && parts.next().is_none();
        known.then_some(version).ok_or_else(wrong)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The seven lines of `--version`.
#[must_use]
pub fn text(version: Version) -> String {
    format!(
        "cli-version: {version}\nlib-version: {version}\nbuild date: simulated\n\
         build revision: fake-nvidia-container-cli {}\nbuild compiler: none, this is a simulator\n\
         build platform: {}\nbuild flags: none\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_released_versions_are_taken() {
        assert_eq!("1.17.8".parse(), Ok(Version(1, 17, 8)));
        for wrong in ["", "1.13.5", "1.20.1", "1.17", "1.17.8.1", "1.17.x", "1.+17.8", "v1.17.8"] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong:?}");
        }
    }
}
