//! The only file that reads the machine: files, directories and standard input, all below a root that tests and
//! offline use can choose. Must not know what is read or why.
#![expect(clippy::disallowed_methods, reason = "the one place where the machine is read")]

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::stat::{FileStat, SFlag};
use nix::unistd::AccessFlags;

/// No input that the hook reads may be larger; the largest specs seen in the field are a few megabytes.
pub const SIZE_LIMIT: usize = 256 << 20;
/// How long the runtime may pause in the middle of the container state.
const STATE_PATIENCE: Duration = Duration::from_secs(10);
/// How long the writer of a pipe that is named as the configuration may take, from the start to the end of the file.
const PIPE_PATIENCE: Duration = Duration::from_secs(10);
/// Room for a file whose size is not known beforehand, as those of /proc.
const FIRST_READ: usize = 8 << 10;

/// What stands at a path, symbolic links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file and whether it has any content.
    Regular {
        /// Its size is zero.
        empty: bool,
    },
    /// A directory.
    Directory,
    /// A device, socket or pipe.
    Other,
}

/// The questions that deciding asks of a machine. Asked lazily, in the order of the contract, so that what is not
/// needed is neither read nor able to fail.
pub trait Host {
    /// The content of a file. Never waits: a pipe is an error. Never reads more than [`SIZE_LIMIT`].
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// As [`Host::read`], and of a pipe all that is written into it, if its writer closes it within ten seconds: a shell
    /// may name a pipe where a file is asked for (`<(...)`).
    fn read_or_wait(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// What stands at a path, if anything can be seen there.
    fn kind(&self, path: &Path) -> Option<FileKind>;
    /// Whether this process may execute the file at a path, and it is a regular one.
    fn is_executable(&self, path: &Path) -> bool;
    /// The names in a directory, sorted; empty where it cannot be read.
    fn list(&self, path: &Path) -> Vec<OsString>;
    /// The path by which the program that deciding calls `path` is executed.
    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path>;
}

/// This machine, or the tree below a root as if it were one.
#[derive(Debug, Default)]
pub struct RealHost {
    root: Option<PathBuf>,
    /// The file that was read last. It is close-on-exec, so a start saves the system call that would close it.
    last: RefCell<Option<File>>,
    closed_streams: Cell<bool>,
}

impl RealHost {
    /// The machine itself (`None`), or the tree below `root`.
    #[must_use]
    pub fn new(root: Option<PathBuf>) -> Self {
        RealHost { root, ..RealHost::default() }
    }

    /// Whether one of the descriptors 0 to 2 is closed. The kernel gives the lowest free number to every file that is
    /// opened, so the files that were read so far have told, without a question of its own.
    #[must_use]
    pub fn has_closed_streams(&self) -> bool {
        self.closed_streams.get()
    }

    /// Reads a file, or leaves a pipe to `of_pipe`.
    fn load(&self, path: &Path, of_pipe: impl FnOnce(&File) -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
        // O_NONBLOCK: opening a FIFO must not wait for its writer.
        let mut file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(self.locate(path))?;
        let is_on_a_stream = file.as_raw_fd() <= nix::libc::STDERR_FILENO;
        if is_on_a_stream {
            self.closed_streams.set(true);
        }
        let stat = nix::sys::stat::fstat(&file)?;
        if file_type(&stat) == SFlag::S_IFIFO {
            return of_pipe(&file);
        }
        let content = read_all(&mut file, &stat);
        // In place of a stream it is closed at once: whoever reads or writes a closed stream must be told so.
        if !is_on_a_stream {
            *self.last.borrow_mut() = Some(file);
        }
        content
    }
}

impl Host for RealHost {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.load(path, |_| Err(io::Error::other("a pipe, not a file")))
    }

    fn read_or_wait(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.load(path, |pipe| read_pipe(pipe, PIPE_PATIENCE))
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        let stat = nix::sys::stat::stat(self.locate(path).as_ref()).ok()?;
        Some(match file_type(&stat) {
            SFlag::S_IFREG => FileKind::Regular { empty: stat.st_size == 0 },
            SFlag::S_IFDIR => FileKind::Directory,
            _ => FileKind::Other,
        })
    }

    fn is_executable(&self, path: &Path) -> bool {
        let allowed =
            nix::unistd::faccessat(AT_FDCWD, self.locate(path).as_ref(), AccessFlags::X_OK, AtFlags::AT_EACCESS);
        allowed.is_ok() && matches!(self.kind(path), Some(FileKind::Regular { .. }))
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        let Ok(entries) = self.locate(path).read_dir() else { return Vec::new() };
        let mut names: Vec<OsString> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort_unstable();
        names
    }

    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        // A relative path is one of the working directory, wherever that is.
        match self.root.as_ref().map(|root| path.strip_prefix("/").map(|below| root.join(below))) {
            Some(Ok(below)) => Cow::Owned(below),
            Some(Err(_)) | None => Cow::Borrowed(path),
        }
    }
}

fn file_type(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// Reads a file: exactly as much as it says to hold, so that its end costs no system call and memory stays near the
/// size of the input; or to its end where it does not say, as in /proc.
fn read_all(file: &mut File, stat: &FileStat) -> io::Result<Vec<u8>> {
    let size = usize::try_from(stat.st_size).unwrap_or_default();
    let (room, limit) = if size == 0 { (FIRST_READ, SIZE_LIMIT + 1) } else { (size, size) };
    check_size(size)?;
    let mut content = Vec::new();
    content.try_reserve_exact(room).map_err(|_| io::ErrorKind::OutOfMemory)?;
    file.take(limit as u64).read_to_end(&mut content)?;
    check_size(content.len())?;
    Ok(content)
}

/// Reads a pipe to its end: until every writer has closed it.
fn read_pipe(pipe: &File, patience: Duration) -> io::Result<Vec<u8>> {
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

/// Refuses what is larger than [`SIZE_LIMIT`].
///
/// # Errors
/// One that names the limit.
pub fn check_size(size: usize) -> io::Result<()> {
    if size > SIZE_LIMIT {
        return Err(io::Error::other(format!("more than {} MiB", SIZE_LIMIT >> 20)));
    }
    Ok(())
}

fn milliseconds(time: Duration) -> PollTimeout {
    PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX)
}

/// Whether a descriptor has something to read, or has ended, before the time is over.
fn is_readable(descriptor: BorrowedFd<'_>, timeout: PollTimeout) -> io::Result<bool> {
    loop {
        match nix::poll::poll(&mut [PollFd::new(descriptor, PollFlags::POLLIN)], timeout) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A descriptor as the stream of the container state. Waits for its first byte as long as it takes, and gives up when
/// the runtime, having begun, falls silent. Not [`io::stdin`], whose lock and buffer a start would otherwise not touch.
#[derive(Debug)]
pub struct StateStream<'fd> {
    descriptor: BorrowedFd<'fd>,
    has_begun: bool,
    patience: Duration,
}

impl<'fd> StateStream<'fd> {
    /// The stream of a descriptor that nothing was read from yet.
    #[must_use]
    pub fn new(descriptor: BorrowedFd<'fd>) -> Self {
        StateStream { descriptor, has_begun: false, patience: STATE_PATIENCE }
    }
}

impl Read for StateStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_begun && !is_readable(self.descriptor, milliseconds(self.patience))? {
            let message = format!("the runtime fell silent for {} seconds within the state", self.patience.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        let got = match nix::unistd::read(self.descriptor, buffer) {
            // The runtime's end of a pipe may have made it one that does not wait.
            Err(Errno::EAGAIN) => {
                is_readable(self.descriptor, PollTimeout::NONE)?;
                nix::unistd::read(self.descriptor, buffer)?
            }
            read => read?,
        };
        self.has_begun = true;
        Ok(got)
    }
}

/// A path from bytes that a contract gives as bytes.
#[must_use]
pub fn path_of(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::thread;

    /// Longer than any test takes.
    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_pipe_is_read_to_the_end_whenever_its_writer_writes() {
        let (reader, mut writer) = io::pipe().unwrap();
        let writing = thread::spawn(move || {
            for part in [&b"first "[..], b"", &[b'x'; 100_000]] {
                writer.write_all(part).unwrap();
                thread::yield_now();
            }
        });
        let content = read_pipe(&File::from(OwnedFd::from(reader)), LONG).unwrap();
        writing.join().unwrap();
        assert_eq!((content.len(), content.get(..7)), (100_006, Some(&b"first x"[..])));
    }

    #[test]
    fn a_pipe_that_stays_open_is_given_up() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let error = read_pipe(&File::from(OwnedFd::from(reader)), Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn patience_begins_with_the_first_byte_of_a_state() {
        let (reader, mut writer) = io::pipe().unwrap();
        let patience = Duration::from_millis(1);
        let mut stream = StateStream { descriptor: reader.as_fd(), has_begun: false, patience };
        let writing = thread::spawn(move || {
            thread::sleep(20 * patience);
            writer.write_all(b"{").unwrap();
            writer
        });
        let mut buffer = [0; 8];
        assert_eq!(stream.read(&mut buffer).unwrap(), 1);
        let writer = writing.join().unwrap();
        assert_eq!(stream.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(writer);
        assert_eq!(stream.read(&mut buffer).unwrap(), 0);
    }
}
