//! A container's root, which somebody else made. It is inspected and changed through handles of directories that stay
//! open, starting from the root's own, which is opened once. Links are followed as the container would see them.
//!
//! It knows names and files, and nothing about drivers, mounts or a step's messages.

mod folder;
mod walk;

pub use folder::{Folder, Found, Ledger, number};

use nix::errno::Errno;
use nix::sys::stat::Mode;
use nix::sys::statfs::PROC_SUPER_MAGIC;
use nvidia_simulated_machine::text::path;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
pub use walk::DIRECTORY;
use walk::{Lost, Walked, components, walk};

/// Two paths with one slash between them: if both sides have a slash, one is dropped, as the real program does.
#[must_use]
pub fn join(first: &str, second: &str) -> String {
    match (first.strip_suffix('/'), second.starts_with('/')) {
        (Some(first), true) => format!("{first}{second}"),
        (None, false) if !second.is_empty() => format!("{first}/{second}"),
        _ => format!("{first}{second}"),
    }
}

/// The GNU C library's words for an error, in lower case, as the real program's messages have them. They do not come
/// from the C library: a static program may have another one.
#[must_use]
pub fn words(why: Errno) -> String {
    match why {
        Errno::ELOOP => "too many levels of symbolic links".to_owned(),
        Errno::EIO => "input/output error".to_owned(),
        Errno::ESTALE => "stale file handle".to_owned(),
        Errno::EDQUOT => "disk quota exceeded".to_owned(),
        other => other.desc().to_ascii_lowercase(),
    }
}

/// A container's root: its directory, opened once, and the name that it had.
#[derive(Clone, Debug)]
pub struct Root {
    /// The directory; `None` for a root that is only imagined, where nothing exists and nothing can be done.
    directory: Option<Rc<OwnedFd>>,
    /// Its name, which plans and messages show.
    name: String,
}

impl Root {
    /// A root that is never looked at.
    #[must_use]
    pub fn imagined(name: &str) -> Self {
        Self { directory: None, name: name.to_owned() }
    }

    /// Opens the directory with a name, as this process sees it. The error is the detail of a message, which shows the
    /// root as `shown`.
    pub fn open(name: &str, shown: &str) -> Result<Self, String> {
        let directory = nix::fcntl::open(&path(name), DIRECTORY, Mode::empty());
        let directory = directory.map_err(|why| format!("open failed: {shown}: {}", words(why)))?;
        Ok(Self { directory: Some(Rc::new(directory)), name: name.to_owned() })
    }

    /// Opens the directory with a name below another root, which is a process's view: a link in the name stays in it.
    pub fn open_below(&self, name: &str) -> Result<Self, String> {
        let Some(view) = &self.directory else { return Ok(Self::imagined(name)) };
        let walked = walk(view.as_fd(), name).map_err(|lost| self.detail(lost, name))?;
        if walked.names.is_empty() {
            return Ok(Self { directory: Some(Rc::clone(view)), name: name.to_owned() });
        }
        let shown = join(&self.name, &format!("/{}", walked.names.join("/")));
        let missing = walked.missing > 0;
        let directory = walked.into_handle().filter(|handle| Folder::is_one(handle.as_fd()));
        let why = if missing { Errno::ENOENT } else { Errno::ENOTDIR };
        let directory = directory.ok_or_else(|| format!("open failed: {shown}: {}", words(why)))?;
        Ok(Self { directory: Some(Rc::new(directory)), name: name.to_owned() })
    }

    /// Its name as it was given, which plans and messages show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn walk(&self, wanted: &str) -> Result<Walked, String> {
        let walked = self.directory.as_ref().map(|directory| walk(directory.as_fd(), wanted));
        match walked {
            Some(walked) => walked.map_err(|lost| self.detail(lost, wanted)),
            None => Ok(Walked::imagined(wanted)),
        }
    }

    /// The detail of a message about a name that cannot be resolved; the real program's has two slashes in it too.
    fn detail(&self, lost: Lost, wanted: &str) -> String {
        match lost {
            Lost::Outside => format!("path error: {wanted} resolves outside of {}", self.name),
            Lost::System(why) => format!("path error: {}/{wanted}: {}", self.name, words(why)),
        }
    }

    /// The name below the root that a name inside resolves to; components that do not exist are kept as they are. The
    /// error is the detail of a message.
    pub fn inner(&self, wanted: &str) -> Result<String, String> {
        Ok(format!("/{}", self.walk(wanted)?.names.join("/")))
    }

    /// The same with the root's own name in front, as operations show it.
    pub fn resolve(&self, wanted: &str) -> Result<String, String> {
        Ok(join(&self.name, &self.inner(wanted)?))
    }

    /// Whether something exists at a name inside.
    pub fn exists(&self, wanted: &str) -> Result<bool, String> {
        Ok(self.directory.is_some() && self.walk(wanted)?.missing == 0)
    }

    /// The names in a folder inside, sorted; empty if it is not a folder that can be read.
    pub fn list(&self, wanted: &str) -> Result<Vec<String>, String> {
        let walked = self.walk(wanted)?;
        let handle = if walked.names.is_empty() { self.handle() } else { walked.handle() };
        Ok(handle.and_then(|handle| Folder::of(handle).ok()?.names().ok()).unwrap_or_default())
    }

    /// Whether nothing is in it. What this user may not list is not known to be empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let names = self.handle().map(|handle| Folder::of(handle).and_then(|folder| folder.names()));
        names.is_none_or(|names| names.is_ok_and(|names| names.is_empty()))
    }

    /// Its /proc, if it shows processes and is not only a folder of the image.
    #[must_use]
    pub fn proc_folder(&self) -> Option<Folder> {
        let handle = self.walk("/proc").ok()?.into_handle()?;
        let shows = nix::sys::statfs::fstatfs(&handle).is_ok_and(|of| of.filesystem_type() == PROC_SUPER_MAGIC);
        Folder::of(handle.as_fd()).ok().filter(|_| shows)
    }

    /// The name inside the root of an operation's path, which begins with the root's own name.
    #[must_use]
    pub fn inside<'a>(&self, full: &'a str) -> Option<&'a str> {
        full.strip_prefix(self.name.trim_end_matches('/')).filter(|rest| rest.starts_with('/'))
    }

    /// The directory, for acting.
    #[must_use]
    pub fn handle(&self) -> Option<BorrowedFd<'_>> {
        self.directory.as_ref().map(|directory| directory.as_fd())
    }

    /// The folder above a resolved name and the name in it. A link on the way was not there when the name was resolved,
    /// and is an error. Missing folders are made if there is a ledger to note them in.
    pub fn place(&self, inner: &str, ledger: Option<&mut Ledger>) -> Result<(Folder, String), Errno> {
        let root = self.handle().ok_or(Errno::ENOENT)?;
        let mut names = components(inner);
        let last = names.pop().ok_or(Errno::EEXIST)?;
        Ok((Folder::of(root)?.descend(&names, ledger)?, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn one_slash_is_between_two_paths() {
        for (first, second, both) in [
            ("/a", "/b", "/a/b"),
            ("/a/", "/b", "/a/b"),
            ("/a", "b", "/a/b"),
            ("/a//", "/b", "/a//b"),
            ("/", "/b", "/b"),
            ("/a", "", "/a"),
        ] {
            assert_eq!(join(first, second), both);
        }
    }

    #[test]
    fn links_stay_inside() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        fs::create_dir_all(top.join("a/b")).unwrap();
        symlink("/a", top.join("abs")).unwrap();
        symlink("../new/deep", top.join("a/dangling")).unwrap();
        symlink("../../..", top.join("a/up")).unwrap();
        symlink("loop", top.join("loop")).unwrap();
        symlink("/proc/self/cwd/etc", top.join("magic")).unwrap();
        let name = top.to_str().unwrap();
        let root = Root::open(name, name).unwrap();
        assert_eq!(root.inner("/abs/b/new").unwrap(), "/a/b/new");
        assert_eq!(root.inner("abs/dangling/x").unwrap(), "/new/deep/x");
        assert_eq!(root.inner("/abs/missing/../b").unwrap(), "/a/b");
        assert_eq!(root.inner("a/missing/x/../../dangling").unwrap(), "/new/deep");
        assert_eq!(Root::imagined("/").inner("a/../b/c").unwrap(), "/b/c");
        assert_eq!(root.inner("magic/passwd").unwrap(), "/proc/self/cwd/etc/passwd");
        assert!(root.exists("/abs/b").unwrap() && !root.exists("/abs/c").unwrap());
        assert_eq!(root.inner("a/up/x"), Err(format!("path error: a/up/x resolves outside of {name}")));
        let loops = format!("path error: {name}//loop/x: too many levels of symbolic links");
        assert_eq!(root.inner("/loop/x"), Err(loops));
    }

    #[test]
    fn a_root_is_a_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let name = folder.path().to_str().unwrap();
        let root = Root::open(name, name).unwrap();
        for itself in ["/", "/.", "/./", "/missing/.."] {
            assert_eq!(root.open_below(itself).unwrap().list("/").unwrap(), ["file"], "{itself}");
        }
        for (inside, why) in [("/file", "not a directory"), ("/missing", "no such file or directory")] {
            let full = format!("{name}{inside}");
            let expected = format!("open failed: {full}: {why}");
            assert_eq!(root.open_below(inside).unwrap_err(), expected);
            assert_eq!(Root::open(&full, &full).unwrap_err(), expected);
        }
    }

    #[test]
    fn what_stands_in_the_way_is_told_apart() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("folder")).unwrap();
        fs::write(top.path().join("file"), "").unwrap();
        symlink("folder", top.path().join("link")).unwrap();
        let name = top.path().to_str().unwrap();
        let root = Root::open(name, name).unwrap();
        let (folder, mut ledger) = (Folder::of(root.handle().unwrap()).unwrap(), Ledger::default());
        for (name, made, touched) in [
            ("folder", Ok(()), Ok(())),
            ("file", Err(Errno::ENOTDIR), Ok(())),
            ("link", Err(Errno::EEXIST), Err(Errno::EEXIST)),
        ] {
            assert_eq!(folder.make_folder(name, 0o755, &mut ledger), made, "{name}");
            assert_eq!(folder.touch(name, 0o644, &mut ledger), touched, "{name}");
        }
        ["folder", "file", "link"].iter().for_each(|name| folder.remove_empty(name));
        assert_eq!(folder.names().unwrap(), ["link"]);
    }

    #[test]
    fn twenty_links_are_followed_and_one_more_is_a_loop() {
        let folder = tempfile::tempdir().unwrap();
        for at in 0..21 {
            symlink(format!("{}", at + 1), folder.path().join(at.to_string())).unwrap();
        }
        let name = folder.path().to_str().unwrap();
        let root = Root::open(name, name).unwrap();
        assert_eq!(root.inner("/1").unwrap(), "/21");
        assert!(root.inner("/0").unwrap_err().ends_with("too many levels of symbolic links"));
    }
}
