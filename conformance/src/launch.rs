//! Starts a program exactly as a case says: any environment (duplicates, entries without `=`), signals, mask, closed
//! descriptors, user, private root. The standard library can do none of this, so the program starts itself a second
//! time, as a launcher. Must not know the hook.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io::Write;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use nix::fcntl::OFlag;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
use serde::{Deserialize, Serialize};

/// The argument that makes a program the launcher; the path of a [`Launch`] follows.
pub const ARGUMENT: &str = "--launch";
/// The user and group of an unprivileged case.
const NOBODY: u32 = 65534;

/// How to start a program.
#[derive(Debug, Serialize, Deserialize)]
pub struct Launch {
    /// The program's file, below `root` if there is one.
    pub program: PathBuf,
    /// Its arguments, its name first.
    pub argv: Vec<Vec<u8>>,
    /// Its environment.
    pub environ: Vec<Vec<u8>>,
    /// Its working directory.
    pub cwd: PathBuf,
    /// The directory that becomes its root.
    pub root: Option<PathBuf>,
    /// It runs as an unprivileged user.
    pub unprivileged: bool,
    /// SIGPIPE is ignored.
    pub ignore_sigpipe: bool,
    /// Blocked signals.
    pub blocked: Vec<String>,
    /// The file mode mask.
    pub umask: u32,
    /// Descriptors that are closed.
    pub closed: Vec<i32>,
    /// Additional open descriptors: `/dev/null`.
    pub opened: Vec<i32>,
    /// Standard error is a pipe without a reader.
    pub unread_stderr: bool,
    /// The limit of file sizes, in bytes.
    pub file_size: Option<u64>,
    /// Where the [`Report`] goes.
    pub report: PathBuf,
}

/// The result of a launch.
pub type Report = std::result::Result<Ended, String>;

/// How the program ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    /// Its process id.
    pub pid: i32,
    /// Its exit status, or 128 plus the number of the signal that ended it.
    pub exit: i32,
}

/// Does the launcher's work if this process was started as one, and returns its exit status.
pub fn if_launcher(words: &[&[u8]]) -> Option<u8> {
    let [_, flag, spec] = words else { return None };
    (*flag == ARGUMENT.as_bytes()).then(|| u8::from(follow(Path::new(OsStr::from_bytes(spec))).is_err()))
}

/// Carries out the launch that a file describes.
fn follow(spec: &Path) -> Result<()> {
    let launch: Launch = serde_json::from_slice(&fs::read(spec)?)?;
    // Both come first, because the user and the root can change.
    let mut file = fs::OpenOptions::new().write(true).open(&launch.report)?;
    let inherited = inherited();
    let report: Report = start(launch, &inherited).map_err(|why| format!("{why:#}"));
    let report = serde_json::to_vec(&report)?;
    file.write_all(&report)?;
    file.set_len(report.len() as u64)?;
    Ok(())
}

/// The descriptors above 2 that this process may have inherited. Descriptors opened here close on `execve`.
fn inherited() -> Vec<i32> {
    let listed =
        fs::read_dir("/proc/self/fd").map(|open| open.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok()));
    let all: Vec<i32> = listed.map_or_else(|_| (3..1024).collect(), Iterator::collect);
    all.into_iter().filter(|descriptor| *descriptor > 2).collect()
}

fn start(launch: Launch, inherited: &[i32]) -> Result<Ended> {
    let strings = |list: Vec<Vec<u8>>| list.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>();
    nix::sys::stat::umask(Mode::from_bits_truncate(launch.umask));
    match &launch.root {
        Some(root) => enter(root, launch.unprivileged).context("make a private root")?,
        None if launch.unprivileged && geteuid().is_root() => become_nobody()?,
        None => {}
    }
    std::env::set_current_dir(&launch.cwd).with_context(|| format!("enter {}", launch.cwd.display()))?;
    let mut attributes = PosixSpawnAttr::init()?;
    let flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
    attributes.set_sigmask(&signals(&launch.blocked)?)?;
    // The parent of this process may have ignored signals.
    let mut default = SigSet::all();
    if launch.ignore_sigpipe {
        default.remove(Signal::SIGPIPE);
    }
    attributes.set_sigdefault(&default)?;
    attributes.set_flags(flags)?;
    let mut actions = PosixSpawnFileActions::init()?;
    let nothing = fs::File::open("/dev/null")?;
    for descriptor in &launch.opened {
        actions.add_dup2(nothing.as_raw_fd(), *descriptor)?;
    }
    let unread = launch.unread_stderr.then(|| nix::unistd::pipe2(OFlag::O_CLOEXEC)).transpose()?;
    if let Some((reader, writer)) = unread {
        drop(reader);
        actions.add_dup2(writer.into_raw_fd(), 2)?;
    }
    // The hook gets descriptors 0 to 2, as from a runtime.
    let further = inherited.iter().filter(|descriptor| !launch.opened.contains(descriptor));
    for descriptor in launch.closed.iter().chain(further).copied() {
        actions.add_close(descriptor)?;
    }
    let (argv, environ) = (strings(launch.argv)?, strings(launch.environ)?);
    let (usual, most) = getrlimit(Resource::RLIMIT_FSIZE)?;
    // Only the soft limit, which can be raised again: the report is a file, too.
    setrlimit(Resource::RLIMIT_FSIZE, launch.file_size.unwrap_or(usual), most)?;
    let pid = posix_spawn(&launch.program, &actions, &attributes, &argv, &environ)
        .with_context(|| format!("start {}", launch.program.display()))?;
    setrlimit(Resource::RLIMIT_FSIZE, usual, most)?;
    let exit = match waitpid(pid, None)? {
        WaitStatus::Exited(_, exit) => exit,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        other => bail!("the program is neither running nor ended: {other:?}"),
    };
    Ok(Ended { pid: pid.as_raw(), exit })
}

fn signals(names: &[String]) -> Result<SigSet> {
    let signals = names.iter().map(|name| Signal::from_str(name).with_context(|| format!("signal {name}")));
    signals.collect()
}

fn become_nobody() -> Result<()> {
    let (uid, gid) = (geteuid(), nix::unistd::getegid());
    let became =
        setgroups(&[]).and_then(|()| setgid(Gid::from_raw(NOBODY))).and_then(|()| setuid(Uid::from_raw(NOBODY)));
    if became.is_ok() {
        return Ok(());
    }
    // Root of a sandbox cannot become another user: a new user namespace calls it nobody, and its rights end with the
    // next execve.
    unshare(CloneFlags::CLONE_NEWUSER).context("neither another user nor a user namespace")?;
    call(NOBODY, uid, gid)
}

/// Maps the user and group of the process in the user namespace that it has just entered.
fn call(inside: u32, uid: Uid, gid: Gid) -> Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{inside} {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("{inside} {gid} 1"))?;
    Ok(())
}

/// Makes `root` the root directory, in a mount namespace where /proc and /dev are the machine's unless the case has
/// files there. A process without the rights gets them from a user namespace; they end with the next execve of a user
/// other than root.
fn enter(root: &Path, unprivileged: bool) -> Result<()> {
    // Root in a container may lack the right to make a mount namespace.
    let with_rights = geteuid().is_root() && unshare(CloneFlags::CLONE_NEWNS).is_ok();
    if !with_rights {
        let (uid, gid) = (geteuid(), nix::unistd::getegid());
        let inside = if unprivileged { NOBODY } else { 0 };
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
            .context("neither as root nor in a user namespace")?;
        call(inside, uid, gid)?;
    }
    let nothing = None::<&str>;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).context("make mounts private")?;
    for shared in ["proc", "dev"] {
        let mut place = root.join(shared);
        if place.exists() {
            // A scene with files in /proc: a process still finds /proc/self beside them.
            if shared == "dev" || symlink("../.proc/self", place.join("self")).is_err() {
                continue;
            }
            place = root.join(".proc");
        }
        fs::create_dir(&place)?;
        let from = Path::new("/").join(shared);
        mount(Some(&from), &place, nothing, MsFlags::MS_BIND | MsFlags::MS_REC, nothing)
            .with_context(|| format!("mount {}", from.display()))?;
    }
    nix::unistd::chroot(root).context("change the root")?;
    std::env::set_current_dir("/")?;
    if with_rights && unprivileged { become_nobody() } else { Ok(()) }
}
