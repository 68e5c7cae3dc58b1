//! Writes a case folder: private, bounded, complete or not at all, and through no link. Must not know what is in it.
#![expect(clippy::disallowed_methods, reason = "writes the folder that is asked for")]

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::case::Files;

/// The size limit of all files of a folder together.
const LIMIT: usize = 1 << 20;
/// How many folders a directory may hold: a start that keeps failing must not fill a disk.
const FOLDERS: usize = 64;

/// Writes files into a new folder `NAME`, or `NAME-2` and so on, in a directory, and returns its path.
///
/// # Errors
/// The reason the folder cannot be written; then nothing of it is left.
pub fn write(directory: &Path, name: &str, files: &Files) -> io::Result<PathBuf> {
    let size: usize = files.iter().map(|(path, text)| path.len() + text.len()).sum();
    if size > LIMIT {
        return Err(io::Error::other("the case is larger than 1 MiB"));
    }
    if !fs::symlink_metadata(directory)?.is_dir() {
        return Err(io::Error::other("not a directory"));
    }
    if fs::read_dir(directory)?.take(FOLDERS).count() >= FOLDERS {
        return Err(io::Error::other("there are 64 cases already"));
    }
    let folder = new_folder(directory, name)?;
    let written = files.iter().try_for_each(|(path, text)| write_file(&folder.join(path), text));
    if let Err(error) = written {
        // Best effort: the first error is the one to report.
        let _ = fs::remove_dir_all(&folder);
        return Err(error);
    }
    Ok(folder)
}

fn new_folder(directory: &Path, name: &str) -> io::Result<PathBuf> {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    for number in 1..=FOLDERS {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let folder = directory.join(format!("{name}{suffix}"));
        match builder.create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder),
        }
    }
    Err(io::Error::other("there are 64 cases of this name already"))
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    file.write_all(text.as_bytes())
}
