//! The releases of NVIDIA Container Toolkit whose hooks were recorded, and whose contract a hook is compared with.
//! Knows their names and order, not what they do.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// The recorded releases, oldest first. `main` is the development branch at commit d34b3046 of 2026-08-21.
const NAMES: [&str; 9] = ["1.14.1", "1.14.6", "1.16.2", "1.17.4", "1.17.9", "1.18.2", "1.19.1", "1.20.0", "main"];

/// Releases that no recorded run tells apart from the recorded one: first, last, recorded.
const SAME: [([u32; 3], [u32; 3], &str); 6] = [
    ([1, 14, 0], [1, 14, 3], "1.14.1"),
    ([1, 15, 0], [1, 16, 2], "1.16.2"),
    ([1, 17, 4], [1, 17, 4], "1.17.4"),
    ([1, 17, 7], [1, 17, 9], "1.17.9"),
    ([1, 18, 1], [1, 18, 2], "1.18.2"),
    ([1, 19, 0], [1, 19, 1], "1.19.1"),
];

/// A recorded release, ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Release(usize);

impl Release {
    /// The newest.
    pub const MAIN: Release = Release(NAMES.len() - 1);

    /// All, oldest first.
    pub fn all() -> impl Iterator<Item = Release> {
        (0..NAMES.len()).map(Release)
    }

    /// Its version, or `main`.
    pub fn name(self) -> &'static str {
        NAMES.get(self.0).copied().unwrap_or("main")
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for Release {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Release {
    type Err = String;

    /// A name, or a version that behaves like a recorded one in every recorded run.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let version: Vec<u32> = text.split('.').map_while(|part| part.parse().ok()).collect();
        let covers = |(first, last, _): &&([u32; 3], [u32; 3], &str)| {
            version.len() == 3 && first.as_slice() <= version.as_slice() && version.as_slice() <= last.as_slice()
        };
        let name = SAME.iter().find(covers).map_or(text, |(_, _, name)| name);
        NAMES
            .iter()
            .position(|known| *known == name)
            .map(Release)
            .ok_or_else(|| format!("no runs of release {text} were recorded; there are {}", NAMES.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_stands_for_those_that_behave_like_it() {
        for (text, release) in
            [("1.17.9", "1.17.9"), ("v1.17.8", "1.17.9"), ("1.15.0", "1.16.2"), ("main", "main"), ("1.14.0", "1.14.1")]
        {
            assert_eq!(text.parse::<Release>().map(Release::name), Ok(release));
        }
        for text in ["1.17.5", "1.13.0", "2.0.0", "", "1.17", "latest"] {
            assert!(text.parse::<Release>().is_err(), "{text}");
        }
        assert!(Release::all().is_sorted() && Release::all().last() == Some(Release::MAIN));
    }
}
