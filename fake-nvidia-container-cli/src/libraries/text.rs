//! The given file: a machine at a moment, as the crate `given` reads it. What a GPU shows is the machine's business;
//! what a key means is the libraries'.

use super::part;
use crate::simulate::Choice;
use nvidia_simulated_given as given;
use nvidia_simulated_machine::state::connections::Connections;
use nvidia_simulated_machine::state::{self, Device, NONE, Set, State};
use nvidia_simulated_machine::step::Step;
use nvidia_simulated_machine::topology::Topology;
use std::collections::{BTreeMap, BTreeSet};

/// What NVML's functions return for a fault in a topology: words that its message contains, and the code.
const FAULTS: [(&str, u32); 9] = [
    ("driver not loaded", 9),
    ("version mismatch", 18),
    ("insufficient permissions", 4),
    ("insufficient external power", 8),
    ("interrupt request issue", 11),
    ("corrupted inforom", 14),
    ("gpu is lost", 15),
    ("requires re", 16),
    ("insufficient memory", 20),
];
const UNKNOWN: u32 = 999;

/// What a place sees.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The whole machine.
    pub machine: &'a Topology,
    /// What was changed on it.
    pub state: &'a State,
    /// What the place was given.
    pub sight: &'a Sight,
    /// Whether CUDA initializes and reports the devices.
    pub cuda: bool,
    /// The folder whose device nodes say which GPUs are given, for a file at the end of a library.
    pub nodes: Option<&'a str>,
    /// The time in milliseconds since the epoch.
    pub now: u64,
}

/// Which devices of a machine a place was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of it, and the programs that run on it: the host.
    Host,
    /// Devices by their UUIDs. If a GPU is listed as a whole, its parts are not: they may be others tomorrow.
    Devices {
        /// The GPUs.
        gpus: BTreeSet<String>,
        /// The GPUs whose parts are all seen.
        whole: BTreeSet<String>,
        /// The parts of other GPUs.
        parts: BTreeSet<String>,
    },
}

impl Sight {
    /// What a container is given. A right to change or watch the layout shows every part of a GPU.
    #[must_use]
    pub fn of(machine: &Topology, choice: &Choice) -> Self {
        let uuid = |place: &usize| machine.gpus.get(*place).map(|gpu| gpu.uuid.clone());
        let part = |(gpu, part): &(usize, usize)| Some(machine.gpus.get(*gpu)?.mig.get(*part)?.uuid.clone());
        Self::Devices {
            gpus: choice.devices.gpus.iter().filter_map(uuid).collect(),
            whole: choice.config.iter().chain(&choice.monitor).filter_map(uuid).collect(),
            parts: choice.devices.migs.iter().filter_map(part).collect(),
        }
    }

    /// All devices of a machine, as a container sees them: without the host's programs.
    #[must_use]
    pub fn every(machine: &Topology) -> Self {
        let gpus: BTreeSet<String> = machine.gpus.iter().map(|gpu| gpu.uuid.clone()).collect();
        Self::Devices { whole: gpus.clone(), gpus, parts: BTreeSet::new() }
    }

    /// The UUIDs of the devices that are seen: of each GPU that is seen as a whole, and of the seen parts of any other.
    #[must_use]
    pub fn names(&self, machine: &Topology) -> Vec<String> {
        let mut names = Vec::new();
        for gpu in machine.gpus.iter().filter(|gpu| self.gpu(&gpu.uuid)) {
            let is_whole = !gpu.mig_enabled || gpu.mig.iter().all(|part| self.part(&gpu.uuid, &part.uuid));
            if is_whole {
                names.push(gpu.uuid.clone());
            } else {
                names.extend(
                    gpu.mig.iter().filter(|part| self.part(&gpu.uuid, &part.uuid)).map(|part| part.uuid.clone()),
                );
            }
        }
        names
    }

    fn gpu(&self, gpu: &str) -> bool {
        match self {
            Self::Host => true,
            Self::Devices { gpus, .. } => gpus.contains(gpu),
        }
    }

    fn part(&self, gpu: &str, part: &str) -> bool {
        match self {
            Self::Host => true,
            Self::Devices { whole, parts, .. } => whole.contains(gpu) || parts.contains(part),
        }
    }
}

/// The text of the file.
///
/// # Errors
///
/// If the machine's figures cannot be read, or the file would be larger than its readers accept.
pub fn text(seen: &Seen<'_>) -> Result<String, String> {
    let machine = seen.machine;
    let mut file = File(format!("{}{}\n", given::MAGIC, given::VERSION));
    file.fact("driver", &machine.driver);
    file.fact("nvml", &format!("{}.{}", machine.cuda.split('.').next().unwrap_or_default(), machine.driver));
    file.fact("cuda", &cuda_number(&machine.cuda).to_string());
    if let Some(code) = [Step::Init, Step::DriverInfo].into_iter().find_map(|step| fault(machine, step)) {
        file.fact("init", &code.to_string());
    }
    if seen.cuda {
        file.fact("cuda.init", "0");
    }
    if let Some(folder) = seen.nodes {
        file.fact("nodes", folder);
    }
    if *seen.sight == Sight::Host {
        file.fact("host", "Yes");
    }
    let devices = state::devices(machine, seen.state, seen.now)?;
    let places = machine.gpus.iter().zip(&devices);
    for (_, device) in places.filter(|(gpu, _)| seen.sight.gpu(&gpu.uuid)) {
        gpu(&mut file, seen, &devices, device)?;
    }
    let text = file.0 + given::END + "\n";
    if text.len() > given::LIMIT {
        return Err(format!("the given file has {} bytes, and {} is the most", text.len(), given::LIMIT));
    }
    Ok(text)
}

/// 12080 for 12.8.
fn cuda_number(version: &str) -> u32 {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default().min(1_000);
    next() * 1000 + next() * 10
}

fn fault(machine: &Topology, step: Step) -> Option<u32> {
    let message = machine.fault_at(step)?.to_ascii_lowercase();
    Some(FAULTS.iter().find(|(words, _)| message.contains(words)).map_or(UNKNOWN, |(_, code)| *code))
}

/// A file while it is written.
pub(super) struct File(String);

impl File {
    /// Begins a section.
    pub(super) fn section(&mut self, word: &str) {
        self.0.push_str(word);
        self.0.push('\n');
    }

    /// Adds a fact, if there is one: what a GPU does not have is left out. A fact is one line, so control characters in
    /// a value become spaces.
    pub(super) fn fact(&mut self, key: &str, value: &str) {
        let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        if plain && value != NONE && !value.is_empty() {
            let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            self.0.push_str(&format!("{key} {value}\n"));
        }
    }

    /// Adds a number, if there is one.
    pub(super) fn number(&mut self, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.fact(key, &value.to_string());
        }
    }
}

fn gpu(file: &mut File, seen: &Seen<'_>, devices: &[Device], device: &Device) -> Result<(), String> {
    let Some(gpu) = seen.machine.gpus.get(device.place) else { return Ok(()) };
    file.section("gpu");
    // If a key has two facts, the first counts.
    if let Some(code) = fault(seen.machine, Step::DeviceInfo) {
        file.fact(if code == 15 { "lost" } else { "sick" }, "true");
    }
    let moving = moving(&gpu.uuid, &gpu.state.0, seen.state);
    let changed = seen.state.of(&gpu.uuid);
    let said = |key: &str| gpu.state.0.contains_key(key) || changed.is_some_and(|own| own.values.contains_key(key));
    let following = following(&moving, said);
    for (key, value) in device.values.0.iter().filter(|(key, _)| !following.contains(&key.as_str())) {
        file.fact(key, moving.iter().find(|(moved, _)| moved == key).map_or(value, |(_, value)| value));
    }
    if device.get("temperature.form") == "tlimit" {
        let left = device.number("temperature.gpu.tlimit");
        file.number("temperature.gpu.limit", device.number("temperature.gpu").zip(left).map(|(now, left)| now + left));
    }
    let moves = |key: &str| moving.iter().any(|(moved, _)| moved == key);
    if changed.is_some() || DRAWS.into_iter().any(moves) {
        // Energy grows by the draw without changes, since a count must not fall when the draw does.
        let steady = state::device(seen.machine, device.place, &State::default(), 0)?;
        file.fact(
            "energy.draw",
            DRAWS.into_iter().map(|key| steady.get(key)).find(|draw| *draw != NONE).unwrap_or(NONE),
        );
    }
    file.fact("node", &format!("nvidia{}", gpu.minor));
    connected(file, seen, devices, device);
    if let Sight::Devices { whole, .. } = seen.sight {
        file.fact("whole", if whole.contains(&gpu.uuid) { "Yes" } else { "No" });
    }
    part::profiles(file, seen.machine, gpu, device)?;
    let sees = |uuid: &str| seen.sight.part(&gpu.uuid, uuid);
    part::instances(file, gpu, device, |instance| sees("") || instance.computes.iter().any(|own| sees(&own.uuid)))?;
    for (at, _) in device.parts.iter().enumerate().filter(|(_, part)| seen.sight.part(&gpu.uuid, &part.uuid)) {
        part::part(file, gpu, device, at, seen.state)?;
    }
    // A container does not see the host's processes.
    for process in device.processes.iter().filter(|_| *seen.sight == Sight::Host) {
        file.section("process");
        file.number("pid", Some(process.pid));
        file.fact("type", &process.kind);
        file.fact("name", &process.name);
        file.number("memory", process.memory);
        file.number("gi", process.gi);
        file.number("ci", process.ci);
        for (key, share) in [("sm", process.sm), ("mem", process.mem), ("enc", process.enc), ("dec", process.dec)] {
            file.number(key, share);
        }
    }
    Ok(())
}

/// Readings that change with time, as they were specified: the reader of the file works out what they show.
pub(super) fn moving(uuid: &str, topology: &BTreeMap<String, String>, state: &State) -> Vec<(String, String)> {
    let moves = |value: &str| ["ramp:", "noise:", "call:"].iter().any(|kind| value.starts_with(kind));
    let set = state.of(uuid).into_iter().flat_map(|change| &change.values);
    // A reading that begins when it is set carries that time; a step counts calls.
    let since = |set: &Set| if set.to.starts_with("call:") { set.to.clone() } else { format!("{}@{}", set.to, set.at) };
    let set: Vec<(String, String)> = set.map(|(key, set)| (key.clone(), since(set))).collect();
    let said = topology.iter().filter(|(key, _)| set.iter().all(|(changed, _)| changed != *key));
    let said = said.map(|(key, value)| (key.clone(), value.clone()));
    said.chain(set.clone()).filter(|(_, value)| moves(value)).collect()
}

/// The power draws: the first one that is stated stands in for the others.
const DRAWS: [&str; 3] = ["power.draw", "power.draw.average", "power.draw.instant"];

/// The keys that follow from readings that move, unless they are stated: a number in the file would stay behind, so the
/// reader works them out.
fn following(moving: &[(String, String)], said: impl Fn(&str) -> bool) -> Vec<&'static str> {
    const IDLE: &str = "clocks_event_reasons.gpu_idle";
    const REASONS: &str = "clocks_event_reasons.active";
    const ALL: [(&str, &[&str]); 5] = [
        ("temperature.gpu", &["temperature.gpu.tlimit"]),
        ("utilization.gpu", &[IDLE, REASONS]),
        ("power.limit", &["enforced.power.limit"]),
        ("memory.used", &["memory.free"]),
        ("bar1.used", &["bar1.free"]),
    ];
    let moves = |key: &str| moving.iter().any(|(moved, _)| moved == key);
    let mut following: Vec<&str> =
        ALL.into_iter().filter(|(key, _)| moves(key)).flat_map(|(_, all)| all).copied().collect();
    if DRAWS.into_iter().find(|key| said(key)).is_some_and(moves) {
        following.extend(DRAWS);
    }
    if moving.iter().any(|(key, _)| key.starts_with("clocks_event_reasons.")) {
        following.push(REASONS);
    }
    following.retain(|key| !said(key));
    following
}

/// How a GPU is connected to the GPUs that the place sees, processors and memory: the words with and without links.
fn connected(file: &mut File, seen: &Seen<'_>, devices: &[Device], device: &Device) {
    let connections = Connections::of(seen.machine, devices);
    let places = seen.machine.gpus.iter().zip(devices);
    let there: Vec<&Device> = places.filter(|(gpu, _)| seen.sight.gpu(&gpu.uuid)).map(|(_, other)| other).collect();
    let row = |has_links: bool| {
        let words = there.iter().map(|other| connections.word(device.place, other.place, has_links));
        words.collect::<Vec<String>>().join(" ")
    };
    let words = row(true);
    file.fact("peers", &words);
    if words.contains("NV") {
        file.fact("ways", &row(false));
    }
    file.fact("cpu_affinity", &connections.processors(device));
    file.fact("numa_affinity", &connections.node(device));
}
