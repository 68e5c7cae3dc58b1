//! The report of the doctor for a person.

use super::Report;
use crate::finding::Subject;
use crate::page::{Colour, Page, Tone};

/// Writes a report.
#[must_use]
pub fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    page.line(
        Tone::Bold,
        &format!("nvidia-hookctl {}: doctor, by the rules of hook {}", report.hookctl_version, report.hook_version),
    );
    page.gap();
    Subject { error: "problem", file: None, with_id: true }.write(&mut page, &report.checks);
    page.gap();
    page.line(report.count.tone(), &format!("{}.", report.count.words("problem")));
    page.finish()
}
