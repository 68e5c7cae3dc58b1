//! The only file that reads the machine: files, directories and standard input, all below a root that tests and
//! offline use can choose. Must not know what is read or why.
#![expect(clippy::disallowed_methods, reason = "the one place where the machine is read")]

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::stat::{FileStat, SFlag};
use nix::unistd::AccessFlags;

/// No input that the hook reads may be larger; the largest specs seen in the field are a few megabytes.
pub const SIZE_LIMIT: usize = 256 << 20;
/// How long the runtime may pause in the middle of the container state, in milliseconds.
const STATE_PATIENCE_MS: u16 = 10_000;
/// Files up to this size are read with one system call.
const ONE_READ: usize = 8 << 10;

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
    /// The content of a file. Never waits for a writer, never reads more than [`SIZE_LIMIT`].
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// What stands at a path, if anything can be seen there.
    fn kind(&self, path: &Path) -> Option<FileKind>;
    /// Whether this process may execute the regular file at a path.
    fn is_executable(&self, path: &Path) -> bool;
    /// The names in a directory, sorted; empty where there is none.
    fn list(&self, path: &Path) -> Vec<OsString>;
    /// The path by which the program that deciding calls `path` is executed.
    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path>;
}

/// This machine, or the tree below a root as if it were one.
#[derive(Debug, Default)]
pub struct RealHost {
    root: Option<PathBuf>,
}

impl RealHost {
    /// The machine itself (`None`), or the tree below `root`.
    #[must_use]
    pub fn new(root: Option<PathBuf>) -> Self {
        RealHost { root }
    }
}

impl Host for RealHost {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // O_NONBLOCK: a FIFO in place of a file must not hold up the container's start.
        let mut file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(self.locate(path))?;
        read_all(&mut file)
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

/// Reads a file whose size need not be known beforehand: one read for a small one, and for a large one a buffer of
/// just its size, so that peak memory stays near the size of the input.
fn read_all(file: &mut File) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(ONE_READ);
    let mut limit = ONE_READ;
    loop {
        let got = file.by_ref().take((limit - content.len()) as u64).read_to_end(&mut content)?;
        if content.is_empty() {
            // A pipe without a writer looks like an empty file; it is no file at all.
            return if file.metadata()?.file_type().is_fifo() { Err(io::Error::other("a pipe")) } else { Ok(content) };
        }
        if got == 0 || content.len() < limit {
            content.shrink_to_fit();
            return Ok(content);
        }
        let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        limit = size.max(2 * limit).min(SIZE_LIMIT + 1);
        if content.len() > SIZE_LIMIT {
            return Err(io::Error::other(format!("more than {} MiB", SIZE_LIMIT >> 20)));
        }
        content.reserve_exact(limit - content.len());
    }
}

/// A descriptor as the stream of the container state: gives up when the runtime, having begun, falls silent. Not
/// [`io::stdin`], whose lock and buffer a start would otherwise not touch.
#[derive(Debug)]
pub struct StateStream<'fd>(BorrowedFd<'fd>);

impl<'fd> StateStream<'fd> {
    /// The stream of a descriptor.
    #[must_use]
    pub fn new(descriptor: BorrowedFd<'fd>) -> Self {
        StateStream(descriptor)
    }
}

impl Read for StateStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = [PollFd::new(self.0, PollFlags::POLLIN)];
        match nix::poll::poll(&mut ready, PollTimeout::from(STATE_PATIENCE_MS)) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::TimedOut, "the runtime sent no complete state in 10 seconds")),
            Ok(_) => Ok(nix::unistd::read(self.0, buffer)?),
            Err(Errno::EINTR) => Err(io::ErrorKind::Interrupted.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// All of standard input, for commands that a person starts.
///
/// # Errors
/// The system's, and for more than [`SIZE_LIMIT`].
pub fn read_stdin() -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    io::stdin().lock().take(SIZE_LIMIT as u64 + 1).read_to_end(&mut content)?;
    if content.len() > SIZE_LIMIT {
        return Err(io::Error::other(format!("more than {} MiB", SIZE_LIMIT >> 20)));
    }
    Ok(content)
}

/// A path from bytes that a contract gives as bytes.
#[must_use]
pub fn path_of(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
