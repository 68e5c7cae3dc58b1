//! Enters a container's mount namespace and comes back. It knows processes, and nothing about what is done there.

use super::CLASS;
use crate::cli::Parsed;
use crate::outcome::Stop;
use crate::rootfs::{DIRECTORY, words};
use crate::simulate::Container;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::{Mode, fstat, stat};
use nix::unistd::fchdir;
use std::os::fd::OwnedFd;

/// The namespace of a container's process, and the way back from it.
#[derive(Debug)]
pub(super) struct Namespace {
    name: String,
    container: OwnedFd,
    home: OwnedFd,
    folder: OwnedFd,
}

impl Namespace {
    /// Finds the process's namespace, or without `--pid` the parent's, as the container's own /proc shows it.
    pub(super) fn find(parsed: &Parsed, container: &Container) -> Result<Self, Stop> {
        let own = |why: Errno| Stop::Internal(format!("own namespace: {}", words(why)));
        let home = open("/proc/self/ns/mnt", OFlag::O_CLOEXEC, Mode::empty()).map_err(own)?;
        let folder = open(".", DIRECTORY, Mode::empty()).map_err(own)?;
        let below = format!("{}/ns/mnt", parsed.pid);
        let supervised = container.flags.supervised;
        let name = format!("{}/proc/{below}", if supervised { "" } else { container.root.name() });
        let opened = if supervised {
            open(name.as_str(), OFlag::O_CLOEXEC, Mode::empty())
        } else {
            let proc = container.root.proc_folder().ok_or(Errno::ENOENT);
            proc.and_then(|proc| openat(proc.handle(), below.as_str(), OFlag::O_CLOEXEC, Mode::empty()))
        };
        let opened = opened.map_err(|why| Stop::error(CLASS, format!("open failed: {name}: {}", words(why))))?;
        let namespace = Self { name, container: opened, home, folder };
        namespace.refuse_own(parsed.pid, supervised)?;
        Ok(namespace)
    }

    /// Nothing is ever mounted where it would stay: in an ancestor's namespace, such as the machine's, or in this
    /// program's own, unless that namespace was made for the purpose. If the command line names a process, this program's
    /// ancestors show whether it was. The hooks of LXC and Enroot name none, and run in the user namespace of their
    /// container.
    fn refuse_own(&self, pid: i32, supervised: bool) -> Result<(), Stop> {
        let which = |handle: &OwnedFd| fstat(handle).map(|stat| stat.st_ino).ok();
        let (own, container) = (which(&self.home), which(&self.container));
        let is_fit = match (supervised, container == own) {
            // An ancestor in another namespace made this one.
            (true, true) => ancestors().any(|namespace| Some(namespace) != own),
            (true, false) => !ancestors().any(|namespace| Some(namespace) == container),
            (false, _) => has_users_of_its_own(),
        };
        if is_fit {
            return Ok(());
        }
        Err(Stop::Internal(format!(
            "process {pid} has no mount namespace of its own: what is mounted for it would stay on this machine"
        )))
    }

    /// Does something in the container's namespace, and comes back.
    pub(super) fn visit<T>(&self, work: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
        setns(&self.container, CloneFlags::CLONE_NEWNS).map_err(|why| {
            Stop::error(CLASS, format!("namespace association failed: {}: {}", self.name, words(why)))
        })?;
        let done = work();
        let back = setns(&self.home, CloneFlags::CLONE_NEWNS).and_then(|()| fchdir(&self.folder));
        back.map_err(|why| Stop::Internal(format!("way back from the container: {}", words(why))))?;
        done
    }

    /// A handle to it, for a process that must enter it too.
    pub(super) fn handle(&self) -> &OwnedFd {
        &self.container
    }
}

/// The mount namespaces of this process's ancestors, the parent first. An ancestor that may not be inspected does not
/// count.
fn ancestors() -> impl Iterator<Item = u64> {
    let first = Some(nix::unistd::getppid().as_raw()).filter(|process| *process > 0);
    let all = std::iter::successors(first, |process| parent(*process).filter(|process| *process > 0));
    all.filter_map(|process| stat(format!("/proc/{process}/ns/mnt").as_str()).map(|stat| stat.st_ino).ok())
}

/// Whether this is a user namespace other than the machine's, which cannot change the machine's mounts.
fn has_users_of_its_own() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let whole = ["0", "0", "4294967295"];
    !map.trim().is_empty() && map.split_whitespace().ne(whole)
}

/// The parent of a process: the second field after its name, which can hold anything but ends with the last bracket.
fn parent(process: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = status.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}
