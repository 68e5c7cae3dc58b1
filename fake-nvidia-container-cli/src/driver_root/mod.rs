//! A simulated machine as a folder: what its driver has installed, and what its kernel shows. Programs that take a
//! driver root, or that run in it after a chroot, see the machine that the simulator's other surfaces show.
//!
//! [`contents`] says what is where, and touches nothing; [`lay`] puts it there.

mod devices;
mod files;
mod kernel;
mod lay;
mod ld_cache;
mod live;

pub use lay::{Nodes, lay};
pub use live::LIVE;

use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::step::Step;
use nvidia_simulated_machine::topology::Topology;

/// The machine of a folder, as a topology; a folder without it is not one of ours.
pub const MACHINE: &str = "/etc/fake-nvidia/machine.json";

/// What is at a path of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A folder.
    Folder,
    /// A file that everybody may read.
    File(Vec<u8>),
    /// A file that everybody may execute.
    Program(Vec<u8>),
    /// A link to this target.
    Link(String),
    /// A device node.
    Node {
        /// The number of its driver.
        major: u32,
        /// The number of the device.
        minor: u32,
        /// Who may open it.
        mode: u32,
    },
    /// The socket of a daemon.
    Socket,
    /// This program, under the name of one of the driver's.
    Simulator,
}

impl From<String> for What {
    fn from(text: String) -> Self {
        Self::File(text.into_bytes())
    }
}

/// An entry of the folder: its path on the machine, and what is there.
pub type Entry = (String, What);

/// All entries of a machine's folder, without the folders above them. `now` is the time in ms since 1970.
///
/// # Errors
///
/// If the machine's figures cannot be read.
pub fn contents(machine: &Topology, state: &State, now: u64) -> Result<Vec<Entry>, String> {
    let mut all = files::all(machine);
    all.extend(live::files(machine, state, now)?);
    if is_loaded(machine) {
        // MIG devices made by nvidia-smi have rights and nodes too.
        let changed = state.applied(machine.clone());
        all.extend(kernel::all(&changed));
        all.extend(devices::all(machine, state, now)?);
        all.extend(kernel::nodes(&changed));
    }
    Ok(all)
}

/// Whether the kernel has loaded the driver: if not, only its files are there.
#[must_use]
pub fn is_loaded(machine: &Topology) -> bool {
    machine.fault_at(Step::Init).is_none_or(|fault| !fault.contains("driver not loaded"))
}
