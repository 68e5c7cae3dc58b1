//! The changes to a machine since it began: values that were set and GPU instances that were created.
//!
//! Text in, text out: the caller decides where the text is kept.

use super::mig::Instance;
use crate::topology::live::Process;
use crate::topology::{Mig, Topology};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the text.
pub const VERSION: u32 = 1;

/// Everything that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// [`VERSION`].
    pub version: u32,
    /// The changes of a GPU or a MIG device, by its UUID.
    #[serde(default)]
    pub devices: BTreeMap<String, Change>,
}

/// What was changed on one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Values by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Set>,
    /// Programs that started or, if `None`, ended, by process id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub processes: BTreeMap<u32, Option<Process>>,
    /// The GPU instances, if they are no longer the topology's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<Vec<Instance>>,
}

/// A value that was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The value.
    pub to: String,
    /// When, in ms since 1970.
    pub at: u64,
}

impl Default for State {
    fn default() -> Self {
        Self { version: VERSION, devices: BTreeMap::new() }
    }
}

impl State {
    /// These changes over others of the same machine: if both have a value for a key, the later one counts.
    #[must_use]
    pub fn over(mut self, below: Self) -> Self {
        for (uuid, change) in below.devices {
            let own = self.devices.entry(uuid).or_default();
            for (key, set) in change.values {
                if own.values.get(&key).is_none_or(|mine| mine.at < set.at) {
                    own.values.insert(key, set);
                }
            }
            for (pid, process) in change.processes {
                own.processes.entry(pid).or_insert(process);
            }
            own.instances = own.instances.take().or(change.instances);
        }
        self
    }

    /// The same without the programs, which only their host sees.
    #[must_use]
    pub fn without_processes(mut self) -> Self {
        self.devices.values_mut().for_each(|change| change.processes.clear());
        self
    }

    /// Reads the text; an empty text is a machine without changes.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let state: Self = serde_json::from_str(text).map_err(|why| why.to_string())?;
        if state.version == VERSION { Ok(state) } else { Err(format!("version {} is not {VERSION}", state.version)) }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Sets a value of a device; an empty one removes the change. The error says what is wrong with the key or the
    /// value.
    pub fn set(&mut self, uuid: &str, key: &str, value: &str, now: u64) -> Result<(), String> {
        super::check(key, value)?;
        let change = self.devices.entry(uuid.to_owned()).or_default();
        if value.is_empty() {
            change.values.remove(key);
        } else {
            change.values.insert(key.to_owned(), Set { to: value.to_owned(), at: now });
        }
        Ok(())
    }

    /// Sets something on a device by its word: `process.PID` is a program, as [`process`] reads it, and anything else
    /// is a key. An empty value removes a change, and ends a program.
    pub fn set_word(&mut self, uuid: &str, word: &str, value: &str, now: u64) -> Result<(), String> {
        let Some(pid) = word.strip_prefix("process.") else { return self.set(uuid, word, value, now) };
        let pid: u32 = pid.parse().map_err(|_| format!("`{word}` has no process id"))?;
        let program = if value.is_empty() { None } else { Some(process(pid, value)?) };
        self.devices.entry(uuid.to_owned()).or_default().processes.insert(pid, program);
        Ok(())
    }

    /// The changes of a device.
    #[must_use]
    pub fn of(&self, uuid: &str) -> Option<&Change> {
        self.devices.get(uuid)
    }

    /// The machine as it is now: values that were set, MIG modes that were switched, MIG devices that were created,
    /// programs that started and ended. A ramp that was set repeats, like one in a topology.
    #[must_use]
    pub fn applied(&self, mut machine: Topology) -> Topology {
        for gpu in &mut machine.gpus {
            let Some(change) = self.devices.get(&gpu.uuid) else { continue };
            gpu.state.0.extend(change.values.iter().map(|(key, set)| (key.clone(), set.to.clone())));
            gpu.processes.retain(|process| !change.processes.contains_key(&process.pid));
            gpu.processes.extend(change.processes.values().flatten().cloned());
            if let Some(mode) = change.values.get("mig.mode.current") {
                gpu.mig_enabled = gpu.mig_capable && mode.to == "Enabled";
            }
            if let Some(instances) = &change.instances {
                gpu.mig = instances.iter().flat_map(parts).collect();
            }
            if !gpu.mig_enabled {
                gpu.mig.clear();
            }
        }
        machine
    }
}

/// A program as `TYPE,MIB,NAME`: `C,512,python3`; in a MIG device `C@1/0,512,python3`, by GPU and compute instance.
pub fn process(pid: u32, text: &str) -> Result<Process, String> {
    let wrong = || format!("`{text}` is not like C,512,python3 or C@1/0,512,python3");
    let mut parts = text.splitn(3, ',');
    let (Some(kind), Some(memory), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong());
    };
    let (kind, place) = kind.split_once('@').map_or((kind, None), |(kind, place)| (kind, Some(place)));
    let number = |text: &str| text.parse().map_err(|_| wrong());
    let (gi, ci) = match place.map(|place| place.split_once('/').unwrap_or((place, "0"))) {
        Some((gi, ci)) => (Some(number(gi)?), Some(number(ci)?)),
        None => (None, None),
    };
    if !["C", "G", "C+G", "M+C"].contains(&kind) || name.is_empty() {
        return Err(wrong());
    }
    let memory = memory.parse().map_err(|_| wrong())?;
    Ok(Process {
        pid,
        kind: kind.to_owned(),
        name: name.to_owned(),
        memory: Some(memory),
        gi,
        ci,
        ..Process::default()
    })
}

fn parts(instance: &Instance) -> impl Iterator<Item = Mig> + '_ {
    instance.computes.iter().map(|compute| Mig {
        uuid: compute.uuid.clone(),
        gi: instance.gi,
        ci: compute.ci,
        profile: compute.profile.clone(),
        start: Some(instance.start),
        state: compute.state.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_two_changes_the_later_one_counts() {
        let (mut host, mut own) = (State::default(), State::default());
        host.set("GPU-1", "temperature.gpu", "80", 5).unwrap();
        host.set("GPU-1", "power.draw", "300", 5).unwrap();
        own.set("GPU-1", "temperature.gpu", "60", 4).unwrap();
        own.set("GPU-1", "power.draw", "100", 6).unwrap();
        host.set("GPU-2", "lost", "true", 1).unwrap();
        let both = own.over(host);
        let value = |uuid: &str, key: &str| both.devices[uuid].values[key].to.clone();
        assert_eq!([value("GPU-1", "temperature.gpu"), value("GPU-1", "power.draw")], ["80", "100"]);
        assert_eq!(value("GPU-2", "lost"), "true");
    }

    #[test]
    fn text_of_another_version_or_shape_is_refused() {
        assert_eq!(State::parse(""), Ok(State::default()));
        assert!(State::parse("{\"version\":2}").unwrap_err().contains("version 2"));
        assert!(State::parse("{\"version\":1,\"x\":1}").is_err());
        let mut state = State::default();
        state.set("GPU-1", "temperature.gpu", "80", 5).unwrap();
        assert_eq!(State::parse(&state.text()), Ok(state.clone()));
        state.set("GPU-1", "temperature.gpu", "", 6).unwrap();
        assert!(state.of("GPU-1").unwrap().values.is_empty());
        assert!(state.set("GPU-1", "shoes", "1", 5).unwrap_err().contains("shoes"));
        assert!(state.set("GPU-1", "temperature.gpu", "ramp:1", 5).is_err());
    }

    #[test]
    fn a_machine_with_its_changes_applied_shows_what_the_two_show_together() {
        let machine = crate::topology::load(Some("a100-mig")).unwrap();
        let mut state = State::default();
        for (place, word, value) in
            [(0, "mig.mode.current", "Disabled"), (2, "power.limit", "250"), (3, "process.7", "C,512,python3")]
        {
            state.set_word(&machine.gpus[place].uuid, word, value, 0).unwrap();
        }
        let shown = crate::state::devices(&machine, &state, 0).unwrap();
        let applied = state.applied(machine);
        assert_eq!(crate::state::devices(&applied, &State::default(), 0).unwrap(), shown);
        assert_eq!((applied.gpus[0].mig.len(), applied.gpus[1].mig.len()), (0, 4));
    }

    #[test]
    fn programs_come_and_go() {
        let mut state = State::default();
        state.set_word("GPU-1", "process.7", "C@1/0,512,python3 a,b", 0).unwrap();
        let program = state.of("GPU-1").unwrap().processes[&7].clone().unwrap();
        assert_eq!(
            (program.memory, program.gi, program.ci, program.name.as_str()),
            (Some(512), Some(1), Some(0), "python3 a,b")
        );
        state.set_word("GPU-1", "process.7", "", 0).unwrap();
        assert_eq!(state.of("GPU-1").unwrap().processes[&7], None);
        for wrong in ["C", "C,1", "X,1,a", "C,x,a", "C@a,1,a", "C,1,"] {
            assert!(state.set_word("GPU-1", "process.7", wrong, 0).unwrap_err().contains(wrong), "{wrong}");
        }
        assert!(state.set_word("GPU-1", "process.x", "C,1,a", 0).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = State::parse(&text);
        }
    }
}
