//! `check` from its command line to its answer.

use super::arguments::Check;
use super::{Answer, Scene};
use crate::check::{check, default_file, text};

/// Runs the command.
pub fn run(arguments: &Check, scene: &Scene<'_>) -> Answer {
    if arguments.print_default {
        return Answer::out(default_file(), 0);
    }
    let report = check(&scene.invocation, &scene.host);
    let status = report.status(arguments.strict);
    scene.answer(&report, |colour| text(&report, colour), status)
}
