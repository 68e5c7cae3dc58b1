//! The CDI specification of a simulated machine in a folder (`driver-root`). With it, Podman, Docker, containerd and
//! CRI-O give its GPUs to containers without a hook. Devices and their names are those of `nvidia-ctk cdi generate`.
//!
//! It decides what a specification says, and touches nothing.

mod edits;
mod yaml;

pub use edits::{Edits, Mount, Node};
pub use yaml::yaml;

use crate::driver_root::Nodes;
use edits::Site;
use nvidia_simulated_machine::topology::Topology;
use serde::Serialize;
use std::collections::BTreeSet;

/// The oldest CDI version with everything that is used here: a device name can be a number.
const VERSION: &str = "0.5.0";
/// The kind of all devices.
pub const KIND: &str = "nvidia.com/gpu";
/// The name of all devices together.
const ALL: &str = "all";

/// How devices are named, in nvidia-ctk's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `0`, and `0:1` for a part of it.
    Index,
    /// `gpu0` and `mig0:1`.
    TypeIndex,
    /// The UUID.
    Uuid,
}

impl Naming {
    /// The naming for a word.
    ///
    /// # Errors
    ///
    /// If there is no such word; the error lists them.
    pub fn of(word: &str) -> Result<Self, String> {
        match word {
            "index" => Ok(Self::Index),
            "type-index" => Ok(Self::TypeIndex),
            "uuid" => Ok(Self::Uuid),
            _ => Err(format!("device-name-strategy: `{word}` is not one of index, type-index, uuid")),
        }
    }

    fn name(self, gpu: usize, part: Option<usize>, uuid: &str) -> String {
        match (self, part) {
            (Self::Uuid, _) => uuid.to_owned(),
            (Self::Index, None) => gpu.to_string(),
            (Self::Index, Some(part)) => format!("{gpu}:{part}"),
            (Self::TypeIndex, None) => format!("gpu{gpu}"),
            (Self::TypeIndex, Some(part)) => format!("mig{gpu}:{part}"),
        }
    }
}

/// A specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Specification {
    cdi_version: &'static str,
    kind: &'static str,
    /// The devices, each under all of its names.
    pub devices: Vec<Device>,
    /// What a container gets with any of them.
    pub container_edits: Edits,
}

/// A device under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Its name.
    pub name: String,
    /// What a container gets with it.
    pub container_edits: Edits,
}

/// What a specification is made for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The machine's folder, an absolute path.
    pub root: &'a str,
    /// What its device nodes are.
    pub nodes: Nodes,
    /// The folder of libraries in containers, if not the machine's.
    pub libraries: Option<&'a str>,
}

impl Specification {
    /// The specification of a machine, or `None` for one without a GPU: a specification has at least one device.
    #[must_use]
    pub fn of(machine: &Topology, place: Place<'_>, namings: &[Naming]) -> Option<Self> {
        let site = Site { machine, place };
        let mut devices: Vec<Device> = Vec::new();
        let mut add = |gpu: usize, part: Option<usize>, uuid: &str, edits: &Edits| {
            let names: BTreeSet<String> = namings.iter().map(|naming| naming.name(gpu, part, uuid)).collect();
            devices.extend(names.into_iter().map(|name| Device { name, container_edits: edits.clone() }));
        };
        let mut all = Edits::default();
        for (at, gpu) in machine.gpus.iter().enumerate() {
            let edits = site.gpu(gpu);
            all.join(&edits);
            add(at, None, &gpu.uuid, &edits);
        }
        for (at, gpu) in machine.gpus.iter().enumerate() {
            for (number, part) in gpu.mig.iter().enumerate() {
                let edits = site.part(gpu, part);
                all.join(&edits);
                add(at, Some(number), &part.uuid, &edits);
            }
        }
        if devices.is_empty() {
            return None;
        }
        devices.push(Device { name: ALL.to_owned(), container_edits: all });
        Some(Self { cdi_version: VERSION, kind: KIND, devices, container_edits: site.common() })
    }

    /// The files, folders and nodes of the host that a container gets, some more than once.
    pub fn host_paths(&self) -> impl Iterator<Item = &str> {
        let edits = self.devices.iter().map(|device| &device.container_edits).chain([&self.container_edits]);
        edits.flat_map(|edits| {
            let nodes = edits.device_nodes.iter().map(|node| node.host_path.as_str());
            nodes.chain(edits.mounts.iter().map(|mount| mount.host_path.as_str()))
        })
    }
}
