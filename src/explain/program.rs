//! Where nvidia-container-cli was searched, and what was found in each directory. Must not decide which is executed.

use super::report::{Outcome, Program, Searched};
use crate::config::Config;
use crate::contract::keys::Key;
use crate::host::{Host, path_of};
use crate::invocation::Environ;
use crate::lookup;
use crate::text::paths;

/// The part of the report about the program.
pub fn program(config: &Config<'_>, environ: Environ<'_>, host: &dyn Host) -> Program {
    let configured = config.text(Key::CliPath);
    if !configured.is_empty() {
        let why = format!("nvidia-container-cli.path at {}", config.place(Key::CliPath));
        return Program { path: Some(configured.to_owned()), why, searched: Vec::new() };
    }
    let directories = lookup::directories(config.text(Key::CliRoot), environ);
    let mut searched = Vec::new();
    let mut found = None;
    for directory in directories {
        let path = paths::join(&directory, lookup::NAME);
        let outcome = match found {
            Some(_) => Outcome::NotReached,
            None if !directory.starts_with(b"/") => Outcome::Relative,
            None if host.is_executable(path_of(&path)) => Outcome::Used,
            None if host.kind(path_of(&path)).is_some() => Outcome::Unusable,
            None => Outcome::Absent,
        };
        if outcome == Outcome::Used {
            found = Some(String::from_utf8_lossy(&path).into_owned());
        }
        searched.push(Searched { path: String::from_utf8_lossy(&directory).into_owned(), outcome });
    }
    let why = match (&found, config.text(Key::CliRoot)) {
        (None, _) => "in none of the directories".to_owned(),
        (_, "" | "/") => "first in PATH and the default directories".to_owned(),
        (_, root) => format!("first in PATH and the default directories, all of them below {root} first"),
    };
    Program { path: found, why, searched }
}
