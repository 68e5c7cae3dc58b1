//! A directory that is held open, and what is done in it by single names: no link is followed, and no existing file is
//! opened for writing.

use super::walk::{PIN, os, text};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::libc::ino_t;
use nix::sys::stat::{Mode, SFlag, dev_t, fstat, fstatat, mkdirat, mknodat};
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// What exists at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The name is free.
    Nothing,
    /// A directory.
    Folder,
    /// A regular file, and whether it is empty.
    File {
        /// True if it has no content.
        empty: bool,
    },
    /// A symbolic link, which is not followed.
    Link,
    /// A FIFO, a socket or a device.
    Other,
}

/// Everything that was made, in order, so that it can be undone.
#[derive(Debug, Default)]
pub struct Ledger {
    made: Vec<(Rc<OwnedFd>, String, bool)>,
    /// One handle for each folder, by device and inode: a process cannot hold one for each entry.
    folders: BTreeMap<(dev_t, ino_t), Rc<OwnedFd>>,
    /// Whether nothing has to be undone.
    is_blank: bool,
}

impl Ledger {
    /// A ledger that notes nothing, for what stays or goes away as a whole.
    #[must_use]
    pub fn blank() -> Self {
        Self { is_blank: true, ..Self::default() }
    }

    /// Notes an entry that was just made. If that fails, the entry is removed.
    fn note(&mut self, folder: &Folder, name: &str, is_folder: bool) -> Result<(), Errno> {
        if self.is_blank {
            return Ok(());
        }
        match self.handle(folder) {
            Ok(handle) => {
                self.made.push((handle, name.to_owned(), is_folder));
                Ok(())
            }
            Err(why) => {
                remove(&folder.0, name, is_folder);
                Err(why)
            }
        }
    }

    fn handle(&mut self, folder: &Folder) -> Result<Rc<OwnedFd>, Errno> {
        let stat = fstat(&folder.0)?;
        match self.folders.entry((stat.st_dev, stat.st_ino)) {
            Entry::Occupied(there) => Ok(Rc::clone(there.get())),
            Entry::Vacant(free) => Ok(Rc::clone(free.insert(Rc::new(Folder::of(folder.handle())?.0)))),
        }
    }

    /// Removes the entries that were made, last first. An entry that is no longer as it was made stays.
    pub fn undo(&mut self) {
        for (folder, name, is_folder) in self.made.drain(..).rev() {
            remove(&folder, &name, is_folder);
        }
    }
}

/// A directory that is held open by its handle.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// The directory of a handle.
    pub fn of(handle: BorrowedFd<'_>) -> Result<Self, Errno> {
        let copy =
            handle.try_clone_to_owned().map_err(|why| Errno::from_raw(why.raw_os_error().unwrap_or_default()))?;
        Ok(Self(copy))
    }

    /// Whether a handle is a directory's.
    pub(super) fn is_one(handle: BorrowedFd<'_>) -> bool {
        fstat(handle).is_ok_and(|stat| is(stat.st_mode, SFlag::S_IFDIR))
    }

    /// The handle, for calls that take one; the folder keeps it.
    #[must_use]
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// The directory some levels down, none of which may be a link; with a ledger, missing levels are made.
    pub fn descend(self, names: &[String], mut ledger: Option<&mut Ledger>) -> Result<Self, Errno> {
        let mut here = self;
        for name in names {
            here = match here.enter(name) {
                Err(Errno::ENOENT) => {
                    let Some(ledger) = ledger.as_deref_mut() else { return Err(Errno::ENOENT) };
                    here.make_folder(name, 0o777, ledger)?;
                    here.enter(name)?
                }
                entered => entered?,
            };
        }
        Ok(here)
    }

    /// The directory with this name in this one.
    pub fn enter(&self, name: &str) -> Result<Self, Errno> {
        openat(&self.0, os(name).as_os_str(), PIN | OFlag::O_DIRECTORY, Mode::empty()).map(Self)
    }

    /// A handle to whatever exists at a name; for a link, to the link itself.
    pub fn pin(&self, name: &str) -> Result<OwnedFd, Errno> {
        openat(&self.0, os(name).as_os_str(), PIN, Mode::empty())
    }

    /// What exists at a name.
    pub fn look(&self, name: &str) -> Result<Found, Errno> {
        match fstatat(&self.0, os(name).as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) if is(stat.st_mode, SFlag::S_IFDIR) => Ok(Found::Folder),
            Ok(stat) if is(stat.st_mode, SFlag::S_IFREG) => Ok(Found::File { empty: stat.st_size == 0 }),
            Ok(stat) if is(stat.st_mode, SFlag::S_IFLNK) => Ok(Found::Link),
            Ok(_) => Ok(Found::Other),
            Err(Errno::ENOENT) => Ok(Found::Nothing),
            Err(why) => Err(why),
        }
    }

    /// The names in it, sorted.
    pub fn names(&self) -> Result<Vec<String>, Errno> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut folder = Dir::openat(&self.0, ".", flags, Mode::empty())?;
        let entries = folder.iter().filter_map(Result::ok);
        let names = entries.map(|entry| {
            use std::os::unix::ffi::OsStrExt;
            text(std::ffi::OsStr::from_bytes(entry.file_name().to_bytes()))
        });
        let mut names: Vec<String> = names.filter(|name| name != "." && name != "..").collect();
        names.sort();
        Ok(names)
    }

    /// Makes a folder, unless there is one.
    pub fn make_folder(&self, name: &str, mode: u32, ledger: &mut Ledger) -> Result<(), Errno> {
        match mkdirat(&self.0, os(name).as_os_str(), Mode::from_bits_truncate(mode)) {
            Ok(()) => ledger.note(self, name, true),
            Err(Errno::EEXIST) if self.look(name)? == Found::Folder => Ok(()),
            Err(Errno::EEXIST) if self.look(name)? == Found::Link => Err(Errno::EEXIST),
            Err(Errno::EEXIST) => Err(Errno::ENOTDIR),
            Err(why) => Err(why),
        }
    }

    /// Makes an empty file, unless something exists there; a link is an error.
    pub fn touch(&self, name: &str, mode: u32, ledger: &mut Ledger) -> Result<(), Errno> {
        match self.create(name, mode) {
            Ok(_) => ledger.note(self, name, false),
            Err(Errno::EEXIST) if self.look(name)? != Found::Link => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// Makes a file with this content. An existing one is replaced and never opened: it may be a FIFO, or another name
    /// of a file outside. A folder or a link in its place is an error.
    pub fn write(&self, name: &str, content: &[u8], mode: u32, ledger: &mut Ledger) -> Result<(), Errno> {
        let found = self.look(name)?;
        match found {
            Found::Nothing => {
                let file = self.create(name, mode)?;
                ledger.note(self, name, false)?;
                return fill(file, content);
            }
            Found::Link => return Err(Errno::EEXIST),
            Found::Folder => return Err(Errno::EISDIR),
            Found::File { .. } | Found::Other => {}
        }
        let beside = format!(".{name}.{}", std::process::id());
        let done = self.create(&beside, mode).and_then(|file| fill(file, content));
        let done =
            done.and_then(|()| nix::fcntl::renameat(&self.0, os(&beside).as_os_str(), &self.0, os(name).as_os_str()));
        if done.is_err() {
            let _ = unlinkat(&self.0, os(&beside).as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
        done
    }

    fn create(&self, name: &str, mode: u32) -> Result<File, Errno> {
        // O_EXCL follows no link either.
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        openat(&self.0, os(name).as_os_str(), flags, Mode::from_bits_truncate(mode)).map(File::from)
    }

    /// Makes a link. An existing link with another target is another driver's and is replaced; anything else stays.
    pub fn link(&self, name: &str, to: &str, ledger: &mut Ledger) -> Result<(), Errno> {
        let (name_os, to) = (os(name), os(to));
        if self.look(name)? == Found::Link {
            if nix::fcntl::readlinkat(&self.0, name_os.as_os_str())? == to {
                return Ok(());
            }
            unlinkat(&self.0, name_os.as_os_str(), UnlinkatFlags::NoRemoveDir)?;
        }
        match symlinkat(to.as_os_str(), &self.0, name_os.as_os_str()) {
            Ok(()) => ledger.note(self, name, false),
            Err(Errno::EEXIST) => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// Makes a node, which only the machine's root can do.
    pub fn node(&self, name: &str, kind: SFlag, device: dev_t, mode: u32) -> Result<(), Errno> {
        mknodat(&self.0, os(name).as_os_str(), kind, Mode::from_bits_truncate(mode), device)
    }

    /// Removes an empty file or folder and nothing else, so no content of an image is lost.
    pub fn remove_empty(&self, name: &str) {
        let flag = match self.look(name) {
            Ok(Found::Folder) => UnlinkatFlags::RemoveDir,
            Ok(Found::File { empty: true }) => UnlinkatFlags::NoRemoveDir,
            _ => return,
        };
        let _ = unlinkat(&self.0, os(name).as_os_str(), flag);
    }
}

fn remove(folder: &OwnedFd, name: &str, is_folder: bool) {
    let flag = if is_folder { UnlinkatFlags::RemoveDir } else { UnlinkatFlags::NoRemoveDir };
    let _ = unlinkat(folder, os(name).as_os_str(), flag);
}

fn fill(mut file: File, content: &[u8]) -> Result<(), Errno> {
    file.write_all(content).map_err(|why| Errno::from_raw(why.raw_os_error().unwrap_or_default()))
}

fn is(mode: u32, kind: SFlag) -> bool {
    mode & SFlag::S_IFMT.bits() == kind.bits()
}

/// The name of a handle in the process's own folder of descriptors.
#[must_use]
pub fn number(handle: BorrowedFd<'_>) -> String {
    handle.as_raw_fd().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_holds_one_handle_for_each_folder() {
        let top = tempfile::tempdir().unwrap();
        let open = nix::fcntl::open(top.path(), super::super::DIRECTORY, Mode::empty()).unwrap();
        let (folder, mut ledger) = (Folder::of(open.as_fd()).unwrap(), Ledger::default());
        for name in 0..50 {
            folder.touch(&name.to_string(), 0o644, &mut ledger).unwrap();
        }
        folder.make_folder("inner", 0o755, &mut ledger).unwrap();
        folder.enter("inner").unwrap().touch("file", 0o644, &mut ledger).unwrap();
        folder.touch("stays", 0o644, &mut Ledger::blank()).unwrap();
        assert_eq!((ledger.made.len(), ledger.folders.len()), (52, 2));
        ledger.undo();
        assert_eq!(folder.names().unwrap(), ["stays"]);
    }
}
