//! The content of an open file, pipe or directory: read once, within limits, and judged by what the system says about
//! it before and after. Must not know a path, or what the content is for.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::stat::{FileStat, SFlag};

/// The size limit of every input that the hook reads; the largest specs seen in the field are a few megabytes.
pub const SIZE_LIMIT: usize = 256 << 20;
/// Room for a file whose size is not known beforehand, as in /proc.
const FIRST_READ: usize = 8 << 10;
/// Room for a line of /proc.
const LINE: usize = 256;
/// How often a file that may be in the middle of a write is read, with a pause after each incomplete read.
const SETTLING_READS: u32 = 10;
const SETTLING_PAUSE: Duration = Duration::from_millis(5);
/// What is wrong with an empty file: writing a file in place empties it first.
pub const EMPTY: &str = "it is empty";

/// The failure of a file that seems to be in the middle of a write.
#[must_use]
pub fn unsettled(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, what)
}

/// Refuses a regular file that is empty, or that was written to during the read.
pub(super) fn check_settled(file: &File, before: &FileStat, content: &[u8]) -> io::Result<()> {
    if file_type(before) != SFlag::S_IFREG {
        return Ok(());
    }
    if content.is_empty() {
        return Err(unsettled(EMPTY));
    }
    let after = uninterrupted(|| nix::sys::stat::fstat(file))?;
    let written = |stat: &FileStat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
    if written(before) != written(&after) {
        return Err(unsettled("it changes while it is read"));
    }
    Ok(())
}

/// Reads until the file is no longer being written, or until the attempts run out and a person must look.
pub(super) fn settled<T>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut left = SETTLING_READS;
    loop {
        left -= 1;
        match read() {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && left > 0 => {
                std::thread::sleep(SETTLING_PAUSE);
            }
            content => return content,
        }
    }
}

/// Repeats a system call as long as signals interrupt it.
pub(super) fn uninterrupted<T>(mut call: impl FnMut() -> nix::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            answer => return answer.map_err(io::Error::from),
        }
    }
}

pub(super) fn file_type(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// Reads a file. If its status gives a size, exactly that much is read, so the end costs no system call and memory
/// stays near the size of the input. Otherwise, as in /proc, it is read to its end.
pub(super) fn read_all(file: &mut File, stat: &FileStat) -> io::Result<Vec<u8>> {
    let size = usize::try_from(stat.st_size).unwrap_or_default();
    let (room, limit) = if size == 0 { (FIRST_READ, SIZE_LIMIT + 1) } else { (size, size) };
    check_size(size)?;
    let mut content = Vec::new();
    content.try_reserve_exact(room).map_err(|_| io::ErrorKind::OutOfMemory)?;
    file.take(limit as u64).read_to_end(&mut content)?;
    check_size(content.len())?;
    Ok(content)
}

/// Reads to the end of the first line. For a file in /proc, that is one read.
pub(super) fn read_line(file: &OwnedFd) -> io::Result<Vec<u8>> {
    let (mut line, mut length) = ([0; LINE], 0);
    while let Some(room) = line.get_mut(length..).filter(|room| !room.is_empty()) {
        let got = uninterrupted(|| nix::unistd::read(file, room))?;
        length += got;
        if got == 0 || line.contains(&b'\n') {
            break;
        }
    }
    let line = line.get(..length).unwrap_or_default();
    Ok(line.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec())
}

/// The names in an open directory, without `.` and `..`.
pub(super) fn names_in(mut directory: Dir) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    let mut entries = directory.iter();
    let read = loop {
        match entries.next() {
            None => break Ok(names),
            Some(Err(Errno::EINTR)) => {}
            Some(Err(error)) => break Err(error.into()),
            Some(Ok(entry)) => match entry.file_name().to_bytes() {
                b"." | b".." => {}
                name => names.push(OsStr::from_bytes(name).to_owned()),
            },
        }
    };
    // The directory is closed by its descriptor, because `Dir` panics if closing fails. Its buffer stays until the
    // process ends. The iterator is forgotten because dropping it would rewind the directory.
    std::mem::forget(entries);
    let _ = nix::unistd::close(directory.as_raw_fd());
    std::mem::forget(directory);
    read
}

/// Reads a pipe to its end: until every writer has closed it.
pub(super) fn read_pipe(pipe: &File, patience: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + patience;
    let mut content = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || !is_readable(pipe.as_fd(), milliseconds(left))? {
            let message = format!("the pipe was not closed by its writer within {} seconds", patience.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        let mut buffer = [0; FIRST_READ];
        match nix::unistd::read(pipe, &mut buffer) {
            Ok(0) => return Ok(content),
            Ok(got) => content.extend_from_slice(buffer.get(..got).unwrap_or_default()),
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        check_size(content.len())?;
    }
}

/// Whether a status file of /proc belongs to a process whose effective user is 0.
pub(super) fn is_of_root(status: &[u8]) -> io::Result<bool> {
    let ids = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Uid:"));
    // Real, effective, saved and file system user.
    let mut words = ids.unwrap_or_default().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let unnamed = || io::Error::new(io::ErrorKind::InvalidData, "it names no effective user");
    words.nth(1).map(|user| user == b"0").ok_or_else(unnamed)
}

/// Refuses a size above [`SIZE_LIMIT`].
///
/// # Errors
/// An error that names the limit.
pub fn check_size(size: usize) -> io::Result<()> {
    if size > SIZE_LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {} MiB", SIZE_LIMIT >> 20)));
    }
    Ok(())
}

pub(super) fn milliseconds(time: Duration) -> PollTimeout {
    PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX)
}

/// Whether a descriptor has something to read, or has ended, within the timeout.
pub(super) fn is_readable(descriptor: BorrowedFd<'_>, timeout: PollTimeout) -> io::Result<bool> {
    loop {
        match nix::poll::poll(&mut [PollFd::new(descriptor, PollFlags::POLLIN)], timeout) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_largest_size_that_is_read() {
        assert!(check_size(SIZE_LIMIT).is_ok());
        let refused = check_size(SIZE_LIMIT + 1).unwrap_err();
        assert_eq!(
            (refused.kind(), refused.to_string()),
            (io::ErrorKind::FileTooLarge, "more than 256 MiB".to_owned())
        );
    }
}
