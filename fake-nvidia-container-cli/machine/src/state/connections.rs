//! How the ends of a machine are connected: GPUs to each other, to network cards, to processors and their memory. What
//! the topology does not state follows from the number of ends. It does not know who asks.

use super::{Device, NONE};
use crate::topology::Topology;

/// The connections of a machine whose GPUs are all here. An end is a GPU by its place, or a network card after them.
#[derive(Clone, Copy, Debug)]
pub struct Connections<'a> {
    machine: &'a Topology,
    gpus: &'a [Device],
}

/// In which way a GPU reaches the memory of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Over whatever connects them: reads, writes, the bus's own way.
    Anyhow,
    /// Over links alone: links themselves, and atomic operations.
    ByLinks,
}

impl<'a> Connections<'a> {
    /// The connections between these GPUs of a machine, and its network cards.
    #[must_use]
    pub fn of(machine: &'a Topology, gpus: &'a [Device]) -> Self {
        Self { machine, gpus }
    }

    /// The word for what is between two ends: as the topology says, else by links, if they count, and by the halves of
    /// the machine. An end is `X` to itself.
    #[must_use]
    pub fn word(self, from: usize, to: usize, has_links: bool) -> String {
        if from == to {
            return "X".to_owned();
        }
        let said = self.machine.matrix.get(from).and_then(|row| row.split_whitespace().nth(to));
        if let Some(word) = said.filter(|word| has_links || !word.starts_with("NV")) {
            return word.to_owned();
        }
        let active = |at: usize| self.gpus.get(at).map_or(0, |gpu| links(gpu).filter(|(_, is_up)| *is_up).count());
        let count = active(from).min(active(to));
        if count > 0 && has_links {
            return format!("NV{count}");
        }
        if self.near(from) == self.near(to) { "NODE".to_owned() } else { "SYS".to_owned() }
    }

    /// The machine with some of its GPUs, each connected as it is among all: what follows from the places of GPUs in
    /// the machine is stated.
    #[must_use]
    pub fn only(self, kept: &[usize]) -> Topology {
        let all = self.machine.gpus.len();
        let ends: Vec<usize> = kept.iter().copied().chain(all..all + self.machine.nics.len()).collect();
        let row = |row: &String| {
            let words: Vec<&str> = row.split_whitespace().collect();
            ends.iter().filter_map(|end| words.get(*end).copied()).collect::<Vec<_>>().join(" ")
        };
        let matrix = ends.iter().filter_map(|end| self.machine.matrix.get(*end)).map(row).collect();
        let gpu = |place: &usize| {
            let (mut gpu, device) = (self.machine.gpus.get(*place)?.clone(), self.gpus.get(*place)?);
            for (key, value) in [("cpu_affinity", self.processors(device)), ("numa_affinity", self.node(device))] {
                gpu.state.0.entry(key.to_owned()).or_insert(value);
            }
            Some(gpu)
        };
        Topology { gpus: kept.iter().filter_map(gpu).collect(), matrix, ..self.machine.clone() }
    }

    /// The NUMA node that is near an end.
    fn near(self, end: usize) -> String {
        self.gpus.get(end).map_or_else(|| self.half(end).to_string(), |gpu| self.node(gpu))
    }

    /// Whether a GPU reaches the memory of another one.
    #[must_use]
    pub fn reaches(self, from: usize, to: usize, reach: Reach) -> bool {
        reach == Reach::Anyhow || self.word(from, to, true).starts_with("NV")
    }

    /// The processors that are near a GPU.
    #[must_use]
    pub fn processors(self, gpu: &Device) -> String {
        or(gpu, "cpu_affinity", if self.half(gpu.place) == 0 { "0-63" } else { "64-127" })
    }

    /// The NUMA node that is near a GPU.
    #[must_use]
    pub fn node(self, gpu: &Device) -> String {
        or(gpu, "numa_affinity", &self.half(gpu.place).to_string())
    }

    /// The half of the machine in which an end is: a machine with four GPUs or more has two.
    fn half(self, end: usize) -> usize {
        let gpus = self.gpus.len();
        let (place, count) = if end < gpus { (end, gpus) } else { (end - gpus, self.machine.nics.len()) };
        if gpus >= 4 && place * 2 >= count { 1 } else { 0 }
    }
}

/// The links of a GPU by number, and whether each is up.
pub fn links(gpu: &Device) -> impl Iterator<Item = (i64, bool)> {
    let inactive: Vec<String> = gpu.get("nvlink.inactive").split(',').map(|link| link.trim().to_owned()).collect();
    let count = gpu.number("nvlink.count").unwrap_or_default();
    (0..count).map(move |link| (link, !inactive.contains(&link.to_string())))
}

/// The value of a GPU's key, or what follows from the GPU's place.
fn or(gpu: &Device, key: &str, default: &str) -> String {
    match gpu.get(key) {
        NONE => default.to_owned(),
        said => said.to_owned(),
    }
}
