//! Resolves a name below a directory that somebody else filled: one component at a time, and never by the kernel's own
//! way of following links.
//!
//! Each step opens one name in a directory that is held open, and follows no link. A link is read and its text walked
//! like any other path, from the directory it is in or from the top. `..` goes back to the directory that the walk came
//! from. So nothing outside is ever reached, whatever the tree holds and whoever changes it meanwhile. This holds on
//! any kernel: `openat2` is not needed, and nothing differs if it is missing. The rules for what does not exist, for
//! `..` and for the number of links are those of nvidia-container-cli 1.17.8, so names come out as its messages and
//! mounts show them. No crate has these rules: cap-std treats an absolute link as an escape, and libpathrs does not
//! make a folder that only a dangling link names.

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use nvidia_simulated_machine::text::{Text, bytes};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// How many links are followed on the way: one more is a loop.
const MAX_LINKS: usize = 20;

/// A handle for looking, not for reading: opening a FIFO or a device this way neither waits nor wakes anything.
pub(super) const PIN: OFlag = OFlag::O_PATH.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// A handle of a directory, for looking and acting in it.
pub const DIRECTORY: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);

/// Why a name cannot be resolved below a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// `..` leads above the root.
    Outside,
    /// An error of the system; a loop is one of them.
    System(Errno),
}

/// What a name resolves to.
#[derive(Debug)]
pub(super) struct Walked {
    /// The components from the root, without links.
    pub names: Vec<String>,
    /// How many of them, at the end, do not exist.
    pub missing: usize,
    /// A handle for each that exists.
    handles: Vec<OwnedFd>,
}

impl Walked {
    /// The handle of the name itself, if it exists and is not the root.
    pub(super) fn handle(&self) -> Option<BorrowedFd<'_>> {
        self.handles.last().filter(|_| self.missing == 0).map(AsFd::as_fd)
    }

    /// The same, to keep.
    pub(super) fn into_handle(mut self) -> Option<OwnedFd> {
        self.handles.pop().filter(|_| self.missing == 0)
    }
}

/// Walks a name below a directory.
pub(super) fn walk(root: BorrowedFd<'_>, wanted: &str) -> Result<Walked, Lost> {
    let mut todo: VecDeque<String> = components(wanted).into();
    let mut found = Walked { names: Vec::new(), missing: 0, handles: Vec::new() };
    let mut links = 0;
    while let Some(name) = todo.pop_front() {
        if name == ".." {
            found.names.pop().ok_or(Lost::Outside)?;
            match found.missing.checked_sub(1) {
                Some(missing) => found.missing = missing,
                None => drop(found.handles.pop()),
            }
            continue;
        }
        if found.missing > 0 {
            found.missing += 1;
            found.names.push(name);
            continue;
        }
        let here = found.handles.last().map_or(root, AsFd::as_fd);
        match step(here, &name).map_err(Lost::System)? {
            Step::Nothing => {
                found.missing = 1;
                found.names.push(name);
            }
            Step::Thing(handle) => {
                found.names.push(name);
                found.handles.push(handle);
            }
            Step::Link(text) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Lost::System(Errno::ELOOP));
                }
                if text.starts_with('/') {
                    found.names.clear();
                    found.handles.clear();
                }
                components(&text).into_iter().rev().for_each(|part| todo.push_front(part));
            }
        }
    }
    Ok(found)
}

/// What exists at a name.
enum Step {
    Nothing,
    Thing(OwnedFd),
    Link(Text),
}

fn step(here: BorrowedFd<'_>, name: &str) -> Result<Step, Errno> {
    let name = os(name);
    match readlinkat(here, name.as_os_str()) {
        Ok(text) if text.is_empty() => Ok(Step::Nothing),
        Ok(text) => Ok(Step::Link(Text::new(text.as_bytes()))),
        Err(Errno::ENOENT) => Ok(Step::Nothing),
        Err(Errno::EINVAL) => Ok(Step::Thing(openat(here, name.as_os_str(), PIN, Mode::empty())?)),
        Err(why) => Err(why),
    }
}

/// A name as the system takes it.
pub(super) fn os(name: &str) -> OsString {
    OsString::from_vec(bytes(name))
}

/// The components of a path, without empty ones and `.`.
pub(super) fn components(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
}

/// A name from the system, as this program carries it.
pub(super) fn text(name: &OsStr) -> String {
    Text::new(name.as_bytes()).to_string()
}

impl Walked {
    /// A name in a root where nothing exists.
    pub(super) fn imagined(wanted: &str) -> Self {
        let mut names: Vec<String> = Vec::new();
        for part in components(wanted) {
            if part == ".." { drop(names.pop()) } else { names.push(part) }
        }
        Self { missing: names.len(), names, handles: Vec::new() }
    }
}
