//! Makes changes on the host visible in a running container: the host's folder of live files is mounted read-only. It
//! is mounted as a folder because its files are replaced by renames, which a mount of a file itself would not follow.
//!
//! If the kernel refuses the mount, a container keeps what it was told when it started.

use super::kernel::Kernel;
use crate::libraries::{Identity, Sight};
use crate::rootfs::{Folder, Ledger};
use nix::errno::Errno;
use nix::mount::MsFlags;
use nvidia_simulated_given as given;
use nvidia_simulated_machine::topology::Topology;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// The folder's name, beside the file that says what the container was told.
const HOST: &str = "host";

/// The host's folder, held so that it can be mounted in another mount namespace.
#[derive(Debug)]
pub struct Live {
    tree: Option<OwnedFd>,
    identity: Identity,
    cuda: bool,
}

impl Live {
    /// Opens the folder beside the host's file of changes, and makes it if it is missing and that is possible.
    #[must_use]
    pub fn of(state: &Path, identity: Identity, cuda: bool) -> Self {
        let folder = state.with_file_name(given::LIVE);
        let _ = std::fs::create_dir_all(&folder);
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        Self { tree: open_tree(rustix::fs::CWD, &folder, flags).ok(), identity, cuda }
    }

    /// Mounts it in the container's folder of stand-ins, with links under the names by which its files are looked up
    /// there, and an entry for each device that the container sees.
    pub(super) fn attach(
        &self,
        kernel: &Kernel,
        folder: &Folder,
        machine: &Topology,
        sight: &Sight,
    ) -> Result<(), Errno> {
        let Some(tree) = &self.tree else { return Ok(()) };
        let mut ledger = Ledger::blank();
        folder.make_folder(HOST, 0o755, &mut ledger)?;
        let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        if kernel.attach(tree.as_fd(), (folder, HOST), flags).is_err() {
            return Ok(());
        }
        folder.link(given::LIVE, &format!("{HOST}/{}", self.identity.given(self.cuda)), &mut ledger)?;
        folder.link(given::CHANGES, &format!("{HOST}/{}", self.identity.changes()), &mut ledger)?;
        folder.make_folder(given::DEVICES, 0o755, &mut ledger)?;
        let devices = folder.enter(given::DEVICES)?;
        let names = sight.names(machine);
        names.iter().try_for_each(|uuid| devices.write(uuid, b"", 0o444, &mut ledger))
    }
}
