//! Replaces a file such that a reader sees the old one or the new one, never half of one, and such that nothing is
//! written through a name that somebody else prepared beside it.
//!
//! It knows one file, and nothing about what the file is for.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// How many names beside the file are tried: a run that was killed leaves its own.
const NAMES: u32 = 100;

/// Writes a file with this mode; without a mode, with that of a new file.
///
/// # Errors
///
/// If the file cannot be made beside the old one, or not replace it.
pub fn replace(at: &Path, content: &[u8], mode: Option<u32>) -> io::Result<()> {
    let (mut file, new) = beside(at)?;
    let mode = mode.map(|mode| file.set_permissions(Permissions::from_mode(mode)));
    let done = mode.unwrap_or(Ok(())).and_then(|()| file.write_all(content)).and_then(|()| fs::rename(&new, at));
    if done.is_err() {
        let _ = fs::remove_file(&new);
    }
    done
}

/// A new file beside another, under a name that was free.
fn beside(at: &Path) -> io::Result<(File, PathBuf)> {
    let name = at.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
    for attempt in 0..NAMES {
        // Neither an engine nor the linker reads a file whose name ends in a number.
        let new = at.with_file_name(format!(".{name}.{}.{attempt}", std::process::id()));
        // A file that is created new is never a link to another.
        match OpenOptions::new().write(true).create_new(true).open(&new) {
            Ok(file) => return Ok((file, new)),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => taken = why,
            Err(why) => return Err(why),
        }
    }
    Err(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_that_was_prepared_beside_a_file_is_not_written_through() {
        let top = tempfile::tempdir().unwrap();
        let (victim, at) = (top.path().join("victim"), top.path().join("file"));
        fs::write(&victim, "mine").unwrap();
        let link = top.path().join(format!(".file.{}.0", std::process::id()));
        symlink("victim", &link).unwrap();
        replace(&at, b"new", Some(0o600)).unwrap();
        assert_eq!((fs::read(&victim).unwrap(), fs::read(&at).unwrap()), (b"mine".to_vec(), b"new".to_vec()));
        assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(link.is_symlink());
        // What is in the way of the file itself is replaced, and a failure leaves nothing.
        fs::create_dir(top.path().join("folder")).unwrap();
        replace(&top.path().join("folder"), b"new", None).unwrap_err();
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 4);
    }
}
