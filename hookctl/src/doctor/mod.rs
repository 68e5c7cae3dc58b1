//! `doctor`: the states of a host that keep GPUs from containers, each with its remedy, in a report that can be pasted:
//! it contains versions, paths and modes, and nothing about any container. It only looks: nothing is changed or
//! executed. It never says that a host is fit, only that none of the states it knows was found.

mod cdi;
mod containerd;
mod crio;
mod devices;
mod distributions;
mod docker;
mod docker_file;
mod docker_flags;
mod driver;
mod elf;
mod engine_files;
mod examination;
mod glob;
mod hardware;
mod hooks;
mod linker;
mod modules;
mod namespaces;
mod packages;
pub mod path;
mod served;
pub mod states;
mod surroundings;
mod system;
mod text;
mod tools;
mod users;

pub use text::text;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Answer, Scene};
use crate::finding::{Count, Finding, Severity};
use crate::gpus::HostGpus;
use crate::tree::Tree;
use examination::{Deciding, Examination, HOOK_NAMES, OPERATOR_TOOLKIT};
use hook::config::Config;
use hook::error::Error;
use hook::invocation::Invocation;
use hook::plan::program::DEFAULT_DIRECTORIES;
use surroundings::Surroundings;

/// The version of the JSON form; it changes when a member changes meaning or is removed.
pub const SCHEMA: u32 = 1;

/// Runs the command.
pub fn run(scene: &Scene<'_>) -> Answer {
    match examine(&scene.invocation, &scene.host) {
        Ok(mut report) => {
            // Only here: explain asks what the hook would meet, whether or not it is needed.
            served::relieve(&scene.host, &mut report.checks);
            report.count = Count::of(&report.checks);
            scene.answer(&report, |colour| text(&report, colour), report.count.status(false))
        }
        Err(error) => Answer::failure(&error.to_string()),
    }
}

/// The answer of `nvidia-hookctl doctor`: what was looked at on the host, and what was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Version of the schema of this answer; it changes when a member changes meaning or is removed.
    pub schema: u32,
    /// Version of nvidia-hookctl.
    pub hookctl_version: &'static str,
    /// Version of the hook whose rules nvidia-hookctl applies.
    pub hook_version: &'static str,
    /// The hook that is installed on the host; null if none is.
    pub installed_hook: Option<InstalledHook>,
    /// The kind of machine, such as `WSL 2`, if remedies depend on it; null for the usual machine.
    pub machine: Option<String>,
    /// The findings, including those for checks that found everything as it should be.
    pub checks: Vec<Finding>,
    /// How many states that keep GPUs from containers are known; all of them were looked for.
    pub known_states: usize,
    /// How many of the findings count.
    #[serde(flatten)]
    pub count: Count,
}

/// The hook that is installed on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InstalledHook {
    /// Path of the hook.
    pub path: String,
    /// Version of the hook; null if neither its package nor the file itself shows it.
    pub version: Option<String>,
}

impl Report {
    /// The findings that are states: the same name with severity ok says that the state was looked for in vain.
    pub fn found(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(|finding| finding.severity > Severity::Ok && states::named(finding.id).is_some())
    }

    /// How many states were found; one that was found in many files is one state.
    #[must_use]
    pub fn states_found(&self) -> usize {
        self.found().map(|finding| finding.id).collect::<BTreeSet<_>>().len()
    }
}

/// Examines a machine.
///
/// # Errors
/// Only if the built-in defaults are not a valid configuration, which cannot happen.
pub fn examine(invocation: &Invocation<'_>, host: &Tree) -> Result<Report, Error> {
    let deciding = Deciding::of(invocation, host);
    let invocation = deciding.invocation(invocation);
    let file = examination::file(&invocation, host);
    let config = match Config::read(file.as_ref()) {
        Ok(config) => config,
        Err(_) => Config::read(None)?,
    };
    let surroundings = Surroundings::of(host);
    let gpus = HostGpus::of(host);
    let mut examination = Examination {
        host,
        surroundings: &surroundings,
        config: &config,
        invocation: &invocation,
        gpus: &gpus,
        findings: Vec::new(),
    };
    for check in [
        driver::check,
        devices::check,
        tools::check,
        linker::check,
        system::check,
        namespaces::check,
        docker::check,
        users::check,
        hooks::check,
        crio::check,
        containerd::check,
        cdi::check,
        path::check,
    ] {
        check(&mut examination);
    }
    let mut checks: Vec<Finding> = Vec::new();
    for finding in examination.findings {
        if !checks.contains(&finding) {
            checks.push(finding);
        }
    }
    Ok(Report {
        schema: SCHEMA,
        hookctl_version: crate::VERSION,
        hook_version: hook::VERSION,
        installed_hook: installed_hook(host),
        machine: surroundings.words(),
        known_states: states::count(),
        count: Count::of(&checks),
        checks,
    })
}

/// The host's hook: in the default program directories, otherwise in the operator's.
fn installed_hook(host: &Tree) -> Option<InstalledHook> {
    let directories = DEFAULT_DIRECTORIES.iter().copied().chain([OPERATOR_TOOLKIT]);
    let path = directories
        .flat_map(|directory| HOOK_NAMES.iter().map(move |name| format!("{directory}/{name}")))
        .find(|path| host.is_program(path))?;
    let version = packages::of_hook(host, &path)
        .or_else(|| packages::version(host, &["nvidia-container-toolkit", "nvidia-container-runtime-hook"]));
    Some(InstalledHook { path, version })
}
