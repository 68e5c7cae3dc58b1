//! Updates a given file beside the file of changes: the same place, with the machine as it is now.

use super::{Seen, Sight, text};
use nvidia_simulated_given::{CONTAINERS, FILE, Given, LIVE, Section};
use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::topology::Topology;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, process};

/// Rewrites the folder's given file, the one that containers read, and the live ones, if they exist.
///
/// # Errors
///
/// If one cannot be read or written; the error names it.
pub fn refresh(folder: &Path, machine: &Topology, state: &State) -> Result<(), String> {
    [folder, &folder.join(CONTAINERS)].into_iter().try_for_each(|folder| one(folder, machine, state))?;
    super::live::write(&folder.join(LIVE), machine, state)
}

fn one(folder: &Path, machine: &Topology, state: &State) -> Result<(), String> {
    let path = folder.join(FILE);
    let named = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let before = match fs::read(&path) {
        Ok(before) => before,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(()),
        Err(why) => return Err(named(&why)),
    };
    let given = Given::read(&before).map_err(|_| named(&"not a given file of this version"))?;
    let nodes = given.machine().text("nodes");
    let cuda = given.machine().text("cuda.init").is_some();
    let sight = sight(given);
    let seen = Seen { machine, state, sight: &sight, cuda, nodes, now: now() };
    // A reader sees the old file or the new one, never half of one.
    let new = folder.join(format!(".{FILE}.{}", process::id()));
    fs::write(&new, text(&seen)?).and_then(|()| fs::rename(&new, &path)).map_err(|why| named(&why))
}

/// What a file's place was given.
fn sight(given: Given<'_>) -> Sight {
    if given.machine().text("host").is_some() {
        return Sight::Host;
    }
    let uuid = |section: Section<'_>| section.text("uuid").map(str::to_owned);
    let whole = given.gpus().filter(|gpu| gpu.text("whole") == Some("Yes"));
    Sight::Devices {
        gpus: given.gpus().filter_map(uuid).collect(),
        whole: whole.filter_map(uuid).collect(),
        parts: given.gpus().flat_map(|gpu| gpu.sections("mig")).filter_map(uuid).collect::<BTreeSet<_>>(),
    }
}

/// The time in milliseconds since the epoch.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    u64::try_from(now).unwrap_or(u64::MAX)
}
