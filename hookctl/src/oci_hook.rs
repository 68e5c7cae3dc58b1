//! `oci-hook`: writes and validates the file by which Podman and CRI-O start the hook, `oci-nvidia-hook.json`. Must not
//! know which directories are searched, or the rules of the format.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::answer::{Answer, Scene};
use crate::arguments::OciHook;
use crate::finding::{Count, Finding, Subject};
use crate::hooks_d::{HookFile, Reach, VERSION};
use crate::inspect::Inspect;
use crate::page::{Colour, Page, Tone};
use hook::error::reason;
use hook::host::Host;
use hook::plan::program::DEFAULT_DIRECTORIES;

/// The version of the JSON form; it changes when a member changes meaning or is removed.
pub const SCHEMA: u32 = 1;
/// The usual name of the file.
pub const FILE_NAME: &str = "oci-nvidia-hook.json";
/// The hook's usual path.
pub const DEFAULT_PATH: &str = "/usr/bin/nvidia-container-runtime-hook";

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
    // The directory's links are followed; a link in place of the file itself is replaced.
    let target = scene.host.locate(directory).join(FILE_NAME);
    match replace_file(&target, &content) {
        Ok(()) => Answer::out(format!("wrote {}\n", hook::text::Escaped(&path.to_string_lossy())), 0),
        Err(cause) => Answer::failure(&format!("{}: {}; does the directory exist?", path.display(), reason(&cause))),
    }
}

/// The answer of `nvidia-hookctl oci-hook --validate`: what is wrong with a file that starts the hook.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Version of the schema of this answer; it changes when a member changes meaning or is removed.
    pub schema: u32,
    /// Version of nvidia-hookctl.
    pub hookctl_version: &'static str,
    /// Version of the hook that this nvidia-hookctl belongs to.
    pub hook_version: &'static str,
    /// Path of the file that was validated.
    pub file: String,
    /// The containers for which the file starts the hook, in words; null if all, none or not known.
    pub only_for: Option<String>,
    /// What is wrong with the file, and notes about it.
    pub faults: Vec<Finding>,
    /// How many of them count.
    #[serde(flatten)]
    pub count: Count,
}

fn validate(file: &Path, scene: &Scene<'_>) -> Answer {
    let content = match scene.host.read(file) {
        Ok(content) => content,
        Err(cause) => return Answer::failure(&format!("{}: {}", file.display(), reason(&cause))),
    };
    let faults = faults(&content, &scene.host);
    let report = Report {
        schema: SCHEMA,
        hookctl_version: crate::VERSION,
        hook_version: hook::VERSION,
        file: file.display().to_string(),
        only_for: HookFile::parse(&content).ok().and_then(|file| match file.when.reach() {
            Reach::Some(whom) => Some(whom),
            _ => None,
        }),
        count: Count::of(&faults),
        faults,
    };
    scene.answer(&report, |colour| text(&report, colour), report.count.status(false))
}

/// What is wrong with the content of a file.
#[must_use]
pub fn faults(content: &[u8], host: &dyn Inspect) -> Vec<Finding> {
    match HookFile::parse(content) {
        Err(refused) => vec![*refused],
        Ok(file) => file.faults(host),
    }
}

fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    Subject { error: "error", file: None, with_id: false }.write(&mut page, &report.faults);
    if report.count.errors == 0 {
        let whom = report.only_for.as_ref().map(|whom| format!(", only for {whom}")).unwrap_or_default();
        page.line(report.count.tone(), &format!("{}: Podman and CRI-O will start the hook by it{whom}", report.file));
    } else {
        page.line(Tone::Bad, &format!("{}: {}", report.file, report.count.words("error")));
    }
    page.finish()
}

/// The file that starts the hook at `path` for every container. Its folder, if not a default one, is searched too,
/// last: an installer that puts the hook in its own folder puts nvidia-container-cli there too (nvidia-ctk since
/// 1.14.1).
#[must_use]
pub fn document(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    let own = Some(folder).filter(|folder| !folder.is_empty() && !DEFAULT_DIRECTORIES.contains(folder));
    let search_path: Vec<&str> = DEFAULT_DIRECTORIES.into_iter().chain(own).collect();
    // Written by hand, so that the members are in the order that people know.
    format!(
        "{{\n  \"version\": \"{VERSION}\",\n  \"hook\": {{\n    \"path\": {},\n    \"args\": [{}, \"prestart\"],\n    \
         \"env\": [{}]\n  }},\n  \"when\": {{\n    \"always\": true,\n    \"commands\": [\".*\"]\n  }},\n  \
         \"stages\": [\"prestart\"]\n}}\n",
        json!(path),
        json!(name),
        json!(format!("PATH={}", search_path.join(":")))
    )
}

/// Puts a file in place as a whole: a reader sees either the old file or the new one. A link of that name is replaced.
///
/// # Errors
/// The system's.
#[expect(clippy::disallowed_methods, reason = "writes the one file that is asked for")]
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
