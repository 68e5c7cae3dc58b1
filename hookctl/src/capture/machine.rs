//! A machine's answers to a start, as the files of a case's machine, masked where only part of an input may be kept.
//! Must not know what was decided.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use hook::config::ConfigFile;
use hook::host::{FileKind, Host, SIZE_LIMIT};
use hook::invocation::Environ;
use hook::mode::ldcache::Libraries;
use hook::text::paths;

use super::case::Files;
use super::recorder::Answers;
use super::redact;
use super::spelling::{content_toml, string_toml};

/// The paths whose contents a case keeps as separate files: the configuration and the specification.
const CONFIG: &str = "/etc/nvidia-container-runtime/config.toml";
const SPEC: &str = "/bundle/config.json";
/// The program that every case has unless it says otherwise.
const CLI: &str = "/usr/bin/nvidia-container-cli";
const LDCACHE: &str = "/etc/ld.so.cache";
/// The libraries by which a start tells machines apart.
const LIBRARIES: [&str; 2] = ["libdxcore.so", "libnvidia-ml.so.1"];
const NOT_FOUND: i32 = 2;
const DENIED: i32 = 13;
const NO_DIRECTORY: i32 = 20;
const IS_DIRECTORY: i32 = 21;
const ENDLESS_LINKS: i32 = 40;
/// The errors that a case reproduces with a file of the right kind; it only records that the others happen.
const MADE: [i32; 4] = [NOT_FOUND, DENIED, NO_DIRECTORY, IS_DIRECTORY];

/// Which of the answers are inputs of a known format.
pub(super) struct Inputs<'i> {
    pub(super) config: Option<&'i ConfigFile>,
    pub(super) configs: Vec<PathBuf>,
    pub(super) spec: Option<PathBuf>,
    pub(super) program: Option<PathBuf>,
    pub(super) swarm: &'i [&'i str],
}

/// Writes the machine's answers to `text` and `files`.
pub(super) fn answers_toml(
    answers: BTreeMap<PathBuf, Answers>,
    inputs: &Inputs<'_>,
    cwd: &str,
    host: &dyn Host,
    text: &mut String,
    files: &mut Files,
) {
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    let mut unprivileged = false;
    for (path, answers) in answers {
        let Some(name) = path.to_str().map(|path| absolute(path, cwd)) else { continue };
        if let Some(own) = own_file(&path, &name, &answers, inputs) {
            files.insert(own.0.to_owned(), own.1);
            continue;
        }
        unprivileged |= matches!(answers.content, Some(Err(Some(DENIED)))) || answers.failed == Some(DENIED);
        if let Some((parent, entry)) = parent_entry(&name, &answers) {
            entries.insert(parent, entry);
            continue;
        }
        for child in answers.names.iter().flatten().filter_map(|name| name.to_str()) {
            entries.entry(format!("{name}/{child}")).or_insert_with(|| "{ text = \"\" }".to_owned());
        }
        if let Some(entry) = entry(&path, &name, &answers, inputs, host) {
            entries.insert(name, entry);
        }
    }
    let program = inputs.program.as_ref().and_then(|path| path.to_str());
    match program {
        Some(CLI) | None => {}
        Some(program) => drop(entries.insert(program.to_owned(), "{ is = \"cli\" }".to_owned())),
    }
    if program != Some(CLI) {
        entries.entry(CLI.to_owned()).or_insert_with(|| "{ is = \"absent\" }".to_owned());
    }
    // A directory that has files is created implicitly.
    let names: Vec<String> = entries.keys().cloned().collect();
    entries.retain(|name, _| {
        !names.iter().any(|other| other.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/')))
    });
    if unprivileged {
        text.insert_str(0, "unprivileged = true\n");
    }
    if !entries.is_empty() {
        text.push_str("\n[files]\n");
    }
    for (name, entry) in entries {
        let _ = writeln!(text, "{} = {entry}", string_toml(&name));
    }
}

/// The entry for a path's parent directory, if that directory is why the path cannot be read.
fn parent_entry(name: &str, answers: &Answers) -> Option<(String, String)> {
    let parent = name.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !parent.is_empty())?;
    let entry = match &answers.content {
        Some(Err(Some(NO_DIRECTORY))) => "{ text = \"\" }",
        _ if answers.failed == Some(DENIED) => "{ is = \"directory\", mode = \"0\" }",
        _ => return None,
    };
    Some((parent.to_owned(), entry.to_owned()))
}

fn absolute(path: &str, cwd: &str) -> String {
    if path.starts_with('/') { paths::clean_str(path) } else { paths::join_str(cwd, path) }
}

/// An input that is a separate file in a case folder.
fn own_file(path: &Path, name: &str, answers: &Answers, inputs: &Inputs<'_>) -> Option<(&'static str, String)> {
    let Some(Ok(content)) = &answers.content else { return None };
    let file = match name {
        CONFIG if inputs.configs.iter().any(|config| config == path) => "config.toml",
        SPEC if inputs.spec.as_deref() == Some(path) => "bundle/config.json",
        _ => return None,
    };
    masked(path, content, inputs).and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| (file, text))
}

/// The content of a file as it may be kept; `None` if the file is not an input of a known format.
fn masked(path: &Path, content: &[u8], inputs: &Inputs<'_>) -> Option<Vec<u8>> {
    if inputs.spec.as_deref() == Some(path) {
        return Some(redact::json(content, inputs.swarm));
    }
    if let Some(config) = inputs.config.filter(|config| config.path == path) {
        // This text has placeholders for the bytes in comments that the hook passes over.
        return Some(redact::toml(&config.text).into_bytes());
    }
    if inputs.configs.iter().any(|config| config == path) {
        return Some(match std::str::from_utf8(content) {
            Ok(text) => redact::toml(text).into_bytes(),
            Err(_) => content.iter().map(|byte| if byte.is_ascii_alphanumeric() { b'x' } else { *byte }).collect(),
        });
    }
    None
}

fn entry(path: &Path, name: &str, answers: &Answers, inputs: &Inputs<'_>, host: &dyn Host) -> Option<String> {
    if name == LDCACHE && !matches!(answers.content, Some(Err(Some(number))) if !MADE.contains(&number)) {
        let libraries = Libraries::of(host, Environ::default()).ok()?;
        let found = LIBRARIES.iter().filter_map(|library| Some((library, libraries.find(library).ok()??)));
        let lines: Vec<String> =
            found.map(|(library, path)| string_toml(&format!("{library} => {}", path.display()))).collect();
        return (!lines.is_empty()).then(|| format!("{{ libraries = [{}] }}", lines.join(", ")));
    }
    let absent = || (name == CLI).then(|| "{ is = \"absent\" }".to_owned());
    // The first answer a start got decides; a system that answers differently about a path later cannot be captured.
    match answers.failed.or(answers.content.as_ref().and_then(|content| *content.as_ref().err()?)) {
        Some(ENDLESS_LINKS) => return Some(format!("{{ symlink = {} }}", string_toml(name))),
        Some(number) if !MADE.contains(&number) => {
            return Some(format!("{{ fails = \"{:?}\" }}", nix::errno::Errno::from_raw(number)));
        }
        _ => {}
    }
    match (&answers.content, &answers.kind, answers.executable) {
        (Some(Ok(content)), _, _) => {
            let content = masked(path, content, inputs).unwrap_or_else(|| content.clone());
            Some(content_toml(&content))
        }
        (Some(Err(Some(NOT_FOUND))), _, _) if answers.dangling => Some("{ symlink = \"nothing\" }".to_owned()),
        (Some(Err(Some(NOT_FOUND))), _, _) => absent(),
        (Some(Err(Some(IS_DIRECTORY))), _, _) => Some("{ is = \"directory\" }".to_owned()),
        (Some(Err(Some(DENIED))), _, _) => Some("{ text = \"\", mode = \"0\" }".to_owned()),
        (Some(Err(_)), _, _) if answers.too_large => Some(format!("{{ zeros = {} }}", SIZE_LIMIT + 1)),
        (Some(Err(_)), _, _) => Some("{ is = \"fifo\" }".to_owned()),
        (None, _, Some(true)) => Some("{ is = \"cli\" }".to_owned()),
        (None, Some(Some(FileKind::Regular { empty })), _) => {
            Some(format!("{{ text = \"{}\" }}", if *empty { "" } else { "x" }))
        }
        (None, Some(Some(FileKind::Directory)), _) => Some("{ is = \"directory\" }".to_owned()),
        (None, Some(Some(FileKind::Other)), _) => Some("{ is = \"fifo\" }".to_owned()),
        (None, _, _) => absent(),
    }
}
