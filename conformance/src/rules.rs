//! `rules.toml`: the rules by which releases of the published hook differ from the newest. Must not know any case.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::fixtures::Fixtures;

/// The rules, by id.
pub type Rules = BTreeMap<String, Rule>;

/// A rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The first release with the newer behaviour, in words if it is not one release.
    pub since: String,
    /// The commits of the toolkit that made the difference.
    pub commit: String,
    /// The difference, in sentences.
    pub says: String,
    /// Which side this project's hook is on, in a sentence.
    pub ours: String,
    /// Why no recorded run shows it, if none does.
    pub unseen: Option<String>,
}

/// Reads the file.
pub fn read(fixtures: &Fixtures) -> Result<Rules> {
    const PATH: &str = "recorded/rules.toml";
    toml::from_str(fixtures.file(PATH)?).context(PATH)
}
