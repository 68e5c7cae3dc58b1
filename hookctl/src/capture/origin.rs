//! Origins in the words of a case's expectations (fixtures/README.md): captured cases are written with them, and the
//! hook's test suite compares them. Must not know arguments.

use hook::config::Config;
use hook::contract::keys::Key;
use hook::contract::origin::{Origin, Place};
use hook::invocation::Environ;
use hook::plan::program;

/// An origin as a case's expectations spell it.
#[must_use]
pub fn words(origin: &Origin, config: &Config<'_>, environ: Environ<'_>) -> String {
    match origin {
        Origin::Config(key) => match config.place(*key) {
            Place::File { line, .. } => format!("{} in line {line}", key.row().name),
            Place::Default(_) => format!("default of {}", key.row().name),
        },
        Origin::Variable(name) => format!("variable {name}"),
        Origin::Several(origins) => {
            origins.iter().map(|origin| words(origin, config, environ)).collect::<Vec<_>>().join(", ")
        }
        Origin::LegacyImage(variable) => format!("legacy image without {variable}"),
        Origin::State(member) => format!("state: {member}"),
        Origin::Spec(member) => format!("config.json: {member}"),
        Origin::Machine(key, what) => {
            format!("{}, machine: {what}", words(&Origin::Config(*key), config, environ))
        }
        Origin::Flag(flag) => format!("flag {flag}"),
        Origin::Search(index) => {
            let directories = program::directories(config.text(Key::CliRoot), environ);
            let directory = directories.get(*index).map(|directory| String::from_utf8_lossy(directory));
            format!("found in {}", directory.unwrap_or_default())
        }
        plain => plain.to_string(),
    }
}
