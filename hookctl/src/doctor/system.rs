//! Kernel settings and control groups that access to devices depends on. Must not know drivers or user namespaces.

use std::cmp::Ordering;
use std::path::Path;

use hook::contract::keys::Key;

use super::docker::installed;
use super::driver::library_version;
use super::examination::Examination;
use super::states::{
    BPF_JIT_HARDEN, CGROUP_DEVICES_MISSING, CGROUPS_NOT_MOUNTED, CGROUPS_READ_ONLY, CGROUPS_UNKNOWN_TO_CLI, HIDEPID,
    NO_CGROUPS_FOR_ALL, NO_SECCOMP, SELINUX,
};
use super::surroundings::Around;
use crate::driver::compare;
use crate::finding::{Finding, Severity};
use crate::inspect::Inspect;

const VERSION_2: &str = "/sys/fs/cgroup/cgroup.controllers";
const VERSION_1: &str = "/sys/fs/cgroup/devices";
const BPF: &str = "/proc/sys/net/core/bpf_jit_harden";
/// The first nvidia-container-cli that can allow devices in version 2.
const FIRST_FOR_VERSION_2: &str = "1.8.0";

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    if !examination.surroundings.is_running {
        not_running(examination);
        return;
    }
    bpf(examination);
    hidepid(examination);
    seccomp(examination);
    selinux(examination);
    cgroups(examination);
    cgroup_support(examination);
}

/// A root without a running kernel says nothing about one, except what it will mount.
fn not_running(examination: &mut Examination<'_>) {
    let message = "no kernel runs on this root (/proc/sys/kernel/osrelease does not exist there): the kernel module, \
                   device nodes, kernel settings, control groups and user namespaces were not looked at";
    let remedy = "run doctor on the machine itself, or mount its /proc, /sys and /dev below the root";
    examination.findings.push(Finding::new(Severity::Note, "not-running", message, remedy));
    if let Some(value) = planned_hidepid(examination) {
        hides_processes(examination, &value);
    }
}

/// Whether control groups are version 2.
#[must_use]
pub fn is_cgroup_2(examination: &Examination<'_>) -> bool {
    examination.host.has(VERSION_2)
}

fn bpf(examination: &mut Examination<'_>) {
    if !is_cgroup_2(examination) || examination.config.flag(Key::CliNoCgroups) {
        return;
    }
    match examination.host.text(BPF).as_deref().map(str::trim) {
        Some("2") => {
            let message = "net.core.bpf_jit_harden is 2, so nvidia-container-cli cannot extend the device filters of \
                           control groups version 2 (\"failed to add device rules\")";
            examination.found(&BPF_JIT_HARDEN, message);
        }
        Some(value) => examination.ok("kernel-settings", format!("net.core.bpf_jit_harden is {value}")),
        None if examination.host.has(BPF) => examination.findings.push(Finding::new(
            Severity::Note,
            "kernel-settings",
            "net.core.bpf_jit_harden could not be read, so it is not known whether it is in the way",
            "run doctor as root to have it looked at",
        )),
        None => {}
    }
}

fn hidepid(examination: &mut Examination<'_>) {
    let tables: Vec<String> = MOUNTS.into_iter().filter_map(|file| examination.host.text(file)).collect();
    let value = tables.iter().find_map(|text| hidepid_in(text));
    match value.or_else(|| planned_hidepid(examination).filter(|_| tables.is_empty())) {
        Some(value) => hides_processes(examination, &value),
        None => examination.ok("proc", "/proc is mounted without hidepid"),
    }
}

/// The disk of a machine that is not running shows no mounts, only the ones it will make.
fn planned_hidepid(examination: &Examination<'_>) -> Option<String> {
    hidepid_in(&examination.host.text("/etc/fstab")?)
}

fn hides_processes(examination: &mut Examination<'_>, value: &str) {
    let message = format!(
        "/proc is mounted with hidepid={value}, so nvidia-container-cli cannot see the container's process (\"stat \
         failed: /proc/PID: no such file or directory\")"
    );
    examination.found(&HIDEPID, message);
}

/// The mount tables, in both of their formats.
const MOUNTS: [&str; 3] = ["/proc/self/mountinfo", "/proc/self/mounts", "/proc/mounts"];

/// The value of hidepid in a mount table, if it hides anything.
fn hidepid_in(mounts: &str) -> Option<String> {
    let of_proc = mounts.lines().filter(|line| !line.trim_start().starts_with('#'));
    let of_proc = of_proc.filter(|line| line.split_whitespace().any(|word| word == "/proc"));
    let mut options = of_proc.flat_map(|line| line.split([' ', ',', '\t']));
    let value = options.find_map(|option| option.strip_prefix("hidepid="))?;
    (!matches!(value, "0" | "off")).then(|| value.to_owned())
}

fn seccomp(examination: &mut Examination<'_>) {
    let host = examination.host;
    let status = host.text("/proc/self/status").unwrap_or_default();
    let config = host.text(&format!("/boot/config-{}", examination.surroundings.release)).unwrap_or_default();
    let lacks_line = !status.is_empty() && !status.lines().any(|line| line.starts_with("Seccomp:"));
    let not_set = config.lines().any(|line| line.trim() == "# CONFIG_SECCOMP is not set");
    if lacks_line || not_set {
        let seen = match not_set {
            true => format!("CONFIG_SECCOMP is not set in /boot/config-{}", examination.surroundings.release),
            false => "there is no line Seccomp: in /proc/self/status".to_owned(),
        };
        let message = format!(
            "the kernel has no seccomp ({seen}), so nvidia-container-cli cannot confine ldconfig (\"process \
             /sbin/ldconfig failed with error code: 1\")"
        );
        examination.found(&NO_SECCOMP, message);
    } else if !status.is_empty() {
        examination.ok("seccomp", "the kernel has it");
    }
}

/// Docker labels containers only if configured to; Podman and CRI-O do it by default.
fn selinux(examination: &mut Examination<'_>) {
    let host = examination.host;
    if host.text("/sys/fs/selinux/enforce").is_none_or(|text| text.trim() != "1") {
        return;
    }
    let allowed = host.text("/sys/fs/selinux/booleans/container_use_devices").is_some_and(|text| text.starts_with('1'));
    if (installed(host, "podman") || installed(host, "crio")) && !allowed {
        let message = "SELinux is enforced, and container_use_devices is off: containers of Podman and CRI-O may not use \
                       device nodes";
        examination.found(&SELINUX, message);
    } else {
        examination.ok("selinux", "enforced, and not in the way");
    }
}

fn cgroups(examination: &mut Examination<'_>) {
    let id = "cgroups";
    if examination.config.flag(Key::CliNoCgroups) {
        if examination.surroundings.user.is_some() {
            examination.ok(id, "left alone, as rootless engines need it");
        } else if matches!(examination.surroundings.around, Around::Container(_)) {
            examination.ok(id, "left alone, as inside another container");
        } else {
            let message = "no-cgroups is true: the engine itself must allow the devices, and containers of root are \
                           not confined by the hook";
            examination.found(&NO_CGROUPS_FOR_ALL, message);
        }
        return;
    }
    if is_cgroup_2(examination) {
        match library_version(examination.host, Path::new("/"), "libnvidia-container.so.1") {
            Some(old) if compare(&old, FIRST_FOR_VERSION_2) == Ordering::Less => {
                let message = format!(
                    "version 2, which nvidia-container-cli {old} does not know (\"cgroup subsystem devices not found\")"
                );
                examination.found(&CGROUPS_UNKNOWN_TO_CLI, message);
            }
            _ => read_only(examination, "version 2"),
        }
        return;
    }
    match examination.host.has(VERSION_1) {
        true => read_only(examination, "version 1"),
        false if examination.surroundings.is_wsl() => examination.ok(id, "not mounted, as on WSL without systemd"),
        false => examination.found(&CGROUPS_NOT_MOUNTED, "no control groups are mounted at /sys/fs/cgroup"),
    }
}

/// Inside a container, control groups may be mounted read-only.
fn read_only(examination: &mut Examination<'_>, version: &str) {
    let table = examination.host.text("/proc/self/mountinfo").unwrap_or_default();
    let is_closed = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let at = words.get(4).copied().unwrap_or_default();
        let options = words.get(5).copied().unwrap_or_default();
        matches!(at, "/sys/fs/cgroup" | "/sys/fs/cgroup/devices") && options.split(',').any(|option| option == "ro")
    };
    let is_container = matches!(examination.surroundings.around, Around::Container(_));
    if is_container && table.lines().any(is_closed) {
        let message = format!("{version}, mounted for reading only in this container");
        examination.found(&CGROUPS_READ_ONLY, message);
    } else {
        examination.ok("cgroups", version);
    }
}

/// Checks whether the kernel was built with the options that device rules need.
fn cgroup_support(examination: &mut Examination<'_>) {
    let path = format!("/boot/config-{}", examination.surroundings.release);
    let Some(config) = examination.host.text(&path) else { return };
    if examination.config.flag(Key::CliNoCgroups) {
        return;
    }
    let wanted: &[&str] =
        if is_cgroup_2(examination) { &["CONFIG_CGROUP_BPF", "CONFIG_BPF_SYSCALL"] } else { &["CONFIG_CGROUP_DEVICE"] };
    let is_off = |option: &str| config.lines().any(|line| line.trim() == format!("# {option} is not set"));
    if let Some(option) = wanted.iter().find(|option| is_off(option)) {
        examination.found(&CGROUP_DEVICES_MISSING, format!("{option} is not set in {path}"));
    }
}

#[cfg(test)]
mod tests {
    use super::hidepid_in;

    #[test]
    fn hidepid_is_read_from_either_table_of_mounts() {
        let of = |text: &str| hidepid_in(text);
        assert_eq!(of("proc /proc proc rw,relatime,gid=4,hidepid=2 0 0\n").as_deref(), Some("2"));
        assert_eq!(
            of("22 1 0:20 / /proc rw shared:5 - proc proc rw,hidepid=invisible\n").as_deref(),
            Some("invisible")
        );
        assert_eq!(of("proc /proc proc rw,hidepid=0 0 0\nproc /x/proc proc rw,hidepid=2 0 0\n"), None);
        assert_eq!(of("proc /proc proc rw 0 0\n"), None);
    }
}
