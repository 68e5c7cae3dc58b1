//! The GPUs that the driver shows, their device nodes, and persistence. Must not know containers.

use std::path::Path;

use hook::contract::keys::Key;
use hook::host::FileKind;

use super::examination::Examination;
use super::states::{
    CHAR_LINKS_MISSING, MODESET_MISSING, NO_GPU, NO_PERSISTENCE, NODE_CLOSED, NODE_CLOSED_ROOTLESS, NODE_IS_A_FILE,
    NODE_MISSING, UVM_MISSING,
};
use super::surroundings::Around;
use super::system::is_cgroup_2;
use super::{docker, hardware};
use crate::driver::of_host;
use crate::finding::Severity;
use crate::inspect::{Inspect, Status, seen};
use crate::tree::Tree;

/// The settings of the simulator, which lays such machines out.
const SIMULATED: &str = "/etc/fake-nvidia/config.toml";
/// Nodes that all containers with GPUs share.
const CONTROL: &str = "/dev/nvidiactl";
const UVM: &str = "/dev/nvidia-uvm";
const MODESET: &str = "/dev/nvidia-modeset";
/// The major number of the GPU nodes and the control node.
const MAJOR: u32 = 195;
const PERSISTENCE_SOCKETS: [&str; 2] = ["/run/nvidia-persistenced/socket", "/var/run/nvidia-persistenced/socket"];

/// The checks; they mean nothing without a loaded kernel module.
pub fn check(examination: &mut Examination<'_>) {
    if of_host(examination.host).is_none() || examination.surroundings.is_integrated_tegra() {
        return;
    }
    let count = examination.gpus.list.len();
    if count == 0 {
        let held = hardware::holders(examination.host);
        let why = if held.is_empty() { String::new() } else { format!(": {held}") };
        examination.found(&NO_GPU, format!("the kernel module is loaded and drives no GPU{why}"));
        return;
    }
    examination.ok("gpus", format!("{count} driven by the kernel module"));
    nodes(examination);
    char_links(examination);
    persistence(examination);
}

/// Where a node is: below the driver's root if it is there, as in a driver container, otherwise below `/`.
fn place(examination: &Examination<'_>, node: &str) -> String {
    let below = format!("{}{node}", examination.driver_root().display());
    let is_elsewhere = examination.driver_root() != Path::new("/") && examination.host.has(&below);
    if is_elsewhere { below } else { node.to_owned() }
}

/// The nodes of the GPUs, with their minor numbers.
fn gpu_nodes(examination: &Examination<'_>) -> Vec<(String, u32)> {
    examination.gpus.list.iter().map(|gpu| (format!("/dev/nvidia{}", gpu.minor), gpu.minor)).collect()
}

fn nodes(examination: &mut Examination<'_>) {
    let own = gpu_nodes(examination).into_iter().map(|(node, _)| node);
    let nodes: Vec<String> =
        [CONTROL.to_owned(), UVM.to_owned()].into_iter().chain(own).map(|node| place(examination, &node)).collect();
    let host = examination.host;
    let kind = |node: &&String| seen(host, Path::new(node.as_str()));
    let files: Vec<&String> = nodes
        .iter()
        .filter(|node| matches!(kind(node), Some(FileKind::Regular { .. } | FileKind::Directory)))
        .collect();
    if !files.is_empty() && host.has(SIMULATED) {
        examination.ok("device-nodes", format!("{} is a file, as on a simulated machine", words(&files)));
        return;
    }
    if !files.is_empty() {
        examination.found(&NODE_IS_A_FILE, format!("{} is not a device node", words(&files)));
        return;
    }
    missing_nodes(examination, &nodes);
    let present: Vec<&String> = nodes.iter().filter(|node| kind(node).is_some()).collect();
    let closed: Vec<&String> = present
        .iter()
        .copied()
        .filter(|node| !host.status(Path::new(node.as_str())).is_some_and(Status::is_open_to_all))
        .collect();
    let user = user_and_group(examination);
    if let Some(user) = user.as_ref().filter(|user| !closed.is_empty() && are_open_to(host, user, &closed)) {
        let message = format!(
            "{} are open to their group, to which nvidia-container-cli.user = \"{user}\" belongs, as do containers of root",
            words(&closed)
        );
        examination.ok("device-nodes", message);
    } else if !closed.is_empty() {
        let state = match examination.surroundings.mapped_ids {
            Some(_) => &NODE_CLOSED_ROOTLESS,
            None => &NODE_CLOSED,
        };
        let nor = user
            .map_or_else(String::new, |user| format!(", nor by the group of nvidia-container-cli.user = \"{user}\""));
        examination.found(state, format!("{} cannot be read and written by everybody{nor}", words(&closed)));
    } else if present.len() == nodes.len() {
        examination.ok("device-nodes", format!("{} are there and open to all", words(&present)));
    }
    if !host.has(&place(examination, MODESET)) && !makes_modeset(examination) {
        examination.found(
            &MODESET_MISSING,
            format!("{MODESET} does not exist, so containers that ask for the capability display do not start"),
        );
    }
}

/// The user and group that nvidia-container-cli asks the driver as (nvidia-container-cli.user), if both are named, as on
/// SUSE. In a user namespace no group of the host counts.
fn user_and_group(examination: &Examination<'_>) -> Option<String> {
    let user = examination.config.text(Key::CliUser);
    (user.contains(':') && examination.surroundings.mapped_ids.is_none()).then(|| user.to_owned())
}

/// Whether nodes that are closed to others are open to the group of a `USER:GROUP`.
fn are_open_to(host: &Tree, user: &str, closed: &[&String]) -> bool {
    let Some(group) = user.split_once(':').and_then(|(_, group)| group_id(host, group)) else { return false };
    // In a tree that a user unpacked, root's files have the group of the root directory.
    let root = host.status(Path::new("/")).map_or(0, |status| status.group);
    closed.iter().all(|node| {
        host.status(Path::new(node.as_str())).is_some_and(|status| {
            let owner = if status.group == root { 0 } else { status.group };
            status.permissions() & 0o060 == 0o060 && owner == group
        })
    })
}

/// The number of a group, by itself or by its name in the host's files: /usr/lib/group has the system's on image-based
/// systems.
fn group_id(host: &Tree, group: &str) -> Option<u32> {
    let listed = |file| {
        let text = host.text(file)?;
        let mut groups = text.lines().map(|line| line.split(':').collect::<Vec<&str>>());
        groups.find(|fields| fields.first() == Some(&group))?.get(2)?.parse().ok()
    };
    group.parse().ok().or_else(|| listed("/etc/group")).or_else(|| listed("/usr/lib/group"))
}

/// Whether load-kmods makes the node for the display driver: its module is loaded, or there is one for this kernel.
fn makes_modeset(examination: &Examination<'_>) -> bool {
    let (host, release) = (examination.host, &examination.surroundings.release);
    let is_module = |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with("nvidia-modeset.ko"));
    let listed = || host.text(&format!("/lib/modules/{release}/modules.dep")).unwrap_or_default();
    examination.config.flag(Key::CliLoadKmods)
        && (host.has("/sys/module/nvidia_modeset")
            || listed().lines().filter_map(|line| line.split(':').next()).any(is_module)
            || host.names(&format!("/lib/modules/{release}/updates/dkms")).iter().any(|name| is_module(name)))
}

fn missing_nodes(examination: &mut Examination<'_>, nodes: &[String]) {
    let host = examination.host;
    let missing: Vec<&String> = nodes.iter().filter(|node| !host.has(node)).collect();
    if missing.is_empty() {
        return;
    }
    let state = if missing.iter().all(|node| *node == UVM) { &UVM_MISSING } else { &NODE_MISSING };
    let are = if missing.len() == 1 { "is" } else { "are" };
    let message = format!("{} {are} missing", words(&missing));
    if let Around::Container(kind) = examination.surroundings.around {
        let remedy = format!(
            "give the nodes to this container ({kind}) from its outer host, and allow their devices there (LXC: \
             lxc.mount.entry and lxc.cgroup2.devices.allow = c 195:* rwm, and the major of nvidia-uvm)"
        );
        examination.found_with(state, message, remedy);
        return;
    }
    match examination.config.flag(Key::CliLoadKmods) {
        true => {
            let remedy = format!(
                "{}; load-kmods makes {} at the first start of a container",
                state.remedy,
                if are == "is" { "it" } else { "them" }
            );
            examination.found_as(Severity::Warning, state, message, remedy);
        }
        false => {
            let remedy = format!("{}, or set nvidia-container-cli.load-kmods = true", state.remedy);
            examination.found_with(state, message, remedy);
        }
    }
}

fn words(nodes: &[&String]) -> String {
    nodes.iter().map(|node| node.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether process 1 is known and is not systemd. The directory is the one systemd itself says to look for (sd_booted).
fn runs_without_systemd(host: &Tree) -> bool {
    let first = host.text("/proc/1/comm").unwrap_or_default();
    !host.has("/run/systemd/system") && !first.trim().is_empty() && first.trim() != "systemd"
}

/// systemd finds devices by their links below /dev/char: a device without one loses its rule when systemd reloads.
fn char_links(examination: &mut Examination<'_>) {
    let host = examination.host;
    let minors = gpu_nodes(examination).into_iter().map(|(node, minor)| (node, format!("/dev/char/{MAJOR}:{minor}")));
    let control = (CONTROL.to_owned(), format!("/dev/char/{MAJOR}:255"));
    let missing: Vec<String> = minors
        .chain([control])
        .filter(|(node, link)| host.has(node) && !host.is_link(Path::new(link)) && !host.has(link))
        .map(|(_, link)| link)
        .collect();
    if missing.is_empty() {
        examination.ok("char-links", "the device nodes have links below /dev/char");
    } else if runs_without_systemd(host) {
        examination.ok("char-links", "missing below /dev/char, which does not matter: no systemd runs here");
    } else if is_cgroup_2(examination) && !docker::uses_cgroupfs(host) || docker::uses_systemd(host) {
        let are = if missing.len() == 1 { "is" } else { "are" };
        let message = format!(
            "{} {are} missing, so containers lose their GPUs when systemd reloads (\"Failed to initialize NVML: Unknown Error\")",
            missing.join(", ")
        );
        examination.found(&CHAR_LINKS_MISSING, message);
    } else {
        examination.ok("char-links", "missing below /dev/char, which does not matter without systemd's cgroups");
    }
}

fn persistence(examination: &mut Examination<'_>) {
    if PERSISTENCE_SOCKETS.iter().any(|socket| examination.host.has(&place(examination, socket))) {
        examination.ok("persistence", "nvidia-persistenced runs");
        return;
    }
    if matches!(examination.surroundings.around, Around::Container(_)) {
        examination.ok("persistence", "not here: the outer host's nvidia-persistenced counts");
        return;
    }
    // No file shows the legacy persistence mode (nvidia-smi -pm 1): the H200 of the fixtures had it.
    let message = "nvidia-persistenced does not run: unless nvidia-smi -pm 1 keeps it up, the driver starts anew for each \
                   container, which is slow with many GPUs (\"driver rpc error: timed out\")";
    examination.found(&NO_PERSISTENCE, message);
}
