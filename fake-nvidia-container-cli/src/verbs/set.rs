//! `set`: changes what a GPU of the simulated machine shows next, in nvidia-smi and everything else that reads the same
//! state.

use crate::outcome::{Outcome, Stop};
use crate::settings::Settings;
use crate::smi::{Lost, Store};
use clap::Args;
use nvidia_simulated_machine::select;
use nvidia_simulated_machine::state::{State, figures};
use nvidia_simulated_machine::topology::{self, Topology};
use std::time::{SystemTime, UNIX_EPOCH};

/// The words of the verb.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// The GPU: its index, UUID or bus, `all`, or `INDEX:PART` for a MIG device
    gpu: Option<String>,
    /// KEY=VALUE, e.g. temperature.gpu=85, utilization.gpu=noise:10..90:7, lost=true, process.4711=C,512,python3; an
    /// empty VALUE takes a change back
    #[arg(conflicts_with = "clear")]
    changes: Vec<String>,
    /// A built-in topology or a file; FAKE_NVIDIA_TOPOLOGY otherwise
    #[arg(long)]
    topology: Option<String>,
    /// List the keys, each with what it is where nothing is said
    #[arg(long, conflicts_with_all = ["gpu", "clear"])]
    keys: bool,
    /// Take back all changes, of one GPU if one is named
    #[arg(long)]
    clear: bool,
}

/// Runs the verb.
pub(super) fn run(settings: &Settings, words: &Words) -> Result<Outcome, Stop> {
    if words.keys {
        let all = figures::vocabulary().map_err(Stop::Internal)?;
        return Ok(printed(all.iter().map(|(key, value)| format!("{key} = {value}\n")).collect()));
    }
    let name = words.topology.as_deref().or(settings.topology.as_deref());
    let machine = topology::load(name).map_err(Stop::Internal)?;
    let store = Store::new(settings.state.as_deref());
    if words.clear && words.gpu.is_none() {
        return store.clear(&machine).map(|()| Outcome::default()).map_err(lost);
    }
    let changed = store.read().map_err(Stop::Internal)?;
    // MIG devices made by nvidia-smi have names too.
    let now = changed.applied(machine.clone());
    let devices = words.gpu.as_deref().map(|gpu| named(&now, gpu)).transpose()?;
    // The changes of a GPU include those of its MIG devices.
    let is_meant = |uuid: &str| devices.as_ref().is_none_or(|named| named.iter().any(|device| device.covers(uuid)));
    if words.clear {
        let clear = |state: &mut State| {
            state.devices.retain(|uuid, _| !is_meant(uuid));
            Ok(())
        };
        return store.change(&machine, clear).map(|()| Outcome::default()).map_err(lost);
    }
    if words.changes.is_empty() {
        let mut state = changed;
        state.devices.retain(|uuid, _| is_meant(uuid));
        return Ok(printed(state.text()));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = u64::try_from(now).unwrap_or_default();
    store
        .change(&machine, |state| {
            for change in &words.changes {
                let pair = change.split_once('=').ok_or_else(|| format!("set: `{change}` is not KEY=VALUE"))?;
                for device in devices.iter().flatten() {
                    state.set_word(&device.uuid, pair.0, pair.1, now).map_err(|why| format!("set: {why}"))?;
                }
            }
            Ok(())
        })
        .map(|()| Outcome::default())
        .map_err(lost)
}

fn printed(stdout: String) -> Outcome {
    Outcome { stdout, ..Outcome::default() }
}

fn lost(lost: Lost) -> Stop {
    Stop::Internal(match lost {
        Lost::Denied => {
            "set: the file of changes may not be written; name one of your own with FAKE_NVIDIA_STATE".to_owned()
        }
        Lost::Fault(why) => why,
    })
}

/// A GPU or a MIG device.
struct Named {
    uuid: String,
    /// The MIG devices of a GPU.
    parts: Vec<String>,
}

impl Named {
    fn covers(&self, uuid: &str) -> bool {
        self.uuid == uuid || self.parts.iter().any(|part| part == uuid)
    }
}

/// The devices of a list of names.
fn named(machine: &Topology, names: &str) -> Result<Vec<Named>, Stop> {
    let mut all = Vec::new();
    for name in names.split(',') {
        let chosen = select::devices(name, &machine.gpus)
            .map_err(|item| Stop::Internal(format!("set: `{item}` is not a GPU of {}", machine.name)))?;
        let gpus = chosen.gpus.iter().filter_map(|at| machine.gpus.get(*at));
        let parts = chosen.migs.iter().filter_map(|(gpu, part)| machine.gpus.get(*gpu)?.mig.get(*part));
        if chosen.all || chosen.migs.is_empty() {
            all.extend(gpus.map(|gpu| Named {
                uuid: gpu.uuid.clone(),
                parts: gpu.mig.iter().map(|part| part.uuid.clone()).collect(),
            }));
        } else {
            all.extend(parts.map(|part| Named { uuid: part.uuid.clone(), parts: Vec::new() }));
        }
    }
    Ok(all)
}
