//! Going into a container's mount namespace and back. It knows processes, and nothing of what is done there.

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
    /// Finds the namespace of the process, or without `--pid` that of the parent as the container's own /proc shows it.
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

    /// Nothing is ever mounted where it would stay: in this program's own namespace, unless it is not that of everything
    /// around, but one that was made for the purpose. That shows in the processes around, where the command line names
    /// one; the hooks of LXC and Enroot name none, and run in the user namespace of their container.
    fn refuse_own(&self, pid: i32, supervised: bool) -> Result<(), Stop> {
        let which = |handle: &OwnedFd| fstat(handle).map(|stat| stat.st_ino).ok();
        let own = which(&self.home);
        let is_made = if supervised { is_private(own) } else { has_users_of_its_own() };
        if which(&self.container) != own || is_made {
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

    /// A handle of it, for a process that is to enter it too.
    pub(super) fn handle(&self) -> &OwnedFd {
        &self.container
    }
}

/// Whether a process that this one descends from is in another mount namespace. One that may not be looked at tells
/// nothing.
fn is_private(own: Option<u64>) -> bool {
    let mut process = nix::unistd::getppid().as_raw();
    while process > 0 {
        let namespace = stat(format!("/proc/{process}/ns/mnt").as_str()).map(|stat| stat.st_ino).ok();
        if namespace.is_some() && namespace != own {
            return true;
        }
        process = parent(process).unwrap_or_default();
    }
    false
}

/// Whether this is not the user namespace of the machine, whose mounts it cannot change then.
fn has_users_of_its_own() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let whole = ["0", "0", "4294967295"];
    !map.trim().is_empty() && map.split_whitespace().ne(whole)
}

/// The parent of a process: the second field after its name, which may hold anything but ends with the last bracket.
fn parent(process: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = status.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}
