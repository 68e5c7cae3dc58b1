//! GPUs, their device nodes, and whether the driver stays awake between containers.

use std::path::Path;

use super::Examination;
use crate::driver::of_host;
use crate::finding::Finding;
use crate::inspect::{Inspect, Status};
use hook::contract::keys::Key;
use hook::host::{FileKind, Host};

const GPUS: &str = "/proc/driver/nvidia/gpus";
/// The nodes that belong to no single GPU.
const SHARED_NODES: [&str; 2] = ["/dev/nvidiactl", "/dev/nvidia-uvm"];
const PERSISTENCE_SOCKETS: [&str; 2] = ["/run/nvidia-persistenced/socket", "/var/run/nvidia-persistenced/socket"];

/// The checks; none of them means anything without a kernel module.
pub fn checks(examination: &Examination<'_>) -> Vec<Finding> {
    if of_host(examination.host).is_none() {
        return Vec::new();
    }
    let gpus = examination.host.list(Path::new(GPUS)).len();
    if gpus == 0 {
        return vec![Finding::error(
            "gpus",
            "the kernel module is loaded and drives no GPU",
            "is there one (lspci -d 10de:), and not held by vfio-pci or nouveau? See dmesg",
        )];
    }
    let mut checks = vec![Finding::ok("gpus", format!("{gpus} driven by the kernel module"))];
    let own = (0..gpus).map(|minor| format!("/dev/nvidia{minor}"));
    let nodes: Vec<String> = SHARED_NODES.iter().map(|node| (*node).to_owned()).chain(own).collect();
    checks.push(device_nodes(examination, &nodes));
    checks.push(persistence(examination));
    checks
}

fn device_nodes(examination: &Examination<'_>, nodes: &[String]) -> Finding {
    let id = "device-nodes";
    let kind = |node: &&String| examination.host.kind(Path::new(node.as_str()));
    let false_ones: Vec<&String> = nodes
        .iter()
        .filter(|node| matches!(kind(node), Some(FileKind::Regular { .. } | FileKind::Directory)))
        .collect();
    if !false_ones.is_empty() {
        let message = format!("{} is no device node", words(&false_ones));
        return Finding::error(
            id,
            message,
            "something wrote there before the driver did: remove it, and run nvidia-modprobe -u",
        );
    }
    let missing: Vec<&String> = nodes.iter().filter(|node| kind(node).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("{} is missing", words(&missing));
        let remedy = "run nvidia-modprobe -u, or nvidia-smi once";
        return match examination.config.flag(Key::CliLoadKmods) {
            true => Finding::warning(
                id,
                message,
                format!("{remedy}; load-kmods makes it at the first start of a container"),
            ),
            false => Finding::error(id, message, format!("{remedy}, or set nvidia-container-cli.load-kmods = true")),
        };
    }
    let closed: Vec<&String> = nodes
        .iter()
        .filter(|node| !examination.host.status(Path::new(node.as_str())).is_some_and(Status::is_open_to_all))
        .collect();
    if !closed.is_empty() {
        let message = format!("{} cannot be read and written by everybody", words(&closed));
        let remedy = "containers of other users than root will fail (\"insufficient permissions\"): chmod 0666, or set \
                      nvidia-container-cli.user, as on SUSE (\"root:video\")";
        return Finding::warning(id, message, remedy);
    }
    Finding::ok(id, format!("{} are there and open to all", words(&nodes.iter().collect::<Vec<_>>())))
}

fn words(nodes: &[&String]) -> String {
    nodes.iter().map(|node| node.as_str()).collect::<Vec<_>>().join(", ")
}

fn persistence(examination: &Examination<'_>) -> Finding {
    let id = "persistence";
    if PERSISTENCE_SOCKETS.iter().any(|socket| examination.host.kind(Path::new(socket)).is_some()) {
        return Finding::ok(id, "nvidia-persistenced runs");
    }
    Finding::warning(
        id,
        "nvidia-persistenced does not run: the driver starts anew for each container, which is slow with many GPUs \
         (\"driver rpc error: timed out\")",
        "systemctl enable --now nvidia-persistenced",
    )
}
