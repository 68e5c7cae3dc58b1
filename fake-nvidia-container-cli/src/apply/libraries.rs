//! The driver's libraries that answer. Where a plan mounts one, its file replaces an empty one.

use super::creation;
use crate::libraries::{self, Seen, Sight, Width};
use crate::outcome::Stop;
use crate::plan::{Action, Kind, Op, Plan};
use crate::rootfs::{Found, Ledger, Root};
use crate::simulate::Choice;
use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::topology::Topology;

/// The text that a container's libraries read.
pub fn given(machine: &Topology, state: &State, choice: &Choice, cuda: bool) -> Result<String, Stop> {
    let sight = Sight::of(machine, choice);
    let seen = Seen { machine, state, sight: &sight, cuda, nodes: None, now: libraries::now() };
    libraries::text(&seen).map_err(Stop::Internal)
}

/// The width of the programs that load the library at a source.
pub(super) fn width(machine: &Topology, src: &str) -> Width {
    let is_narrow = machine.host.libs32.iter().any(|path| src.ends_with(path.as_str()));
    if is_narrow { Width::Narrow } else { Width::Wide }
}

/// The library for the source of a bind mount, if it is one that answers; 32-bit programs get an empty one.
pub(super) fn library(machine: &Topology, src: &str, given: Option<&str>) -> Option<Vec<u8>> {
    let name = src.rsplit('/').next().unwrap_or_default();
    if width(machine, src) == Width::Narrow { None } else { libraries::library(name, given) }
}

/// Fills the files that mode `files` made for these libraries, if they are empty: nothing of an image is overwritten.
/// Each library carries the text it reads, since nothing is mounted beside it.
pub fn fill(plan: &Plan, root: &Root, machine: &Topology, given: &str) -> Result<(), Stop> {
    let mut ledger = Ledger::blank();
    for action in &plan.actions {
        let Action::Op(Op::Bind { src, dst, kind: kind @ Kind::File, .. }) = action else { continue };
        let Some(content) = library(machine, src, Some(given)) else { continue };
        let filled = root.place(root.inside(dst).unwrap_or_default(), None).and_then(|(folder, name)| {
            let is_ours = folder.look(&name)? == Found::File { empty: true };
            if is_ours { folder.write(&name, &content, kind.mode(), &mut ledger) } else { Ok(()) }
        });
        filled.map_err(|why| creation(dst, why))?;
    }
    Ok(())
}
