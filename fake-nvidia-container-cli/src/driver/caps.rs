//! The kernel's numbering of MIG capabilities: which file under /proc belongs to which node under /dev/nvidia-caps.

use nvidia_simulated_machine::topology::{Gpu, Mig, Topology};
use std::collections::BTreeSet;

/// The capability folder under /proc.
pub const PROC: &str = "/proc/driver/nvidia/capabilities";
/// The folder of the nodes.
pub const DEV: &str = "/dev/nvidia-caps";
/// The node of the right to change layouts.
pub const CONFIG: u32 = 1;
/// The node of the right to watch all parts.
pub const MONITOR: u32 = 2;

/// The node of the right to channels between machines, after the nodes of all GPUs.
pub const FABRIC: u32 = 3 + GPUS * PER_GPU;

/// The number of GPUs that the kernel keeps nodes for.
pub const GPUS: u32 = 32;
/// Nodes of one GPU instance: its own, and one for each of eight compute instances.
const PER_INSTANCE: u32 = 9;
/// Nodes of one GPU: fifteen GPU instances.
const PER_GPU: u32 = 15 * PER_INSTANCE;

/// A file under /proc and its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The file under /proc, in full.
    pub proc: String,
    /// The node's minor number.
    pub minor: u32,
}

impl Access {
    /// The path of the node with this minor number, on the host and in the container.
    #[must_use]
    pub fn dev(&self) -> String {
        dev(self.minor)
    }
}

/// Who may open a node: only root if the right changes a machine, everybody otherwise. Nobody may write to one.
#[must_use]
pub fn mode(minor: u32) -> u32 {
    if [CONFIG, FABRIC].contains(&minor) { 0o400 } else { 0o444 }
}

/// The path of a node.
#[must_use]
pub fn dev(minor: u32) -> String {
    format!("{DEV}/nvidia-cap{minor}")
}

/// The folder of a GPU.
#[must_use]
pub fn gpu_folder(gpu: &Gpu) -> String {
    format!("{PROC}/gpu{}", gpu.minor)
}

/// The GPU instance and the compute instance of a part.
#[must_use]
pub fn accesses(gpu: &Gpu, mig: &Mig) -> [Access; 2] {
    let instance = format!("{}/mig/gi{}", gpu_folder(gpu), mig.gi);
    let minor = first(gpu) + mig.gi * PER_INSTANCE;
    [
        Access { proc: format!("{instance}/access"), minor },
        Access { proc: format!("{instance}/ci{}/access", mig.ci), minor: minor + 1 + mig.ci },
    ]
}

/// All nodes that the kernel keeps for a GPU, whether the parts exist or not.
pub fn all(gpu: &Gpu) -> std::ops::Range<u32> {
    let end = if gpu.minor < GPUS { first(gpu) + PER_GPU } else { first(gpu) };
    first(gpu)..end
}

/// The rights that exist on a machine: both global ones, and the rights of every part.
#[must_use]
pub fn existing(machine: &Topology) -> Vec<Access> {
    let global = [("config", CONFIG), ("monitor", MONITOR)];
    let global = global.map(|(word, minor)| Access { proc: format!("{PROC}/mig/{word}"), minor });
    let parts = machine.gpus.iter().flat_map(|gpu| gpu.mig.iter().flat_map(|mig| accesses(gpu, mig)));
    let mut all: Vec<Access> = global.into_iter().chain(parts).collect();
    // Parts of one GPU instance share its right.
    let mut seen = BTreeSet::new();
    all.retain(|right| seen.insert(right.minor));
    all
}

fn first(gpu: &Gpu) -> u32 {
    3 + gpu.minor * PER_GPU
}
