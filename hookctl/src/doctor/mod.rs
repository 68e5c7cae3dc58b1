//! `doctor`: the states of a host that keep GPUs from containers, each with its remedy, in a report that can be pasted:
//! it holds versions, paths and modes, and nothing of any container. Only looks; nothing is changed or executed. It never
//! says that a host is fit, only that none of the states that it knows was found.

mod cdi;
mod containerd;
mod crio;
mod devices;
mod distributions;
mod docker;
mod driver;
mod elf;
mod engine_files;
mod examination;
mod hardware;
mod hooks;
mod linker;
mod modules;
mod namespaces;
mod packages;
pub mod path;
pub mod states;
mod surroundings;
mod system;
mod text;
mod tools;
mod users;

pub use text::text;

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Answer, Scene};
use crate::finding::{Count, Finding};
use crate::gpus::HostGpus;
use crate::tree::Tree;
use examination::{Deciding, Examination, HOOK_NAMES, OPERATOR_TOOLKIT};
use hook::config::Config;
use hook::error::Error;
use hook::invocation::Invocation;
use hook::plan::program::DEFAULT_DIRECTORIES;
use surroundings::Surroundings;

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
    /// The hook that is installed on the host, if one is.
    pub installed_hook: Option<InstalledHook>,
    /// What kind of machine it is, where remedies depend on it.
    pub machine: Option<String>,
    /// What was looked at, and what was found.
    pub checks: Vec<Finding>,
    /// How many states are known, all of which were looked for.
    pub known_states: usize,
    /// How many of the findings count.
    #[serde(flatten)]
    pub count: Count,
}

/// A hook on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InstalledHook {
    /// Its path.
    pub path: String,
    /// Its version, where a package or the file itself tells it.
    pub version: Option<String>,
}

impl Report {
    /// The states that were found.
    pub fn found(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter(|finding| states::named(finding.id).is_some())
    }
}

/// Looks at a machine.
///
/// # Errors
/// Only where the built-in defaults are not a valid configuration, which cannot be.
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
    let checks = examination.findings;
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

/// The hook of the host: in the directories of programs, else in the operator's.
fn installed_hook(host: &Tree) -> Option<InstalledHook> {
    let directories = DEFAULT_DIRECTORIES.iter().copied().chain([OPERATOR_TOOLKIT]);
    let path = directories
        .flat_map(|directory| HOOK_NAMES.iter().map(move |name| format!("{directory}/{name}")))
        .find(|path| host.is_program(path))?;
    let version = packages::of_hook(host, &path)
        .or_else(|| packages::version(host, &["nvidia-container-toolkit", "nvidia-container-runtime-hook"]));
    Some(InstalledHook { path, version })
}
