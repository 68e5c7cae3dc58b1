//! `why`: takes what an engine printed, finds the line that matters, and says what it means, who can fix it, and how.
//! Then it looks on the host for the states that may cause it. Must not print.

mod behind;
mod find;

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Answer, Scene};
use crate::arguments::Why;
use crate::doctor;
use crate::finding::{Finding, Subject};
use crate::page::{Colour, Page, Tone};
use crate::tree::read_stdin;
use hook::error::reason;
use hook::text::Excerpt;
use nvidia_simulated_machine::lines::{self, Line, Owner};

use crate::doctor::states::State;

/// The version of the JSON form; it changes when a member changes meaning or is removed.
pub const SCHEMA: u32 = 1;
/// How much of a text is looked at, from its end: what failed last is printed last.
const LIMIT: usize = 1 << 20;

/// Runs the command.
pub fn run(arguments: &Why, scene: &Scene<'_>) -> Answer {
    let text = match arguments.text.is_empty() {
        false => arguments.text.join(" "),
        true => match read_stdin() {
            Ok(bytes) => String::from_utf8_lossy(end_of(&bytes)).into_owned(),
            Err(cause) => return Answer::failure(&format!("standard input: {}", reason(&cause))),
        },
    };
    if text.trim().is_empty() {
        return Answer::failure("nothing to explain: give the text as an argument or on standard input");
    }
    let report = report(&text, scene);
    let status = u8::from(report.line.is_none());
    scene.answer(&report, |colour| self::text(&report, colour), status)
}

fn end_of(text: &[u8]) -> &[u8] {
    text.get(text.len().saturating_sub(LIMIT)..).unwrap_or(text)
}

/// The answer of `nvidia-hookctl why`: what the output of an engine means, and what to do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Version of the schema of this answer; it changes when a member changes meaning or is removed.
    pub schema: u32,
    /// Version of nvidia-hookctl.
    pub hookctl_version: &'static str,
    /// Version of the hook whose rules nvidia-hookctl applies.
    pub hook_version: &'static str,
    /// The known line that was found in the text; null if there is none.
    pub line: Option<Known>,
    /// The known lines that are most similar to the text; empty if `line` is not null.
    pub nearest: Vec<Known>,
    /// The states found on this host that can cause the line, as `doctor` reports them.
    pub host: Vec<Finding>,
    /// How many known states can cause the line.
    pub states: usize,
}

/// A known line, what it means, and what to do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Known {
    /// Name of the line, such as `hook-failed`.
    pub name: &'static str,
    /// The line as found in the text; in `nearest`, an example of the line.
    pub text: String,
    /// What the line means.
    pub meaning: &'static str,
    /// Who can fix the failure.
    pub owner: Owner,
    /// What to do about the failure.
    pub remedy: &'static str,
}

impl Known {
    fn of(line: &Line, text: &str) -> Self {
        Known { name: line.name, text: text.to_owned(), meaning: line.meaning, owner: line.owner, remedy: line.remedy }
    }
}

/// The states of a host that may be behind a line.
#[must_use]
pub fn behind(line: &str) -> &'static [&'static State] {
    behind::BEHIND.iter().find(|(name, _)| *name == line).map_or(&[], |(_, states)| states)
}

fn report(text: &str, scene: &Scene<'_>) -> Report {
    let mut report = Report {
        schema: SCHEMA,
        hookctl_version: crate::VERSION,
        hook_version: hook::VERSION,
        line: None,
        nearest: Vec::new(),
        host: Vec::new(),
        states: 0,
    };
    let found = find::best(text, lines::all());
    let known = found.and_then(|found| Some((lines::all().find(|line| line.name == found.name)?, found)));
    let Some((line, found)) = known else {
        report.nearest = find::nearest(text, lines::all()).iter().map(|line| Known::of(line, line.example)).collect();
        return report;
    };
    report.line = Some(Known::of(line, &found.excerpt));
    let states = behind(line.name);
    report.states = states.len();
    if let (false, Ok(seen)) = (states.is_empty(), doctor::examine(&scene.invocation, &scene.host)) {
        let behind = |finding: &Finding| states.iter().any(|state| state.id == finding.id);
        report.host = seen.checks.into_iter().filter(behind).collect();
    }
    report
}

fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    let Some(line) = &report.line else {
        page.line(Tone::Warning, "No line in this text is known here.");
        for (index, line) in report.nearest.iter().enumerate() {
            if index == 0 {
                page.heading("Known lines that are near");
            }
            page.row(line.name, &line.text);
            page.more(&format!("-> {}", line.meaning));
        }
        page.gap();
        page.line(Tone::Plain, "To look at this host: nvidia-hookctl doctor. At a container: nvidia-hookctl explain.");
        return page.finish();
    };
    page.line(Tone::Bold, &Excerpt(&line.text).to_string());
    page.gap();
    page.row("known as", line.name);
    page.row("meaning", line.meaning);
    page.row("owner", line.owner.words());
    page.row("what to do", line.remedy);
    if report.states > 0 {
        page.heading("On this host");
        if report.host.is_empty() {
            let mut words = String::from("of the states that may cause it, none was found");
            let _ = write!(words, " ({} were looked for); all of them: nvidia-hookctl doctor", report.states);
            page.row("not found", &words);
        }
        Subject { error: "problem", file: None, with_id: true }.write(&mut page, &report.host);
    }
    page.finish()
}
