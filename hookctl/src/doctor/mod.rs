//! `doctor`: the states of a host that keep GPUs from containers, each with its remedy, in a report that can be pasted:
//! it holds versions, paths and modes, and nothing of any container. Only looks; nothing is changed or executed.

mod devices;
mod driver;
mod engines;
mod system;
mod text;
mod tools;

pub use text::text;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Answer, Scene};
use crate::finding::{Count, Finding};
use crate::tree::Tree;

use hook::config::{self, Config};
use hook::contract::keys::Key;
use hook::invocation::Invocation;

/// The number of the JSON form; it changes when a member changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// Runs the command.
pub fn run(scene: &Scene<'_>) -> Answer {
    match examine(&scene.invocation, &scene.host) {
        Ok(report) => scene.answer(&report, |colour| text(&report, colour), report.count.status(false)),
        Err(error) => Answer::failure(&error.to_string()),
    }
}

/// What was seen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of nvidia-hookctl.
    pub hookctl_version: &'static str,
    /// Version of the hook whose rules it applies.
    pub hook_version: &'static str,
    /// One for each state that was looked at.
    pub checks: Vec<Finding>,
    /// How many of them count.
    #[serde(flatten)]
    pub count: Count,
}

/// What the checks look at.
pub struct Examination<'p> {
    /// The machine.
    pub host: &'p Tree,
    /// The configuration of the hook; the defaults where the file cannot be used.
    pub config: &'p Config<'p>,
    /// The command line, for finding the configuration.
    pub invocation: &'p Invocation<'p>,
}

impl Examination<'_> {
    /// The driver's root directory.
    fn driver_root(&self) -> PathBuf {
        match self.config.text(Key::CliRoot) {
            "" => PathBuf::from("/"),
            root => PathBuf::from(root),
        }
    }
}

/// Looks at a machine.
///
/// # Errors
/// Only where the built-in defaults are no configuration, which cannot be.
pub fn examine(invocation: &Invocation<'_>, host: &Tree) -> Result<Report, hook::error::Error> {
    let file = config::find(invocation, host).ok().flatten();
    let config = match Config::read(file.as_ref()) {
        Ok(config) => config,
        Err(_) => Config::read(None)?,
    };
    let examination = Examination { host, config: &config, invocation };
    let checks: Vec<Finding> = [
        driver::checks(&examination),
        devices::checks(&examination),
        tools::checks(&examination),
        engines::checks(&examination),
        system::checks(&examination),
    ]
    .into_iter()
    .flatten()
    .collect();
    Ok(Report {
        schema: SCHEMA,
        hookctl_version: crate::VERSION,
        hook_version: hook::VERSION,
        count: Count::of(&checks),
        checks,
    })
}
