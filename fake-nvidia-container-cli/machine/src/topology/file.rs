//! A topology as written, in JSON or TOML: everything may be left out. docs/topology.schema.json is made from these
//! types.

use super::live::{Accounted, Process, Readings};
use schemars::JsonSchema;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A simulated machine, as somebody writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "topology")]
pub struct TopologyFile {
    /// What the machine is called.
    pub name: Option<String>,
    /// The driver's version, `570.172.08` if left out.
    pub driver: Option<String>,
    /// The CUDA version of the driver, `12.8` if left out.
    pub cuda: Option<String>,
    /// The model of every GPU that does not say its own: a short name (`T4`, `H100`) or a product name; `T4` if left out.
    pub model: Option<String>,
    /// The GPUs: how many, or a list; one if left out.
    pub gpus: Option<Gpus>,
    /// The driver's files; each list that is left out is a full one.
    pub host: Option<HostFile>,
    /// How the kernel shows MIG capabilities: `none`, `proc` or `dev`; `dev` if left out and a GPU can be split.
    pub nvcaps: Option<NvCapsWord>,
    /// How many IMEX channel nodes there are.
    pub imex_channels_present: Option<u32>,
    /// True if the container's process is gone.
    pub nopid: Option<bool>,
    /// A step that fails on this machine.
    pub fail: Option<FaultFile>,
    /// What sensors and settings of every GPU show; a GPU's own `state` wins.
    pub state: Option<Readings>,
    /// The names of network cards, as `nvidia-smi topo -m` lists them: `mlx5_0`.
    pub nics: Option<Vec<String>>,
    /// How the GPUs and then the network cards are connected: a row each, with a word for each column, its own too:
    /// `X NODE SYS`.
    pub matrix: Option<Vec<String>>,
    /// The time that this machine shows, `2026-09-01 20:42:06.675`; the time of day if left out.
    pub clock: Option<String>,
}

/// How many GPUs, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Gpus {
    /// So many, all alike.
    Count(u32),
    /// These, each as it says.
    List(Vec<GpuFile>),
}

/// A GPU; what is left out follows from the model and the place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuFile {
    /// Its place in the list, if given.
    pub index: Option<u32>,
    /// The number of its device node.
    pub minor: Option<u32>,
    /// `GPU-` and a UUID.
    pub uuid: Option<String>,
    /// The bus with eight digits of domain, `00000000:1b:00.0`.
    pub busid: Option<String>,
    /// The compute capability, `9.0`.
    pub arch: Option<String>,
    /// The brand word: `Tesla`, `Nvidia`, `GeForce`, ...
    pub brand: Option<String>,
    /// A short name or a product name.
    pub model: Option<String>,
    /// The memory in MiB.
    pub memory: Option<u64>,
    /// Whether it can be split.
    pub mig_capable: Option<bool>,
    /// Whether splitting is switched on; on if there are parts.
    pub mig_enabled: Option<bool>,
    /// Its parts: profiles (`1g.10gb`) or tables.
    pub mig: Option<Vec<MigEntry>>,
    /// What its sensors and settings show.
    pub state: Option<Readings>,
    /// The programs that use it.
    pub processes: Option<Vec<Process>>,
    /// The programs that used it and were accounted.
    pub accounted: Option<Vec<Accounted>>,
}

/// A part of a GPU: its profile, or a table.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum MigEntry {
    /// Just the profile, `1g.10gb`.
    Profile(String),
    /// A table with what else matters.
    Table(MigFile),
}

/// A part of a GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigFile {
    /// `MIG-` and a UUID.
    pub uuid: Option<String>,
    /// The number of the GPU instance.
    pub gi: Option<u32>,
    /// The compute instance within it.
    pub ci: Option<u32>,
    /// The profile, e.g. `1g.10gb`.
    pub profile: Option<String>,
    /// Where the GPU instance begins, in slices of memory.
    pub start: Option<u32>,
    /// What its sensors show.
    pub state: Option<Readings>,
}

/// The driver's files; each list that is left out is that of a full driver of this version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostFile {
    /// Programs, with full paths.
    pub bins: Option<Vec<String>>,
    /// 64-bit libraries, in the order of the linker's cache.
    pub libs64: Option<Vec<String>>,
    /// 32-bit libraries, in the order of the linker's cache.
    pub libs32: Option<Vec<String>>,
    /// Nodes of the uvm driver.
    pub devs: Option<Vec<String>>,
    /// Sockets of daemons, and the folder of CUDA's server.
    pub ipcs: Option<Vec<String>>,
    /// Files of GSP firmware.
    pub firmwares: Option<Vec<String>>,
}

/// How the kernel shows MIG capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NvCapsWord {
    /// The kernel shows none of them.
    None,
    /// As files under /proc.
    Proc,
    /// As device nodes too.
    Dev,
}

/// A step that fails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// `caps`, `init`, `driver_info`, `device_info`, `mount` or `ldcache`.
    pub at: String,
    /// What the error says after its class; for `mount`, the path that cannot be mounted on.
    pub message: String,
}

/// How many GPUs a machine has at most.
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
                // Each has a device node, and the driver has the last two.
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
