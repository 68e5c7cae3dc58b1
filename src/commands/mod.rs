//! The commands that the published hook does not have: their command line, and their way to an exit status. A start of
//! a container never comes here. Must not print: it returns what is to be written.

pub mod arguments;
mod check;
mod doctor;
mod explain;
mod oci_hook;

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use clap::Parser;
use clap::error::ErrorKind;

use crate::host::RealHost;
use crate::inspect::stdout_is_terminal;
use crate::invocation::Invocation;
use crate::page::{Colour, WIDTH, wrap};
use crate::text::harmless_json;
use arguments::{Arguments, Command, Common, Output};

/// What a command comes to.
#[derive(Debug, Default)]
pub struct Answer {
    /// For standard output.
    pub out: String,
    /// For standard error.
    pub err: String,
    /// The exit status: 0 all is well, 1 it is not, 2 wrong usage.
    pub status: u8,
}

impl Answer {
    /// An answer on standard output.
    #[must_use]
    pub fn out(out: String, status: u8) -> Self {
        Answer { out, err: String::new(), status }
    }

    /// A complaint: the command could not do its work.
    #[must_use]
    pub fn complaint(message: &str) -> Self {
        Answer { out: String::new(), err: format!("{}\n", crate::text::Line(message)), status: 1 }
    }
}

/// Runs a command: its name and what stands behind it. `invocation` has the flags that stood before it.
#[must_use]
pub fn run(words: &[&OsStr], invocation: &Invocation<'_>) -> Answer {
    let program = std::iter::once(OsString::from("nvidia-container-runtime-hook"));
    let arguments = match Arguments::try_parse_from(program.chain(words.iter().map(|word| two_dashes(word)))) {
        Ok(arguments) => arguments,
        Err(error) => return misuse(&error),
    };
    match &arguments.command {
        Command::Check(check) => self::check::run(check, &Scene::new(&check.common, invocation)),
        Command::Doctor(doctor) => {
            self::doctor::run(&Scene::of(doctor.root.as_deref(), doctor.config.as_deref(), doctor.output, invocation))
        }
        Command::OciHook(oci_hook) => {
            self::oci_hook::run(oci_hook, &Scene::of(oci_hook.host_root.as_deref(), None, oci_hook.output, invocation))
        }
        Command::Explain(explain) => explain::run(explain, &Scene::new(&explain.common, invocation)),
    }
}

/// The commands take long options with one dash too, as the flags before them do.
fn two_dashes(word: &OsStr) -> OsString {
    match word.as_bytes() {
        [b'-', first, second, ..] if first.is_ascii_lowercase() && second.is_ascii_lowercase() => {
            OsString::from_vec([b"-", word.as_bytes()].concat())
        }
        _ => word.to_owned(),
    }
}

fn misuse(error: &clap::Error) -> Answer {
    let text = fitted(&error.render().to_string());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Answer::out(text, 0),
        _ => Answer { out: String::new(), err: text, status: 2 },
    }
}

/// A help text with its long lines broken: below the text of an option, or below the line's own beginning.
fn fitted(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let own = line.len() - line.trim_start().len();
        let behind_option = line.trim_start().starts_with('-').then(|| line.trim_end().rfind("  ")).flatten();
        let indent = behind_option.map_or(own, |at| at + 2);
        let (head, rest) = line.split_at_checked(indent).unwrap_or((line, ""));
        for (index, part) in wrap(rest, WIDTH - indent.min(WIDTH / 2)).iter().enumerate() {
            let beginning = if index == 0 { head } else { &" ".repeat(indent) };
            let _ = writeln!(out, "{}", format!("{beginning}{part}").trim_end());
        }
    }
    out
}

/// The machine and the invocation that a command is about.
pub struct Scene<'s> {
    /// The machine.
    pub host: RealHost,
    /// Flags before the command, overridden by those behind it.
    pub invocation: Invocation<'s>,
    output: Output,
}

impl<'s> Scene<'s> {
    fn new(common: &'s Common, invocation: &Invocation<'s>) -> Self {
        Scene::of(common.host_root.as_deref(), common.config.as_deref(), common.output, invocation)
    }

    fn of(root: Option<&'s Path>, config: Option<&'s Path>, output: Output, invocation: &Invocation<'s>) -> Self {
        let mut invocation = *invocation;
        invocation.flags.config = config.map(Path::as_os_str).or(invocation.flags.config);
        invocation.flags.host_root = root.map(Path::as_os_str).or(invocation.flags.host_root);
        let host = RealHost::new(invocation.flags.host_root.map(PathBuf::from));
        Scene { host, invocation, output }
    }

    /// Writes a report in the form that is asked for.
    fn answer<R: serde::Serialize>(&self, report: &R, text: impl FnOnce(Colour) -> String, status: u8) -> Answer {
        let out = match self.output {
            Output::Text => text(self.colour()),
            // The reports have no map keys but texts and no numbers but integers, so this cannot fail.
            Output::Json => {
                serde_json::to_string_pretty(report).map(|json| harmless_json(&json) + "\n").unwrap_or_default()
            }
        };
        Answer::out(out, status)
    }

    fn colour(&self) -> Colour {
        let variable = |name: &[u8]| self.invocation.environ.get(name);
        Colour::wanted(stdout_is_terminal(), variable(b"NO_COLOR"), variable(b"TERM"))
    }
}
