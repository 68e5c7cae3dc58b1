//! The report of the doctor for a person.

use super::{Check, Report, State};
use crate::page::{Colour, Page, Tone};

/// Writes a report.
#[must_use]
pub fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    page.line(Tone::Bold, &format!("nvidia-container-runtime-hook {}: doctor", report.hook_version));
    page.gap();
    for Check { id, state, message, remedy } in &report.checks {
        let (tone, word) = match state {
            State::Ok => (Tone::Good, "ok"),
            State::Warning => (Tone::Warning, "warning"),
            State::Problem => (Tone::Bad, "problem"),
        };
        page.toned_row(tone, word, &format!("{id}: {message}"));
        if let Some(remedy) = remedy {
            page.more(&format!("-> {remedy}"));
        }
    }
    page.gap();
    let (tone, verdict) = match (report.problems, report.warnings) {
        (0, 0) => (Tone::Good, "This host is fit to give GPUs to containers.".to_owned()),
        (0, warnings) => (Tone::Warning, format!("No problem, and {}.", count(warnings, "warning"))),
        (problems, warnings) => {
            (Tone::Bad, format!("{} and {}.", count(problems, "problem"), count(warnings, "warning")))
        }
    };
    page.line(tone, &verdict);
    page.finish()
}

fn count(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}
