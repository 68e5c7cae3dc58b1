//! Which files of hooks.d start the hook for Podman and CRI-O: in the directories that each engine's own configuration
//! names, masked by name, joined by their conditions. Must not know the format of a file.

use std::collections::BTreeMap;
use std::path::Path;

use hook::invocation::Environ;

use super::docker::installed;
use super::engine_files;
use super::examination::Examination;
use super::states::{
    HOOK_DIR_NOT_READ, HOOK_DIR_OF_USER, HOOK_FILE_BROKEN, HOOK_FILE_FAULTY, HOOK_FILE_MISSING, HOOK_FILE_NAME,
    HOOK_TWICE, State,
};
use crate::cdi;
use crate::finding::{Finding, Severity};
use crate::hooks_d::{HookFile, PODMANS_STAGE, Reach};
use crate::inspect::Inspect;
use crate::tree::Tree;

/// Every directory in which a file may have been put.
const DIRECTORIES: [&str; 3] =
    ["/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d", "/run/containers/oci/hooks.d"];

/// An engine, the directories that it reads from the lowest rank to the highest, and the setting that names them.
struct Engine {
    name: &'static str,
    directories: Vec<String>,
    named_by: Option<String>,
    /// A file that says hooks_dir where the engine does not read it, and the place.
    misplaced: Option<(String, String)>,
    /// The section that the engine reads.
    section: String,
}

impl Engine {
    /// An engine that reads the directories its configuration names, otherwise the built-in ones.
    fn new(
        examination: &mut Examination<'_>,
        name: &'static str,
        files: &[String],
        section: &[&str],
        built_in: &[&str],
    ) -> Self {
        let set = engine_files::hooks_dir(examination, files, section, built_in);
        let misplaced = engine_files::misplaced_hooks_dir(examination.host, files, section);
        let (named_by, directories) = match set {
            Some((by, directories)) => (Some(by), directories),
            None => (None, built_in.iter().map(|directory| (*directory).to_owned()).collect()),
        };
        Engine { name, directories, named_by, misplaced, section: section.join(".") }
    }

    /// Reports that no file starts the hook, or none that is read; a hooks_dir in the wrong place explains it.
    fn report(&self, examination: &mut Examination<'_>, state: &'static State, message: String, remedy: String) {
        match &self.misplaced {
            None => examination.found_with(state, message, remedy),
            Some((file, place)) => {
                let message =
                    format!("{message}; hooks_dir of {file} is {place}, where {} does not read it", self.name);
                let remedy = format!("move hooks_dir below [{}] in {file}", self.section);
                examination.found_with(state, message, remedy);
            }
        }
    }
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
    misnamed(examination);
    users(examination, &reported);
}

/// Reports files for the hook that engines pass over because of their names, such as the ones package managers leave.
fn misnamed(examination: &mut Examination<'_>) {
    for directory in DIRECTORIES {
        let names = examination.host.names(directory).into_iter();
        for name in names.filter(|name| name.contains("nvidia") && !name.ends_with(".json")) {
            let message = format!("{directory}/{name} is passed over: engines read names that end in .json alone");
            examination.found(&HOOK_FILE_NAME, message);
        }
    }
}

/// A user's Podman also reads that user's containers.conf, whose hooks_dir replaces the system's.
fn users(examination: &mut Examination<'_>, files: &[String]) {
    let host = examination.host;
    let starts = |path: &&String| {
        let content = host.bytes(Path::new(path.as_str())).unwrap_or_default();
        HookFile::parse(&content).is_ok_and(|file| file.is_nvidia())
    };
    let directory_of =
        |path: &String| path.rsplit_once('/').map_or(String::new(), |(directory, _)| directory.to_owned());
    let starting: Vec<String> = files.iter().filter(starts).map(directory_of).collect();
    let own = engine_files::user_configuration(examination.invocation.environ);
    for home in super::users::homes(host) {
        let configuration = format!("{home}/.config");
        if own.as_ref() == Some(&configuration) || !installed(host, "podman") {
            continue;
        }
        let own_files = engine_files::of_user(host, &configuration);
        if own_files.iter().all(|file| !host.has(file)) {
            continue;
        }
        let files = [engine_files::podman(host, Environ(&[])), own_files].concat();
        let set = engine_files::hooks_dir(examination, &files, &["engine"], &DIRECTORIES[..2]);
        if let Some((by, directories)) = set
            && by.contains(&configuration)
            && !starting.is_empty()
            && !starting.iter().any(|directory| directories.contains(directory))
        {
            let message = format!(
                "{by} is {}, so Podman of that user does not read {}",
                directories.join(", "),
                starting.join(", ")
            );
            examination.found(&HOOK_DIR_OF_USER, message);
        }
    }
}

/// If no engine is installed, the files are only looked at.
fn without_engine(examination: &mut Examination<'_>) {
    let engine = Engine {
        name: "Podman or CRI-O",
        directories: DIRECTORIES.map(str::to_owned).to_vec(),
        named_by: None,
        misplaced: None,
        section: String::new(),
    };
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
        if engine.name == "CRI-O" && HookFile::parse(&content).is_ok_and(|file| file.is_for_podman()) {
            let message = format!("{path} is refused by CRI-O: \"{PODMANS_STAGE}\" is a stage of Podman alone");
            let remedy = "CRI-O starts no container with it: keep it in a directory that only Podman reads";
            examination.found_with(&HOOK_FILE_BROKEN, message, remedy);
        } else if reported.contains(&path) {
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
    let by_runtime = super::crio::serving(examination.host).filter(|_| engine.name == "CRI-O");
    match (unread.first(), by_runtime) {
        (None, Some((name, is_default))) | (_, Some((name, is_default @ true))) => {
            let whom = if is_default { "" } else { " to the pods that use it" };
            let message = format!("CRI-O has the runtime {name}, which gives GPUs{whom} without a file of hooks.d");
            examination.ok("hooks.d", message);
        }
        (Some(path), _) => {
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
            engine.report(examination, &HOOK_DIR_NOT_READ, message, remedy);
        }
        (None, None) if examination.surroundings.is_integrated_tegra() => {
            examination.ok("hooks.d", format!("no file starts the hook for {}", engine.name));
        }
        (None, None) if cdi::has_gpus(examination.host, &cdi::DIRECTORIES.map(str::to_owned)) => {
            let message =
                format!("no file starts the hook for {}, which CDI serves (--device {}=all)", engine.name, cdi::GPU);
            examination.ok("hooks.d", message);
        }
        (None, None) => {
            let message = format!("no file starts the hook, so containers of {} get no GPU from it", engine.name);
            engine.report(examination, &HOOK_FILE_MISSING, message, HOOK_FILE_MISSING.remedy.to_owned());
        }
    }
}

fn file_of(engine: &Engine) -> &'static str {
    if engine.name == "CRI-O" { "crio.conf" } else { "containers.conf" }
}

/// The files in effect: for each name the one of the highest rank, ordered by name.
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
    // Engines pass over a link that leads to nothing.
    let paths =
        names.map(|name| format!("{directory}/{name}")).filter(|path| host.has(path) || !host.is_link(Path::new(path)));
    paths.map(|path| (path.clone(), host.bytes(Path::new(&path)).unwrap_or_default())).collect()
}

fn report_file(examination: &mut Examination<'_>, path: &str, content: &[u8], starting: &mut Vec<String>) {
    let file = match HookFile::parse(content) {
        Err(_) if examination.host.status(Path::new(path)).is_some_and(|status| !status.is_file) => {
            let message = format!("{path} is not a file, so engines cannot read it");
            examination.found_with(&HOOK_FILE_BROKEN, message, "engines start no container with it: remove it");
            return;
        }
        Err(_) if examination.host.bytes(Path::new(path)).is_none() => {
            let message =
                format!("{path} cannot be read, so it is not known what it starts, or whether engines refuse it");
            let remedy = "run doctor as root; if root cannot read it either, no container starts: correct or remove it";
            examination.found_as(Severity::Warning, &HOOK_FILE_BROKEN, message, remedy);
            return;
        }
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

fn podman(examination: &mut Examination<'_>) -> Engine {
    let files = engine_files::podman(examination.host, examination.invocation.environ);
    Engine::new(examination, "Podman", &files, &["engine"], &DIRECTORIES[..2])
}

fn crio(examination: &mut Examination<'_>) -> Engine {
    let files = engine_files::crio(examination.host);
    Engine::new(examination, "CRI-O", &files, &["crio", "runtime"], &DIRECTORIES[..1])
}

fn twice(examination: &mut Examination<'_>, starting: &[String]) {
    if starting.len() > 1 {
        let message =
            format!("{} start the hook, so it runs more than once for each container", starting.join(" and "));
        examination.found(&HOOK_TWICE, message);
    }
}
