//! Origins in full, with the line of the configuration or the directory that each means: what explains a plan, and the
//! expectations of cases, say them so. Must not decide.

use super::program;
use crate::config::Config;
use crate::contract::keys::Key;
use crate::contract::origin::{Origin, Place};
use crate::invocation::Environ;

impl Origin {
    /// The origin as expectations have it (fixtures/README.md).
    #[must_use]
    pub fn in_full(&self, config: &Config<'_>, environ: Environ<'_>) -> String {
        match self {
            Origin::Config(key) => match config.place(*key) {
                Place::File { line, .. } => format!("{} in line {line}", key.row().name),
                Place::Default(_) => format!("default of {}", key.row().name),
            },
            Origin::Variable(name) => format!("variable {name}"),
            Origin::Several(origins) => {
                origins.iter().map(|origin| origin.in_full(config, environ)).collect::<Vec<_>>().join(", ")
            }
            Origin::LegacyImage(variable) => format!("legacy image without {variable}"),
            Origin::State(member) => format!("state: {member}"),
            Origin::Spec(member) => format!("config.json: {member}"),
            Origin::Flag(flag) => format!("flag {flag}"),
            Origin::Search(index) => {
                let directories = program::directories(config.text(Key::CliRoot), environ);
                let directory = directories.get(*index).map(|directory| String::from_utf8_lossy(directory));
                format!("found in {}", directory.unwrap_or_default())
            }
            plain @ (Origin::Mount(_) | Origin::Unset(_) | Origin::Fixed) => plain.to_string(),
        }
    }
}
