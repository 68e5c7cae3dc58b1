//! Where nvidia-container-cli was searched for, and what is in each directory. Must not search: the start did.

use std::io;
use std::path::Path;

use nix::errno::Errno;

use super::report::{Outcome, Program, Searched};
use hook::config::Config;
use hook::contract::keys::Key;
use hook::contract::origin::Origin;
use hook::error::Error;
use hook::host::{Host, path_of};
use hook::plan::program;
use hook::prestart::Decision;
use hook::text::paths;

/// A decision, or the error of a start whose program the kernel would not execute. Only a configured path can be one: the
/// search finds executable files.
///
/// # Errors
/// [`Error::Exec`].
pub fn executable<'e>(decision: Decision<'e>, host: &dyn Host) -> Result<Decision<'e>, Error> {
    let Decision::Execute(plan) = &decision else { return Ok(decision) };
    let program = path_of(&plan.program);
    match not_executable(program, host) {
        Some(errno) => {
            Err(Error::Exec { program: program.to_path_buf(), key: plan.program_key, cause: io::Error::from(errno) })
        }
        None => Ok(decision),
    }
}

/// Why the kernel would not execute a file; `None` if it may, or if the host does not say.
fn not_executable(path: &Path, host: &dyn Host) -> Option<Errno> {
    match (host.is_executable(path), host.kind(path)) {
        (Ok(false), Ok(None)) => Some(Errno::ENOENT),
        (Ok(false), Ok(Some(_))) => Some(Errno::EACCES),
        _ => None,
    }
}

/// The part of the report about the program; `found` is the result of the search, `directories` are where it looked.
pub fn program(
    config: &Config<'_>,
    found: Option<&program::Program>,
    directories: &[Vec<u8>],
    host: &dyn Host,
) -> Program {
    let configured = config.text(Key::CliPath);
    if !configured.is_empty() {
        let place = format!("nvidia-container-cli.path at {}", config.place(Key::CliPath));
        let is_unusable = configured.starts_with('/') && not_executable(Path::new(configured), host).is_some();
        let (path, why) = match is_unusable {
            true => (None, format!("{place} names {configured}, which is not an executable file")),
            false => (Some(configured.to_owned()), place),
        };
        return Program { path, why, searched: Vec::new() };
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
