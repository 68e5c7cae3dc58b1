//! A topology as written, in JSON or TOML: everything can be left out. docs/topology.schema.json is generated from
//! these types and their comments.

use super::live::{Accounted, Process, Readings};
use schemars::JsonSchema;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A simulated machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "topology")]
pub struct TopologyFile {
    /// The machine's name.
    pub name: Option<String>,
    /// The driver's version; default `570.172.08`.
    pub driver: Option<String>,
    /// The CUDA version of the driver; default `12.8`.
    pub cuda: Option<String>,
    /// The model of every GPU without its own: a short name (`T4`, `H100`) or a product name; default `T4`.
    pub model: Option<String>,
    /// The GPUs: a number or a list; default one GPU.
    pub gpus: Option<Gpus>,
    /// The driver's files; each list left out is that of a full driver.
    pub host: Option<HostFile>,
    /// How the kernel shows MIG capabilities: `none`, `proc` or `dev`; default `dev` if a GPU supports MIG.
    pub nvcaps: Option<NvCapsWord>,
    /// The number of IMEX channel nodes.
    pub imex_channels_present: Option<u32>,
    /// Whether the container's process no longer exists.
    pub nopid: Option<bool>,
    /// A step that fails on this machine.
    pub fail: Option<FaultFile>,
    /// Sensor readings and settings of every GPU; a GPU's own `state` takes precedence.
    pub state: Option<Readings>,
    /// The names of network cards, as `nvidia-smi topo -m` lists them: `mlx5_0`.
    pub nics: Option<Vec<String>>,
    /// How the GPUs, then the network cards, are connected: a row each, with a word per column: `X NODE SYS`.
    pub matrix: Option<Vec<String>>,
    /// The time that this machine shows, such as `2026-09-01 20:42:06.675`; default the current time.
    pub clock: Option<String>,
}

/// How many GPUs, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Gpus {
    /// The number of identical GPUs.
    Count(u32),
    /// A list, each GPU as described.
    List(Vec<GpuFile>),
}

/// A GPU; anything left out follows from the model and its place in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuFile {
    /// Its index; default its place in the list.
    pub index: Option<u32>,
    /// The minor number of its device node.
    pub minor: Option<u32>,
    /// Its UUID, `GPU-` and a UUID.
    pub uuid: Option<String>,
    /// The PCI bus ID with an eight-digit domain, such as `00000000:1b:00.0`.
    pub busid: Option<String>,
    /// The compute capability, such as `9.0`.
    pub arch: Option<String>,
    /// The brand, such as `Tesla`, `Nvidia` or `GeForce`.
    pub brand: Option<String>,
    /// A short name or a product name.
    pub model: Option<String>,
    /// The memory in MiB.
    pub memory: Option<u64>,
    /// Whether it supports MIG.
    pub mig_capable: Option<bool>,
    /// Whether MIG mode is on; default on if there are MIG devices.
    pub mig_enabled: Option<bool>,
    /// Its MIG devices: profiles (`1g.10gb`) or tables.
    pub mig: Option<Vec<MigEntry>>,
    /// Its sensor readings and settings.
    pub state: Option<Readings>,
    /// The programs that use it.
    pub processes: Option<Vec<Process>>,
    /// Programs that have ended, for process accounting.
    pub accounted: Option<Vec<Accounted>>,
}

/// A MIG device: its profile, or a table.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum MigEntry {
    /// Only the profile, such as `1g.10gb`.
    Profile(String),
    /// A table with further members.
    Table(MigFile),
}

/// A MIG device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigFile {
    /// Its UUID, `MIG-` and a UUID.
    pub uuid: Option<String>,
    /// The number of the GPU instance.
    pub gi: Option<u32>,
    /// The number of the compute instance within it.
    pub ci: Option<u32>,
    /// The profile, such as `1g.10gb`.
    pub profile: Option<String>,
    /// The memory slice at which the GPU instance begins.
    pub start: Option<u32>,
    /// Its sensor readings.
    pub state: Option<Readings>,
}

/// The driver's files; each list left out is that of a full driver of this version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostFile {
    /// Programs, with absolute paths.
    pub bins: Option<Vec<String>>,
    /// 64-bit libraries, in the order of the linker's cache.
    pub libs64: Option<Vec<String>>,
    /// 32-bit libraries, in the order of the linker's cache.
    pub libs32: Option<Vec<String>>,
    /// Device nodes of the UVM driver.
    pub devs: Option<Vec<String>>,
    /// Sockets of daemons, and the directory of the MPS server.
    pub ipcs: Option<Vec<String>>,
    /// GSP firmware files.
    pub firmwares: Option<Vec<String>>,
}

/// How the kernel shows MIG capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NvCapsWord {
    /// Not at all.
    None,
    /// As files under /proc.
    Proc,
    /// As device nodes as well.
    Dev,
}

/// A step that fails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// `caps`, `imex`, `init`, `container`, `driver_info`, `device_info`, `device`, `mig_config`, `mig_monitor`,
    /// `requirement`, `mount` or `ldcache`.
    pub at: String,
    /// The error text after its class; for `mount`, the path that cannot be mounted on.
    pub message: String,
}

/// The maximum number of GPUs in a machine.
const MOST_GPUS: u32 = super::check::LAST_MINOR + 1;

/// A visitor instead of an untagged enum, whose errors would not name the wrong key.
impl<'de> Deserialize<'de> for Gpus {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Gpus;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of GPUs or a list of them")
            }

            fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<Gpus, E> {
                // Each GPU has a device node, and the last two nodes are the driver's.
                let count = u32::try_from(count).ok().filter(|count| *count <= MOST_GPUS);
                count.map(Gpus::Count).ok_or_else(|| E::custom(format!("more than {MOST_GPUS} GPUs")))
            }

            fn visit_i64<E: serde::de::Error>(self, count: i64) -> Result<Gpus, E> {
                let count = u64::try_from(count).map_err(|_| E::custom("not a number of GPUs"))?;
                self.visit_u64(count)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Gpus, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Gpus::List)
            }
        }
        from.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for MigEntry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = MigEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a MIG profile or a table")
            }

            fn visit_str<E: serde::de::Error>(self, profile: &str) -> Result<MigEntry, E> {
                Ok(MigEntry::Profile(profile.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<MigEntry, A::Error> {
                MigFile::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(MigEntry::Table)
            }
        }
        from.deserialize_any(Either)
    }
}
