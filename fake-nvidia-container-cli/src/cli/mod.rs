//! The command line of `nvidia-container-cli`: global options, then one command with its own options.
//!
//! It turns words into [`Parsed`] and knows nothing about GPUs: what the values mean is decided later, in the real
//! program's order.

mod configure;
mod global;
mod list;
mod options;
mod parsed;
mod scan;
mod user;
pub mod version;

pub use parsed::{Command, Parsed};
pub use version::Version;

use crate::outcome::Stop;
use nvidia_simulated_machine::text::Text;
use scan::Line;
use std::time::Duration;

/// What the parser needs to know about its environment.
#[derive(Clone, Debug)]
pub struct Context {
    /// The first word of the command line as given.
    pub argv0: String,
    /// The version whose options are known.
    pub version: Version,
    /// True if the environment has POSIXLY_CORRECT.
    pub posixly_correct: bool,
    /// The parent process, which counts as the container's if `--pid` does not name one.
    pub ppid: i32,
    /// The effective user and group, for `--user` without a value.
    pub euid: (u32, u32),
}

/// The name in front of the real program's messages: the last part of `argv[0]`, with our own name read as the real
/// one.
#[must_use]
pub fn program_name(argv0: &str) -> &str {
    let base = argv0.rsplit('/').next().unwrap_or(argv0);
    base.strip_prefix("fake-").filter(|rest| *rest == "nvidia-container-cli").unwrap_or(base)
}

/// A command line as far as it was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The name that errors carry: `--program-name` changes it, even if the line is refused later.
    pub program: String,
    /// How long the `--HANG` options ask to wait before anything else happens.
    pub hang: Duration,
    /// The options, or why the run ends here.
    pub parsed: Result<Parsed, Stop>,
}

/// Reads the words after `argv[0]`.
#[must_use]
pub fn parse(context: &Context, words: Vec<Text>) -> Reading {
    let program = program_name(&context.argv0).to_owned();
    let mut line = Line { context, program, hang: Duration::ZERO };
    let parsed = global::parse(&mut line, words);
    Reading { program: line.program, hang: line.hang, parsed }
}

/// Adds a value to a list; an empty list takes the value without a separator, as the recorded program's does.
fn join(list: &mut Option<Text>, separator: char, value: &str) {
    let joined = match list.as_deref() {
        Some(before) if !before.is_empty() => format!("{before}{separator}{value}"),
        _ => value.to_owned(),
    };
    *list = Some(Text::from(joined));
}
