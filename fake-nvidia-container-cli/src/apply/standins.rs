//! What stands in for the driver's files in a container: this program, empty libraries, real device nodes.
//!
//! They are made in a memory file system of the container's own, so that nothing is left when the container is gone.

use super::elf;
use crate::driver::{CAPS_MAJOR, caps};
use crate::plan::Kind;
use crate::simulate::Choice;
use crate::smi;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nvidia_simulated_machine::topology::{Gpu, Topology};
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes stand-ins in one folder.
pub(super) struct StandIns<'a> {
    folder: PathBuf,
    machine: &'a Topology,
    made: u32,
    program: Option<PathBuf>,
    own: &'a [u8],
}

impl<'a> StandIns<'a> {
    /// Prepares the folder, with the file that tells the stand-in of nvidia-smi what the container was given.
    pub(super) fn new(folder: PathBuf, machine: &'a Topology, choice: &Choice, own: &'a [u8]) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let given = serde_json::to_vec(&smi::Given::new(machine, choice)).map_err(io::Error::other)?;
        write(&folder.join(smi::FILE), &given, 0o444)?;
        Ok(Self { folder, machine, made: 0, program: None, own })
    }

    /// A stand-in for a source of a bind mount.
    pub(super) fn make(&mut self, src: &str, kind: &Kind) -> io::Result<PathBuf> {
        let name = src.rsplit('/').next().unwrap_or_default();
        self.made += 1;
        let at = self.folder.join(self.made.to_string());
        match kind {
            Kind::Program => return self.program(at),
            Kind::File if name.contains(".so") => write(&at, &elf::library(&elf::soname(name)), 0o644)?,
            Kind::File | Kind::ContainerFile => write(&at, b"", 0o644)?,
            Kind::Socket => node(&at, SFlag::S_IFSOCK, (0, 0))?,
            Kind::Device { major, minor } => node(&at, SFlag::S_IFCHR, (*major, *minor))?,
            Kind::Access(minor) => write(&at, &access(*minor), 0o444)?,
            Kind::GpuFolder(place) => {
                fs::create_dir_all(&at)?;
                let gpu = self.machine.gpus.get(*place);
                gpu.map_or(Ok(()), |g| write(&at.join("information"), information(g).as_bytes(), 0o444))?;
            }
            Kind::Folder if src.ends_with(caps::PROC) => self.caps_tree(&at)?,
            Kind::Folder if src.ends_with(caps::DEV) => self.caps_nodes(&at)?,
            Kind::Folder => fs::create_dir_all(&at)?,
        }
        Ok(at)
    }

    /// One copy of this program serves all names.
    fn program(&mut self, at: PathBuf) -> io::Result<PathBuf> {
        if let Some(there) = &self.program {
            return Ok(there.clone());
        }
        write(&at, self.own, 0o755)?;
        self.program = Some(at.clone());
        Ok(at)
    }

    /// The tree of rights: both global ones, and those of every part that exists.
    fn caps_tree(&self, at: &Path) -> io::Result<()> {
        let inside = |path: &str| at.join(path.strip_prefix(caps::PROC).unwrap_or_default().trim_start_matches('/'));
        let put = |path: PathBuf, minor| {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            write(&path, &access(minor), 0o444)
        };
        put(at.join("mig/config"), caps::CONFIG)?;
        put(at.join("mig/monitor"), caps::MONITOR)?;
        for gpu in &self.machine.gpus {
            for each in gpu.mig.iter().flat_map(|m| caps::accesses(gpu, m)) {
                put(inside(&each.proc), each.minor)?;
            }
        }
        Ok(())
    }

    fn caps_nodes(&self, at: &Path) -> io::Result<()> {
        fs::create_dir_all(at)?;
        let parts = self.machine.gpus.iter().flat_map(|g| g.mig.iter().flat_map(|m| caps::accesses(g, m)));
        let mut minors: Vec<u32> = parts.map(|a| a.minor).chain([caps::CONFIG, caps::MONITOR]).collect();
        minors.sort_unstable();
        minors.dedup();
        let make = |minor: &u32| node(&at.join(format!("nvidia-cap{minor}")), SFlag::S_IFCHR, (CAPS_MAJOR, *minor));
        minors.iter().try_for_each(make)
    }
}

fn write(at: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(at)?.write_all(content)?;
    fs::set_permissions(at, Permissions::from_mode(mode))
}

/// A node, or an empty file where the kernel lets nobody make nodes (a user namespace).
fn node(at: &Path, kind: SFlag, (major, minor): (u32, u32)) -> io::Result<()> {
    match mknod(at, kind, Mode::from_bits_truncate(0o666), makedev(u64::from(major), u64::from(minor))) {
        Ok(()) => fs::set_permissions(at, Permissions::from_mode(0o666)),
        Err(nix::errno::Errno::EPERM) => write(at, b"", 0o666),
        Err(why) => Err(why.into()),
    }
}

fn access(minor: u32) -> Vec<u8> {
    format!("DeviceFileMinor: {minor}\nDeviceFileMode: 292\nDeviceFileModify: 1\n").into_bytes()
}

fn information(gpu: &Gpu) -> String {
    let bus = gpu.busid.get(4..).unwrap_or_default();
    let lines = [
        ("Model", gpu.model.as_str()),
        ("GPU UUID", gpu.uuid.as_str()),
        ("Bus Type", "PCIe"),
        ("Bus Location", bus),
        ("Device Minor", &gpu.minor.to_string()),
    ];
    lines.iter().map(|(label, value)| format!("{:<16}{value}\n", format!("{label}:"))).collect()
}
