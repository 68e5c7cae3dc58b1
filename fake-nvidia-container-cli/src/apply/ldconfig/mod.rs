//! Running ldconfig on a container's libraries: the host's, as a sealed copy, or the image's own. The process that
//! becomes it confines itself first (`confine`); this side starts it, waits for it, and reports how it ended.

mod calls;
mod confine;

pub use confine::confined;

use super::CLASS;
use super::namespace::Namespace;
use crate::cli::Parsed;
use crate::outcome::Stop;
use crate::plan::{Op, Plan};
use crate::rootfs::words;
use crate::simulate::Container;
use nix::errno::Errno;
use nix::fcntl::{F_ADD_SEALS, FcntlArg, FdFlag, OFlag, SealFlag, fcntl};
use nix::sched::{CloneFlags, unshare};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::{Mode, fstat};
use nvidia_simulated_machine::text::path;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The name under which this program becomes ldconfig; the real program uses the same name.
pub const NAME: &str = "nvc:[ldconfig]";
/// An ldconfig that runs longer than this never ends by itself: it reads the image's files, which may include a FIFO.
const PATIENCE: Duration = Duration::from_secs(60);
const LDCACHE: &str = "ldcache error";

/// The ldconfig of a plan.
#[derive(Debug)]
pub(super) struct Ldconfig {
    path: String,
    /// A sealed copy of the host's, which can no longer change.
    host: Option<OwnedFd>,
    /// The folders to look into.
    folders: Vec<String>,
}

impl Ldconfig {
    /// The ldconfig that a plan names. The host's is read now: inside the container its path means something else.
    pub(super) fn of(plan: &Plan) -> Result<Option<Self>, Stop> {
        let step = plan.recorded().into_iter().find_map(|op| match op {
            Op::Ldconfig { path, host, compat_dir, libs_dir, libs32_dir } => {
                Some((path, *host, compat_dir.iter().chain([libs_dir, libs32_dir])))
            }
            _ => None,
        });
        let Some((path, host, folders)) = step else { return Ok(None) };
        let copy = host.then(|| sealed_copy(path)).transpose().map_err(|why| {
            let why = Errno::from_raw(why.raw_os_error().unwrap_or_default());
            Stop::error(LDCACHE, format!("open failed: {path}: {}", words(why)))
        })?;
        let folders = folders.map(|folder| folder.to_string()).collect();
        Ok(Some(Self { path: path.to_string(), host: copy, folders }))
    }

    /// Whether there is an ldconfig to run: an image may have none.
    pub(super) fn is_there(&self, container: &Container) -> Result<bool, Stop> {
        if self.host.is_some() {
            return Ok(true);
        }
        container.root.exists(&self.path).map_err(|why| Stop::error(CLASS, why))
    }

    /// Runs it in the container and waits for it to end.
    pub(super) fn run(&self, namespace: &Namespace, container: &Container, parsed: &Parsed) -> Result<(), Stop> {
        let started = self.start(namespace, container, parsed);
        let ended = started
            .and_then(|child| wait(child, PATIENCE))
            .map_err(|why| Stop::error(LDCACHE, format!("process creation failed: {why}")))?;
        match (ended.code(), ended.signal()) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => {
                Err(Stop::error(LDCACHE, format!("process {} failed with error code: {code}", self.path)))
            }
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                Err(Stop::error(LDCACHE, format!("process {} terminated with signal {signal}", self.path)))
            }
        }
    }

    fn start(&self, namespace: &Namespace, container: &Container, parsed: &Parsed) -> io::Result<Child> {
        let root = container.root.handle().ok_or(Errno::ENOENT)?;
        let identity = fstat(root)?;
        // It has its own PID namespace: whatever it starts dies with it. Only children are affected, and this is the
        // only one.
        unshare(CloneFlags::CLONE_NEWPID)?;
        let namespace = inherited(namespace.handle().as_fd())?;
        let host = self.host.as_ref().map(|copy| inherited(copy.as_fd())).transpose()?;
        let number = |handle: Option<&OwnedFd>| handle.map_or_else(|| "-".to_owned(), |h| h.as_raw_fd().to_string());
        let (user, group) = container.owner.unwrap_or_default();
        let mut command = Command::new("/proc/self/exe");
        command.arg0(NAME).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.arg(number(Some(&namespace))).arg(number(host.as_ref()));
        command.arg(path(container.root.name())).arg(identity.st_dev.to_string()).arg(identity.st_ino.to_string());
        command.arg(user.to_string()).arg(group.to_string()).arg(if parsed.no_pivot { "move" } else { "pivot" });
        command.arg(path(&self.path)).args(self.folders.iter().map(|folder| path(folder)));
        command.spawn()
    }
}

/// A copy of a handle that stays open across exec.
fn inherited(handle: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let copy = handle.try_clone_to_owned()?;
    fcntl(&copy, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(copy)
}

/// A program's bytes in memory, sealed against every change.
fn sealed_copy(name: &str) -> io::Result<OwnedFd> {
    let source = nix::fcntl::open(&path(name), OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut source = File::from(source);
    if !source.metadata()?.is_file() {
        return Err(Errno::EACCES.into());
    }
    let copy = memfd_create(c"ldconfig", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let mut copy = File::from(copy);
    io::copy(&mut source, &mut copy)?;
    copy.flush()?;
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(&copy, F_ADD_SEALS(seals))?;
    Ok(copy.into())
}

/// Waits for a process to end, and kills it if it does not end in time.
fn wait(mut child: Child, patience: Duration) -> io::Result<ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(ended) = child.try_wait()? {
            return Ok(ended);
        }
        if start.elapsed() > patience {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_ended_and_what_ends_is_waited_for() {
        // It ends when its input is closed.
        let cat = || Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        assert_eq!(wait(cat(), Duration::ZERO).unwrap().signal(), Some(9));
        let mut ends = cat();
        drop(ends.stdin.take());
        assert_eq!(wait(ends, Duration::MAX).unwrap().code(), Some(0));
    }
}
