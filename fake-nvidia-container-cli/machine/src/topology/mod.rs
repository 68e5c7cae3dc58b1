//! The simulated machine: driver, GPUs, files. This module has the complete form and [`mod@file`] the written one;
//! [`load`] finds and checks a topology.
//!
//! It knows what a machine looks like, not what the program does with it.

pub mod builtin;
mod check;
pub mod file;
mod fill;
mod lines;
pub mod live;
mod load;

use live::{Accounted, Process, Readings};
pub use load::{Syntax, load, names, parse};

use crate::step::Step;
use serde::Serialize;

/// A complete machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// Its name.
    pub name: String,
    /// The driver's version, e.g. `570.172.08`.
    pub driver: String,
    /// The CUDA version of the driver.
    pub cuda: String,
    /// The GPUs, in the driver's order.
    pub gpus: Vec<Gpu>,
    /// The files that the driver has installed.
    pub host: Host,
    /// How the kernel shows MIG capabilities.
    pub nvcaps: NvCaps,
    /// How many IMEX channel nodes there are.
    pub imex_channels_present: u32,
    /// True if the container's process is gone.
    pub nopid: bool,
    /// The step that fails, if any.
    pub fail: Option<Fault>,
    /// The names of network cards.
    pub nics: Vec<String>,
    /// How GPUs and network cards are connected, one row each; empty if it follows from the models.
    pub matrix: Vec<String>,
    /// The time that it shows, if not the time of day.
    pub clock: Option<String>,
}

/// A GPU of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// Its place in the driver's order.
    pub index: u32,
    /// The number of its device node.
    pub minor: u32,
    /// The UUID with its prefix, the same everywhere.
    pub uuid: String,
    /// `domain:bus:device.function` with eight digits of domain.
    pub busid: String,
    /// The compute capability, `M.m`.
    pub arch: String,
    /// The brand word that requirements ask for.
    pub brand: String,
    /// The product's name, as the driver reports it.
    pub model: String,
    /// The memory in MiB.
    pub memory: u64,
    /// Whether it can be split.
    pub mig_capable: bool,
    /// Whether splitting is switched on.
    pub mig_enabled: bool,
    /// Its parts, in the driver's order.
    pub mig: Vec<Mig>,
    /// What its sensors and settings show, if that does not follow from the model.
    pub state: Readings,
    /// The programs that use it.
    pub processes: Vec<Process>,
    /// The programs that used it and were accounted.
    pub accounted: Vec<Accounted>,
}

/// A part of a GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mig {
    /// The UUID with its prefix, the same everywhere.
    pub uuid: String,
    /// The number of the GPU instance.
    pub gi: u32,
    /// The compute instance within it.
    pub ci: u32,
    /// The profile, e.g. `1g.5gb`.
    pub profile: String,
    /// Where the GPU instance begins, in memory slices; if `None`, it follows from the instance's number.
    pub start: Option<u32>,
    /// What its sensors show, if that does not follow from the profile.
    pub state: Readings,
}

/// The driver's files, with paths below the driver's root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Programs, with full paths.
    pub bins: Vec<String>,
    /// 64-bit libraries, in the order of the linker's cache.
    pub libs64: Vec<String>,
    /// 32-bit libraries, in the order of the linker's cache.
    pub libs32: Vec<String>,
    /// Nodes of the uvm driver.
    pub devs: Vec<String>,
    /// Sockets of daemons, and the MPS folder.
    pub ipcs: Vec<String>,
    /// Files of GSP firmware.
    pub firmwares: Vec<String>,
}

/// How the kernel shows MIG capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NvCaps {
    /// The kernel shows none of them.
    None,
    /// As files under /proc.
    Proc,
    /// As device nodes as well as files.
    Dev,
}

/// A step that fails on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The step that fails.
    #[serde(serialize_with = "step_name")]
    pub at: Step,
    /// What the error says; for a mount, the path that cannot be mounted on.
    pub message: String,
}

fn step_name<S: serde::Serializer>(step: &Step, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(step)
}

impl Topology {
    /// The message of the machine's fault, if it is at this step.
    #[must_use]
    pub fn fault_at(&self, step: Step) -> Option<&str> {
        self.fail.as_ref().filter(|f| f.at == step).map(|f| f.message.as_str())
    }

    /// True if MIG capabilities are device nodes.
    #[must_use]
    pub fn dev_caps(&self) -> bool {
        self.nvcaps == NvCaps::Dev
    }
}
