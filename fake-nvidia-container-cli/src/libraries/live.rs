//! The files in the host's folder for containers that the command line has made: for each machine, what its libraries
//! report and what was changed. A container knows its machine's files by name, and selects its devices from theirs.

use super::{Seen, Sight, now, text};
use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::topology::Topology;
use std::path::Path;
use std::{fs, io, process};

/// What tells one machine from another: many can be simulated on one host at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(String);

impl Identity {
    /// The identity of a machine as its topology describes it, without changes.
    #[must_use]
    pub fn of(machine: &Topology) -> Self {
        let text = serde_json::to_vec(machine).unwrap_or_default();
        // FNV-1a: different for different machines, the same in every run.
        let hash = text
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        Self(format!("{hash:016x}"))
    }

    /// The name of the given file, for places where CUDA does or does not initialize.
    #[must_use]
    pub fn given(&self, cuda: bool) -> String {
        format!("{}.{}", self.0, if cuda { "cuda" } else { "given" })
    }

    /// The name of the file of changes.
    #[must_use]
    pub fn changes(&self) -> String {
        format!("{}.json", self.0)
    }
}

/// Writes a machine's files, if the folder exists: a container may have it.
pub(super) fn write(folder: &Path, machine: &Topology, state: &State) -> Result<(), String> {
    if !folder.is_dir() {
        return Ok(());
    }
    let identity = Identity::of(machine);
    let sight = Sight::every(machine);
    for cuda in [false, true] {
        let seen = Seen { machine, state, sight: &sight, cuda, nodes: None, now: now() };
        put(folder, &identity.given(cuda), &text(&seen)?)?;
    }
    put(folder, &identity.changes(), &state.text())
}

/// Writes a file such that a reader sees the old one or the new one, never half of one.
fn put(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let done = || -> io::Result<()> {
        let new = folder.join(format!(".{name}.{}", process::id()));
        fs::write(&new, text)?;
        fs::rename(new, folder.join(name))
    };
    done().map_err(|why| format!("{}: {why}", folder.join(name).display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nvidia_simulated_machine::topology;

    #[test]
    fn each_machine_has_files_of_its_own_where_there_is_a_folder() {
        let top = tempfile::tempdir().unwrap();
        let (one, other) = (topology::load(Some("t4")).unwrap(), topology::load(Some("h100")).unwrap());
        write(&top.path().join("live"), &one, &State::default()).unwrap();
        assert!(!top.path().join("live").exists());
        write(top.path(), &one, &State::default()).unwrap();
        write(top.path(), &other, &State::default()).unwrap();
        let read = |machine, cuda| fs::read_to_string(top.path().join(Identity::of(machine).given(cuda))).unwrap();
        assert!(read(&one, false).contains("Tesla T4") && !read(&one, false).contains("cuda.init"));
        assert!(read(&other, true).contains("H100") && read(&other, true).contains("cuda.init 0\n"));
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 6);
    }
}
