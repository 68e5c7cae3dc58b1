//! The process that becomes ldconfig, inspected from outside while it runs: its remaining rights, limits, places and
//! open files are listed here line by line. Its program is a shell, and its script is the file that ldconfig would take
//! for its settings: a FIFO, on which it waits until everything has been inspected.

use super::container::{Container, busybox, command, image, table};
use crate::suite::sandbox::Sandbox;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::process::{Child, Command};

/// A user who owns a container's process.
const OTHER: (u32, u32) = (1234, 1235);

/// Inspects the process that a run leads to, in a container of that user, with the host's program or the image's.
fn looked_at((user, group): (u32, u32), is_host: bool, global: &[&str]) -> String {
    let (sandbox, container) = (Sandbox::new(), Container::of_user(user, group));
    image(&sandbox);
    let script = sandbox.path("rootfs/etc/ld.so.conf");
    nix::unistd::mkfifo(&script, nix::sys::stat::Mode::from_bits_truncate(0o644)).unwrap();
    fs::copy(busybox(), sandbox.path(if is_host { "sh" } else { "rootfs/sbin/sh" })).unwrap();
    for path in ["", "rootfs", "rootfs/etc", "rootfs/etc/ld.so.conf", "rootfs/sbin"] {
        chown(sandbox.path(path), Some(user), Some(group)).unwrap();
    }
    fs::set_permissions(sandbox.path(""), Permissions::from_mode(0o755)).unwrap();
    let host = format!("--ldconfig=@{}", sandbox.path("sh").display());
    let run = command(&sandbox, &container, &["-u", if is_host { &host } else { "--ldconfig=/sbin/sh" }], "t4");
    // An engine may have left a file open.
    let mut left_open = Command::new("sh");
    left_open.args(["-c", "exec \"$@\" 7</dev/zero", "sh"]).arg(run.get_program()).args(global).args(run.get_args());
    left_open.env_clear().envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut run = left_open.spawn().unwrap();
    let mut go_on = when_it_reads(&script, &mut run);

    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", run.id())).unwrap();
    let process = children.trim();
    let said = description(process, &container, &sandbox);
    go_on.write_all(b"exit 0\n").unwrap();
    drop(go_on);
    assert!(run.wait().unwrap().success());
    said
}

/// Opens a script for writing, once a process has opened it for reading.
fn when_it_reads(script: &std::path::Path, run: &mut Child) -> File {
    loop {
        match OpenOptions::new().write(true).custom_flags(nix::libc::O_NONBLOCK).open(script) {
            Ok(file) => return file,
            Err(why) => assert_eq!(why.raw_os_error(), Some(nix::libc::ENXIO)),
        }
        assert_eq!(run.try_wait().unwrap(), None, "it ended before it read its script");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Everything that can be seen of a process, with what differs between runs replaced.
fn description(process: &str, container: &Container, sandbox: &Sandbox) -> String {
    let of = |name: &str| format!("/proc/{process}/{name}");
    let read = |name: &str| fs::read_to_string(of(name)).unwrap();
    let mut lines: Vec<String> = Vec::new();
    lines.push(format!("executed: {}", read("cmdline").replace('\0', " ").trim_end()));
    let program = fs::read_link(of("exe")).unwrap();
    let seals = nix::fcntl::fcntl(File::open(of("exe")).unwrap().as_fd(), nix::fcntl::F_GET_SEALS);
    // A file in a memory file system has seals too.
    let seals = seals.ok().filter(|_| program.starts_with("/memfd:ldconfig (deleted)"));
    lines.push(format!("program: {}, seals {seals:?}", program.display()));
    lines.push(format!("environment: {:?}", read("environ")));
    for line in read("status").lines() {
        let (name, value) = line.split_once(':').unwrap();
        let told = ["Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp"];
        if told.contains(&name) || name.starts_with("Cap") {
            lines.push(format!("{name}: {}", value.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    for line in read("limits").lines() {
        let told = ["Max cpu time", "Max address space", "Max open files", "Max file size"];
        if let Some(name) = told.iter().find(|name| line.starts_with(**name)) {
            let (_, values) = line.split_at(name.len());
            lines.push(format!("{name}: {}", values.split_whitespace().take(2).collect::<Vec<_>>().join(" ")));
        }
    }
    let mut open: Vec<(u32, String)> = fs::read_dir(of("fd"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().parse().unwrap(), path))
        .filter_map(|(number, path)| Some((number, fs::read_link(path).ok()?.display().to_string())))
        .collect();
    open.sort();
    // Its script may be open already, as it should be.
    let open = open.into_iter().filter(|(_, what)| !what.ends_with("/etc/ld.so.conf"));
    lines.extend(open.map(|(number, what)| format!("open: {number} {what}")));
    let which = |process: &str, what: &str| fs::read_link(format!("/proc/{process}/ns/{what}")).unwrap();
    for what in ["ipc", "mnt", "pid"] {
        let own = which(process, what);
        let others = [which("self", what), which(&container.process().to_string(), what)];
        lines.push(format!("{what}: {}", if others.contains(&own) { "another's" } else { "its own" }));
    }
    let place = |path: &str| fs::metadata(path).map(|it| (it.dev(), it.ino())).unwrap();
    for name in ["root", "cwd"] {
        let is_rootfs = place(&of(name)) == place(&sandbox.rootfs());
        lines.push(format!("{name}: {}", if is_rootfs { "the container's" } else { "another" }));
    }
    // The last mount at a place is the one that is seen there.
    for place in ["/", "/proc", "/sys", "/dev"] {
        let is_there = |line: &String| line.split(' ').nth(4) == Some(place);
        let line = table(process).into_iter().rfind(is_there).unwrap_or_default();
        let (fields, kind) = line.split_once(" - ").unwrap();
        let (kind, options) = (kind.split(' ').next().unwrap(), fields.split(' ').nth(5).unwrap());
        let spread = fields.split(' ').skip(6).collect::<String>();
        // The root is in the test's own file system.
        let what = if place == "/" { String::new() } else { format!(" {kind} {options}") };
        lines.push(format!("mounted: {place}{what}{spread}"));
    }
    lines.join("\n").replace(sandbox.path("").to_str().unwrap().trim_end_matches('/'), "SANDBOX")
}

/// What the process has left.
fn least((user, group): (u32, u32), is_host: bool) -> String {
    // The host's program may read the folders of images whose modes forbid it, even as another user. It is executed
    // through a descriptor, for which the C library can need /proc.
    let may = if is_host { "0000000000000002" } else { "0000000000000000" };
    let beyond = if user == 0 { "0000000000000000" } else { may };
    let program = if is_host { "SANDBOX/sh" } else { "/sbin/sh" };
    let executed = if is_host { "/memfd:ldconfig (deleted), seals Some(15)" } else { "/sbin/sh, seals None" };
    let proc = if is_host { "proc" } else { "tmpfs" };
    format!(
        "executed: {program} -f /etc/ld.so.conf -C /etc/ld.so.cache /usr/lib64 /usr/lib32
program: {executed}
environment: \"\"
Uid: {user} {user} {user} {user}
Gid: {group} {group} {group} {group}
Groups: {group}
CapInh: {may}
CapPrm: {may}
CapEff: {may}
CapBnd: 0000000000000000
CapAmb: {beyond}
NoNewPrivs: 1
Seccomp: 2
Max cpu time: 10 10
Max file size: 2097152 2097152
Max open files: 64 64
Max address space: 2147483648 2147483648
open: 0 /dev/null
open: 1 /dev/null
open: 2 /dev/null
ipc: its own
mnt: its own
pid: its own
root: the container's
cwd: the container's
mounted: /
mounted: /proc {proc} ro,relatime
mounted: /sys tmpfs ro,relatime
mounted: /dev tmpfs ro,relatime"
    )
}

#[test]
fn ldconfig_keeps_nothing_that_it_does_not_need() {
    for owner in [(0, 0), OTHER] {
        for is_host in [true, false] {
            for global in [&[][..], &["--no-pivot"]] {
                assert_eq!(looked_at(owner, is_host, global), least(owner, is_host), "{owner:?} {is_host} {global:?}");
            }
        }
    }
}
