//! The file by which Podman and CRI-O start the hook, `oci-nvidia-hook.json` (oci-hooks(5), version 1.0.0): how it is
//! written, and what can be wrong with one. Must not know which directories are searched.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::{Answer, Scene};
use crate::arguments::OciHook;
use crate::finding::{Finding, Severity, Subject};
use crate::inspect::Inspect;
use crate::page::{Colour, Page, Tone};
use hook::error::reason;
use hook::host::Host;
use hook::plan::program::DEFAULT_DIRECTORIES;

/// The usual name of the file.
pub const FILE_NAME: &str = "oci-nvidia-hook.json";
/// The hook's usual path.
pub const DEFAULT_PATH: &str = "/usr/bin/nvidia-container-runtime-hook";
/// The names under which the hook is installed.
const NAMES: [&str; 2] = ["nvidia-container-runtime-hook", "nvidia-container-toolkit"];
const VERSION: &str = "1.0.0";

/// Runs the command.
pub fn run(arguments: &OciHook, scene: &Scene<'_>) -> Answer {
    if let Some(file) = &arguments.validate {
        return validate(file, scene);
    }
    if !arguments.path.starts_with('/') {
        return Answer::failure("--path: give the absolute path of the hook");
    }
    let content = document(&arguments.path);
    let Some(directory) = &arguments.hooks_dir else { return Answer::out(content, 0) };
    let path = directory.join(FILE_NAME);
    match replace_file(&scene.host.locate(&path), &content) {
        Ok(()) => Answer::out(format!("wrote {}\n", hook::text::Escaped(&path.to_string_lossy())), 0),
        Err(cause) => Answer::failure(&format!("{}: {}; does the directory exist?", path.display(), reason(&cause))),
    }
}

/// What `--validate` found.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    file: String,
    faults: Vec<Finding>,
}

fn validate(file: &Path, scene: &Scene<'_>) -> Answer {
    let content = match scene.host.read(file) {
        Ok(content) => content,
        Err(cause) => return Answer::failure(&format!("{}: {}", file.display(), reason(&cause))),
    };
    let report = Report { file: file.display().to_string(), faults: faults(&content, &scene.host) };
    let status = u8::from(report.faults.iter().any(|fault| fault.severity == Severity::Error));
    scene.answer(&report, |colour| text(&report, colour), status)
}

fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    Subject { error: "error", file: None, with_id: false }.write(&mut page, &report.faults);
    if report.faults.is_empty() {
        page.line(Tone::Good, &format!("{}: Podman and CRI-O will start the hook by it", report.file));
    }
    page.finish()
}

/// The file that starts the hook at `path` for every container. A folder beside the default ones is searched too, last:
/// whoever installs the hook in a folder of its own installs nvidia-container-cli there as well (nvidia-ctk since 1.14.1).
#[must_use]
pub fn document(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    let own = Some(folder).filter(|folder| !folder.is_empty() && !DEFAULT_DIRECTORIES.contains(folder));
    let search_path: Vec<&str> = DEFAULT_DIRECTORIES.into_iter().chain(own).collect();
    // By hand, so that the members stand in the order in which people know them.
    format!(
        "{{\n  \"version\": \"{VERSION}\",\n  \"hook\": {{\n    \"path\": {},\n    \"args\": [{}, \"prestart\"],\n    \
         \"env\": [{}]\n  }},\n  \"when\": {{\n    \"always\": true,\n    \"commands\": [\".*\"]\n  }},\n  \
         \"stages\": [\"prestart\"]\n}}\n",
        json!(path),
        json!(name),
        json!(format!("PATH={}", search_path.join(":")))
    )
}

fn serious(message: impl Into<String>, remedy: &'static str) -> Finding {
    Finding::new(Severity::Error, "hook-file", message, remedy)
}

/// The path of the NVIDIA hook that a file starts; `None` for a file about another program.
#[must_use]
pub fn nvidia_hook(document: &Value) -> Option<&str> {
    let path = document.pointer("/hook/path")?.as_str()?;
    NAMES.contains(&path.rsplit('/').next()?).then_some(path)
}

/// The faults of a file.
#[must_use]
pub fn faults(content: &[u8], host: &dyn Inspect) -> Vec<Finding> {
    let document: Value = match serde_json::from_slice(content) {
        Ok(document) => document,
        Err(error) => return vec![serious(format!("not JSON: {error}"), "correct it, or write it anew with oci-hook")],
    };
    let mut faults = Vec::new();
    if document.get("version").and_then(Value::as_str) != Some(VERSION) {
        faults.push(serious("\"version\" is not \"1.0.0\"", "write \"version\": \"1.0.0\""));
    }
    program(&document, host, &mut faults);
    arguments(&document, &mut faults);
    conditions(&document, &mut faults);
    stages(&document, &mut faults);
    faults
}

fn program(document: &Value, host: &dyn Inspect, faults: &mut Vec<Finding>) {
    let Some(path) = document.pointer("/hook/path").and_then(Value::as_str) else {
        faults.push(serious("\"hook\" has no \"path\"", "name the hook's absolute path"));
        return;
    };
    if !path.starts_with('/') {
        faults.push(serious(format!("\"path\" {path} is relative"), "write the absolute path"));
    } else if !host.status(Path::new(path)).is_some_and(|status| status.is_file && status.is_executable()) {
        faults.push(serious(
            format!("{path} is not there, or not executable"),
            "install the hook there, or correct \"path\"",
        ));
    } else if nvidia_hook(document).is_none() {
        faults.push(Finding::new(
            Severity::Warning,
            "hook-file",
            format!("{path} is not called nvidia-container-runtime-hook"),
            "is it the right program?",
        ));
    }
}

fn arguments(document: &Value, faults: &mut Vec<Finding>) {
    let arguments = document.pointer("/hook/args").and_then(Value::as_array);
    let prestart = arguments.is_some_and(|words| words.iter().skip(1).any(|word| word == "prestart"));
    if !prestart {
        faults.push(serious(
            "\"args\" does not say prestart, so the hook would only print its usage and exit with status 2",
            "write \"args\": [\"nvidia-container-runtime-hook\", \"prestart\"]; the first word is the program's name",
        ));
    }
}

fn conditions(document: &Value, faults: &mut Vec<Finding>) {
    let when = document.get("when").and_then(Value::as_object);
    match when {
        None => faults.push(serious("\"when\" is missing", "write \"when\": {\"always\": true}")),
        Some(when) if when.is_empty() => {
            faults.push(serious("\"when\" is empty, so no container matches", "write \"when\": {\"always\": true}"));
        }
        Some(when) if when.get("always") == Some(&Value::Bool(false)) && when.len() == 1 => {
            faults.push(serious("\"always\" is false and nothing else is said", "write \"always\": true"));
        }
        Some(_) => {}
    }
}

fn stages(document: &Value, faults: &mut Vec<Finding>) {
    let stages: Vec<&str> =
        document.get("stages").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if !stages.iter().any(|stage| matches!(*stage, "prestart" | "createRuntime")) {
        faults.push(serious(
            "\"stages\" has neither prestart nor createRuntime, so the hook would run too early, too late or never",
            "write \"stages\": [\"prestart\"]",
        ));
    } else if stages.len() > 1 {
        faults.push(serious(
            format!("\"stages\" names {}, so the hook would run more than once", stages.join(" and ")),
            "write \"stages\": [\"prestart\"]",
        ));
    }
}

/// Puts a file in place as a whole: whoever reads it sees the old one or the new one. A link of that name is replaced.
///
/// # Errors
/// The system's.
#[expect(clippy::disallowed_methods, reason = "the one place where hookctl writes a file")]
fn replace_file(path: &Path, content: &str) -> io::Result<()> {
    let temporary = PathBuf::from(format!("{}.{}", path.display(), std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(&temporary)?;
    let done = file.write_all(content.as_bytes()).and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        // Best effort: the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    done
}
