//! The stand-ins for the driver's files in a container: this program, empty libraries, real device nodes.
//!
//! They are made in the container's own tmpfs, so nothing is left when the container is gone.

use super::libraries::{library, width};
use crate::driver::{CAPS_MAJOR, caps, proc};
use crate::libraries;
use crate::plan::Kind;
use crate::rootfs::{Folder, Ledger};
use crate::simulate::Choice;
use crate::smi;
use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, makedev, umask};
use nvidia_simulated_machine::topology::Topology;
use std::os::fd::OwnedFd;

/// Makes stand-ins in one folder.
pub(super) struct StandIns<'a> {
    folder: Folder,
    machine: &'a Topology,
    made: u32,
    program: Option<String>,
    own: &'a [u8],
    /// Everything goes away with the tmpfs, so nothing has to be undone one by one.
    ledger: Ledger,
}

impl<'a> StandIns<'a> {
    /// Prepares the folder, with the file that tells nvidia-smi's stand-in what the container was given.
    pub(super) fn new(
        base: &Folder,
        machine: &'a Topology,
        (choice, told): (&Choice, &str),
        own: &'a [u8],
    ) -> Result<Self, Errno> {
        let mut ledger = Ledger::blank();
        let folder = exactly(|| {
            base.make_folder(smi::FOLDER, 0o755, &mut ledger)?;
            let folder = base.enter(smi::FOLDER)?;
            let given = serde_json::to_vec(&smi::Given::new(machine, choice)).map_err(|_| Errno::EINVAL)?;
            folder.write(smi::FILE, &given, 0o444, &mut ledger)?;
            folder.write(nvidia_simulated_given::FILE, told.as_bytes(), 0o444, &mut ledger)?;
            Ok(folder)
        })?;
        Ok(Self { folder, machine, made: 0, program: None, own, ledger })
    }

    /// The folder, for other files that belong in it.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A stand-in for the source of a bind mount.
    pub(super) fn make(&mut self, src: &str, kind: &Kind) -> Result<OwnedFd, Errno> {
        let name = exactly(|| self.make_one(src, kind))?;
        self.folder.pin(&name)
    }

    fn make_one(&mut self, src: &str, kind: &Kind) -> Result<String, Errno> {
        let file = src.rsplit('/').next().unwrap_or_default();
        self.made += 1;
        let name = self.made.to_string();
        let (folder, ledger) = (&self.folder, &mut self.ledger);
        match kind {
            Kind::Program => return self.program(name),
            Kind::File if file.contains(".so") => {
                let library = library(self.machine, src, None);
                let library = library.unwrap_or_else(|| libraries::empty(file, width(self.machine, src)));
                folder.write(&name, &library, kind.mode(), ledger)?;
            }
            Kind::File | Kind::ContainerFile => folder.write(&name, b"", kind.mode(), ledger)?,
            Kind::Socket => node(folder, &name, SFlag::S_IFSOCK, (0, 0), ledger)?,
            Kind::Device { major, minor } => node(folder, &name, SFlag::S_IFCHR, (*major, *minor), ledger)?,
            Kind::Access(minor) => folder.write(&name, proc::access(*minor).as_bytes(), kind.mode(), ledger)?,
            Kind::GpuFolder(place) => {
                folder.make_folder(&name, kind.mode(), ledger)?;
                let gpu = self.machine.gpus.get(*place).ok_or(Errno::ENODEV)?;
                folder.enter(&name)?.write(
                    "information",
                    proc::information(self.machine, gpu).as_bytes(),
                    0o444,
                    ledger,
                )?;
            }
            Kind::Folder => {
                folder.make_folder(&name, kind.mode(), ledger)?;
                let inside = folder.enter(&name)?;
                if src.ends_with(caps::PROC) {
                    self.caps_tree(&inside)?;
                } else if src.ends_with(caps::DEV) {
                    self.caps_nodes(&inside)?;
                }
            }
        }
        Ok(name)
    }

    /// One copy of this program serves all names.
    fn program(&mut self, name: String) -> Result<String, Errno> {
        if let Some(there) = &self.program {
            return Ok(there.clone());
        }
        self.folder.write(&name, self.own, Kind::Program.mode(), &mut self.ledger)?;
        self.program = Some(name.clone());
        Ok(name)
    }

    /// The tree of rights: both global ones, and the rights of every existing part.
    fn caps_tree(&mut self, top: &Folder) -> Result<(), Errno> {
        for right in caps::existing(self.machine) {
            let path = right.proc.strip_prefix(caps::PROC).unwrap_or_default();
            let mut names: Vec<String> = path.split('/').filter(|n| !n.is_empty()).map(str::to_owned).collect();
            let Some(last) = names.pop() else { continue };
            let mut folder = Folder::of(top.handle())?;
            for name in names {
                folder.make_folder(&name, 0o755, &mut self.ledger)?;
                folder = folder.enter(&name)?;
            }
            folder.write(&last, proc::access(right.minor).as_bytes(), 0o444, &mut self.ledger)?;
        }
        for gpu in self.machine.gpus.iter().filter(|gpu| gpu.mig_capable) {
            let mut folder = Folder::of(top.handle())?;
            for name in [&format!("gpu{}", gpu.minor), "mig"] {
                folder.make_folder(name, 0o755, &mut self.ledger)?;
                folder = folder.enter(name)?;
            }
        }
        Ok(())
    }

    fn caps_nodes(&mut self, folder: &Folder) -> Result<(), Errno> {
        let mut minors: Vec<u32> = caps::existing(self.machine).iter().map(|right| right.minor).collect();
        minors.sort_unstable();
        minors.dedup();
        let ledger = &mut self.ledger;
        minors.iter().try_for_each(|minor| {
            node(folder, &format!("nvidia-cap{minor}"), SFlag::S_IFCHR, (CAPS_MAJOR, *minor), ledger)
        })
    }
}

/// Does something with modes exactly as given, whatever the process's umask.
fn exactly<T>(work: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    let mask = umask(Mode::empty());
    let done = work();
    umask(mask);
    done
}

/// Makes a node, or an empty file if the kernel forbids nodes (in a user namespace).
fn node(
    folder: &Folder,
    name: &str,
    kind: SFlag,
    (major, minor): (u32, u32),
    ledger: &mut Ledger,
) -> Result<(), Errno> {
    let mode = if major == CAPS_MAJOR { caps::mode(minor) } else { 0o666 };
    match folder.node(name, kind, makedev(u64::from(major), u64::from(minor)), mode) {
        Err(Errno::EPERM) => folder.write(name, b"", mode, ledger),
        done => done,
    }
}
