//! What hookctl asks of a machine beyond what a start asks: owners and modes, links, bounded text. Must not know who
//! answers, or what an answer is for.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use nix::sys::stat::{FileStat, Mode, SFlag};

use hook::host::{FileKind, Host};

/// The status of the file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// A regular file.
    pub is_file: bool,
    /// A directory.
    pub is_directory: bool,
    /// A symbolic link; only if links were not followed.
    pub is_link: bool,
    /// The user who owns it.
    pub owner: u32,
    /// The group that owns it.
    pub group: u32,
    mode: u32,
}

impl Status {
    /// The status that a system call returned.
    #[must_use]
    pub fn new(stat: &FileStat) -> Self {
        let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
        Status {
            is_file: kind == SFlag::S_IFREG,
            is_directory: kind == SFlag::S_IFDIR,
            is_link: kind == SFlag::S_IFLNK,
            owner: stat.st_uid,
            group: stat.st_gid,
            mode: stat.st_mode,
        }
    }

    /// Whether its group or others may write to it. A directory with the sticky bit is meant for sharing.
    #[must_use]
    pub fn is_writable_by_others(self) -> bool {
        let writable = self.has(Mode::S_IWGRP) || self.has(Mode::S_IWOTH);
        writable && !(self.is_directory && self.has(Mode::S_ISVTX))
    }

    /// Whether everybody may read and write it, as intended for device nodes.
    #[must_use]
    pub fn is_open_to_all(self) -> bool {
        self.has(Mode::S_IROTH) && self.has(Mode::S_IWOTH)
    }

    /// Whether anybody may execute it.
    #[must_use]
    pub fn is_executable(self) -> bool {
        self.has(Mode::S_IXUSR) || self.has(Mode::S_IXGRP) || self.has(Mode::S_IXOTH)
    }

    /// Its permission bits.
    #[must_use]
    pub fn permissions(self) -> u32 {
        self.mode & 0o7777
    }

    fn has(self, bit: Mode) -> bool {
        Mode::from_bits_truncate(self.mode).contains(bit)
    }
}

/// What an administrator asks of a machine.
pub trait Inspect: Host {
    /// The status of the file at a path, with links followed.
    fn status(&self, path: &Path) -> Option<Status>;
    /// The path that the links on `path` lead to.
    fn resolve(&self, path: &Path) -> PathBuf;
    /// Whether the file at a path is a symbolic link.
    fn is_link(&self, path: &Path) -> bool;
    /// The target of the symbolic link at a path, one step only, as an absolute path.
    fn target(&self, path: &Path) -> Option<PathBuf>;
    /// The content of a file of moderate size; `None` if it cannot be read.
    fn bytes(&self, path: &Path) -> Option<Vec<u8>>;
    /// The first bytes of a regular file of any size.
    fn beginning(&self, path: &Path, length: u64) -> Option<Vec<u8>>;

    /// [`Inspect::bytes`] as text, with replacement characters for bytes that are not UTF-8.
    fn text(&self, path: &str) -> Option<String> {
        self.bytes(Path::new(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether anything can be seen at a path.
    fn has(&self, path: &str) -> bool {
        seen(self, Path::new(path)).is_some()
    }

    /// The UTF-8 names in a directory, sorted.
    fn names(&self, path: &str) -> Vec<String> {
        names(self, path)
    }
}

/// The file kind seen at a path. Advice is about what is seen; a start asks [`Host::kind`], which does not guess.
#[must_use]
pub fn seen(host: &(impl Host + ?Sized), path: &Path) -> Option<FileKind> {
    host.kind(path).ok().flatten()
}

/// A file of a machine as text, with replacement characters for bytes that are not UTF-8.
#[must_use]
pub fn text(host: &dyn Host, path: &str) -> Option<String> {
    host.read(Path::new(path)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The UTF-8 names in a directory of a machine, sorted; none if it cannot be read.
#[must_use]
pub fn names(host: &(impl Host + ?Sized), path: &str) -> Vec<String> {
    let names = host.list(Path::new(path)).unwrap_or_default();
    names.into_iter().filter_map(|name| name.into_string().ok()).collect()
}

/// Whether standard output is a terminal.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "asks about the stream, writes nothing")]
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}
