//! Starts a program in exactly the way that a case says: any environment (duplicates, entries without `=`), signals,
//! mask, closed descriptors, user, private root. The standard library can do none of this, so the test program starts
//! itself a second time as a launcher. Must not know the hook.

use std::ffi::CString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use nix::mount::{MsFlags, mount};
use nix::sched::CloneFlags;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
use serde::{Deserialize, Serialize};

/// The argument that makes a test program the launcher; the path of a [`Launch`] follows.
pub const ARGUMENT: &str = "--launch";
/// The user and group of an unprivileged case.
const NOBODY: u32 = 65534;

/// How to start a program.
#[derive(Debug, Serialize, Deserialize)]
pub struct Launch {
    /// The program's file, below `root` where there is one.
    pub program: PathBuf,
    /// Its arguments with its name in front.
    pub argv: Vec<Vec<u8>>,
    /// Its environment.
    pub environ: Vec<Vec<u8>>,
    /// Its working directory.
    pub cwd: PathBuf,
    /// The directory that becomes its root.
    pub root: Option<PathBuf>,
    /// It runs as a user without rights.
    pub unprivileged: bool,
    /// SIGPIPE is ignored.
    pub ignore_sigpipe: bool,
    /// Blocked signals.
    pub blocked: Vec<String>,
    /// The file mode mask.
    pub umask: u32,
    /// Descriptors that are closed.
    pub closed: Vec<i32>,
    /// Where the [`Ended`] goes.
    pub report: PathBuf,
}

/// How the program ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    /// Its process id.
    pub pid: i32,
    /// Its exit status; 128 and more for a signal.
    pub exit: i32,
}

/// Does the launcher's work and ends the process, if this process was started as one.
pub fn if_launcher() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, flag, spec] = arguments.as_slice() else { return };
    if flag == ARGUMENT {
        let launch: Launch = serde_json::from_slice(&fs::read(spec).unwrap()).unwrap();
        // Opened first: the user may change.
        let mut report = fs::File::create(&launch.report).unwrap();
        report.write_all(&serde_json::to_vec(&start(launch)).unwrap()).unwrap();
        std::process::exit(0);
    }
}

fn start(launch: Launch) -> Ended {
    let strings = |list: Vec<Vec<u8>>| list.into_iter().map(|text| CString::new(text).unwrap()).collect::<Vec<_>>();
    nix::sys::stat::umask(Mode::from_bits_truncate(launch.umask));
    match &launch.root {
        Some(root) => enter(root, launch.unprivileged),
        None if launch.unprivileged && geteuid().is_root() => become_nobody(),
        None => {}
    }
    std::env::set_current_dir(&launch.cwd).unwrap();
    let mut attributes = PosixSpawnAttr::init().unwrap();
    let mut flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
    attributes.set_sigmask(&signals(&launch.blocked)).unwrap();
    // The Rust runtime ignores SIGPIPE in this process, and so would the program.
    if !launch.ignore_sigpipe {
        flags |= PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
        attributes.set_sigdefault(&signals(&["SIGPIPE".to_owned()])).unwrap();
    }
    attributes.set_flags(flags).unwrap();
    let mut actions = PosixSpawnFileActions::init().unwrap();
    // Whoever started the tests may have left descriptors open; the hook gets 0 to 2, as from a runtime.
    for descriptor in launch.closed.iter().copied().chain(3..1024) {
        actions.add_close(descriptor).unwrap();
    }
    let (argv, environ) = (strings(launch.argv), strings(launch.environ));
    let pid = posix_spawn(&launch.program, &actions, &attributes, &argv, &environ).unwrap();
    let exit = match waitpid(pid, None).unwrap() {
        WaitStatus::Exited(_, exit) => exit,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        other => panic!("{other:?}"),
    };
    Ended { pid: pid.as_raw(), exit }
}

fn signals(names: &[String]) -> SigSet {
    names.iter().map(|name| Signal::from_str(name).unwrap()).collect()
}

fn become_nobody() {
    setgroups(&[]).unwrap();
    setgid(Gid::from_raw(NOBODY)).unwrap();
    setuid(Uid::from_raw(NOBODY)).unwrap();
}

/// Makes `root` the root directory, in a mount namespace where /proc and /dev are the machine's unless the case has
/// files there. Without rights a user namespace lends them; they end with the next execve of a user who is not root.
fn enter(root: &Path, unprivileged: bool) {
    let is_root = geteuid().is_root();
    if is_root {
        nix::sched::unshare(CloneFlags::CLONE_NEWNS).unwrap();
    } else {
        let (uid, gid) = (geteuid(), nix::unistd::getegid());
        let inside = if unprivileged { NOBODY } else { 0 };
        nix::sched::unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).unwrap();
        fs::write("/proc/self/setgroups", "deny").unwrap();
        fs::write("/proc/self/uid_map", format!("{inside} {uid} 1")).unwrap();
        fs::write("/proc/self/gid_map", format!("{inside} {gid} 1")).unwrap();
    }
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
    for shared in ["proc", "dev"] {
        let place = root.join(shared);
        if !place.exists() {
            fs::create_dir(&place).unwrap();
            let from = Path::new("/").join(shared);
            mount(Some(&from), &place, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>).unwrap();
        }
    }
    nix::unistd::chroot(root).unwrap();
    std::env::set_current_dir("/").unwrap();
    if is_root && unprivileged {
        become_nobody();
    }
}
