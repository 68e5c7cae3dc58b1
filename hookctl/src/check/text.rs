//! A check's report for a person: each finding with its line, and one sentence about all.

use super::Report;
use crate::finding::Subject;
use crate::page::{Colour, Page, Tone};

/// Writes a report.
#[must_use]
pub fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    let Some(file) = &report.file else {
        if !report.findings.is_empty() {
            Subject { error: "error", file: None, with_id: false }.write(&mut page, &report.findings);
            page.line(report.count.tone(), &format!("No configuration file is read: {}", report.count.words("error")));
            return page.finish();
        }
        page.line(Tone::Good, "There is no configuration file: the built-in defaults hold. See check --print-default.");
        return page.finish();
    };
    Subject { error: "error", file: Some((file, &report.source)), with_id: false }.write(&mut page, &report.findings);
    if !report.keys_of_other_programs.is_empty() {
        let keys = report.keys_of_other_programs.join(", ");
        page.line(Tone::Plain, &format!("Read by other programs than this hook: {keys}"));
    }
    page.line(report.count.tone(), &format!("{file}: {}", report.count.words("error")));
    page.finish()
}
