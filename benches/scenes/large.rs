//! Specifications of about 10 MB, grown from the small one with what an engine, an image or an attacker could pile up.
//! Must not know what is done with them.

use std::fmt::Write;

use super::Result;
use super::scenario::replace;

/// The size that a specification grows by, in bytes.
const SIZE: usize = 10_000_000;
/// How many entries or mounts there are.
const COUNT: usize = 100_000;
/// How deep the nesting goes; serde_json stops at 128.
const DEPTH: usize = 100;

/// What is large.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Large {
    /// 100,000 variables of 100 bytes.
    Environment,
    /// 100,000 mounts, while requests by mounts are not accepted.
    Mounts,
    /// 100,000 mounts, while they are accepted.
    MountsAccepted,
    /// An unknown member, a string of 10 MB.
    UnknownMember,
    /// 10 MB of lists, each 100 deep, in an unknown member.
    Nesting,
}

impl Large {
    /// All of them.
    pub const ALL: [Large; 5] =
        [Large::Environment, Large::Mounts, Large::MountsAccepted, Large::UnknownMember, Large::Nesting];

    /// The name in tables and in the budget.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Large::Environment => "large-environment",
            Large::Mounts => "large-mounts",
            Large::MountsAccepted => "large-mounts-accepted",
            Large::UnknownMember => "large-unknown-member",
            Large::Nesting => "large-nesting",
        }
    }

    /// The small specification with something large in it.
    pub fn grow(self, spec: &str) -> Result<String> {
        let mut grown = String::with_capacity(SIZE + SIZE / 4);
        match self {
            Large::Environment => {
                for index in 0..COUNT {
                    write!(grown, "\"VARIABLE_{index:06}={:x<82}\",", "")?;
                }
                replace(spec, "\"env\":[", &format!("\"env\":[{grown}"))
            }
            Large::Mounts | Large::MountsAccepted => {
                for index in 0..COUNT {
                    write!(
                        grown,
                        r#"{{"destination":"/mnt/volume-{index:06}","type":"bind","source":"/srv/{index:06}","options":["rbind"]}},"#
                    )?;
                }
                replace(spec, "\"mounts\":[", &format!("\"mounts\":[{grown}"))
            }
            Large::UnknownMember => replace(spec, "{", &format!("{{\"unknown\":\"{}\",", "x".repeat(SIZE))),
            Large::Nesting => {
                let nest = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
                let nests = vec![nest.as_str(); SIZE / (2 * DEPTH + 1)].join(",");
                replace(spec, "{", &format!("{{\"unknown\":[{nests}],"))
            }
        }
    }
}
