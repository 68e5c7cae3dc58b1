//! The suite's own machine: this program again, in namespaces where every engine's places are empty. What a test leaves
//! behind goes with them, engines that the machine runs are out of reach, and at the end every other process was left
//! by a test.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::mount::{MsFlags, mount, umount};
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};

/// Marks the inner program.
const INSIDE: &str = "NVIDIA_HOOK_ENGINES_INSIDE";

/// Subordinate ids: for a rootless engine's `nobody`, for root, and for Docker's own user.
const SUBORDINATE: &str = "nobody:400000:65536\nroot:300000:65536\ndockremap:300000:65536\n";

/// Runs the inner program to its end; `None` if this is the inner program.
pub fn enter() -> Option<ExitCode> {
    if std::env::var_os(INSIDE).is_some() {
        private_places();
        return None;
    }
    assert!(nix::unistd::geteuid().is_root(), "the engines suite needs root");
    // The first process of a namespace ignores most signals, so it is made to end with this one.
    let mut inner = Command::new("setpriv");
    inner.args([
        "--pdeathsig",
        "KILL",
        "unshare",
        "--mount",
        "--pid",
        "--ipc",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--propagation",
        "private",
    ]);
    inner.arg(std::env::current_exe().unwrap()).args(std::env::args_os().skip(1)).env(INSIDE, "1");
    let status = inner.status().expect("unshare");
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn private_places() {
    for place in ["/run", "/var/lib", "/dev/shm"] {
        mount(Some("engines"), place, Some("tmpfs"), MsFlags::empty(), Some("mode=755")).unwrap();
    }
    one_tree_of_control_groups();
    for folder in ["/run/etc", "/run/work", "/run/lock", "/run/user"] {
        fs::create_dir_all(folder).unwrap();
    }
    for file in ["subuid", "subgid"] {
        fs::write(format!("/run/etc/{file}"), SUBORDINATE).unwrap();
    }
    // Docker would make this user, and two daemons would do so at once.
    for (file, line) in [("passwd", "dockremap:x:299:299::/:/bin/false\n"), ("group", "dockremap:x:299:\n")] {
        let text = fs::read_to_string(format!("/etc/{file}")).unwrap();
        let line = if text.contains("\ndockremap:") { "" } else { line };
        fs::write(format!("/run/etc/{file}"), text + line).unwrap();
    }
    let layers = "lowerdir=/etc,upperdir=/run/etc,workdir=/run/work";
    mount(Some("engines"), "/etc", Some("overlay"), MsFlags::empty(), Some(layers)).unwrap();
}

/// The variable that asks for a machine with version 2 of control groups.
const VERSION_OF_CGROUPS: &str = "NVIDIA_HOOK_ENGINES_CGROUP";

/// Where control groups are.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// Leaves one tree of control groups if the machine has both, which crun refuses: version 1, unless 2 is asked for.
fn one_tree_of_control_groups() {
    let table = fs::read_to_string("/proc/self/mounts").unwrap();
    let of_kind = |kind: &str| -> Vec<&str> {
        let rows = table.lines().map(|line| line.split(' ').collect::<Vec<&str>>());
        rows.filter(|row| row[2] == kind && row[1].starts_with(CONTROL_GROUPS)).map(|row| row[1]).collect()
    };
    let (first, second) = (of_kind("cgroup"), of_kind("cgroup2"));
    if first.is_empty() {
        return;
    }
    second.iter().for_each(|place| umount(*place).unwrap());
    if std::env::var_os(VERSION_OF_CGROUPS).is_some_and(|version| version == "2") {
        first.iter().for_each(|place| umount(*place).unwrap());
        mount(Some("engines"), CONTROL_GROUPS, Some("cgroup2"), MsFlags::empty(), None::<&str>).unwrap();
    }
}

/// What is missing if the machine has version 2 of control groups: their programs in the kernel count as locked memory,
/// and crun raises that limit, which is not allowed everywhere.
pub fn locks_memory() -> Result<(), String> {
    let raised = || setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);
    if !is_version_2() || raised().is_ok() {
        return Ok(());
    }
    Err("version 2 of control groups, and a limit of locked memory that may not be raised here".to_owned())
}

/// What is missing if the machine has version 2 of control groups, but shares out processors by version 1.
pub fn shares_processors() -> Result<(), String> {
    let controllers = fs::read_to_string(format!("{CONTROL_GROUPS}/cgroup.controllers")).unwrap_or_default();
    if !is_version_2() || controllers.split_whitespace().any(|name| name == "cpu") {
        return Ok(());
    }
    Err("version 2 of control groups, and no controller `cpu` in it here".to_owned())
}

fn is_version_2() -> bool {
    Path::new(CONTROL_GROUPS).join("cgroup.controllers").exists()
}

/// The processes besides this one, which the engines left.
pub fn others() -> Vec<String> {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ids = entries.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && *name != own);
    let said = ids.filter_map(|id| {
        let words = fs::read(format!("/proc/{id}/cmdline")).ok()?;
        // A process that has ended, and that no process in these namespaces waits for, has no command line.
        (!words.is_empty()).then(|| format!("{id} {}", String::from_utf8_lossy(&words).replace('\0', " ")))
    });
    said.collect()
}
