//! `doctor` from its command line to its answer.

use super::{Answer, Scene};
use crate::doctor::{examine, text};

/// Runs the command.
pub fn run(scene: &Scene<'_>) -> Answer {
    match examine(&scene.invocation, &scene.host) {
        Ok(report) => {
            let status = u8::from(report.problems > 0);
            scene.answer(&report, |colour| text(&report, colour), status)
        }
        Err(error) => Answer::complaint(&error.to_string()),
    }
}
