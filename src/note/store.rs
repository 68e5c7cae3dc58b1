//! The only file that writes: a line at the end of a log, a datagram to a log daemon. Must not know what is written.
//! Nothing here follows a link at the end of a path, or waits.
#![expect(clippy::disallowed_methods, reason = "the one place where files are written")]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

/// Appends a line to a log file, which is made with mode 0600. A file that would grow beyond `limit` bytes is first
/// renamed to `PATH.old`, so that at most twice as much is kept.
///
/// # Errors
/// The system's; and for what is a link, or no regular file, or has another name besides this one.
pub fn append_line(path: &Path, line: &str, limit: u64) -> io::Result<()> {
    let mut file = open_log(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.nlink() > 1 {
        return Err(io::Error::other("not a regular file of one name"));
    }
    if metadata.len() + line.len() as u64 > limit && metadata.len() > 0 {
        fs::rename(path, with_suffix(path, ".old"))?;
        file = open_log(path)?;
    }
    // One write, so that lines of starts that run at the same time do not mix.
    file.write_all(format!("{line}\n").as_bytes())
}

fn open_log(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags.bits()).open(path)
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
