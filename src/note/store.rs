//! The only file that writes: a line at the end of a log, a datagram to a log daemon. Must not know what is written.
//! Nothing here waits, or follows a symbolic link that ends a path or belongs to another user.
#![expect(clippy::disallowed_methods, reason = "the one place where files are written")]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, FcntlArg, OFlag, OpenHow, ResolveFlag, fcntl, openat2};
use nix::libc::{F_WRLCK, SEEK_SET};
use nix::sys::stat::Mode;

use crate::signals;

/// How many symbolic links among the directories of a log are followed: as many as in the kernel.
const LINKS: usize = 40;

/// Appends a line to a log file, which is created with mode 0600. A file that would grow beyond `limit` bytes is first
/// renamed to `PATH.old`, so at most twice as much is kept.
///
/// # Errors
/// The system's, and one for a file that is a symbolic link, is not a regular file, has another hard link, belongs to
/// another user, or lies beyond another user's link.
pub fn append_line(path: &Path, line: &str, limit: u64) -> io::Result<()> {
    let (mut file, size) = open_log(path)?;
    if size + line.len() as u64 > limit && size > 0 {
        put_aside(path, &file)?;
        file = open_log(path)?.0;
    }
    // One write, so that the lines of concurrent starts do not mix. Beyond the file size limit it fails, and the start
    // goes on.
    signals::held_back(|| file.write_all(format!("{line}\n").as_bytes()))
}

/// Renames an open log, unless another start is doing so or has done so: a second rename would put the new log in the
/// place of the old one.
fn put_aside(path: &Path, log: &File) -> io::Result<()> {
    if lock(log).is_err() {
        return Ok(());
    }
    let (opened, named) = (log.metadata()?, fs::symlink_metadata(path)?);
    if (opened.dev(), opened.ino()) == (named.dev(), named.ino()) {
        fs::rename(path, with_suffix(path, ".old"))?;
    }
    Ok(())
}

/// Locks a log until it is closed. Nothing waits for the lock: the start that holds it renames this log.
fn lock(log: &File) -> nix::Result<()> {
    let whole = nix::libc::flock { l_type: F_WRLCK as i16, l_whence: SEEK_SET as i16, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(log, FcntlArg::F_OFD_SETLK(&whole)).map(drop)
}

/// A log that this process may safely write, and its size.
fn open_log(path: &Path) -> io::Result<(File, u64)> {
    let file = match open_beyond_no_link(path) {
        Err(Errno::ELOOP) => open_beyond_no_link(&beyond_own_links(path)?)?,
        // Before Linux 5.6, and under a seccomp filter that does not know the call.
        Err(Errno::ENOSYS | Errno::EPERM) => open(&beyond_own_links(path)?)?,
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.nlink() > 1 {
        return Err(io::Error::other("not a regular file of one name"));
    }
    if !is_own(metadata.uid()) {
        return Err(io::Error::other("it belongs to somebody else"));
    }
    Ok((file, metadata.len()))
}

const FLAGS: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY);
const MODE: u32 = 0o600;

fn open_beyond_no_link(path: &Path) -> nix::Result<File> {
    let flags = FLAGS | OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_CLOEXEC;
    let how =
        OpenHow::new().flags(flags).mode(Mode::from_bits_truncate(MODE)).resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
    openat2(AT_FDCWD, path, how).map(File::from)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(MODE).custom_flags(FLAGS.bits()).open(path)
}

/// The path with the symbolic links among its directories followed. Each must belong to root or to this user: any other
/// owner could lead the log anywhere.
fn beyond_own_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        let Some(link) = first_link(&path)? else { return Ok(path) };
        let rest = path.strip_prefix(&link).unwrap_or(&path).to_path_buf();
        path = link.parent().unwrap_or(&link).join(fs::read_link(&link)?).join(rest);
    }
    Err(Errno::ELOOP.into())
}

/// The outermost symbolic link among the directories of a path.
fn first_link(path: &Path) -> io::Result<Option<PathBuf>> {
    let mut directories: Vec<&Path> = path.ancestors().skip(1).filter(|place| *place != Path::new("")).collect();
    directories.reverse();
    for directory in directories {
        let metadata = fs::symlink_metadata(directory)?;
        match metadata.is_symlink() {
            false => {}
            true if is_own(metadata.uid()) => return Ok(Some(directory.to_path_buf())),
            true => return Err(io::Error::other("a link on its way belongs to somebody else")),
        }
    }
    Ok(None)
}

fn is_own(owner: u32) -> bool {
    owner == 0 || owner == nix::unistd::geteuid().as_raw()
}

/// Sends a datagram to a socket, or gives up at once.
///
/// # Errors
/// The system's.
pub fn send(socket: &Path, datagram: &[u8]) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.send_to(datagram, socket).map(drop)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{lchown, symlink};

    #[test]
    fn links_of_ours_are_followed_and_what_belongs_to_another_user_is_not_used() {
        let folder = tempfile::TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("real/deep")).unwrap();
        symlink("real/deep", at("ours")).unwrap();
        symlink("../ours", at("real/again")).unwrap();
        for path in ["ours/log", "real/again/log", "real/deep/log"] {
            append_line(&at(path), "line", 100).unwrap();
        }
        assert_eq!(fs::read_to_string(at("real/deep/log")).unwrap(), "line\nline\nline\n");
        symlink("loop", at("loop")).unwrap();
        symlink("real/deep/log", at("link")).unwrap();
        assert!(append_line(&at("loop/log"), "line", 100).is_err());
        assert!(append_line(&at("link"), "line", 100).is_err());
        // Only root can give a file away.
        let another = fs::metadata(folder.path()).unwrap().uid() ^ 1;
        if lchown(at("ours"), Some(another), None).is_ok() {
            assert!(append_line(&at("ours/log"), "line", 100).is_err());
            assert!(append_line(&at("real/again/log"), "line", 100).is_err());
            lchown(at("real/deep/log"), Some(another), None).unwrap();
            assert!(append_line(&at("real/deep/log"), "line", 100).is_err());
        }
        assert_eq!(fs::read_to_string(at("real/deep/log")).unwrap(), "line\nline\nline\n");
    }

    #[test]
    fn a_log_that_another_start_has_put_aside_is_not_put_aside_again() {
        let folder = tempfile::TempDir::new().unwrap();
        let (log, old) = (folder.path().join("log"), folder.path().join("log.old"));
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        fs::write(&log, "history").unwrap();
        let (first, second) = (open_log(&log).unwrap().0, open_log(&log).unwrap().0);
        put_aside(&log, &first).unwrap();
        fs::write(&log, "new").unwrap();
        put_aside(&log, &second).unwrap();
        assert_eq!((text(&log), text(&old)), ("new".into(), "history".into()));
        // While another start has the lock, it is about to rename the log.
        let (first, second) = (open_log(&log).unwrap().0, open_log(&log).unwrap().0);
        lock(&first).unwrap();
        put_aside(&log, &second).unwrap();
        assert_eq!((text(&log), text(&old)), ("new".into(), "history".into()));
    }

    #[test]
    fn a_log_is_put_aside_only_where_a_line_would_take_it_beyond_the_limit() {
        let folder = tempfile::TempDir::new().unwrap();
        let (log, old) = (folder.path().join("log"), folder.path().join("log.old"));
        // A line alone in its file may be longer: there is nothing to put aside.
        append_line(&log, "longer than the limit", 10).unwrap();
        assert!(!old.exists());
        fs::write(&log, "12345").unwrap();
        append_line(&log, "67890", 10).unwrap();
        assert!(!old.exists());
        assert_eq!(fs::read_to_string(&log).unwrap(), "1234567890\n");
        append_line(&log, "x", 11).unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "1234567890\n");
        assert_eq!(fs::read_to_string(&log).unwrap(), "x\n");
    }
}
