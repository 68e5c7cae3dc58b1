//! What changes while a machine runs, and who reads it: the given files of the host and of its containers. They are in
//! one folder, which a container gets as a whole: a file replaced in it is seen there at once, whereas a file mounted
//! by itself would stay the old one.

use super::{Entry, What};
use crate::libraries::{self, Seen, Sight};
use crate::smi;
use nvidia_simulated_given as given;
use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::topology::Topology;

/// The folder of the host.
pub const LIVE: &str = given::OF_CDI;

/// The given files of the host and of its containers.
pub(super) fn files(machine: &Topology, state: &State, now: u64) -> Result<Vec<Entry>, String> {
    let mut all = Vec::new();
    for (folder, sight, nodes) in sights(machine) {
        let seen = Seen { machine, state, sight: &sight, cuda: false, nodes, now };
        all.push((format!("{folder}/{}", given::FILE), libraries::text(&seen)?.into()));
        let text = told(machine, nodes);
        all.push((format!("{folder}/{}", smi::FILE), What::File(text)));
    }
    Ok(all)
}

/// Each folder, what is seen in it, and the folder whose device nodes select from that.
fn sights(machine: &Topology) -> [(String, Sight, Option<&'static str>); 2] {
    [
        (LIVE.to_owned(), Sight::Host, None),
        (format!("{LIVE}/{}", given::CONTAINERS), Sight::every(machine), Some("/dev")),
    ]
}

/// The file that nvidia-smi reads.
fn told(machine: &Topology, nodes: Option<&str>) -> Vec<u8> {
    let given = smi::Given::everything(machine.clone());
    let given = match nodes {
        Some(folder) => given.by_nodes(folder),
        None => given,
    };
    serde_json::to_vec(&given).unwrap_or_default()
}

/// The end of nvidia-smi, for containers that get the program and not the folder.
pub(super) fn end_of_program(machine: &Topology) -> Vec<u8> {
    let text = told(machine, Some("/dev"));
    let tail = format!("{:016x} {}", text.len(), given::TAIL);
    [text, tail.into_bytes()].concat()
}

/// A library that answers, for containers that get the file and not the folder: their device nodes say what they have.
pub(super) fn library(machine: &Topology, file: &str) -> Option<Vec<u8>> {
    let (sight, state) = (Sight::every(machine), State::default());
    let seen = Seen { machine, state: &state, sight: &sight, cuda: false, nodes: Some("/dev"), now: 0 };
    libraries::library(file, Some(libraries::text(&seen).ok()?.as_str()))
}

/// The relative path from a folder of libraries to the host's folder, so that a library loaded from outside finds it.
pub(super) fn from(folder: &str) -> String {
    let up = folder.split('/').filter(|name| !name.is_empty()).map(|_| "../");
    up.collect::<String>() + LIVE.trim_start_matches('/')
}
