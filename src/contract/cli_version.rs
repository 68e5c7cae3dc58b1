//! Which options an `nvidia-container-cli` of a given version knows (SPEC section 12). Knows no configuration.

use crate::text::semver::Version;

/// The oldest `nvidia-container-cli` that the hook has to speak to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CliVersion(u64, u64, u64);

/// How a version is told about CUDA compatibility libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompatSyntax {
    /// Not at all: the program mounts them whenever the image has some.
    None,
    /// `--no-cntlibs` switches them off; nothing else can be said.
    NoCntlibs,
    /// `--cuda-compat-mode=MODE`.
    Mode,
}

impl CliVersion {
    /// The oldest that is supported: the program beside which the founding description stands.
    pub const OLDEST: CliVersion = CliVersion(1, 14, 0);
    /// Any version knows at most what this one knows.
    pub const NEWEST: CliVersion = CliVersion(u64::MAX, 0, 0);

    /// Reads `newest`, nothing, or a version from [`Self::OLDEST`] on.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text == "newest" {
            return Some(Self::NEWEST);
        }
        let version = Version::parse(text).ok()?;
        Some(CliVersion(version.major, version.minor, version.patch)).filter(|v| *v >= Self::OLDEST)
    }

    /// `--imex-channel` is known.
    #[must_use]
    pub fn has_imex_channel(self) -> bool {
        self >= CliVersion(1, 14, 6)
    }

    /// `--no-create-imex-channels` is known.
    #[must_use]
    pub fn has_no_create_imex_channels(self) -> bool {
        self >= CliVersion(1, 17, 0)
    }

    /// What can be said about compatibility libraries.
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
