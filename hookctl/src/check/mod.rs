//! `check`: what is wrong, or looks wrong, in a configuration file. Everything that would fail a start is an error here
//! as well. Must not print, and must not know how a start uses a key.

mod default_file;
mod document;
mod paths;
mod rules;
mod suggest;
mod text;
mod values;

pub use default_file::{default, default_file};
pub use text::text;

use serde::Serialize;

use crate::answer::{Answer, Scene};
use crate::arguments::Check;
use crate::inspect::Inspect;
use hook::config::{self, Config, ConfigFile};
use hook::error::{Error, reason};
use hook::invocation::Invocation;
use hook::text::position::Position;

/// The number of the JSON form; it changes when a member changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// Runs the command.
pub fn run(arguments: &Check, scene: &Scene<'_>) -> Answer {
    if arguments.print_default {
        return Answer::out(default_file(), 0);
    }
    let report = check(&scene.invocation, &scene.host);
    let status = report.status(arguments.strict);
    scene.answer(&report, |colour| text(&report, colour), status)
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The file; none: there is none, and the defaults hold.
    pub file: Option<String>,
    /// What was found, in the order of the file.
    pub findings: Vec<Finding>,
    /// Keys that are set and that only other programs read.
    pub keys_of_other_programs: Vec<&'static str>,
    /// How many errors there are.
    pub errors: usize,
    /// How many warnings there are.
    pub warnings: usize,
    /// The text, for showing places.
    #[serde(skip)]
    source: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Probably not what was meant.
    Warning,
    /// A start would fail.
    Error,
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind, for programs.
    pub id: &'static str,
    /// The key, dotted, if it is about one.
    pub key: Option<String>,
    /// Where it stands in the file.
    pub place: Option<Place>,
    /// What was found.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A place in the file; all numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
    /// Length, in characters, on this line.
    pub length: usize,
}

impl Place {
    /// The place of a span of bytes.
    fn of(text: &str, span: &std::ops::Range<usize>) -> Self {
        let Position { line, column } = Position::of(text, span.start);
        let spanned = text.get(span.clone()).unwrap_or_default();
        Place { line, column, length: spanned.lines().next().unwrap_or_default().chars().count().max(1) }
    }
}

impl Report {
    /// The exit status that goes with the findings.
    #[must_use]
    pub fn status(&self, strict: bool) -> u8 {
        u8::from(self.errors > 0 || (strict && self.warnings > 0))
    }
}

/// Checks the configuration that a start would read.
#[must_use]
pub fn check(invocation: &Invocation<'_>, host: &dyn Inspect) -> Report {
    match config::find(invocation, host) {
        Ok(None) => report(None, Vec::new(), Vec::new()),
        Ok(Some(file)) => check_file(file, host),
        Err(Error::ConfigUnreadable { path, cause }) => {
            let finding = Finding {
                severity: Severity::Error,
                id: "unreadable",
                key: None,
                place: None,
                message: format!("{}: {}", path.display(), reason(&cause)),
                remedy: "make the file readable text, or name another with --config".to_owned(),
            };
            let mut report = report(None, vec![finding], Vec::new());
            report.file = Some(path.display().to_string());
            report
        }
        Err(_) => report(None, Vec::new(), Vec::new()),
    }
}

fn check_file(file: ConfigFile, host: &dyn Inspect) -> Report {
    let mut document = document::read(&file.text);
    document.passed_over(&file.passed_over);
    let whole = !document.findings.iter().any(|finding| matches!(finding.id, "syntax" | "type"));
    if document.findings.iter().any(|finding| finding.id == "syntax") {
        // Behind a fault of syntax keys may seem to be where they are not.
        document.findings.retain(|finding| finding.severity == Severity::Error);
    }
    if whole {
        document.findings.extend(values::faults(&file, &document));
    }
    if let (true, Ok(config)) = (whole, Config::read(Some(&file))) {
        document.findings.extend(rules::contradictions(&config, &document));
        document.findings.extend(paths::faults(&config, &document, host));
    }
    document.findings.extend(paths::of_file(&file, host));
    let (findings, others) = (document.findings, document.keys_of_others);
    report(Some(file), findings, others)
}

fn report(file: Option<ConfigFile>, mut findings: Vec<Finding>, others: Vec<&'static str>) -> Report {
    // What is about no place comes first: it is about the whole file, or about what the file lacks.
    findings.sort_by_key(|finding| finding.place);
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    Report {
        schema: SCHEMA,
        file: file.as_ref().map(|file| file.path.display().to_string()),
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        findings,
        keys_of_other_programs: others,
        source: file.map(|file| file.text).unwrap_or_default(),
    }
}
