//! The machine in question: this one, or a tree that stands for one (`--host-root`). A tree's links are followed inside
//! it, so the disk of another machine can be examined and a hostile link leads nowhere. Nothing is waited for, and
//! nothing is read without a limit. Must not know what an answer is for.
#![expect(clippy::disallowed_methods, reason = "the one place where hookctl reads a machine")]

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, readlink};
use nix::sys::stat::{Mode, lstat, stat};

use hook::host::{FileKind, Host, RealHost, SIZE_LIMIT, check_size};
use hook::text::paths;

use crate::inspect::{Inspect, Status};

/// How many links are followed: as many as the kernel follows.
const LINKS: usize = 40;
/// The largest file that an examination reads: no file of a system's configuration is larger.
const TEXT_LIMIT: u64 = 16 << 20;
/// The largest file that is searched, piece by piece: a kernel module with debug symbols has more than 100 MiB.
const SEARCH_LIMIT: u64 = 512 << 20;
/// How much of a searched file is in memory at once, and how much of a word in it counts.
const PIECE: usize = 1 << 20;
const WORD: usize = 256;

/// All of standard input, which a person or a pipe fills.
///
/// # Errors
/// The system's, and for more than [`SIZE_LIMIT`].
pub fn read_stdin() -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    io::stdin().lock().take(SIZE_LIMIT as u64 + 1).read_to_end(&mut content)?;
    check_size(content.len())?;
    Ok(content)
}

/// A directory that can be a machine's root: a mistyped one would be diagnosed as an empty machine.
///
/// # Errors
/// If it is not a directory, with the reason.
pub fn directory(path: PathBuf) -> Result<PathBuf, String> {
    match stat(&path) {
        Ok(found) if Status::new(&found).is_directory => Ok(path),
        Ok(_) => Err("it is not a directory".to_owned()),
        Err(error) => Err(format!("it cannot be inspected: {}", error.desc())),
    }
}

/// A machine.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    root: Option<PathBuf>,
}

impl Tree {
    /// The machine itself (`None`), or the tree below `root`.
    #[must_use]
    pub fn new(root: Option<PathBuf>) -> Self {
        Tree { root }
    }

    /// Whether it is a tree that stands for a machine, rather than the machine itself.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.root.is_some()
    }

    /// The tree below a directory of this one: a driver root or a container's root.
    #[must_use]
    pub fn below(&self, directory: &Path) -> Self {
        if directory == Path::new("/") {
            return self.clone();
        }
        Tree { root: Some(self.locate(directory).into_owned()) }
    }

    /// The path inside the tree that `path` leads to, links followed; `None` if the links do not end.
    fn followed(&self, root: &Path, path: &Path) -> Option<PathBuf> {
        let mut rest: VecDeque<OsString> = components(path);
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            if name == OsStr::new("..") {
                done.pop();
                continue;
            }
            let next = done.join(&name);
            match readlink(&below(root, &next)) {
                Err(_) => done = next,
                Ok(target) => {
                    links += 1;
                    if links > LINKS {
                        return None;
                    }
                    let target = PathBuf::from(target);
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    for part in components(&target).into_iter().rev() {
                        rest.push_front(part);
                    }
                }
            }
        }
        Some(done)
    }

    /// [`Host::locate`], with the kernel's error for links that do not end.
    fn place<'a>(&self, path: &'a Path) -> io::Result<Cow<'a, Path>> {
        // A relative path is relative to the working directory, wherever that is.
        let (Some(root), true) = (&self.root, path.is_absolute()) else { return Ok(Cow::Borrowed(path)) };
        let followed = self.followed(root, path).ok_or(Errno::ELOOP)?;
        Ok(Cow::Owned(below(root, &followed)))
    }

    /// The word that begins with `start` in a regular file of any size, without it. Words end with a zero byte, as the
    /// entries that describe a kernel module do.
    #[must_use]
    pub fn word_after(&self, path: &Path, start: &[u8]) -> Option<Vec<u8>> {
        word_after(regular(&self.place(path).ok()?).ok()?.take(SEARCH_LIMIT), start)
    }

    fn open(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        regular(&self.place(path)?)?.take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(io::Error::other(format!("more than {} MiB", limit >> 20)));
        }
        Ok(content)
    }
}

/// The first word of `content` that begins with `start`, without it. Words end with a zero byte.
fn word_after(mut content: impl Read, start: &[u8]) -> Option<Vec<u8>> {
    let (mut piece, mut held) = (vec![0; PIECE], Vec::new());
    loop {
        let length = content.read(&mut piece).ok()?;
        held.extend_from_slice(piece.get(..length)?);
        let mut words = held.split(|byte| *byte == 0);
        let unfinished: Vec<u8> = words.next_back().unwrap_or_default().iter().copied().take(WORD).collect();
        let found = words.find_map(|word| word.strip_prefix(start)).map(<[u8]>::to_vec);
        if found.is_some() || length == 0 {
            return found;
        }
        held = unfinished;
    }
}

/// Opens a file for reading, with more flags. `OpenOptions` would not do: with musl it takes O_PATH for a way to read and
/// leaves it out, so the file itself is opened.
fn open(path: &Path, flags: OFlag) -> Result<File, Errno> {
    loop {
        match nix::fcntl::open(path, flags | OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()) {
            Err(Errno::EINTR) => {}
            opened => return opened.map(File::from),
        }
    }
}

/// A regular file, open for reading. Nothing else is opened: opening a device can act on it (a watchdog starts its
/// timer), and users can put a link to one where root's examination reads.
fn regular(path: &Path) -> io::Result<File> {
    let place = open(path, OFlag::O_PATH)?;
    if !place.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    // The checked file itself, whatever has its name by now. Without /proc, only the name is left.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let checked = PathBuf::from(format!("/proc/self/fd/{}", place.as_raw_fd()));
    match open(&checked, flags) {
        Err(Errno::ENOENT) => Ok(open(path, flags)?),
        opened => Ok(opened?),
    }
}

/// The names on a path, without `.` and the root.
fn components(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix("/").map_or_else(|_| path.to_path_buf(), |relative| root.join(relative))
}

impl Host for Tree {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // By the rules of a start, whose messages must be predicted.
        RealHost::new(None).read(&self.place(path)?)
    }

    fn read_settled(&self, path: &Path, waits_for_pipe: bool) -> io::Result<Vec<u8>> {
        RealHost::new(None).read_settled(&self.place(path)?, waits_for_pipe)
    }

    fn is_dangling(&self, path: &Path) -> io::Result<bool> {
        let link = path.ancestors().find(|place| self.is_link(place));
        link.map_or(Ok(false), |link| self.kind(link).map(|kind| kind.is_none()))
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        RealHost::new(None).kind(&self.place(path)?)
    }

    fn is_executable(&self, path: &Path) -> io::Result<bool> {
        RealHost::new(None).is_executable(&self.place(path)?)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        RealHost::new(None).list(&self.place(path)?)
    }

    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        // Links that do not end lead to nothing, by a name that nothing has.
        self.place(path).unwrap_or_else(|_| Cow::Borrowed(Path::new("\u{0}")))
    }
}

impl Inspect for Tree {
    fn status(&self, path: &Path) -> Option<Status> {
        stat(self.locate(path).as_ref()).ok().map(|stat| Status::new(&stat))
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        let root = self.root.as_deref().unwrap_or(Path::new("/"));
        self.followed(root, path).unwrap_or_else(|| path.to_path_buf())
    }

    fn is_link(&self, path: &Path) -> bool {
        let parent = path.parent().map(|parent| self.locate(parent).into_owned()).unwrap_or_default();
        let name = path.file_name().unwrap_or_default();
        lstat(&parent.join(name)).is_ok_and(|stat| Status::new(&stat).is_link)
    }

    fn target(&self, path: &Path) -> Option<PathBuf> {
        let parent = self.locate(path.parent()?).into_owned();
        let target = PathBuf::from(readlink(&parent.join(path.file_name()?)).ok()?);
        let joined = path.parent()?.join(target);
        Some(PathBuf::from(OsString::from_vec(paths::clean(joined.as_os_str().as_bytes()))))
    }

    fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        self.open(path, TEXT_LIMIT).ok()
    }

    fn beginning(&self, path: &Path, length: u64) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        regular(&self.place(path).ok()?).ok()?.take(length).read_to_end(&mut content).ok()?;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn tree() -> (tempfile::TempDir, Tree) {
        let directory = tempfile::TempDir::new().unwrap();
        let tree = Tree::new(Some(directory.path().to_path_buf()));
        (directory, tree)
    }

    #[test]
    fn links_stay_inside_the_tree() {
        let (directory, tree) = tree();
        let root = directory.path();
        fs::create_dir_all(root.join("etc/deep")).unwrap();
        fs::write(root.join("etc/inside"), "inside").unwrap();
        symlink("/etc/inside", root.join("absolute")).unwrap();
        symlink("../../../../../etc/inside", root.join("etc/deep/up")).unwrap();
        symlink("/etc/deep", root.join("folder")).unwrap();
        symlink("/etc/passwd", root.join("nowhere")).unwrap();
        for path in ["/absolute", "/etc/deep/up", "/folder/up", "/etc/deep/../inside"] {
            assert_eq!(tree.read(Path::new(path)).unwrap(), b"inside", "{path}");
        }
        assert!(tree.read(Path::new("/nowhere")).is_err());
        assert_eq!(tree.resolve(Path::new("/folder/up")), Path::new("/etc/inside"));
        assert_eq!(tree.target(Path::new("/folder")).unwrap(), Path::new("/etc/deep"));
    }

    #[test]
    fn links_without_an_end_and_pipes_hold_nobody_up() {
        let (directory, tree) = tree();
        symlink("b", directory.path().join("a")).unwrap();
        symlink("a", directory.path().join("b")).unwrap();
        nix::unistd::mkfifo(&directory.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in ["/a", "/pipe"] {
            assert!(tree.read(Path::new(path)).is_err(), "{path}");
            assert_eq!(tree.bytes(Path::new(path)), None, "{path}");
            assert_eq!(tree.beginning(Path::new(path), 4), None, "{path}");
        }
        assert_eq!(tree.kind(Path::new("/a")).unwrap_err().raw_os_error(), Some(Errno::ELOOP as i32));
        assert!(tree.list(Path::new("/a")).is_err());
    }

    #[test]
    fn nothing_but_a_regular_file_is_opened() {
        let (directory, tree) = tree();
        // The kernel refuses to open a socket: another error than ours would mean that it was asked to.
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
        fs::create_dir(directory.path().join("folder")).unwrap();
        for path in ["/socket", "/folder"] {
            assert_eq!(tree.open(Path::new(path), 4).unwrap_err().to_string(), "not a regular file", "{path}");
            assert_eq!(tree.beginning(Path::new(path), 4), None, "{path}");
        }
        fs::write(directory.path().join("file"), "text").unwrap();
        assert_eq!(tree.open(Path::new("/file"), 4).unwrap(), b"text");
        assert!(tree.open(Path::new("/file"), 3).is_err());
    }

    #[test]
    fn a_large_file_is_searched_piece_by_piece() {
        let (directory, tree) = tree();
        let before = [&[1; 20 << 20][..], b"\0xversion=1\0"].concat();
        fs::write(directory.path().join("module"), [&before, &b"version=570.1\0end"[..]].concat()).unwrap();
        assert_eq!(tree.word_after(Path::new("/module"), b"version=").unwrap(), b"570.1");
        assert_eq!(tree.word_after(Path::new("/module"), b"nothing="), None);
        // A word on the edge of two pieces.
        let edge = [&[1; PIECE - 4][..], b"\0version=2\0"].concat();
        assert_eq!(word_after(&edge[..], b"version=").unwrap(), b"2");
    }

    #[test]
    fn an_examination_reads_no_gigabytes() {
        let (directory, tree) = tree();
        let file = fs::File::create(directory.path().join("large")).unwrap();
        file.set_len(1 << 40).unwrap();
        assert_eq!(tree.bytes(Path::new("/large")), None);
        assert_eq!(tree.beginning(Path::new("/large"), 4).unwrap(), [0; 4]);
    }
}
