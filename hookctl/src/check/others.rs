//! Values read by other programs that share the file: the faults visible in the file and on the machine alone. Must not
//! know how the hook uses its own values.

use std::path::Path;

use super::document::Document;
use crate::finding::{Finding, Severity};
use crate::inspect::{Inspect, seen};
use hook::config::Config;
use hook::contract::cdi::is_qualified;
use hook::contract::keys::{DefaultValue, Key};

/// The levels that nvidia-container-runtime knows.
const LEVELS: [&str; 8] = ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"];

/// Directories that every running system has, even if a tree of it does not show them.
const USUAL: [&str; 6] = ["/tmp", "/var/log", "/var/tmp", "/run", "/dev", "/"];

/// The faults of values that the hook does not read.
pub fn faults(config: &Config<'_>, document: &Document<'_>, host: &dyn Inspect) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |severity, id, key: Key, message: String, remedy: String| {
        let mut finding = Finding::new(severity, id, message, remedy);
        finding.key = Some(key.row().name.to_owned());
        finding.place = document.place(key);
        findings.push(finding);
    };
    for (key, path) in paths(config) {
        if let Some((message, remedy)) = relative(key, path) {
            add(Severity::Warning, "relative-path", key, message, remedy);
        }
    }
    let debug = config.text(Key::RuntimeDebug);
    if config.is_set(Key::RuntimeDebug) && debug.starts_with('/') {
        let parent = Path::new(debug).parent().unwrap_or(Path::new("/"));
        if !is_usual(parent) && seen(host, parent).is_none() {
            let name = Key::RuntimeDebug.row().name;
            let message = format!("{name}: {} does not exist on this machine, and nobody makes it", parent.display());
            let remedy = "correct the path, or create the directory".to_owned();
            add(Severity::Warning, "missing-path", Key::RuntimeDebug, message, remedy);
        }
    }
    for (key, path) in paths(config).into_iter().filter(|(key, path)| path.starts_with('/') && !is_default(*key, path))
    {
        if key != Key::RuntimeDebug && seen(host, Path::new(path)).is_none() {
            let message = format!("{}: {path} does not exist on this machine", key.row().name);
            add(Severity::Warning, "missing-path", key, message, "correct the path, or create it".to_owned());
        }
    }
    if let Some((message, remedy)) = user(config, host) {
        add(Severity::Warning, "unknown-user", Key::CliUser, message, remedy);
    }
    let level = config.text(Key::RuntimeLogLevel);
    if config.is_set(Key::RuntimeLogLevel) && !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
        let message = format!("\"{level}\" is not a valid value for {}", Key::RuntimeLogLevel.row().name);
        add(Severity::Warning, "value", Key::RuntimeLogLevel, message, format!("one of: {}", LEVELS.join(", ")));
    }
    let kind = config.text(Key::CdiDefaultKind);
    if config.is_set(Key::CdiDefaultKind) && !is_qualified(&format!("{kind}=x")) {
        let message = format!("\"{kind}\" is not a CDI kind, VENDOR/CLASS");
        add(Severity::Warning, "value", Key::CdiDefaultKind, message, "write \"nvidia.com/gpu\"".to_owned());
    }
    findings
}

/// Whether a directory is one that every system has.
pub fn is_usual(directory: &Path) -> bool {
    USUAL.iter().any(|usual| Path::new(usual) == directory)
}

/// Whether a path is the built-in default. A default path to a program that is not installed is not a fault.
fn is_default(key: Key, path: &str) -> bool {
    match key.row().default {
        DefaultValue::Text(default) => default == path,
        DefaultValue::List(defaults) => defaults.contains(&path),
        DefaultValue::Bool(_) => false,
    }
}

/// A user or group unknown to this machine, if the machine shows which ones it knows.
fn user(config: &Config<'_>, host: &dyn Inspect) -> Option<(String, String)> {
    let value = config.text(Key::CliUser);
    if !config.is_set(Key::CliUser) || value.is_empty() {
        return None;
    }
    let (user, group) = value.split_once(':').unwrap_or((value, ""));
    let unknown =
        [("user", user, "/etc/passwd"), ("group", group, "/etc/group")].into_iter().find(|(_, name, file)| {
            let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
            let lists = |text: String| text.lines().any(|line| line.split(':').next() == Some(*name));
            !is_number && host.text(file).is_some_and(|text| !text.trim().is_empty() && !lists(text))
        });
    let (what, name, file) = unknown?;
    let message = format!("{}: {file} has no {what} {name}", Key::CliUser.row().name);
    Some((message, "write USER:GROUP of this machine, as in \"root:video\"".to_owned()))
}

/// The paths that other programs open, if the file sets them.
fn paths<'c>(config: &'c Config<'_>) -> Vec<(Key, &'c str)> {
    let texts = [Key::RuntimeDebug, Key::CsvMountSpecPath, Key::CsvCompatContainerRoot];
    let mut paths: Vec<(Key, &str)> = texts
        .into_iter()
        .filter(|key| config.is_set(*key) && !config.text(*key).is_empty())
        .map(|key| (key, config.text(key)))
        .collect();
    // A bare program name is searched for; with a slash or a tilde it is a path.
    let programs = [Key::HookPath, Key::CtkPath].into_iter().filter(|key| config.is_set(*key));
    paths.extend(
        programs.map(|key| (key, config.text(key))).filter(|(_, path)| path.contains('/') || path.starts_with('~')),
    );
    let lists = [Key::CdiSpecDirs, Key::RuntimeRuntimes];
    for key in lists.into_iter().filter(|key| config.is_set(*key)) {
        let is_path = |path: &&str| key == Key::CdiSpecDirs || path.contains('/') || path.starts_with('~');
        paths.extend(config.list(key).iter().map(AsRef::as_ref).filter(is_path).map(|path| (key, path)));
    }
    paths
}

/// What is wrong with a path that is not absolute, and what to do.
pub fn relative(key: Key, path: &str) -> Option<(String, String)> {
    if path.starts_with('/') {
        return None;
    }
    let name = key.row().name;
    let (what, remedy) = match path.chars().next() {
        Some('~' | '$') => {
            ("is relative: nobody expands it", "write the absolute path, with the name of the home directory")
        }
        _ => ("is relative", "write an absolute path"),
    };
    Some((format!("{name}: {path} {what}"), remedy.to_owned()))
}
