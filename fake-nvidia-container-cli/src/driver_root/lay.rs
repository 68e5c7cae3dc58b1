//! Lays out a machine in a folder. A machine that was laid out there before is replaced; a folder that holds anything
//! else is refused.
//!
//! Somebody else may have prepared the folder, and may change it meanwhile. So everything is done in folders that are
//! held open, and links below the given folder are followed as the machine itself would follow them: none leads outside.

use super::{Entry, LIVE, MACHINE, What, contents, live};
use crate::libraries;
use crate::replace::replace;
use crate::rootfs::{Folder, Found, Ledger, Root, number};
use crate::smi::{STATE, Store};
use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nvidia_simulated_machine::text::{Text, path};
use nvidia_simulated_machine::topology::Topology;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
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
    let named = |path: &str, why: io::Error| format!("{}: {why}", below(folder, path).display());
    fs::create_dir_all(folder).map_err(|why| named("", why))?;
    let shown = Text::new(folder.as_os_str().as_bytes());
    let root = Root::open(&shown, &shown)?;
    clear(&Folder::of(root.handle().ok_or("no folder")?).map_err(|why| named("", why.into()))?, folder)?;
    let mut site = Site { root, nodes, program: None, own: [program, &live::end_of_program(machine)].concat() };
    let live = site.folder(LIVE).map_err(|why| named(LIVE, why))?;
    let at = within(&live, STATE);
    let state = Store::new(Some(&at)).read();
    let state = state.map_err(|why| {
        why.replace(&at.display().to_string(), &below(folder, LIVE).join(STATE).display().to_string())
    })?;
    let all = contents(machine, &state, libraries::now())?;
    // The file that marks the folder as ours comes first: if anything fails, the machine can be laid out again.
    for (path, what) in mark_first(&all) {
        site.put(path, what).map_err(|why| named(path, why))?;
    }
    site.share_state().map_err(|why| named(LIVE, why))
}

/// A path of the machine in the folder, to show.
fn below(folder: &Path, path: &str) -> PathBuf {
    folder.join(path.trim_start_matches('/'))
}

/// A name in a folder that is held open, as a path that leads there whatever became of the folder's own name.
fn within(folder: &Folder, name: &str) -> PathBuf {
    Path::new("/proc/self/fd").join(number(folder.handle())).join(path(name))
}

/// The mark comes first, and the other entries follow in their order.
fn mark_first(all: &[Entry]) -> impl Iterator<Item = &Entry> {
    let is_mark = |entry: &&Entry| entry.0 == MACHINE;
    all.iter().filter(is_mark).chain(all.iter().filter(move |entry| !is_mark(entry)))
}

/// Removes what was laid out before, except the mark, which is replaced later, and the folder that containers may have.
fn clear(top: &Folder, shown: &Path) -> Result<(), String> {
    let named = |path: &Path, why: io::Error| format!("{}: {why}", path.display());
    let is_empty = top.names().map_err(|why| named(shown, why.into()))?.is_empty();
    if !is_empty && !is_ours(top) {
        return Err(format!("{}: not empty, and not a driver root of this program", shown.display()));
    }
    clear_folder(top, "").map_err(|(path, why)| named(&below(shown, &path), why))
}

/// Whether a folder has the mark, which is a file of its own.
fn is_ours(top: &Folder) -> bool {
    let Some((above, name)) = MACHINE.rsplit_once('/') else { return false };
    let mut inner = above.split('/').filter(|name| !name.is_empty());
    let above = Folder::of(top.handle()).and_then(|top| inner.try_fold(top, |here, name| here.enter(name)));
    above.and_then(|above| above.look(name)).is_ok_and(|found| matches!(found, Found::File { .. }))
}

/// Removes everything in a folder that need not stay; `path` is the folder's own path on the machine.
fn clear_folder(folder: &Folder, path: &str) -> Result<(), (String, io::Error)> {
    let failed = |path: &str, why: io::Error| (path.to_owned(), why);
    for name in folder.names().map_err(|why| failed(path, why.into()))? {
        let inner = format!("{path}/{name}");
        let leads_to = |kept: &str| kept.strip_prefix(&inner).is_some_and(|rest| rest.starts_with('/'));
        let is_live = format!("{inner}/").starts_with(&format!("{LIVE}/"));
        let found = folder.look(&name).map_err(|why| failed(&inner, why.into()))?;
        match found {
            Found::Folder if is_live || leads_to(LIVE) || leads_to(MACHINE) => {
                let into = folder.enter(&name).map_err(|why| failed(&inner, why.into()))?;
                clear_folder(&into, &inner)?;
            }
            Found::File { .. } if (is_live && inner != LIVE) || inner == MACHINE => {}
            Found::Folder => fs::remove_dir_all(within(folder, &name)).map_err(|why| failed(&inner, why))?,
            _ => fs::remove_file(within(folder, &name)).map_err(|why| failed(&inner, why))?,
        }
    }
    Ok(())
}

/// A folder while it is filled.
struct Site {
    root: Root,
    nodes: Nodes,
    /// The folder and the name of the first copy of this program; the others are hard links to it.
    program: Option<(Folder, String)>,
    own: Vec<u8>,
}

impl Site {
    fn put(&mut self, path: &str, what: &What) -> io::Result<()> {
        if *what == What::Folder {
            return self.folder(path).map(drop);
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        if ["", ".", ".."].contains(&name) {
            return Err(io::Error::other("not a path of a file"));
        }
        let folder = self.folder(above)?;
        let at = within(&folder, name);
        match what {
            What::Folder => Ok(()),
            What::File(content) => write(&at, content, 0o644),
            What::Program(content) => write(&at, content, 0o755),
            What::Link(to) => symlink(to, at),
            What::Socket => Ok(mknod(&at, SFlag::S_IFSOCK, Mode::from_bits_truncate(0o666), 0)?),
            What::Node { major, minor, mode } => match self.nodes {
                Nodes::Files => write(&at, b"", *mode),
                Nodes::Real => {
                    let number = makedev(u64::from(*major), u64::from(*minor));
                    mknod(&at, SFlag::S_IFCHR, Mode::empty(), number)?;
                    fs::set_permissions(at, Permissions::from_mode(*mode))
                }
            },
            What::Simulator => match &self.program {
                Some((first, as_name)) => fs::hard_link(within(first, as_name), at),
                None => {
                    write(&at, &self.own, 0o755)?;
                    self.program = Some((folder, name.to_owned()));
                    Ok(())
                }
            },
        }
    }

    /// Opens a folder, and makes it and its missing parents; everybody may look into them, whatever the process's umask.
    fn folder(&self, path: &str) -> io::Result<Folder> {
        if path.split('/').any(|name| name == "..") {
            return Err(io::Error::other("a path of the machine with `..`"));
        }
        let inner = self.root.inner(path).map_err(io::Error::other)?;
        let mut here = Folder::of(self.root.handle().ok_or(Errno::ENOENT)?)?;
        for name in inner.split('/').filter(|name| !name.is_empty()) {
            here = match here.enter(name) {
                Err(Errno::ENOENT) => {
                    here.make_folder(name, 0o755, &mut Ledger::blank())?;
                    let made = here.enter(name)?;
                    fs::set_permissions(within(&made, "."), Permissions::from_mode(0o755))?;
                    made
                }
                entered => entered?,
            };
        }
        Ok(here)
    }

    /// Gives containers a copy of the file of changes in the folder that they get; each change replaces both.
    fn share_state(&self) -> io::Result<()> {
        let live = self.folder(LIVE)?;
        let shared = self.folder(&format!("{LIVE}/{}", nvidia_simulated_given::CONTAINERS))?;
        match live.look(STATE)? {
            Found::Nothing => write(&within(&live, STATE), b"", 0o644)?,
            Found::File { .. } => {}
            _ => return Err(io::Error::other("the file of changes is not a regular file")),
        }
        write(&within(&shared, STATE), &fs::read(within(&live, STATE))?, 0o644)
    }
}

/// Writes a file with exactly this mode, whatever the process's umask.
fn write(at: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    replace(at, content, Some(mode))
}
