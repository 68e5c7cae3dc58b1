//! Paths in the configuration that do not exist, are of the wrong kind, or can be changed by users other than root.

use std::path::Path;

use super::document::Document;
use super::others::{is_usual, relative};
use crate::finding::{Finding, Severity};
use crate::inspect::{Inspect, Status};
use hook::config::{Config, ConfigFile};
use hook::contract::keys::Key;

/// The id of the finding about a file that is not root's.
const ANOTHER_OWNER: &str = "owned-by-another";

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
        for (id, message, remedy) in distrusted(place, host) {
            findings.push(finding(Severity::Warning, id, format!("{name}: {message}"), &remedy));
        }
    }
    findings
}

/// The faults of the file itself: anyone who can write to it can have any program run as root.
pub fn of_file(file: &ConfigFile, host: &dyn Inspect) -> Vec<Finding> {
    let places = [Some(file.path.as_path()), file.path.parent().filter(|parent| !parent.as_os_str().is_empty())];
    let found = places.into_iter().flatten().flat_map(|place| distrusted(place, host));
    // The hook that reads a user's file runs as this user.
    let found = found.filter(|(id, ..)| *id != ANOTHER_OWNER || !is_of_user(file));
    found.map(|(id, message, remedy)| Finding::warning(id, message, remedy)).collect()
}

/// Whether a configuration is that of a user, not of the whole host.
pub fn is_of_user(file: &ConfigFile) -> bool {
    file.path.components().any(|part| part.as_os_str() == ".config" || part.as_os_str() == "home")
}

/// Why root should not trust a file or directory: the id of the finding, the message and the remedy.
fn distrusted(place: &Path, host: &dyn Inspect) -> Vec<(&'static str, String, String)> {
    let Some(status) = host.status(place) else { return Vec::new() };
    // In a tree that a user unpacked, and in a user namespace, root's files have the owner of the root directory.
    let root = host.status(Path::new("/")).map_or(0, |status| status.owner);
    distrust(&place.to_string_lossy(), status, root)
}

fn distrust(place: &str, status: Status, root: u32) -> Vec<(&'static str, String, String)> {
    let word = hook::text::shell_word(place);
    let mut found = Vec::new();
    if ![0, root].contains(&status.owner) {
        let message = format!("{place} is owned by user {}, who can change it, and root trusts it", status.owner);
        found.push((ANOTHER_OWNER, message, format!("chown root {word}")));
    }
    if status.is_writable_by_others() {
        let message = format!("{place} is writable by others than its owner, and root trusts it");
        found.push(("writable-by-others", message, format!("chmod go-w {word}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    #[test]
    fn a_file_of_another_user_is_not_trusted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut status = Tree::new(None).status(file.path()).unwrap();
        for (owner, root, found) in [(0, 0, 0), (1000, 0, 1), (1000, 1000, 0), (0, 1000, 0), (1001, 1000, 1)] {
            status.owner = owner;
            let ids: Vec<&str> = distrust("/f", status, root).into_iter().map(|(id, ..)| id).collect();
            assert_eq!(ids, vec![ANOTHER_OWNER; found], "{owner} {root}");
        }
        status.owner = 1000;
        assert_eq!(
            distrust("/a b", status, 0),
            [(
                ANOTHER_OWNER,
                "/a b is owned by user 1000, who can change it, and root trusts it".to_owned(),
                "chown root '/a b'".to_owned()
            )]
        );
    }
}
