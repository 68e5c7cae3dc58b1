//! The doctor's report for a person.

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
    match &report.installed_hook {
        None => page.row("hook", "none is installed here"),
        Some(hook) => {
            let version = hook
                .version
                .as_ref()
                .map_or("of a version that its file does not tell".to_owned(), |version| format!("version {version}"));
            page.row("hook", &format!("{}, {version}", hook.path));
        }
    }
    if let Some(machine) = &report.machine {
        page.row("machine", machine);
    }
    page.gap();
    Subject { error: "problem", file: None, with_id: true }.write(&mut page, &report.checks);
    page.gap();
    page.line(report.count.tone(), &verdict(report));
    page.finish()
}

/// The summary, which never claims more than was looked for.
fn verdict(report: &Report) -> String {
    let known = report.known_states;
    match report.states_found() {
        0 => format!("None of the {known} known states was found."),
        1 => format!("1 of the {known} known states was found: {}.", report.count.words("problem")),
        many => format!("{many} of the {known} known states were found: {}.", report.count.words("problem")),
    }
}
