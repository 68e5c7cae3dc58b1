//! The report of a check for a person: each finding with its line and a caret below the place.

use super::{Finding, Report, Severity};
use crate::page::{Colour, Page, Tone, WIDTH};

/// Writes a report.
#[must_use]
pub fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    let Some(file) = &report.file else {
        page.line(Tone::Good, "There is no configuration file: the built-in defaults hold. See check --print-default.");
        return page.finish();
    };
    for finding in &report.findings {
        self::finding(&mut page, file, &report.source, finding);
        page.gap();
    }
    if !report.keys_of_other_programs.is_empty() {
        let keys = report.keys_of_other_programs.join(", ");
        page.line(Tone::Plain, &format!("Read by other programs than this hook, which is fine: {keys}"));
    }
    let tone = match (report.errors, report.warnings) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Warning,
        _ => Tone::Bad,
    };
    page.line(tone, &format!("{file}: {}, {}", count(report.errors, "error"), count(report.warnings, "warning")));
    page.finish()
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

fn finding(page: &mut Page, file: &str, source: &str, finding: &Finding) {
    let (word, tone) = match finding.severity {
        Severity::Note => ("note", Tone::Plain),
        Severity::Warning => ("warning", Tone::Warning),
        Severity::Error => ("error", Tone::Bad),
    };
    match finding.place {
        None => page.line(tone, &format!("{word}: {}", finding.message)),
        Some(place) => {
            page.line(tone, &format!("{file}:{}:{}: {word}: {}", place.line, place.column, finding.message));
            let line = source.lines().nth(place.line - 1).unwrap_or_default();
            caret(page, place.line, line, place.column, place.length);
        }
    }
    page.row("help", &finding.remedy);
}

/// The line, or the part of a long one around the place, and the place marked below it.
fn caret(page: &mut Page, number: usize, line: &str, column: usize, length: usize) {
    const MARGIN: usize = 9;
    let room = WIDTH - MARGIN;
    // Tabs as one blank, so that what stands below stays below.
    let line: Vec<char> = line.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let start = if line.len() <= room { 0 } else { (column - 1).saturating_sub(room / 2).min(line.len() - room) };
    let shown: String = line.iter().skip(start).take(room).map(|c| if c.is_control() { '?' } else { *c }).collect();
    page.verbatim(Tone::Plain, format!("{number:>6} | {shown}").trim_end());
    let before = column - 1 - start;
    let marks = length.min(room.saturating_sub(before)).max(1);
    page.verbatim(Tone::Bad, &format!("{:>6} | {}{}", "", " ".repeat(before), "^".repeat(marks)));
}
