//! `overrides.toml`: the recorded runs in which ours differs from the published hook, with the reason and what ours does.
//! Must not know how a case is run.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::expected::{Published, outcome_of_any};
use crate::fixtures::Fixtures;
use crate::outcome::Outcome;
use crate::scene::Scene;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// The differences and their reasons.
    pub reasons: BTreeMap<String, String>,
    /// Differences that no case can show, because the published hook waits for ever or the input is too large to keep.
    #[serde(default)]
    pub limits: BTreeMap<String, String>,
    /// What ours does in each case that shows a difference.
    #[serde(default)]
    pub case: Vec<Override>,
}

/// What ours does in a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The recorded case.
    pub name: String,
    /// The difference.
    pub because: String,
    /// The exit status.
    #[serde(default)]
    pub exit: i32,
    /// Standard error, exactly.
    #[serde(default)]
    pub stderr: String,
    /// The arguments, if something is executed.
    pub argv: Option<Vec<String>>,
    /// The environment, if it is not exactly the hook's own.
    pub environment: Option<Vec<String>>,
}

impl Overrides {
    /// Reads the file.
    pub fn read(fixtures: &Fixtures) -> Result<Overrides> {
        const PATH: &str = "recorded/overrides.toml";
        toml::from_str(fixtures.file(PATH)?).context(PATH)
    }

    /// The entry of a case.
    pub fn find(&self, name: &str) -> Option<&Override> {
        self.case.iter().find(|case| case.name == name)
    }
}

impl Override {
    /// What ours does, except for its messages.
    pub fn published(&self, scene: &Scene) -> Published {
        let list = |texts: &[String]| texts.iter().map(|text| text.clone().into_bytes()).collect::<Vec<_>>();
        Published {
            exit: self.exit,
            argv: self.argv.as_deref().map(list),
            environment: self.environment.as_deref().map_or_else(|| scene.environ.clone(), list),
        }
    }

    /// How an outcome differs from the entry.
    pub fn faults(&self, scene: &Scene, outcome: &Outcome) -> Vec<String> {
        let mut faults = self.published(scene).faults(outcome);
        if self.stderr != outcome.stderr() {
            faults.push(format!("stderr: want {:?}, got {:?}", self.stderr, outcome.stderr()));
        }
        faults.extend(outcome_of_any(scene, outcome));
        faults
    }
}
