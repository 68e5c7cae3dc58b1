//! Lays out a machine in a folder. A machine that was laid out there before is replaced; a folder that holds anything
//! else is refused.

use super::{Entry, LIVE, MACHINE, What, contents, live};
use crate::libraries;
use crate::smi::Store;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nvidia_simulated_machine::topology::Topology;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// What represents device nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// Empty files, which anyone can make.
    Files,
    /// Nodes with the real numbers, which only root can make.
    Real,
}

/// Lays out a machine; `program` is the content of the simulator's file. Changes that `set` made to the machine stay.
///
/// # Errors
///
/// If the folder is not empty and not a driver root of this program, or something in it cannot be made; the error names
/// it.
pub fn lay(folder: &Path, machine: &Topology, nodes: Nodes, program: &[u8]) -> Result<(), String> {
    let named = |path: &Path, why: io::Error| format!("{}: {why}", path.display());
    fs::create_dir_all(folder).map_err(|why| named(folder, why))?;
    clear(folder)?;
    let store = Store::new(Some(&below(folder, LIVE).join(crate::smi::STATE)));
    let state = store.read()?;
    let all = contents(machine, &state, libraries::now())?;
    let mut site = Site { folder, nodes, program: None, own: [program, &live::end_of_program(machine)].concat() };
    // The file that marks the folder as ours comes first: if anything fails, the machine can be laid out again.
    for (path, what) in mark_first(&all) {
        let at = below(folder, path);
        site.put(&at, what).map_err(|why| named(&at, why))?;
    }
    site.share_state().map_err(|why| named(&below(folder, LIVE), why))
}

/// A path of the machine in the folder.
fn below(folder: &Path, path: &str) -> PathBuf {
    folder.join(path.trim_start_matches('/'))
}

/// The mark comes first, and the other entries follow in their order.
fn mark_first(all: &[Entry]) -> impl Iterator<Item = &Entry> {
    let is_mark = |entry: &&Entry| entry.0 == MACHINE;
    all.iter().filter(is_mark).chain(all.iter().filter(move |entry| !is_mark(entry)))
}

/// Removes what was laid out before, except the folder that containers may have.
fn clear(folder: &Path) -> Result<(), String> {
    let named = |path: &Path, why: io::Error| format!("{}: {why}", path.display());
    let names = |path: &Path| -> Result<Vec<PathBuf>, String> {
        let entries = fs::read_dir(path).map_err(|why| named(path, why))?;
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(|why| named(path, why))).collect()
    };
    let there = names(folder)?;
    if !there.is_empty() && !below(folder, MACHINE).exists() {
        return Err(format!("{}: not empty, and not a driver root of this program", folder.display()));
    }
    let run = below(folder, "/run");
    let inner = if run.is_dir() { names(&run)? } else { Vec::new() };
    let kept = below(folder, LIVE);
    for path in there.iter().filter(|path| **path != run).chain(&inner).filter(|path| **path != kept) {
        let is_folder = fs::symlink_metadata(path).is_ok_and(|of| of.is_dir());
        let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.map_err(|why| named(path, why))?;
    }
    Ok(())
}

/// A folder while it is filled.
struct Site<'a> {
    folder: &'a Path,
    nodes: Nodes,
    /// The first copy of this program; the others are hard links to it.
    program: Option<PathBuf>,
    own: Vec<u8>,
}

impl Site<'_> {
    fn put(&mut self, at: &Path, what: &What) -> io::Result<()> {
        self.folders(if *what == What::Folder { Some(at) } else { at.parent() })?;
        match what {
            What::Folder => Ok(()),
            What::File(content) => write(at, content, 0o644),
            What::Program(content) => write(at, content, 0o755),
            What::Link(to) => symlink(to, at),
            What::Socket => Ok(mknod(at, SFlag::S_IFSOCK, Mode::from_bits_truncate(0o666), 0)?),
            What::Node { major, minor, mode } => match self.nodes {
                Nodes::Files => write(at, b"", *mode),
                Nodes::Real => {
                    let number = makedev(u64::from(*major), u64::from(*minor));
                    mknod(at, SFlag::S_IFCHR, Mode::empty(), number)?;
                    fs::set_permissions(at, Permissions::from_mode(*mode))
                }
            },
            What::Simulator => match &self.program {
                Some(first) => fs::hard_link(first, at),
                None => {
                    write(at, &self.own, 0o755)?;
                    self.program = Some(at.to_owned());
                    Ok(())
                }
            },
        }
    }

    /// Makes a folder and its missing parents; everybody may look into them, whatever the process's umask.
    fn folders(&self, at: Option<&Path>) -> io::Result<()> {
        let missing = at.into_iter().flat_map(Path::ancestors).take_while(|path| *path != self.folder);
        let missing: Vec<&Path> = missing.filter(|path| !path.exists()).collect();
        for path in missing.into_iter().rev() {
            fs::create_dir(path)?;
            fs::set_permissions(path, Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    /// Gives the file of changes a second name in the folder that containers get: it is written in place.
    fn share_state(&self) -> io::Result<()> {
        let live = below(self.folder, LIVE);
        let (own, shared) =
            (live.join(crate::smi::STATE), live.join(nvidia_simulated_given::CONTAINERS).join(crate::smi::STATE));
        if !own.exists() {
            write(&own, b"", 0o644)?;
        }
        if shared.exists() { Ok(()) } else { fs::hard_link(own, shared) }
    }
}

/// Writes a file such that a reader sees the old one or the new one, never half of one.
fn write(at: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let name = at.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let new = at.with_file_name(format!(".{name}.{}", std::process::id()));
    fs::write(&new, content)?;
    fs::set_permissions(&new, Permissions::from_mode(mode))?;
    fs::rename(new, at)
}
