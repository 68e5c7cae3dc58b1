//! Control groups and user namespaces, on which access to devices depends.

use std::path::Path;

use super::Examination;
use super::driver::library_version;
use crate::driver::compare;
use crate::finding::Finding;
use hook::contract::keys::Key;
use hook::host::Host;

const VERSION_2: &str = "/sys/fs/cgroup/cgroup.controllers";
const VERSION_1: &str = "/sys/fs/cgroup/devices";
/// The first nvidia-container-cli that can allow devices in version 2.
const FIRST_FOR_VERSION_2: &str = "1.8.0";

/// The checks.
pub fn checks(examination: &Examination<'_>) -> Vec<Finding> {
    vec![cgroups(examination), user_namespace(examination)]
}

fn cgroups(examination: &Examination<'_>) -> Finding {
    let id = "cgroups";
    if examination.config.flag(Key::CliNoCgroups) && rootless(examination).is_some() {
        return Finding::ok(id, "left alone, as rootless engines need it");
    }
    if examination.config.flag(Key::CliNoCgroups) {
        return Finding::warning(
            id,
            "no-cgroups is true: the engine itself must allow the devices, and containers of root are not confined by the hook",
            "set it only in the configuration of rootless users ($XDG_CONFIG_HOME/nvidia-container-runtime/config.toml)",
        );
    }
    if examination.host.kind(Path::new(VERSION_2)).is_some() {
        let installed = library_version(examination.host, Path::new("/"), "libnvidia-container.so.1");
        return match installed {
            Some(old) if compare(&old, FIRST_FOR_VERSION_2) == std::cmp::Ordering::Less => Finding::error(
                id,
                format!(
                    "version 2, which nvidia-container-cli {old} does not know (\"cgroup subsystem devices not found\")"
                ),
                "upgrade nvidia-container-cli, or boot with systemd.unified_cgroup_hierarchy=0",
            ),
            _ => Finding::ok(id, "version 2"),
        };
    }
    match examination.host.kind(Path::new(VERSION_1)) {
        Some(_) => Finding::ok(id, "version 1"),
        None => Finding::warning(
            id,
            "no control groups are mounted at /sys/fs/cgroup",
            "devices cannot be allowed to containers; in a container, mount them, or set nvidia-container-cli.no-cgroups = true",
        ),
    }
}

fn user_namespace(examination: &Examination<'_>) -> Finding {
    let id = "rootless";
    let Some(who) = rootless(examination) else { return Finding::ok(id, "no: root of the host") };
    if examination.config.flag(Key::CliNoCgroups) {
        return Finding::ok(id, format!("yes, {who}, and no-cgroups is true"));
    }
    Finding::warning(
        id,
        format!("yes, {who}: the hook of a rootless engine may not change control groups (\"bpf_prog_query failed\")"),
        "for rootless engines set nvidia-container-cli.no-cgroups = true in \
         $XDG_CONFIG_HOME/nvidia-container-runtime/config.toml, which leaves root's containers alone",
    )
}

/// In whose name the report is made, where that is not root of the host.
fn rootless(examination: &Examination<'_>) -> Option<String> {
    let mapped = examination.host.read(Path::new("/proc/self/uid_map")).unwrap_or_default();
    let mapped = String::from_utf8_lossy(&mapped).into_owned();
    if !mapped.is_empty() && !mapped.split_whitespace().eq(["0", "0", "4294967295"]) {
        return Some("a user namespace".to_owned());
    }
    real_user(examination).filter(|user| *user != 0).map(|user| format!("user {user}"))
}

/// The user in whose name the report is made.
fn real_user(examination: &Examination<'_>) -> Option<u32> {
    let status = examination.host.read(Path::new("/proc/self/status")).ok()?;
    let status = String::from_utf8_lossy(&status).into_owned();
    status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?.parse().ok()
}
