//! Where changes to a machine are kept: a file that many runs read and write.
//!
//! A change replaces the file by a rename, so a reader needs no lock and sees the old file or the new one, and a disk
//! that is full keeps the old one. Writers take turns by a lock on a file beside it that only its owner can open.

use crate::libraries;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};
use nvidia_simulated_given as given;
use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::topology::Topology;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// The file if no setting names one; root can make it, as only root can change a real machine.
pub const DEFAULT: &str = "/run/fake-nvidia/state.json";

/// The file of changes.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
}

/// Why a change was not kept.
#[derive(Debug, PartialEq, Eq)]
pub enum Lost {
    /// The user may not write the file.
    Denied,
    /// Anything else, with the file's name.
    Fault(String),
}

impl Store {
    /// The file that a setting names, or else the one for all.
    #[must_use]
    pub fn new(path: Option<&Path>) -> Self {
        Self { path: path.unwrap_or(Path::new(DEFAULT)).to_owned() }
    }

    /// What was changed; nothing if there is no file. In a container, the host's changes are merged below its own.
    pub fn read(&self) -> Result<State, String> {
        let host = match fs::read_to_string(self.path.with_file_name(given::CHANGES)) {
            Ok(text) => State::parse(&text).map_err(|why| self.name(why))?.without_processes(),
            Err(_) => return self.own(),
        };
        Ok(self.own()?.over(host))
    }

    fn own(&self) -> Result<State, String> {
        match fs::read_to_string(&self.path) {
            Ok(text) => {
                State::parse(&text).map_err(|why| self.name(format!("{why}; `set --clear` takes all changes back")))
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(State::default()),
            Err(why) => Err(self.name(why)),
        }
    }

    /// Changes the file, with one writer at a time. Returns what the change returns; an error keeps the file as it was.
    /// The files beside it that the driver's libraries and containers read are updated too.
    pub fn change<T>(
        &self,
        machine: &Topology,
        change: impl FnOnce(&mut State) -> Result<T, String>,
    ) -> Result<T, Lost> {
        let _turn = self.turn()?;
        let mut state = self.own().map_err(Lost::Fault)?;
        let result = change(&mut state).map_err(Lost::Fault)?;
        self.keep(machine, &state, &state.text())?;
        Ok(result)
    }

    /// Takes all changes back, whatever the file says.
    pub fn clear(&self, machine: &Topology) -> Result<(), Lost> {
        let _turn = self.turn()?;
        // An empty file is a machine without changes, and can be written on a full disk.
        self.keep(machine, &State::default(), "")
    }

    /// Waits until no other run writes; the lock ends with the value.
    fn turn(&self) -> Result<Flock<File>, Lost> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|why| self.lost(&why))?;
        }
        // A new file belongs to this user; one that exists must be theirs to write.
        let owner = match OpenOptions::new().write(true).open(&self.path) {
            Ok(file) => file.metadata().ok(),
            Err(why) if why.kind() == io::ErrorKind::NotFound => None,
            Err(why) => return Err(self.lost(&why)),
        };
        if owner.as_ref().is_some_and(|of| !of.is_file()) {
            return Err(Lost::Fault(self.name("not a regular file, so it cannot be replaced; name another")));
        }
        let path = beside(&self.path, "lock");
        let is_new = !path.exists();
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits();
        let mut open = OpenOptions::new();
        let open = open.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
        let lock = open.open(&path).map_err(|why| self.lost(&why))?;
        if let Some(owner) = owner.filter(|_| is_new) {
            // Fails for all but root, whose lock the file's owner must be able to take.
            let _ = chown(&path, Some(owner.uid()), Some(owner.gid()));
        }
        Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, why)| Lost::Fault(self.name(why)))
    }

    /// Replaces the file and the one that containers read, and updates what the driver's libraries read. The caller has
    /// the lock.
    fn keep(&self, machine: &Topology, state: &State, text: &str) -> Result<(), Lost> {
        // A file that is a link is replaced where the link leads.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let new = replacement(&path, text).map_err(|why| self.lost(&why))?;
        let kept =
            self.publish(machine, state, text).and_then(|()| fs::rename(&new, &path).map_err(|why| self.name(why)));
        kept.map_err(|why| {
            let _ = fs::remove_file(&new);
            Lost::Fault(why)
        })
    }

    /// Updates the files beside the file of changes that others read.
    fn publish(&self, machine: &Topology, state: &State, text: &str) -> Result<(), String> {
        libraries::refresh(self.path.parent().unwrap_or(Path::new("")), machine, state)?;
        let shared = self.path.parent().zip(self.path.file_name());
        let Some(shared) = shared.map(|(folder, name)| folder.join(given::CONTAINERS).join(name)) else {
            return Ok(());
        };
        if !shared.exists() {
            return Ok(());
        }
        let named = |why: io::Error| format!("state {}: {why}", shared.display());
        fs::rename(replacement(&shared, text).map_err(named)?, &shared).map_err(named)
    }

    fn lost(&self, why: &io::Error) -> Lost {
        match Errno::from_raw(why.raw_os_error().unwrap_or_default()) {
            Errno::EACCES | Errno::EPERM | Errno::EROFS => Lost::Denied,
            _ => Lost::Fault(self.name(why)),
        }
    }

    fn name(&self, why: impl std::fmt::Display) -> String {
        format!("state {}: {why}", self.path.display())
    }
}

/// The file for a purpose, beside another.
fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}"))
}

/// Writes the file that is to replace another, with that one's rights and owner.
fn replacement(path: &Path, text: &str) -> io::Result<PathBuf> {
    let new = beside(path, "new");
    // A run that was killed may have left one.
    match fs::remove_file(&new) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        if let Ok(old) = fs::metadata(path) {
            // Fails for all but root, who keeps the file its owner's.
            let _ = chown(&new, Some(old.uid()), Some(old.gid()));
            fs::set_permissions(&new, Permissions::from_mode(old.mode() & 0o777))?;
        }
        Ok(())
    };
    match write() {
        Ok(()) => Ok(new),
        Err(why) => {
            let _ = fs::remove_file(&new);
            Err(why)
        }
    }
}
