//! A command's answer, and the machine and configuration it is about. Must not print, and must not know any command.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use hook::invocation::{Environ, Flags, Invocation};
use hook::text::{Escaped, harmless_json};

use crate::arguments::{Common, Output};
use crate::inspect::stdout_is_terminal;
use crate::page::{Colour, WIDTH, wrap};
use crate::tree::Tree;

/// What a command prints, and its exit status.
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

    /// A failure: the command could not do its work.
    #[must_use]
    pub fn failure(message: &str) -> Self {
        Answer { out: String::new(), err: format!("{}\n", Escaped(message)), status: 1 }
    }

    /// Help or the version if asked for; otherwise wrong usage.
    #[must_use]
    pub fn usage(error: &clap::Error) -> Self {
        // The text contains what the user typed.
        let text: String = error.render().to_string().lines().map(|line| format!("{}\n", Escaped(line))).collect();
        let text = fitted(&text);
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Answer::out(text, 0),
            _ => Answer { out: String::new(), err: text, status: 2 },
        }
    }
}

/// The machine a command looks at, and how the hook would be invoked on it.
pub struct Scene<'s> {
    /// The machine.
    pub host: Tree,
    /// The flags and the environment that a start would have.
    pub invocation: Invocation<'s>,
    output: Output,
}

impl<'s> Scene<'s> {
    /// The scene that the common options set.
    #[must_use]
    pub fn new(common: &'s Common, environ: Environ<'s>) -> Self {
        Scene::of(common.host_root.as_deref(), common.config.as_deref(), common.output, environ)
    }

    /// A scene with `root` as the machine's root directory and `config` as the configuration file, if given.
    #[must_use]
    pub fn of(root: Option<&'s Path>, config: Option<&'s Path>, output: Output, environ: Environ<'s>) -> Self {
        let flags =
            Flags { config: config.map(Path::as_os_str), host_root: root.map(Path::as_os_str), ..Flags::default() };
        Scene { host: Tree::new(root.map(PathBuf::from)), invocation: Invocation { flags, environ }, output }
    }

    /// A report in the requested form.
    pub fn answer<R: serde::Serialize>(&self, report: &R, text: impl FnOnce(Colour) -> String, status: u8) -> Answer {
        let out = match self.output {
            Output::Text => text(self.colour()),
            // The reports have string keys and integers only, so this cannot fail.
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

/// A help text with its long lines wrapped: continuation lines align with the option's text, or with the line's start.
fn fitted(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let own = line.len() - line.trim_start().len();
        let after_option = line.trim_start().starts_with('-').then(|| line.trim_end().rfind("  ")).flatten();
        let indent = after_option.map_or(own, |at| at + 2);
        let (head, rest) = line.split_at_checked(indent).unwrap_or((line, ""));
        for (index, part) in wrap(rest, WIDTH - indent.min(WIDTH / 2)).iter().enumerate() {
            let beginning = if index == 0 { head } else { &" ".repeat(indent) };
            let _ = writeln!(out, "{}", format!("{beginning}{part}").trim_end());
        }
    }
    out
}
