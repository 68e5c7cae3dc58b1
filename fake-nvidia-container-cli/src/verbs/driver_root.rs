//! The verb `driver-root`: the whole host in a folder.

use crate::driver_root::{Nodes, lay};
use crate::outcome::{Outcome, Stop};
use nvidia_simulated_machine::topology;
use std::path::Path;

/// Lays out the machine of a topology.
pub(super) fn run(name: Option<&str>, folder: &Path, nodes: bool) -> Result<Outcome, Stop> {
    let machine = topology::load(name).map_err(Stop::Internal)?;
    let folder = std::path::absolute(folder).map_err(|why| Stop::Internal(format!("{}: {why}", folder.display())))?;
    let own = std::fs::read("/proc/self/exe").map_err(|why| Stop::Internal(format!("/proc/self/exe: {why}")))?;
    lay(&folder, &machine, if nodes { Nodes::Real } else { Nodes::Files }, &own).map_err(Stop::Internal)?;
    let note =
        "device nodes are empty files, which no program can open as a device; --nodes, as root, makes real ones\n";
    Ok(Outcome {
        stdout: super::line(&folder),
        stderr: if nodes { String::new() } else { note.to_owned() },
        ..Outcome::default()
    })
}
