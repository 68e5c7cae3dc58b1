//! The verb `driver-root`: the whole host in a folder.

use crate::driver_root::{Nodes, lay};
use crate::outcome::{Outcome, Stop};
use nvidia_simulated_machine::topology;
use std::path::Path;

const NODES: &str =
    "device nodes are empty files, which no program can open as a device; --nodes, as root, makes real ones\n";
const DYNAMIC: &str =
    "the programs need a C library, which the folder does not have: chroot cannot start them; static ones need none\n";

/// Lays out the machine of a topology.
pub(super) fn run(name: Option<&str>, folder: &Path, nodes: bool) -> Result<Outcome, Stop> {
    let machine = topology::load(name).map_err(Stop::Internal)?;
    let folder = std::path::absolute(folder).map_err(|why| Stop::Internal(format!("{}: {why}", folder.display())))?;
    let own = std::fs::read("/proc/self/exe").map_err(|why| Stop::Internal(format!("/proc/self/exe: {why}")))?;
    lay(&folder, &machine, if nodes { Nodes::Real } else { Nodes::Files }, &own).map_err(Stop::Internal)?;
    let notes = [(!nodes).then_some(NODES), (!cfg!(target_feature = "crt-static")).then_some(DYNAMIC)];
    Ok(Outcome { stdout: super::line(&folder), stderr: notes.into_iter().flatten().collect(), ..Outcome::default() })
}
