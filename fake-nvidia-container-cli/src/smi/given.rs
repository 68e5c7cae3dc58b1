//! What a container was given: the devices of a choice, as the stand-in of nvidia-smi tells them.

use super::Trouble;
use crate::simulate::Choice;
use nvidia_simulated_machine::step::Step;
use nvidia_simulated_machine::topology::{Gpu, Mig, Topology};
use serde::{Deserialize, Serialize};

/// The devices of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The driver's version, e.g. `570.172.08`.
    pub driver: String,
    /// The CUDA version of the driver, e.g. `12.8`.
    pub cuda: String,
    /// Why nvidia-smi has nothing else to say.
    pub broken: Option<Trouble>,
    /// The GPUs, numbered from 0.
    pub gpus: Vec<GivenGpu>,
}

/// A GPU that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenGpu {
    /// The product's name, as the driver tells it.
    pub name: String,
    /// Its UUID, with the prefix that says the kind.
    pub uuid: String,
    /// Its bus, with eight digits of domain and in capitals.
    pub bus: String,
    /// Its compute capability, e.g. `9.0`.
    pub arch: String,
    /// Its memory in MiB.
    pub memory: u64,
    /// Whether it can be split, and is.
    pub mig_mode: Option<bool>,
    /// Its parts that were given.
    pub mig: Vec<GivenMig>,
}

/// A part of a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenMig {
    /// Its UUID, with the prefix that says the kind.
    pub uuid: String,
    /// Its profile, e.g. `1g.5gb`.
    pub profile: String,
    /// The number of its GPU instance.
    pub gi: u32,
    /// The number of its compute instance.
    pub ci: u32,
}

impl Given {
    /// The devices of a choice. The driver tells GPUs in its own order, whatever the order of the choice; a right to
    /// change or watch the layout shows every part of a GPU.
    #[must_use]
    pub fn new(machine: &Topology, choice: &Choice) -> Self {
        let part = |gpu: usize, at: usize| {
            choice.config.contains(&gpu) || choice.monitor.contains(&gpu) || choice.devices.migs.contains(&(gpu, at))
        };
        let chosen = machine.gpus.iter().enumerate().filter(|(at, _)| choice.devices.gpus.contains(at));
        let gpus = chosen.map(|(place, gpu)| {
            let parts = gpu.mig.iter().enumerate().filter(|(at, _)| part(place, *at));
            told(gpu, parts.map(|(_, mig)| mig))
        });
        Self { gpus: gpus.collect(), ..Self::nothing(machine) }
    }

    /// The whole machine, as its owner sees it.
    #[must_use]
    pub fn everything(machine: &Topology) -> Self {
        Self { gpus: machine.gpus.iter().map(|gpu| told(gpu, gpu.mig.iter())).collect(), ..Self::nothing(machine) }
    }

    fn nothing(machine: &Topology) -> Self {
        let fault =
            [Step::Init, Step::DriverInfo, Step::DeviceInfo].into_iter().find_map(|step| machine.fault_at(step));
        let broken = fault.map(|message| trouble(machine, message));
        Self { driver: machine.driver.clone(), cuda: machine.cuda.clone(), broken, gpus: Vec::new() }
    }
}

/// The trouble that a message tells of, on a machine.
fn trouble(machine: &Topology, message: &str) -> Trouble {
    let bus = machine.gpus.first().map(|gpu| gpu.busid.to_ascii_uppercase()).unwrap_or_default();
    Trouble::of(message, &machine.driver, &bus)
}

fn told<'a>(gpu: &Gpu, parts: impl Iterator<Item = &'a Mig>) -> GivenGpu {
    let part = |mig: &Mig| GivenMig { uuid: mig.uuid.clone(), profile: mig.profile.clone(), gi: mig.gi, ci: mig.ci };
    GivenGpu {
        name: gpu.model.clone(),
        uuid: gpu.uuid.clone(),
        bus: gpu.busid.to_ascii_uppercase(),
        arch: gpu.arch.clone(),
        memory: gpu.memory,
        mig_mode: gpu.mig_capable.then_some(gpu.mig_enabled),
        mig: parts.map(part).collect(),
    }
}
