//! Which `nvidia-container-cli` is executed (SPEC section 11). Must not execute it.

use std::path::Path;

use crate::config::Config;
use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::error::{Doubt, Error, Unanswered};
use crate::host::{Host, path_of};
use crate::invocation::Environ;
use crate::text::paths;

/// The file name that the search looks for.
pub const NAME: &[u8] = b"nvidia-container-cli";
/// The program directories in the default `PATH` of systemd services. Those that `PATH` lacks are searched after it.
pub const DEFAULT_DIRECTORIES: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its absolute path, below `nvidia-container-cli.root` if it was found there.
    pub path: Vec<u8>,
    /// The key that names it, or the directory of the search.
    pub origin: Origin,
    /// The search path, which becomes the program's own `PATH`; `None` if nothing was searched.
    pub search_path: Option<Vec<u8>>,
}

impl Program {
    /// The key that names the program; `None` if it was searched for.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        match self.origin {
            Origin::Config(key) => Some(key),
            _ => None,
        }
    }
}

/// Finds the program: the configured path as it is, or else the first executable in the search path.
///
/// # Errors
/// [`Error::CliPathRelative`], [`Error::CliNotFound`], [`Error::Machine`].
pub fn find(config: &Config<'_>, environ: Environ<'_>, host: &dyn Host) -> Result<Program, Error> {
    let key = Key::CliPath;
    let configured = config.text(key);
    if configured.starts_with('/') {
        let path = configured.as_bytes().to_vec();
        return Ok(Program { path, origin: config.origin(key), search_path: None });
    }
    if !configured.is_empty() {
        return Err(Error::CliPathRelative { place: config.place(key), value: configured.to_owned() });
    }
    let directories = directories(config.text(Key::CliRoot), environ);
    let search_path = directories.join(&b':');
    // Relative directories are left out, because the container could choose their content: the working directory is the
    // runtime's. An empty element also means the working directory.
    let absolute = directories.iter().enumerate().filter(|(_, directory)| directory.first() == Some(&b'/'));
    let mut candidates = absolute.map(|(index, directory)| (index, paths::join(directory, NAME)));
    let is_program = |path: &Path| host.is_executable(path).map_err(Unanswered::of("access", path));
    let found = candidates.find_map(|(index, path)| match is_program(path_of(&path)) {
        Ok(false) => None,
        Ok(true) => Some(Ok((index, path))),
        Err(unanswered) => Some(Err(unanswered.leaves(Doubt::Program))),
    });
    match found.transpose()? {
        Some((index, path)) => Ok(Program { path, origin: Origin::Search(index), search_path: Some(search_path) }),
        None => Err(Error::CliNotFound {
            searched: String::from_utf8_lossy(&search_path).into_owned(),
            place: config.place(key),
        }),
    }
}

/// The directories of the search: those of `PATH`, then the defaults; if `root` is set, all of them below it first.
#[must_use]
pub fn directories(root: &str, environ: Environ<'_>) -> Vec<Vec<u8>> {
    let mut plain: Vec<Vec<u8>> = match environ.get(b"PATH") {
        Some(path) if !path.is_empty() => path.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect(),
        _ => Vec::new(),
    };
    for directory in DEFAULT_DIRECTORIES {
        if !plain.iter().any(|known| known == directory.as_bytes()) {
            plain.push(directory.into());
        }
    }
    if root.is_empty() || root == "/" {
        return plain;
    }
    let below = |directory: &Vec<u8>| paths::join(root.as_bytes(), directory);
    plain.iter().map(below).chain(plain.iter().cloned()).collect()
}
