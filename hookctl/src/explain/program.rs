//! Where nvidia-container-cli was searched for, and what is in each directory. Must not search: the start did.

use super::report::{Outcome, Program, Searched};
use hook::config::Config;
use hook::contract::keys::Key;
use hook::contract::origin::Origin;
use hook::host::{Host, path_of};
use hook::plan::program;
use hook::text::paths;

/// The part of the report about the program; `found` is the result of the search, `directories` are where it looked.
pub fn program(
    config: &Config<'_>,
    found: Option<&program::Program>,
    directories: &[Vec<u8>],
    host: &dyn Host,
) -> Program {
    let configured = config.text(Key::CliPath);
    if !configured.is_empty() {
        let why = format!("nvidia-container-cli.path at {}", config.place(Key::CliPath));
        return Program { path: Some(configured.to_owned()), why, searched: Vec::new() };
    }
    let used = match found.map(|program| &program.origin) {
        Some(Origin::Search(index)) => *index,
        _ => directories.len(),
    };
    let outcome = |index: usize, directory: &[u8]| match () {
        () if index == used => Outcome::Used,
        () if index > used => Outcome::NotReached,
        () if !directory.starts_with(b"/") => Outcome::Relative,
        () if !matches!(host.kind(path_of(&paths::join(directory, program::NAME))), Ok(None)) => Outcome::Unusable,
        () => Outcome::Absent,
    };
    let searched = directories.iter().enumerate().map(|(index, directory)| Searched {
        path: String::from_utf8_lossy(directory).into_owned(),
        outcome: outcome(index, directory),
    });
    let why = match (found, config.text(Key::CliRoot)) {
        (None, _) => "not in any of the directories".to_owned(),
        (_, "" | "/") => "first in PATH and the default directories".to_owned(),
        (_, root) => format!("first in PATH and the default directories, all of them below {root} first"),
    };
    let path = found.map(|program| String::from_utf8_lossy(&program.path).into_owned());
    Program { path, why, searched: searched.collect() }
}
