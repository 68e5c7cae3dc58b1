//! What `check` and `doctor` ask of a machine beyond what a start asks: owners and modes, links, whether a terminal
//! listens. Must not know what an answer is for.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::sys::stat::{FileStat, Mode, SFlag, stat};

use hook::host::{Host, RealHost};

/// Links are followed this often.
const LINKS: usize = 16;

/// What stands at a path, symbolic links followed, in the eyes of an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// A regular file.
    pub is_file: bool,
    /// A directory.
    pub is_directory: bool,
    /// The user who owns it.
    pub owner: u32,
    mode: u32,
}

impl Status {
    fn new(stat: &FileStat) -> Self {
        let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
        Status {
            is_file: kind == SFlag::S_IFREG,
            is_directory: kind == SFlag::S_IFDIR,
            owner: stat.st_uid,
            mode: stat.st_mode,
        }
    }

    /// Its group or everybody may write to it. A directory with the sticky bit is fit for sharing.
    #[must_use]
    pub fn is_writable_by_others(self) -> bool {
        let writable = self.has(Mode::S_IWGRP) || self.has(Mode::S_IWOTH);
        writable && !(self.is_directory && self.has(Mode::S_ISVTX))
    }

    /// Everybody may read and write it, as device nodes are meant to be.
    #[must_use]
    pub fn is_open_to_all(self) -> bool {
        self.has(Mode::S_IROTH) && self.has(Mode::S_IWOTH)
    }

    /// Somebody may execute it.
    #[must_use]
    pub fn is_executable(self) -> bool {
        self.has(Mode::S_IXUSR) || self.has(Mode::S_IXGRP) || self.has(Mode::S_IXOTH)
    }

    /// Its permissions, as `ls` numbers them.
    #[must_use]
    pub fn permissions(self) -> u32 {
        self.mode & 0o7777
    }

    fn has(self, bit: Mode) -> bool {
        Mode::from_bits_truncate(self.mode).contains(bit)
    }
}

/// The questions of an administrator.
pub trait Inspect: Host {
    /// What stands at a path.
    fn status(&self, path: &Path) -> Option<Status>;
    /// The path that a symbolic link at the end of `path` leads to; `path` itself where there is none.
    fn resolve(&self, path: &Path) -> PathBuf;
}

impl Inspect for RealHost {
    fn status(&self, path: &Path) -> Option<Status> {
        stat(self.locate(path).as_ref()).ok().map(|stat| Status::new(&stat))
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        let mut path = path.to_path_buf();
        for _ in 0..LINKS {
            let Ok(target) = nix::fcntl::readlink(self.locate(&path).as_ref()) else { break };
            path = normal(&path.parent().unwrap_or(Path::new("/")).join(target));
        }
        path
    }
}

/// A path without `..`, as far as text tells.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// Whether standard output is a terminal.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "asks about the stream, writes nothing")]
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A path from text that a file of the machine holds.
#[must_use]
pub fn path_in(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
