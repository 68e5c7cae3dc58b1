//! Which options an `nvidia-container-cli` of a given version knows (SPEC section 12). Must not know the configuration.

use crate::text::semver::Version;

/// The oldest `nvidia-container-cli` that the hook must work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CliVersion(u64, u64, u64);

/// How a version can be told what to do with CUDA compatibility libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompatSyntax {
    /// Not at all: the program mounts them whenever the image has any.
    None,
    /// `--no-cntlibs` switches them off; there is no other setting.
    NoCntlibs,
    /// `--cuda-compat-mode=MODE`.
    Mode,
}

impl CliVersion {
    /// The oldest supported version: the program that the founding description goes with.
    pub const OLDEST: CliVersion = CliVersion(1, 14, 0);
    /// This version knows every option that any version knows.
    pub const NEWEST: CliVersion = CliVersion(u64::MAX, 0, 0);

    /// Reads `newest`, an empty text, or a version from [`Self::OLDEST`] on.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text == "newest" {
            return Some(Self::NEWEST);
        }
        let version = Version::parse(text).ok()?;
        Some(CliVersion(version.major, version.minor, version.patch)).filter(|v| *v >= Self::OLDEST)
    }

    /// Whether `--imex-channel` is known.
    #[must_use]
    pub fn has_imex_channel(self) -> bool {
        self >= CliVersion(1, 14, 6)
    }

    /// Whether `--no-create-imex-channels` is known.
    #[must_use]
    pub fn has_no_create_imex_channels(self) -> bool {
        self >= CliVersion(1, 17, 0)
    }

    /// How to set the treatment of compatibility libraries.
    #[must_use]
    pub fn compat_syntax(self) -> CompatSyntax {
        match self {
            v if v >= CliVersion(1, 17, 7) => CompatSyntax::Mode,
            v if v >= CliVersion(1, 17, 4) => CompatSyntax::NoCntlibs,
            _ => CompatSyntax::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_of_the_ladder_is_where_the_option_came_in() {
        let at = |text| CliVersion::parse(text).unwrap();
        assert!(!at("1.14.5").has_imex_channel() && at("1.14.6").has_imex_channel());
        assert!(!at("1.16.9").has_no_create_imex_channels() && at("1.17").has_no_create_imex_channels());
        let syntax = |text| at(text).compat_syntax();
        assert_eq!(syntax("1.17.3"), CompatSyntax::None);
        assert_eq!((syntax("1.17.4"), syntax("1.17.6")), (CompatSyntax::NoCntlibs, CompatSyntax::NoCntlibs));
        assert_eq!((syntax("1.17.7"), syntax("")), (CompatSyntax::Mode, CompatSyntax::Mode));
        assert_eq!((CliVersion::parse("1.13.9"), CliVersion::parse("new")), (None, None));
    }
}
