//! `explain` from its command line to its answer.

use std::path::Path;

use super::arguments::Explain;
use super::{Answer, Scene};
use crate::error::reason;
use crate::explain::report::Verdict;
use crate::explain::{Question, Subject, explain, text};
use crate::host::{Host, RealHost, read_stdin};
use crate::text::Shown;

/// Runs the command.
pub fn run(arguments: &Explain, scene: &Scene<'_>) -> Answer {
    let subject = match subject(arguments) {
        Ok(subject) => subject,
        Err(message) => return Answer::complaint(&message),
    };
    let question = Question { subject, variables: arguments.variables.clone(), privileged: arguments.privileged };
    let report = explain(&question, &scene.invocation, &scene.host);
    let status = u8::from(report.verdict == Verdict::Error);
    scene.answer(&report, |colour| text(&report, colour), status)
}

fn subject(arguments: &Explain) -> Result<Subject, String> {
    if let Some(bundle) = &arguments.bundle {
        let absolute = std::path::absolute(bundle).map_err(|cause| format!("{}: {cause}", bundle.display()))?;
        let path = absolute.to_str().ok_or_else(|| format!("{}: a bundle's path is UTF-8", bundle.display()))?;
        return Ok(Subject::Bundle(path.to_owned()));
    }
    let Some(state) = &arguments.state else { return Ok(Subject::Variables) };
    let content = match state.as_path() == Path::new("-") {
        true => read_stdin(),
        // A file of whoever asks, not of the machine that is asked about.
        false => RealHost::new(None).read(state),
    };
    content.map(Subject::State).map_err(|cause| format!("{}: {}", Shown(&state.display().to_string()), reason(&cause)))
}
