//! What the checks share: the machine, its kind, the configuration in effect there, and the findings so far. Must not
//! know any state.

use std::ffi::{CString, OsStr};
use std::path::{Path, PathBuf};

use hook::config::{self, Config, ConfigFile};
use hook::contract::keys::Key;
use hook::invocation::{Environ, Flags, Invocation};

use super::states::State;
use super::surroundings::Surroundings;
use crate::finding::{Finding, Severity};
use crate::gpus::HostGpus;
use crate::inspect::{Inspect, seen};
use crate::tree::Tree;

/// Where the GPU operator installs its toolkit, and the configuration that its wrappers use.
pub const OPERATOR_TOOLKIT: &str = "/usr/local/nvidia/toolkit";
/// See [`OPERATOR_TOOLKIT`].
pub const OPERATOR_CONFIG: &str = "/usr/local/nvidia/toolkit/.config/nvidia-container-runtime/config.toml";
/// Where the driver of a driver container is.
pub const DRIVER_CONTAINER: &str = "/run/nvidia/driver";
/// The names under which the hook is installed.
pub const HOOK_NAMES: [&str; 2] = ["nvidia-container-runtime-hook", "nvidia-container-toolkit"];

/// A machine under examination.
pub struct Examination<'p> {
    /// The machine.
    pub host: &'p Tree,
    /// What kind of machine it is.
    pub surroundings: &'p Surroundings,
    /// The configuration of the hook; the defaults if the file cannot be used.
    pub config: &'p Config<'p>,
    /// The invocation of the hook that uses this configuration.
    pub invocation: &'p Invocation<'p>,
    /// The GPUs that the driver shows.
    pub gpus: &'p HostGpus,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Examination<'_> {
    /// Notes that something is as it should be.
    pub fn ok(&mut self, id: &'static str, message: impl Into<String>) {
        self.findings.push(Finding::ok(id, message));
    }

    /// Notes a state with its usual remedy.
    pub fn found(&mut self, state: &'static State, message: impl Into<String>) {
        self.found_with(state, message, state.remedy);
    }

    /// Notes a state with a remedy that fits what was seen.
    pub fn found_with(&mut self, state: &'static State, message: impl Into<String>, remedy: impl Into<String>) {
        self.found_as(state.severity, state, message, remedy);
    }

    /// Notes a state that is less or more severe than usual.
    pub fn found_as(
        &mut self,
        severity: Severity,
        state: &'static State,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let line = state.refusal().map(str::to_owned);
        self.findings.push(Finding { line, ..Finding::new(severity, state.id, message, remedy) });
    }

    /// Notes what nvidia-container-cli prints because of the last finding; `None` if that is not certain.
    pub fn prints(&mut self, line: Option<String>) {
        if let Some(finding) = self.findings.last_mut() {
            finding.line = line;
        }
    }

    /// The driver's root directory.
    #[must_use]
    pub fn driver_root(&self) -> PathBuf {
        match self.config.text(Key::CliRoot) {
            "" => PathBuf::from("/"),
            root => PathBuf::from(root),
        }
    }

    /// Whether the operator's toolkit is installed.
    #[must_use]
    pub fn has_operator_toolkit(&self) -> bool {
        has_operator_toolkit(self.host)
    }

    /// Whether the operator's driver container is expected to bring the driver.
    #[must_use]
    pub fn waits_for_driver_container(&self) -> bool {
        self.has_operator_toolkit() && self.driver_root() == Path::new(DRIVER_CONTAINER)
    }
}

/// Whether the operator's toolkit is installed.
#[must_use]
pub fn has_operator_toolkit(host: &Tree) -> bool {
    HOOK_NAMES.iter().any(|name| host.is_program(&format!("{OPERATOR_TOOLKIT}/{name}")))
}

/// Whether the hook is installed in one of the default program directories.
#[must_use]
pub fn has_host_hook(host: &Tree) -> bool {
    hook::plan::program::DEFAULT_DIRECTORIES
        .iter()
        .any(|directory| HOOK_NAMES.iter().any(|name| host.is_program(&format!("{directory}/{name}"))))
}

/// The configuration that applies on a machine: the named one; otherwise the operator toolkit's, if the host has no
/// hook of its own or a start would find no file; otherwise the one that a start finds.
pub struct Deciding {
    named: Option<CString>,
}

impl Deciding {
    /// Determines which one applies.
    #[must_use]
    pub fn of(invocation: &Invocation<'_>, host: &Tree) -> Self {
        let is_named = invocation.flags.config.is_some_and(|path| !path.is_empty());
        let operators = !is_named
            && host.kind_of(OPERATOR_CONFIG).is_some()
            && has_operator_toolkit(host)
            && (!has_host_hook(host) || !matches!(config::find(invocation, host), Ok(Some(_))));
        Deciding { named: operators.then(|| CString::new(OPERATOR_CONFIG).unwrap_or_default()) }
    }

    /// The invocation that finds it.
    #[must_use]
    pub fn invocation<'i>(&'i self, invocation: &Invocation<'i>) -> Invocation<'i> {
        use std::os::unix::ffi::OsStrExt;
        match &self.named {
            None => *invocation,
            Some(path) => Invocation {
                flags: Flags { config: Some(OsStr::from_bytes(path.as_bytes())), ..invocation.flags },
                environ: Environ(invocation.environ.0),
            },
        }
    }
}

/// The file that a start would read, if it can be read.
#[must_use]
pub fn file(invocation: &Invocation<'_>, host: &Tree) -> Option<ConfigFile> {
    config::find(invocation, host).ok().flatten()
}

impl Tree {
    /// Whether an executable file is at a path.
    #[must_use]
    pub fn is_program(&self, path: &str) -> bool {
        self.status(Path::new(path)).is_some_and(|status| status.is_file && status.is_executable())
    }

    /// The kind of the file at a path.
    #[must_use]
    pub fn kind_of(&self, path: &str) -> Option<hook::host::FileKind> {
        seen(self, Path::new(path))
    }
}
