//! The only file that reads the machine: files, directories and standard input, all below a root that tests and
//! offline use can choose. Must not know what is read or why.
#![expect(clippy::disallowed_methods, reason = "the one place where the machine is read")]

mod content;
mod stream;

pub use content::{EMPTY, SIZE_LIMIT, check_size, unsettled};
pub use stream::StateStream;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ffi::{CString, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::sys::stat::{FileStat, Mode, SFlag};
use nix::unistd::AccessFlags;

use content::{check_settled, file_type, names_in, read_all, read_line, read_pipe, settled, uninterrupted};

/// How long the writer may take, from the start to the end of the file, when a pipe is named as the configuration.
const PIPE_PATIENCE: Duration = Duration::from_secs(10);
/// The file that says which user a process acts as.
pub const STATUS: &str = "/proc/self/status";

/// The kind of file at a path, symbolic links followed.
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

/// The questions that a decision asks of a machine. They are asked lazily, in the order of the contract, so input that
/// is not needed is not read and cannot fail.
///
/// An answer never means "no" because the machine could not tell. A path is absent if there is no such name, or if
/// something on the way to it is not a directory ([`is_absent`]). Every other failure is an error. A call that a signal
/// interrupts is repeated.
pub trait Host {
    /// The content of a file. Never waits: a pipe is an error. Never reads more than [`SIZE_LIMIT`].
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Like [`Host::read`], for a file that may be in the middle of a write: a file that is empty or changes during the
    /// read is read again for some milliseconds, and is an error ([`unsettled`]) if it stays so. With `waits_for_pipe`,
    /// a pipe returns everything written to it if its writer closes it within ten seconds: a shell may name a pipe
    /// where a file is expected (`<(...)`).
    fn read_settled(&self, path: &Path, waits_for_pipe: bool) -> io::Result<Vec<u8>>;
    /// Whether an absent path is a dangling symbolic link, or lies below one.
    fn is_dangling(&self, path: &Path) -> io::Result<bool>;
    /// The kind of file at a path; `None` if it is absent.
    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>>;
    /// Whether the file at a path is a regular file that this process may execute. A file that it may not execute, or
    /// not even see, is skipped, as in the search of every shell.
    fn is_executable(&self, path: &Path) -> io::Result<bool>;
    /// The names in a directory, sorted; none if it is absent.
    fn list(&self, path: &Path) -> io::Result<Vec<OsString>>;
    /// The path under which to execute a program that the decision calls `path`.
    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path>;

    /// The first line of a file, without its newline.
    fn first_line(&self, path: &Path) -> io::Result<Vec<u8>> {
        let content = self.read(path)?;
        Ok(content.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec())
    }
    /// Whether a start acts as user 0 of its namespace, according to the machine's files; true if they are absent.
    fn is_root(&self) -> io::Result<bool> {
        self.read_if_present(Path::new(STATUS))?.map_or(Ok(true), |status| content::is_of_root(&status))
    }

    /// The content of a file, like [`Host::read`]; `None` if it is absent.
    fn read_if_present(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        present(self.read(path))
    }
}

/// Whether a failure means that nothing is at a path: there is no such name, or something on the way to it is not a
/// directory.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::ENOENT | Errno::ENOTDIR))
}

/// An answer, or `None` if the failure says that nothing is there.
///
/// # Errors
/// Every other failure.
pub fn present<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// This machine, or the tree below a root that stands in for it.
#[derive(Debug, Default)]
pub struct RealHost {
    root: Option<PathBuf>,
    /// Whether this process acts as user 0, if the kernel said so before any file was read.
    root_acts: Option<bool>,
    /// The file that was read last. It is close-on-exec, so a start saves the system call that closes it.
    last: RefCell<Option<File>>,
    closed_streams: Cell<bool>,
}

impl RealHost {
    /// The machine itself (`None`), or the tree below `root`.
    #[must_use]
    pub fn new(root: Option<PathBuf>) -> Self {
        RealHost { root, ..RealHost::default() }
    }

    /// Records whether this process acts as user 0. A tree that stands in for a machine has its own answer.
    #[must_use]
    pub fn seen_by_root(self, is_root: bool) -> Self {
        RealHost { root_acts: Some(is_root).filter(|_| self.root.is_none()), ..self }
    }

    /// Whether one of the descriptors 0 to 2 is closed. The kernel gives each opened file the lowest free number, so
    /// the files read so far have shown this without an extra system call.
    #[must_use]
    pub fn has_closed_streams(&self) -> bool {
        self.closed_streams.get()
    }

    /// Reads a file, or hands a pipe to `of_pipe`. `check` judges the content by the status from before the read.
    fn load(
        &self,
        path: &Path,
        of_pipe: impl FnOnce(&File) -> io::Result<Vec<u8>>,
        check: impl FnOnce(&File, &FileStat, &[u8]) -> io::Result<()>,
    ) -> io::Result<Vec<u8>> {
        // O_NONBLOCK: opening a FIFO must not wait for its writer.
        let mut file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(self.locate(path))?;
        let is_on_a_stream = file.as_raw_fd() <= nix::libc::STDERR_FILENO;
        if is_on_a_stream {
            self.closed_streams.set(true);
        }
        let stat = uninterrupted(|| nix::sys::stat::fstat(&file))?;
        if file_type(&stat) == SFlag::S_IFIFO {
            return of_pipe(&file);
        }
        let content = read_all(&mut file, &stat).and_then(|content| check(&file, &stat, &content).map(|()| content));
        // A file that took a stream's number is closed at once: reads and writes on a closed stream must fail.
        if !is_on_a_stream {
            *self.last.borrow_mut() = Some(file);
        }
        content
    }
}

impl Host for RealHost {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.load(path, refuse_pipe, |_, _, _| Ok(()))
    }

    fn read_settled(&self, path: &Path, waits_for_pipe: bool) -> io::Result<Vec<u8>> {
        let of_pipe = |pipe: &File| match waits_for_pipe {
            true => read_pipe(pipe, PIPE_PATIENCE).and_then(refuse_emptiness),
            false => refuse_pipe(pipe),
        };
        settled(|| self.load(path, of_pipe, check_settled))
    }

    fn is_dangling(&self, path: &Path) -> io::Result<bool> {
        for place in self.locate(path).ancestors() {
            if let Some(status) = present(uninterrupted(|| nix::sys::stat::lstat(place)))? {
                let target = || present(uninterrupted(|| nix::sys::stat::stat(place)));
                return Ok(file_type(&status) == SFlag::S_IFLNK && target()?.is_none());
            }
        }
        Ok(false)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        let place = self.locate(path);
        let stat = present(uninterrupted(|| nix::sys::stat::stat(place.as_ref())))?;
        Ok(stat.map(|stat| match file_type(&stat) {
            SFlag::S_IFREG => FileKind::Regular { empty: stat.st_size == 0 },
            SFlag::S_IFDIR => FileKind::Directory,
            _ => FileKind::Other,
        }))
    }

    fn is_executable(&self, path: &Path) -> io::Result<bool> {
        let place = self.locate(path);
        let access = || nix::unistd::faccessat(AT_FDCWD, place.as_ref(), AccessFlags::X_OK, AtFlags::AT_EACCESS);
        let regular = |()| Ok(matches!(self.kind(path)?, Some(FileKind::Regular { .. })));
        match uninterrupted(access).and_then(regular) {
            Err(error) if is_absent(&error) || error.raw_os_error() == Some(Errno::EACCES as i32) => Ok(false),
            answer => answer,
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let place = self.locate(path);
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let directory = present(uninterrupted(|| Dir::open(place.as_ref(), flags, Mode::empty())))?;
        let mut names = directory.map(names_in).transpose()?.unwrap_or_default();
        names.sort_unstable();
        Ok(names)
    }

    fn first_line(&self, path: &Path) -> io::Result<Vec<u8>> {
        // With openat: musl's open would set close-on-exec a second time.
        let (place, flags) =
            (CString::new(self.locate(path).as_os_str().as_bytes())?, OFlag::O_NONBLOCK | OFlag::O_CLOEXEC);
        let file = uninterrupted(|| nix::fcntl::openat(AT_FDCWD, place.as_c_str(), flags, Mode::empty()))?;
        let line = read_line(&file);
        if file.as_raw_fd() > nix::libc::STDERR_FILENO {
            // Left open, like the file that was read last.
            std::mem::forget(file);
        }
        line
    }

    fn is_root(&self) -> io::Result<bool> {
        let by_status =
            || self.read_if_present(Path::new(STATUS))?.map_or(Ok(true), |status| content::is_of_root(&status));
        self.root_acts.map_or_else(by_status, Ok)
    }

    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        // A relative path stays relative to the working directory, wherever that is.
        match self.root.as_ref().map(|root| path.strip_prefix("/").map(|below| root.join(below))) {
            Some(Ok(below)) => Cow::Owned(below),
            Some(Err(_)) | None => Cow::Borrowed(path),
        }
    }
}

fn refuse_pipe(_: &File) -> io::Result<Vec<u8>> {
    Err(io::Error::other("a pipe, not a file"))
}

/// A writer that failed leaves its pipe empty. Unlike an empty file, it cannot be read again.
fn refuse_emptiness(content: Vec<u8>) -> io::Result<Vec<u8>> {
    if content.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the pipe ended without any content"));
    }
    Ok(content)
}

/// A path that a contract gives as bytes.
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
    fn absent_is_what_has_no_name_or_no_directory_and_nothing_else() {
        let directory = tempfile::TempDir::new().unwrap();
        let host = RealHost::new(Some(directory.path().to_path_buf()));
        std::fs::write(directory.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("loop", directory.path().join("loop")).unwrap();
        for path in ["/nothing", "/nothing/below", "/file/below"].map(Path::new) {
            assert_eq!(host.kind(path).unwrap(), None, "{path:?}");
            assert!(!host.is_executable(path).unwrap(), "{path:?}");
            assert_eq!(host.list(path).unwrap(), Vec::<OsString>::new(), "{path:?}");
            assert_eq!(host.read_if_present(path).unwrap(), None, "{path:?}");
        }
        let long = format!("/{}", "x".repeat(300));
        for path in ["/loop", "/loop/below", long.as_str()].map(Path::new) {
            assert!(host.kind(path).is_err(), "{path:?}");
            assert!(host.is_executable(path).is_err(), "{path:?}");
            assert!(host.list(path).is_err(), "{path:?}");
            assert!(host.read_if_present(path).is_err(), "{path:?}");
        }
        assert_eq!(host.kind(Path::new("/file")).unwrap(), Some(FileKind::Regular { empty: true }));
        assert_eq!(host.kind(Path::new("/")).unwrap(), Some(FileKind::Directory));
        assert!(!host.is_executable(Path::new("/file")).unwrap());
        assert_eq!(host.list(Path::new("/")).unwrap(), ["file", "loop"]);
    }

    /// Opening a pipe would wait for a writer that never comes.
    #[test]
    fn a_pipe_in_place_of_a_folder_or_of_a_file_of_the_kernel_is_not_waited_for() {
        let directory = tempfile::TempDir::new().unwrap();
        nix::unistd::mkfifo(&directory.path().join("pipe"), Mode::S_IRWXU).unwrap();
        let (host, pipe) = (RealHost::new(Some(directory.path().to_path_buf())), Path::new("/pipe"));
        assert_eq!(host.list(pipe).unwrap(), Vec::<OsString>::new());
        assert_eq!(host.first_line(pipe).unwrap(), b"");
        assert_eq!(host.kind(pipe).unwrap(), Some(FileKind::Other));
        assert!(!host.is_executable(pipe).unwrap());
        assert!(host.read(pipe).is_err());
    }

    #[test]
    fn a_call_that_a_signal_interrupts_is_made_again() {
        let answers = Cell::new(0);
        let call = || {
            answers.set(answers.get() + 1);
            if answers.get() < 3 { Err(Errno::EINTR) } else { Ok(answers.get()) }
        };
        assert_eq!(uninterrupted(call).unwrap(), 3);
    }

    #[test]
    fn what_is_being_written_is_read_again_and_nothing_else() {
        let reads = |kind: io::ErrorKind, failures| {
            let count = Cell::new(0);
            let read = || {
                count.set(count.get() + 1);
                if count.get() > failures { Ok(()) } else { Err(kind.into()) }
            };
            (settled(read).is_ok(), count.get())
        };
        assert_eq!(reads(io::ErrorKind::ResourceBusy, 2), (true, 3));
        assert_eq!(reads(io::ErrorKind::ResourceBusy, 100), (false, 10));
        assert_eq!(reads(io::ErrorKind::NotFound, 100), (false, 1));
    }

    #[test]
    fn a_pipe_that_stays_open_is_given_up() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let error = read_pipe(&File::from(OwnedFd::from(reader)), Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
