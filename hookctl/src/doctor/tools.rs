//! The configuration of the toolkit, and `nvidia-container-cli` with its library and version. Must not know engines.

use std::path::Path;

use super::driver::{library, library_version};
use super::examination::{Examination, HOOK_NAMES, OPERATOR_CONFIG, OPERATOR_TOOLKIT};
use super::states::{
    CLI_LIBRARY_MISSING, CLI_MISSING, CLI_NOT_EXECUTABLE, CLI_OLDER_THAN_HOOK, CLI_VERSION_UNKNOWN, CONFIG_ERROR,
    CONFIG_WARNING, NO_CGROUPS_FOR_ALL, OPERATOR_CONFIG as OPERATOR_CONFIG_IGNORED, PACKAGES_SKEW, WRONG_ARCHITECTURE,
};
use super::{docker, elf, packages};
use crate::check;
use crate::finding::{Finding, Severity};
use crate::inspect::Inspect;
use hook::contract::cli_version::CliVersion;
use hook::contract::keys::Key;
use hook::host::{Host, path_of};
use hook::invocation::Environ;
use hook::plan::program;

/// The packages of the toolkit, which depend on each other's exact version.
const PACKAGES: [&str; 4] =
    ["nvidia-container-toolkit", "nvidia-container-toolkit-base", "libnvidia-container-tools", "libnvidia-container1"];
const CLI_LIBRARY: &str = "libnvidia-container.so.1";

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    configuration(examination);
    packages_skew(examination);
    hook_program(examination);
    if docker::is_desktop_in_wsl(examination) {
        examination.ok("nvidia-container-cli", "not needed in this distribution: Docker Desktop has its own");
        return;
    }
    if program(examination) && !examination.surroundings.is_integrated_tegra() {
        version(examination);
    }
}

fn configuration(examination: &mut Examination<'_>) {
    let report = check::check(examination.invocation, examination.host);
    let Some(file) = report.file else {
        examination.ok("configuration", "no file: the built-in defaults hold");
        return;
    };
    if file != OPERATOR_CONFIG && examination.has_operator_toolkit() && examination.host.has(OPERATOR_CONFIG) {
        let message = format!("{OPERATOR_CONFIG} is what the GPU operator's programs read, and {file} is the host's");
        examination.found(&OPERATOR_CONFIG_IGNORED, message);
    }
    // Whether this finding counts depends on the user who looks, which system::check knows.
    let findings = || report.findings.iter().filter(|finding| finding.id != NO_CGROUPS_FOR_ALL.id);
    let first = |severity| findings().find(|finding| finding.severity == severity);
    match first(Severity::Error).or_else(|| first(Severity::Warning)) {
        None => examination.ok("configuration", file),
        Some(finding) => {
            let line = finding.place.map(|place| format!(":{}", place.line)).unwrap_or_default();
            let message = format!("{file}{line}: {}", finding.message);
            match finding.severity {
                Severity::Error => {
                    let remedy = format!("no container with this hook starts; {}", CONFIG_ERROR.remedy);
                    examination.found_with(&CONFIG_ERROR, message, remedy);
                }
                _ => examination.found(&CONFIG_WARNING, message),
            }
        }
    }
}

/// The packages of the toolkit are released together.
fn packages_skew(examination: &mut Examination<'_>) {
    let installed: Vec<(&str, String)> =
        PACKAGES.into_iter().filter_map(|name| Some((name, packages::version(examination.host, &[name])?))).collect();
    let Some((first, version)) = installed.first() else {
        if let Some(database) = packages::unread(examination.host) {
            let message =
                format!("{database} was not read (a database of rpm), so versions of packages are not known here");
            let remedy = "ask rpm: rpm -q nvidia-container-toolkit libnvidia-container1 docker-ce podman cri-o";
            examination.findings.push(Finding::new(Severity::Note, "packages", message, remedy));
        }
        return;
    };
    match installed.iter().find(|(_, other)| other != version) {
        Some((name, other)) => {
            let message = format!("{first} is {version}, and {name} is {other}");
            examination.found(&PACKAGES_SKEW, message);
        }
        None => examination.ok("packages", format!("those of the toolkit are of {version}")),
    }
}

/// Checks whether the hook is a program that this machine can execute.
fn hook_program(examination: &mut Examination<'_>) {
    let places =
        hook::plan::program::DEFAULT_DIRECTORIES.iter().map(|directory| format!("{directory}/{}", HOOK_NAMES[0]));
    let found = places.into_iter().find(|path| examination.host.is_program(path));
    if let Some(path) = found {
        architecture(examination, &path);
    }
}

/// Whether this machine's kernel can execute a program; notes it if not.
fn architecture(examination: &mut Examination<'_>, path: &str) -> bool {
    let own = elf::own_machine(examination.host);
    let message = match elf::of(examination.host, path) {
        elf::Kind::Elf { machine, .. } if !elf::runs_here(machine, own) => {
            format!("{path} is a program for {}, and this host is {}", elf::name(machine), elf::name(own))
        }
        elf::Kind::Other => format!("{path} is neither a program nor a script"),
        _ => return true,
    };
    examination.found(&WRONG_ARCHITECTURE, message);
    false
}

/// Whether the program exists and runs here.
fn program(examination: &mut Examination<'_>) -> bool {
    let id = "nvidia-container-cli";
    // An engine's PATH is not known, but the directories that are always searched are.
    match program::find(examination.config, Environ(&[]), examination.host) {
        Ok(program) => {
            let path = String::from_utf8_lossy(&program.path).into_owned();
            match examination.host.is_executable(path_of(&program.path)).unwrap_or_default() {
                true => {
                    let runs = architecture(examination, &path);
                    if runs {
                        examination.ok(id, path);
                    }
                    return runs;
                }
                false => {
                    let message = format!("nvidia-container-cli.path names {path}, which is not an executable file");
                    examination.found(&CLI_NOT_EXECUTABLE, message);
                }
            }
        }
        Err(error) => {
            let what = error.to_string();
            examination.found(&CLI_MISSING, what.split(';').next().unwrap_or_default());
        }
    }
    false
}

/// The version is taken from the file name of the program's library: nothing is executed.
fn version(examination: &mut Examination<'_>) {
    let id = "cli-version";
    let root = Path::new("/");
    let host = examination.host;
    if library(host, root, CLI_LIBRARY).is_none() {
        if host.has(&format!("{OPERATOR_TOOLKIT}/{CLI_LIBRARY}")) {
            examination.ok(id, format!("{CLI_LIBRARY} is in {OPERATOR_TOOLKIT}"));
            return;
        }
        let message = format!("{CLI_LIBRARY} is not in the linker's cache or default directories");
        examination.found(&CLI_LIBRARY_MISSING, message);
        return;
    }
    let Some(installed) = library_version(host, root, CLI_LIBRARY) else {
        examination.found(&CLI_VERSION_UNKNOWN, format!("{CLI_LIBRARY} has a file name without a version"));
        return;
    };
    let configured = examination.config.text(Key::HookCliVersion);
    match CliVersion::parse(&installed) {
        Some(known) if speaks(known, examination.config.cli_version()) => {
            let message = format!("{installed} is installed, and cli-version is {configured}");
            examination.ok(id, message);
        }
        known => {
            let message = format!(
                "{installed} is installed, and the hook passes options that came later, since cli-version is {configured} \
                 (\"unrecognized option\")"
            );
            let remedy = match known {
                Some(_) => format!("upgrade it, or set nvidia-container-runtime-hook.cli-version = \"{installed}\""),
                None => "upgrade it: versions before 1.14.0 are not supported".to_owned(),
            };
            examination.found_with(&CLI_OLDER_THAN_HOOK, message, remedy);
        }
    }
}

/// Whether a program understands everything that the hook passes to one of the configured version.
fn speaks(installed: CliVersion, configured: CliVersion) -> bool {
    let options = |version: CliVersion| {
        (version.has_imex_channel(), version.has_no_create_imex_channels(), version.compat_syntax())
    };
    installed >= configured || options(installed) == options(configured)
}
