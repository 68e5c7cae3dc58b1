//! `check`: what is wrong, or looks wrong, in a configuration file. Everything that would fail a start is also an error
//! here. Must not print, and must not know how a start uses a key.

mod default_file;
mod document;
mod others;
mod paths;
mod rules;
mod suggest;
mod text;
pub mod usual;
mod values;

pub use default_file::{default, default_file};
pub use text::text;

use std::cell::Cell;

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Answer, Scene};
use crate::arguments::Check;
use crate::finding::{Count, Finding, Place, Severity};
use crate::inspect::Inspect;
use hook::config::{self, Config, ConfigFile};
use hook::error::{Error, reason, remedy_for_unreadable};
use hook::invocation::Invocation;

/// The version of the JSON form; it changes when a member changes meaning or is removed.
pub const SCHEMA: u32 = 1;

/// Runs the command.
pub fn run(arguments: &Check, scene: &Scene<'_>) -> Answer {
    if arguments.print_default {
        return Answer::out(default_file(), 0);
    }
    let report = check(&scene.invocation, &scene.host);
    let status = report.count.status(arguments.strict);
    scene.answer(&report, |colour| text(&report, colour), status)
}

/// The answer of `nvidia-hookctl check`: what is wrong, or looks wrong, in a configuration file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Version of the schema of this answer; it changes when a member changes meaning or is removed.
    pub schema: u32,
    /// Version of nvidia-hookctl.
    pub hookctl_version: &'static str,
    /// Version of the hook whose rules the file was checked by.
    pub hook_version: &'static str,
    /// Path of the checked file; null if the defaults apply or the file is named by a relative path.
    pub file: Option<String>,
    /// The findings, in the order of the file; those without a place come first.
    pub findings: Vec<Finding>,
    /// Keys that the file sets, that only other programs read, and that no finding is about.
    pub keys_of_other_programs: Vec<&'static str>,
    /// How many of them count.
    #[serde(flatten)]
    pub count: Count,
    /// The text, for showing places.
    #[serde(skip)]
    source: String,
}

/// Checks the configuration that a start would read.
#[must_use]
pub fn check(invocation: &Invocation<'_>, host: &dyn Inspect) -> Report {
    match config::find(invocation, host) {
        Ok(None) => report(None, Vec::new(), Vec::new()),
        Ok(Some(file)) => check_file(file, host),
        Err(Error::ConfigUnreadable { path, named, cause }) => {
            let finding = Finding::new(
                Severity::Error,
                "unreadable",
                format!("{}: {}", path.display(), reason(&cause)),
                remedy_for_unreadable(&cause, named),
            );
            let mut report = report(None, vec![finding], Vec::new());
            report.file = Some(path.display().to_string());
            report
        }
        // An error about the name, before any file is read.
        Err(error) => {
            let remedy = "give the absolute path of the file, or of its directory";
            report(None, vec![Finding::new(Severity::Error, "relative", error.to_string(), remedy)], Vec::new())
        }
    }
}

fn check_file(file: ConfigFile, host: &dyn Inspect) -> Report {
    let mut document = document::read(&file.text);
    document.passed_over(&file.passed_over);
    let whole = !document.findings.iter().any(|finding| matches!(finding.id, "syntax" | "type"));
    if document.findings.iter().any(|finding| finding.id == "syntax") {
        // After a syntax fault, keys can appear to be where they are not.
        document.findings.retain(|finding| finding.severity == Severity::Error);
    }
    if whole {
        document.findings.extend(values::faults(&file, &document));
    }
    if let (true, Ok(config)) = (whole, Config::read(Some(&file))) {
        document.findings.extend(rules::contradictions(&config, &document));
        document.findings.extend(paths::faults(&config, &document, host));
        document.findings.extend(others::faults(&config, &document, host));
        document.findings.extend(rules::for_all(&config, &document, &file));
    }
    document.findings.extend(paths::of_file(&file, host));
    document.findings.extend(usual::two_files(&file, host));
    let (findings, mut others) = (document.findings, document.keys_of_others);
    others.retain(|key| !findings.iter().any(|finding| finding.key.as_deref() == Some(*key)));
    report(Some(file), findings, others)
}

fn report(file: Option<ConfigFile>, mut findings: Vec<Finding>, others: Vec<&'static str>) -> Report {
    // Findings without a place come first: they are about the whole file, or about something it lacks.
    findings.sort_by_key(|finding| finding.place);
    Report {
        schema: SCHEMA,
        hookctl_version: crate::VERSION,
        hook_version: hook::VERSION,
        file: file.as_ref().map(|file| file.path.display().to_string()),
        count: Count::of(&findings),
        findings,
        keys_of_other_programs: others,
        source: file.map(|file| file.text).unwrap_or_default(),
    }
}

/// Where the lines of a text begin, so each place is found without reading the whole text again.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// The last place requested, in bytes and columns. Places are requested in order, and many can be on one line, so
    /// columns are not counted from the start of the line each time.
    last: Cell<(usize, usize)>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(after).collect(), last: Cell::new((0, 1)) }
    }

    /// The place of a span of bytes.
    fn place(&self, span: &std::ops::Range<usize>) -> Place {
        let before = self.starts.partition_point(|start| *start <= span.start).saturating_sub(1);
        let start = self.starts.get(before).copied().unwrap_or_default();
        let (from, columns) =
            Some(self.last.get()).filter(|(at, _)| (start..=span.start).contains(at)).unwrap_or((start, 1));
        let column = columns + self.text.get(from..span.start).unwrap_or_default().chars().count();
        self.last.set((span.start, column));
        let spanned = self.text.get(span.clone()).unwrap_or_default();
        let length = spanned.lines().next().unwrap_or_default().chars().count().max(1);
        Place { line: before + 1, column, length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_what_they_are_in_any_order() {
        let lines = Lines::of("é = 1\na = 2, é = 3\n");
        let at = |start: usize| {
            let place = lines.place(&(start..start + 1));
            (place.line, place.column)
        };
        assert_eq!(
            [at(0), at(7), at(9), at(14), at(11), at(3), at(16)],
            [(1, 1), (2, 1), (2, 3), (2, 8), (2, 5), (1, 3), (2, 9)]
        );
        assert_eq!(lines.last.get(), (16, 9));
    }
}
