//! The simulator's own files that many runs share: opened as they are named, private, and without blocking.

use nix::fcntl::OFlag;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Opens a file for appending, and makes it if it is missing. It may be in a folder that others write to, and it holds
/// what an engine's environment holds. So no link is followed, only a plain file of this user is accepted, and nobody
/// else may read it. O_NONBLOCK: a FIFO is refused, not waited for.
pub fn open_private(path: &Path) -> Result<File, String> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|why| match why.raw_os_error() {
        Some(nix::libc::ELOOP) => "a symbolic link, which is not followed".to_owned(),
        _ => why.to_string(),
    })?;
    let status = file.metadata().map_err(|why| why.to_string())?;
    if !status.is_file() {
        return Err("not a plain file".to_owned());
    }
    if status.nlink() > 1 {
        return Err("a file with a second name (a hard link)".to_owned());
    }
    if status.uid() != nix::unistd::geteuid().as_raw() {
        return Err(format!("belongs to user {}, who could change it", status.uid()));
    }
    if status.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600)).map_err(|why| why.to_string())?;
    }
    Ok(file)
}

/// The file of records, opened before a run does anything: if it cannot be written, the run ends before anything is
/// done.
#[derive(Debug)]
pub struct Sink {
    path: PathBuf,
    file: File,
}

impl Sink {
    /// Opens the file by the rules of [`open_private`].
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = open_private(path).map_err(|why| format!("record {}: {why}", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Appends a line in one write, which the kernel keeps apart from other runs' writes. No lock is taken, so nobody
    /// can keep a run waiting by holding one.
    pub fn append(mut self, mut line: Vec<u8>) -> Result<(), String> {
        line.push(b'\n');
        let fail = |why: &dyn std::fmt::Display| format!("record {}: {why}", self.path.display());
        match self.file.write(&line) {
            Ok(length) if length == line.len() => Ok(()),
            Ok(length) => Err(fail(&format_args!("only {length} of {} bytes were written", line.len()))),
            Err(why) => Err(fail(&why)),
        }
    }
}
