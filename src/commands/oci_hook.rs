//! `oci-hook` from its command line to its answer.

use std::path::Path;

use serde::Serialize;

use super::arguments::OciHook;
use super::{Answer, Scene};
use crate::error::reason;
use crate::host::Host;
use crate::note::store;
use crate::oci_hook::{FILE_NAME, Fault, document, faults};
use crate::page::{Colour, Page, Tone};

/// Runs the command.
pub fn run(arguments: &OciHook, scene: &Scene<'_>) -> Answer {
    if let Some(file) = &arguments.validate {
        return validate(file, scene);
    }
    if !arguments.path.starts_with('/') {
        return Answer::complaint("--path: give the absolute path of the hook");
    }
    let content = document(&arguments.path);
    let Some(directory) = &arguments.hooks_dir else { return Answer::out(content, 0) };
    let path = directory.join(FILE_NAME);
    match store::replace_file(&scene.host.locate(&path), &content) {
        Ok(()) => Answer::out(format!("wrote {}\n", crate::text::Line(&path.to_string_lossy())), 0),
        Err(cause) => Answer::complaint(&format!("{}: {}; does the directory exist?", path.display(), reason(&cause))),
    }
}

/// What `--validate` found.
#[derive(Serialize)]
struct Report {
    file: String,
    faults: Vec<Fault>,
}

fn validate(file: &Path, scene: &Scene<'_>) -> Answer {
    let content = match scene.host.read(file) {
        Ok(content) => content,
        Err(cause) => return Answer::complaint(&format!("{}: {}", file.display(), reason(&cause))),
    };
    let report = Report { file: file.display().to_string(), faults: faults(&content, &scene.host) };
    let status = u8::from(report.faults.iter().any(|fault| fault.serious));
    scene.answer(&report, |colour| text(&report, colour), status)
}

fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    for fault in &report.faults {
        let (label, tone) = if fault.serious { ("error", Tone::Bad) } else { ("warning", Tone::Warning) };
        page.toned_row(tone, label, &fault.message);
        page.more(fault.remedy);
    }
    if report.faults.is_empty() {
        page.line(Tone::Good, &format!("{}: Podman and CRI-O will start the hook by it", report.file));
    }
    page.finish()
}
