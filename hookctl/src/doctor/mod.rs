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

use serde::Serialize;

use crate::answer::{Answer, Scene};

use hook::config::{self, Config};
use hook::contract::keys::Key;
use hook::host::RealHost;
use hook::invocation::Invocation;

/// The number of the JSON form; it changes when a member changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// Runs the command.
pub fn run(scene: &Scene<'_>) -> Answer {
    match examine(&scene.invocation, &scene.host) {
        Ok(report) => {
            let status = u8::from(report.problems > 0);
            scene.answer(&report, |colour| text(&report, colour), status)
        }
        Err(error) => Answer::failure(&error.to_string()),
    }
}

/// What was seen.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of the hook.
    pub hook_version: &'static str,
    /// One for each state that was looked at.
    pub checks: Vec<Check>,
    /// How many problems there are.
    pub problems: usize,
    /// How many warnings there are.
    pub warnings: usize,
}

/// How a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It may keep some containers from GPUs, or slow them down.
    Warning,
    /// It keeps containers from GPUs.
    Problem,
}

/// One state.
#[derive(Debug, Serialize)]
pub struct Check {
    /// Its kind, for programs.
    pub id: &'static str,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub message: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Check {
    fn ok(id: &'static str, message: impl Into<String>) -> Self {
        Check { id, state: State::Ok, message: message.into(), remedy: None }
    }

    fn warning(id: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { id, state: State::Warning, message: message.into(), remedy: Some(remedy.into()) }
    }

    fn problem(id: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { id, state: State::Problem, message: message.into(), remedy: Some(remedy.into()) }
    }
}

/// What the checks look at.
pub struct Examination<'p> {
    /// The machine.
    pub host: &'p RealHost,
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
pub fn examine(invocation: &Invocation<'_>, host: &RealHost) -> Result<Report, hook::error::Error> {
    let file = config::find(invocation, host).ok().flatten();
    let config = match Config::read(file.as_ref()) {
        Ok(config) => config,
        Err(_) => Config::read(None)?,
    };
    let examination = Examination { host, config: &config, invocation };
    let checks: Vec<Check> = [
        driver::checks(&examination),
        devices::checks(&examination),
        tools::checks(&examination),
        engines::checks(&examination),
        system::checks(&examination),
    ]
    .into_iter()
    .flatten()
    .collect();
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    Ok(Report {
        schema: SCHEMA,
        hook_version: env!("CARGO_PKG_VERSION"),
        problems: count(State::Problem),
        warnings: count(State::Warning),
        checks,
    })
}
