//! The configuration, ldconfig, and `nvidia-container-cli` with its library and version.

use std::path::Path;

use super::Examination;
use super::driver::{library, library_version};
use crate::check;
use crate::finding::{Finding, Severity};
use crate::inspect::Inspect;
use hook::contract::cli_version::CliVersion;
use hook::contract::keys::Key;
use hook::host::{Host, path_of};
use hook::invocation::Environ;
use hook::plan::program;

const CLI_LIBRARY: &str = "libnvidia-container.so.1";
/// Where distributions have ldconfig.
const LDCONFIGS: [&str; 6] = [
    "/sbin/ldconfig.real",
    "/sbin/ldconfig",
    "/usr/sbin/ldconfig",
    "/usr/bin/ldconfig",
    "/bin/ldconfig",
    "/run/current-system/sw/bin/ldconfig",
];

/// The checks.
pub fn checks(examination: &Examination<'_>) -> Vec<Finding> {
    let mut checks = vec![configuration(examination), ldconfig(examination)];
    let program = program(examination);
    let is_there = program.severity == Severity::Ok;
    checks.push(program);
    if is_there {
        checks.push(version(examination));
    }
    checks
}

fn configuration(examination: &Examination<'_>) -> Finding {
    let id = "configuration";
    let report = check::check(examination.invocation, examination.host);
    let Some(file) = report.file else { return Finding::ok(id, "no file: the built-in defaults hold") };
    let first = |severity| report.findings.iter().find(|finding| finding.severity == severity);
    let see = "see: nvidia-hookctl check";
    let worst = first(Severity::Error).or_else(|| first(Severity::Warning));
    match worst {
        None => Finding::ok(id, file),
        Some(finding) => {
            let line = finding.place.map(|place| format!(":{}", place.line)).unwrap_or_default();
            let message = format!("{file}{line}: {}", finding.message);
            match report.count.errors {
                0 => Finding::warning(id, message, see),
                _ => Finding::error(id, message, format!("no container with this hook starts; {see}")),
            }
        }
    }
}

fn ldconfig(examination: &Examination<'_>) -> Finding {
    let id = "ldconfig";
    let configured = examination.config.text(Key::CliLdconfig);
    let Some(path) = configured.strip_prefix('@') else {
        return Finding::warning(
            id,
            format!("{configured} is one of the container"),
            "write nvidia-container-cli.ldconfig = \"@/sbin/ldconfig\"",
        );
    };
    let is_there = |path: &str| examination.host.status(Path::new(path)).is_some_and(|status| status.is_file);
    let plain = path.strip_suffix(".real").unwrap_or(path);
    let real = format!("{plain}.real");
    if let Some(used) = [real.as_str(), plain].into_iter().find(|path| is_there(path)) {
        return Finding::ok(id, used);
    }
    let remedy = match LDCONFIGS.into_iter().find(|path| is_there(path)) {
        Some(found) => format!("write nvidia-container-cli.ldconfig = \"@{found}\""),
        None => "install it, or name it with nvidia-container-cli.ldconfig = \"@PATH\"".to_owned(),
    };
    Finding::error(id, format!("{plain} does not exist on this host"), remedy)
}

fn program(examination: &Examination<'_>) -> Finding {
    let id = "nvidia-container-cli";
    // An engine's PATH is not known; the directories that are searched in any case are.
    match program::find(examination.config, Environ(&[]), examination.host) {
        Ok(program) => {
            let path = String::from_utf8_lossy(&program.path).into_owned();
            match examination.host.is_executable(path_of(&program.path)) {
                true => Finding::ok(id, path),
                false => Finding::error(
                    id,
                    format!("nvidia-container-cli.path names {path}, which is not an executable file"),
                    "correct the key, or remove it to have the program searched",
                ),
            }
        }
        Err(error) => Finding::error(
            id,
            error.to_string().split(';').next().unwrap_or_default(),
            "install the package libnvidia-container-tools, or set nvidia-container-cli.path",
        ),
    }
}

/// The version is that of the program's library, told by its file: nothing is executed.
fn version(examination: &Examination<'_>) -> Finding {
    let id = "cli-version";
    let root = Path::new("/");
    if library(examination.host, root, CLI_LIBRARY).is_none() {
        return Finding::warning(
            id,
            format!("{CLI_LIBRARY} is not in the linker's cache or default directories"),
            "a dynamically linked nvidia-container-cli needs it: install libnvidia-container1, and run ldconfig",
        );
    }
    let Some(installed) = library_version(examination.host, root, CLI_LIBRARY) else {
        return Finding::warning(
            id,
            format!("{CLI_LIBRARY} has a file name without a version"),
            "is it from a package?",
        );
    };
    let configured = examination.config.text(Key::HookCliVersion);
    match CliVersion::parse(&installed) {
        Some(known) if speaks(known, examination.config.cli_version()) => {
            Finding::ok(id, format!("{installed} is installed, and cli-version is {configured}"))
        }
        known => Finding::error(
            id,
            format!(
                "{installed} is installed, and the hook passes options that came later, since cli-version is {configured} \
                 (\"unrecognized option\")"
            ),
            match known {
                Some(_) => format!("upgrade it, or set nvidia-container-runtime-hook.cli-version = \"{installed}\""),
                None => "upgrade it: versions before 1.14.0 are not supported".to_owned(),
            },
        ),
    }
}

/// Whether a program understands whatever the hook says to one of a configured version.
fn speaks(installed: CliVersion, configured: CliVersion) -> bool {
    let options = |version: CliVersion| {
        (version.has_imex_channel(), version.has_no_create_imex_channels(), version.compat_syntax())
    };
    installed >= configured || options(installed) == options(configured)
}
