//! Going into a container's mount namespace and back. It knows processes, and nothing of what is done there.

use super::CLASS;
use crate::cli::Parsed;
use crate::outcome::Stop;
use crate::rootfs::words;
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
        let home = open("/proc/self/ns/mnt", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).map_err(own)?;
        let folder = open(".", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map_err(own)?;
        let below = format!("{}/ns/mnt", parsed.pid);
        let supervised = container.flags.supervised;
        let name = format!("{}/proc/{below}", if supervised { "" } else { container.root.name() });
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let opened = if supervised {
            open(name.as_str(), flags, Mode::empty())
        } else {
            let proc = container.root.proc_folder().ok_or(Errno::ENOENT);
            proc.and_then(|proc| openat(proc.handle(), below.as_str(), flags, Mode::empty()))
        };
        let opened = opened.map_err(|why| Stop::error(CLASS, format!("open failed: {name}: {}", words(why))))?;
        let namespace = Self { name, container: opened, home, folder };
        namespace.refuse_own(parsed.pid, supervised)?;
        Ok(namespace)
    }

    /// Nothing is ever mounted where it would stay: in the machine's own namespace, or in this program's own unless the
    /// command line names a process in it.
    fn refuse_own(&self, pid: i32, supervised: bool) -> Result<(), Stop> {
        let which = |handle: &OwnedFd| fstat(handle).map(|stat| stat.st_ino).ok();
        let machine = stat("/proc/1/ns/mnt").map(|stat| stat.st_ino).ok();
        let container = which(&self.container);
        if container != which(&self.home) || (supervised && container != machine) {
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
