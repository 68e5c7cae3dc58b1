//! Which files of hooks.d start the hook for Podman and CRI-O: in the directories that each engine's own configuration
//! names, masked by name, joined by their conditions. Must not know the form of a file.

use std::collections::BTreeMap;

use hook::invocation::Environ;

use super::docker::installed;
use super::examination::Examination;
use super::states::{
    ENGINE_CONFIG, HOOK_DIR_NOT_READ, HOOK_FILE_BROKEN, HOOK_FILE_FAULTY, HOOK_FILE_MISSING, HOOK_TWICE,
};
use crate::finding::{Finding, Severity};
use crate::hooks_d::{HookFile, Reach};
use crate::inspect::Inspect;
use crate::tree::Tree;

/// Every directory in which a file may have been put.
const DIRECTORIES: [&str; 3] =
    ["/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d", "/run/containers/oci/hooks.d"];

/// An engine, the directories that it reads from the lowest rank to the highest, and where it says so.
struct Engine {
    name: &'static str,
    directories: Vec<String>,
    named_by: Option<String>,
}

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    let podman = installed(host, "podman").then(|| podman(examination));
    let crio = (installed(host, "crio") || host.has("/etc/crio")).then(|| crio(examination));
    let engines: Vec<Engine> = podman.into_iter().chain(crio).collect();
    if engines.is_empty() {
        without_engine(examination);
        return;
    }
    let mut reported = Vec::new();
    for engine in &engines {
        of_engine(examination, engine, &mut reported);
    }
}

/// Files without an engine that reads them are only looked at.
fn without_engine(examination: &mut Examination<'_>) {
    let engine =
        Engine { name: "Podman or CRI-O", directories: DIRECTORIES.map(str::to_owned).to_vec(), named_by: None };
    let files = effective(examination, &engine, true);
    let mut starting = Vec::new();
    for (path, content) in files {
        report_file(examination, &path, &content, &mut starting);
    }
    if starting.is_empty() {
        examination.ok("hooks.d", "no file starts the hook, and no Podman or CRI-O is here to need one");
    }
    twice(examination, &starting);
}

fn of_engine(examination: &mut Examination<'_>, engine: &Engine, reported: &mut Vec<String>) {
    let mut starting = Vec::new();
    for (path, content) in effective(examination, engine, reported.is_empty()) {
        if reported.contains(&path) {
            let starts = HookFile::parse(&content).is_ok_and(|file| file.is_nvidia());
            starting.extend(starts.then_some(path));
        } else {
            reported.push(path.clone());
            report_file(examination, &path, &content, &mut starting);
        }
    }
    twice(examination, &starting);
    if !starting.is_empty() {
        return;
    }
    let unread = DIRECTORIES.iter().filter(|directory| !engine.directories.iter().any(|read| read == *directory));
    let unread: Vec<String> = unread
        .flat_map(|directory| json_files(examination.host, directory))
        .filter(|(_, content)| HookFile::parse(content).is_ok_and(|file| file.is_nvidia()))
        .map(|(path, _)| path)
        .collect();
    match unread.first() {
        Some(path) => {
            let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
            let by = engine.named_by.clone().unwrap_or_else(|| "its built-in hooks_dir".to_owned());
            let message = format!(
                "{} does not read {path}: {by} is {}, and leaves {directory} out",
                engine.name,
                engine.directories.join(", ")
            );
            let remedy = format!(
                "add \"{directory}\" to hooks_dir of {} and restart the engine, or move the file",
                file_of(engine)
            );
            examination.found_with(&HOOK_DIR_NOT_READ, message, remedy);
        }
        None if examination.surroundings.is_integrated_tegra() => {
            examination.ok("hooks.d", format!("no file starts the hook for {}", engine.name));
        }
        None => {
            let message = format!("no file starts the hook, so containers of {} get no GPU from it", engine.name);
            examination.found(&HOOK_FILE_MISSING, message);
        }
    }
}

fn file_of(engine: &Engine) -> &'static str {
    if engine.name == "CRI-O" { "crio.conf" } else { "containers.conf" }
}

/// The files that count, the highest rank of each name, in the order of their names.
fn effective(examination: &mut Examination<'_>, engine: &Engine, tell: bool) -> Vec<(String, Vec<u8>)> {
    let mut files: BTreeMap<String, (String, Vec<u8>)> = BTreeMap::new();
    for directory in &engine.directories {
        for (path, content) in json_files(examination.host, directory) {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            if let Some((masked, _)) = files.insert(name, (path.clone(), content))
                && tell
            {
                examination.ok("hooks.d", format!("{masked} is masked by {path}"));
            }
        }
    }
    files.into_values().collect()
}

/// The files of a directory that engines look at, with their content.
fn json_files(host: &Tree, directory: &str) -> Vec<(String, Vec<u8>)> {
    let names = host.names(directory).into_iter().filter(|name| name.ends_with(".json"));
    let path = |name| format!("{directory}/{name}");
    names.map(path).map(|path| (path.clone(), host.bytes(std::path::Path::new(&path)).unwrap_or_default())).collect()
}

fn report_file(examination: &mut Examination<'_>, path: &str, content: &[u8], starting: &mut Vec<String>) {
    let file = match HookFile::parse(content) {
        Err(refused) => {
            let message = format!("{path} is refused: {}", refused.message);
            let remedy = format!("engines start no container with it: {}", refused.remedy);
            examination.found_with(&HOOK_FILE_BROKEN, message, remedy);
            return;
        }
        Ok(file) if !file.is_nvidia() => return,
        Ok(file) => file,
    };
    starting.push(path.to_owned());
    let faults = file.faults(examination.host);
    match faults.into_iter().max_by_key(|fault| fault.severity) {
        Some(Finding { severity: Severity::Note, message, .. }) => {
            examination.ok("hooks.d", format!("{path}: {message}"))
        }
        Some(fault) => {
            let message = format!("{path}: {}", fault.message);
            examination.found_as(fault.severity, &HOOK_FILE_FAULTY, message, fault.remedy);
        }
        None => {
            let whom = if file.when.reach() == Reach::All { " for every container" } else { "" };
            examination.ok("hooks.d", format!("{path} starts the hook{whom}"));
        }
    }
}

fn twice(examination: &mut Examination<'_>, starting: &[String]) {
    if starting.len() > 1 {
        let message =
            format!("{} start the hook, so it runs more than once for each container", starting.join(" and "));
        examination.found(&HOOK_TWICE, message);
    }
}

/// Podman reads containers.conf of the system, of the administrator and of the user, the later before the earlier.
fn podman(examination: &mut Examination<'_>) -> Engine {
    let host = examination.host;
    let mut files =
        vec!["/usr/share/containers/containers.conf".to_owned(), "/etc/containers/containers.conf".to_owned()];
    files.extend(drop_ins(host, "/etc/containers/containers.conf.d"));
    if let Some(home) = user_configuration(examination.invocation.environ) {
        files.push(format!("{home}/containers/containers.conf"));
        files.extend(drop_ins(host, &format!("{home}/containers/containers.conf.d")));
    }
    let (named_by, directories) = hooks_dir(examination, &files, &["engine"]);
    let built_in = || vec![DIRECTORIES[0].to_owned(), DIRECTORIES[1].to_owned()];
    Engine { name: "Podman", directories: directories.unwrap_or_else(built_in), named_by }
}

fn crio(examination: &mut Examination<'_>) -> Engine {
    let mut files = vec!["/usr/share/crio/crio.conf".to_owned(), "/etc/crio/crio.conf".to_owned()];
    for directory in ["/usr/share/crio/crio.conf.d", "/etc/crio/crio.conf.d"] {
        files.extend(drop_ins(examination.host, directory));
    }
    let (named_by, directories) = hooks_dir(examination, &files, &["crio", "runtime"]);
    Engine { name: "CRI-O", directories: directories.unwrap_or_else(|| vec![DIRECTORIES[0].to_owned()]), named_by }
}

fn drop_ins(host: &Tree, directory: &str) -> Vec<String> {
    host.names(directory)
        .into_iter()
        .filter(|name| name.ends_with(".conf") || name.ends_with(".toml"))
        .map(|name| format!("{directory}/{name}"))
        .collect()
}

fn user_configuration(environ: Environ<'_>) -> Option<String> {
    let text = |name: &[u8]| environ.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
    text(b"XDG_CONFIG_HOME")
        .or_else(|| text(b"HOME").map(|home| format!("{home}/.config")))
        .filter(|path| path.starts_with('/'))
}

/// The last hooks_dir that a list of files sets in a section, and which file does.
fn hooks_dir(
    examination: &mut Examination<'_>,
    files: &[String],
    section: &[&str],
) -> (Option<String>, Option<Vec<String>>) {
    let mut last = (None, None);
    for file in files {
        let Some(text) = examination.host.text(file) else { continue };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let message = format!("{file}: {}", error.message().replace('\n', ", "));
                examination.found(&ENGINE_CONFIG, message);
                continue;
            }
        };
        let mut place = Some(&table);
        for part in section {
            place = place.and_then(|table| table.get(*part)).and_then(toml::Value::as_table);
        }
        if let Some(list) = place.and_then(|table| table.get("hooks_dir")).and_then(toml::Value::as_array) {
            let directories = list.iter().filter_map(toml::Value::as_str);
            let directories =
                directories.map(|path| path.trim_end_matches('/').to_owned()).filter(|path| !path.is_empty());
            last = (Some(format!("hooks_dir in {file}")), Some(directories.collect()));
        }
    }
    last
}
