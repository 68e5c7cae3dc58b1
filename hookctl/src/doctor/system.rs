//! Kernel settings, control groups and user namespaces, on which access to devices depends. Must not know drivers.

use std::cmp::Ordering;
use std::path::Path;

use hook::contract::keys::Key;

use super::docker::installed;
use super::driver::library_version;
use super::examination::Examination;
use super::states::{
    BPF_JIT_HARDEN, CGROUPS_NOT_MOUNTED, CGROUPS_UNKNOWN_TO_CLI, HIDEPID, NESTED_CGROUPS, NO_CGROUPS_FOR_ALL,
    NO_SECCOMP, ROOTLESS, SELINUX, SINGLE_ID_MAP,
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
    bpf(examination);
    hidepid(examination);
    seccomp(examination);
    selinux(examination);
    cgroups(examination);
    user_namespace(examination);
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
    let files = ["/proc/self/mountinfo", "/proc/self/mounts", "/proc/mounts"];
    let value = files.into_iter().filter_map(|file| examination.host.text(file)).find_map(|text| hidepid_in(&text));
    match value {
        Some(value) => {
            let message = format!(
                "/proc is mounted with hidepid={value}, so nvidia-container-cli cannot see the container's process \
                 (\"stat failed: /proc/PID: no such file or directory\")"
            );
            examination.found(&HIDEPID, message);
        }
        None => examination.ok("proc", "/proc is mounted without hidepid"),
    }
}

/// The value of hidepid in a table of mounts, where it hides anything.
fn hidepid_in(mounts: &str) -> Option<String> {
    let of_proc = mounts.lines().filter(|line| line.split(' ').any(|word| word == "/proc"));
    let mut options = of_proc.flat_map(|line| line.split([' ', ',']));
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

/// Docker labels containers only where it is told to; Podman and CRI-O do it by themselves.
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
            _ => examination.ok(id, "version 2"),
        }
        return;
    }
    match examination.host.has(VERSION_1) {
        true => examination.ok(id, "version 1"),
        false if examination.surroundings.is_wsl() => examination.ok(id, "not mounted, as on WSL without systemd"),
        false => examination.found(&CGROUPS_NOT_MOUNTED, "no control groups are mounted at /sys/fs/cgroup"),
    }
}

fn user_namespace(examination: &mut Examination<'_>) {
    let id = "rootless";
    let setgroups = examination.host.text("/proc/self/setgroups").unwrap_or_default();
    let is_denied = examination.surroundings.mapped_ids.is_some() && setgroups.trim() == "deny";
    if examination.surroundings.mapped_ids == Some(1) || is_denied {
        let seen = match (examination.surroundings.mapped_ids, is_denied) {
            (Some(1), true) => "only one user id is mapped (/proc/self/uid_map), and setgroups is denied",
            (Some(1), false) => "only one user id is mapped (/proc/self/uid_map)",
            _ => "setgroups is denied in this user namespace",
        };
        let message = format!(
            "{seen}, so the helper of nvidia-container-cli cannot change its user (\"driver error: failed to process \
             request\")"
        );
        examination.found(&SINGLE_ID_MAP, message);
        return;
    }
    let Some(who) = examination.surroundings.user.clone() else {
        examination.ok(id, "no: root of the host");
        return;
    };
    if examination.config.flag(Key::CliNoCgroups) {
        examination.ok(id, format!("yes, {who}, and no-cgroups is true"));
    } else if let Around::Container(kind) = examination.surroundings.around {
        let message =
            format!("this is an unprivileged container ({kind}), where the hook may not change control groups");
        examination.found(&NESTED_CGROUPS, message);
    } else {
        let message = format!(
            "yes, {who}: the hook of a rootless engine may not change control groups (\"bpf_prog_query failed\")"
        );
        examination.found(&ROOTLESS, message);
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
