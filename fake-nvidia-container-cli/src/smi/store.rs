//! Where changes to a machine are kept: a file that many runs read and write.

use crate::libraries;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nvidia_simulated_given as given;
use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::topology::Topology;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
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
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(why) => return Err(self.name(why)),
        };
        let mut file = Flock::lock(file, FlockArg::LockShared).map_err(|(_, why)| self.name(why))?;
        self.parse(&mut file)
    }

    /// Changes the file, with one writer at a time. Returns what the change returns; an error keeps the file as it was.
    /// The files beside it that the driver's libraries read are updated too.
    pub fn change<T>(
        &self,
        machine: &Topology,
        change: impl FnOnce(&mut State) -> Result<T, String>,
    ) -> Result<T, Lost> {
        let denied = |why: io::Error| match Errno::from_raw(why.raw_os_error().unwrap_or_default()) {
            Errno::EACCES | Errno::EPERM | Errno::EROFS => Lost::Denied,
            _ => Lost::Fault(self.name(why)),
        };
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(denied)?;
        }
        let mut open = OpenOptions::new();
        let file = open.read(true).write(true).create(true).truncate(false).open(&self.path).map_err(denied)?;
        let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, why)| Lost::Fault(self.name(why)))?;
        let mut state = self.parse(&mut file).map_err(Lost::Fault)?;
        let result = change(&mut state).map_err(Lost::Fault)?;
        let text = state.text();
        let write = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(text.as_bytes()));
        write.map_err(|why| Lost::Fault(self.name(why)))?;
        // While the lock is held, so that the last change wins.
        libraries::refresh(self.path.parent().unwrap_or(Path::new("")), machine, &state).map_err(Lost::Fault)?;
        Ok(result)
    }

    fn parse(&self, file: &mut File) -> Result<State, String> {
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|why| self.name(why))?;
        State::parse(&text).map_err(|why| self.name(why))
    }

    fn name(&self, why: impl std::fmt::Display) -> String {
        format!("state {}: {why}", self.path.display())
    }
}
