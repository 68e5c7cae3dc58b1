//! Paths in the configuration that do not exist, are of the wrong kind, or can be changed by users other than root.

use std::path::Path;

use super::document::Document;
use super::others::{is_usual, relative};
use crate::finding::{Finding, Severity};
use crate::inspect::{Inspect, Status};
use hook::config::{Config, ConfigFile};
use hook::contract::keys::Key;

/// What a key's path must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Program,
    File,
    Directory,
    /// A file to be created in a directory that must exist.
    NewFile,
}

/// The faults of the paths that the file sets.
pub fn faults(config: &Config<'_>, document: &Document<'_>, host: &dyn Inspect) -> Vec<Finding> {
    let ldconfig = config.text(Key::CliLdconfig);
    let log = Some(config.text(Key::HookLog)).filter(|log| !matches!(*log, "syslog" | "journald"));
    [
        (Key::CliPath, Some(config.text(Key::CliPath)), Want::Program),
        (Key::CliLdconfig, ldconfig.strip_prefix('@'), Want::Program),
        (Key::CliRoot, Some(config.text(Key::CliRoot)), Want::Directory),
        (Key::CliLdcache, Some(config.text(Key::CliLdcache)), Want::File),
        (Key::CliDebug, Some(config.text(Key::CliDebug)), Want::NewFile),
        (Key::HookLog, log, Want::NewFile),
    ]
    .into_iter()
    .filter(|(key, _, _)| config.is_set(*key))
    .filter_map(|(key, path, want)| Some((key, path.filter(|path| !path.is_empty())?, want)))
    .flat_map(|(key, path, want)| of_key(key, path, want, document, host))
    .collect()
}

fn of_key(key: Key, path: &str, want: Want, document: &Document<'_>, host: &dyn Inspect) -> Vec<Finding> {
    let name = key.row().name;
    let finding = |severity, id, message, remedy: &str| Finding {
        severity,
        id,
        key: Some(name.to_owned()),
        place: document.place(key),
        message,
        remedy: remedy.to_owned(),
        line: None,
    };
    if let Some((message, remedy)) = relative(key, path) {
        let severity = if key == Key::CliPath { Severity::Error } else { Severity::Warning };
        return vec![finding(severity, "relative-path", message, &remedy)];
    }
    let checked = match want {
        Want::NewFile => Path::new(path).parent().unwrap_or(Path::new("/")),
        _ => Path::new(path),
    };
    let shown = checked.display();
    if want == Want::NewFile && is_usual(checked) && host.status(checked).is_none() {
        return Vec::new();
    }
    let Some(status) = host.status(checked) else {
        let message = format!("{name}: {shown} does not exist on this machine");
        return vec![finding(Severity::Warning, "missing-path", message, "correct the path, or create it")];
    };
    let mut findings = Vec::new();
    let (right, what) = match want {
        Want::Program => (status.is_file && status.is_executable(), "an executable file"),
        Want::File => (status.is_file, "a file"),
        Want::Directory | Want::NewFile => (status.is_directory, "a directory"),
    };
    if !right {
        let message = format!("{name}: {shown} is not {what}");
        findings.push(finding(Severity::Warning, "wrong-kind", message, "correct the path"));
    }
    if want == Want::NewFile {
        if host.status(Path::new(path)).is_some_and(|status| status.is_directory) {
            let message = format!("{name}: {path} is a directory, and must be a file");
            findings.push(finding(Severity::Warning, "wrong-kind", message, "add the name of a file"));
        }
        return findings;
    }
    for place in [Some(checked), checked.parent()].into_iter().flatten() {
        if host.status(place).is_some_and(Status::is_writable_by_others) {
            let message =
                format!("{name}: {} is writable by others than its owner, and root trusts it", place.display());
            let remedy = format!("chmod go-w {}", hook::text::shell_word(&place.to_string_lossy()));
            findings.push(finding(Severity::Warning, "writable-by-others", message, &remedy));
        }
    }
    findings
}

/// The faults of the file itself: anyone who can write to it can have any program run as root.
pub fn of_file(file: &ConfigFile, host: &dyn Inspect) -> Vec<Finding> {
    let places = [Some(file.path.as_path()), file.path.parent().filter(|parent| !parent.as_os_str().is_empty())];
    let writable = |place: &&Path| host.status(place).is_some_and(Status::is_writable_by_others);
    places
        .into_iter()
        .flatten()
        .filter(writable)
        .map(|place| {
            Finding::new(
                Severity::Warning,
                "writable-by-others",
                format!("{} is writable by others than its owner, and root trusts it", place.display()),
                format!("chmod go-w {}", hook::text::shell_word(&place.to_string_lossy())),
            )
        })
        .collect()
}
