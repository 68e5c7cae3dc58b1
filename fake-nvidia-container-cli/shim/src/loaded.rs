//! A given file in memory: where it is looked for, in which order, and what it says is given.
//!
//! 1. `fake-nvidia/given` beside the library,
//! 2. `/proc/driver/.fake-nvidia/given`, which `fake-nvidia-container-cli` makes in a container,
//! 3. `/run/fake-nvidia/given`, which a CDI specification mounts,
//! 4. the end of the library itself.
//!
//! The first that is there counts, even if it is broken.

use crate::kernel::{self, ENOENT, ENOTDIR, File, Memory};
use crate::path::Path;
use crate::place;
use nvidia_simulated_given::{self as given, Broken, Given, Section};

/// Why there is nothing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no file.
    Missing,
    /// It is of another version.
    Version,
    /// It is not one, or not whole, or too large.
    Torn,
    /// There is no memory for it.
    Memory,
    /// The kernel does not let it be read.
    System,
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Version => Self::Version,
            Broken::Torn => Self::Torn,
        }
    }
}

/// A file in memory.
#[derive(Debug)]
pub struct Loaded {
    memory: Memory,
    length: usize,
    /// What chooses among the devices, unless all are given.
    choice: Choice,
    /// The time at which it was read, in milliseconds since the epoch.
    now: u64,
}

/// What chooses among the devices that a file tells of.
enum Choice {
    /// Nothing.
    All,
    /// A folder with an entry a device.
    Entries(Path),
    /// The device nodes, if the file names their folder.
    Nodes,
}

impl core::fmt::Debug for Choice {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        to.write_str("Choice")
    }
}

impl Loaded {
    /// Finds the file and reads it.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be used.
    pub fn load() -> Result<Self, Fault> {
        let own = place::own();
        let beside = Path::of(&[own.folder(), given::BESIDE.as_bytes()]);
        let folders = [beside.bytes(), given::OF_CLI.as_bytes(), given::OF_CDI.as_bytes()];
        for folder in folders.into_iter().skip(usize::from(own.folder().is_empty())) {
            let file = Path::of(&[folder, b"/", given::FILE.as_bytes()]);
            match File::open(file.terminated().ok_or(Fault::Missing)?) {
                Ok(file) => return Self::whole(&file, folder),
                Err(ENOENT | ENOTDIR) => {}
                Err(_) => return Err(Fault::System),
            }
        }
        Self::tail(&own)
    }

    fn whole(file: &File, folder: &[u8]) -> Result<Self, Fault> {
        let size = file.size().map_err(|_| Fault::System)?.ok_or(Fault::Torn)?;
        let entries = Path::of(&[folder, b"/", given::DEVICES.as_bytes()]);
        let choice = if entries.terminated().is_some_and(kernel::exists) { Choice::Entries(entries) } else { Choice::All };
        Self::read(file, 0, size, choice)
    }

    /// The end of the library.
    fn tail(own: &Path) -> Result<Self, Fault> {
        let file = own.terminated().and_then(|path| File::open(path).ok()).ok_or(Fault::Missing)?;
        let size = file.size().ok().flatten().ok_or(Fault::Missing)?;
        let mut last = [0; given::TAIL_LENGTH];
        let from = size.checked_sub(last.len() as u64).ok_or(Fault::Missing)?;
        file.read(&mut last, from).map_err(|_| Fault::System)?;
        let (from, length) = given::tail(size, &last).ok_or(Fault::Missing)?;
        Self::read(&file, from, length, Choice::Nodes)
    }

    fn read(file: &File, from: u64, length: u64, choice: Choice) -> Result<Self, Fault> {
        let length = usize::try_from(length).ok().filter(|length| *length <= given::LIMIT).ok_or(Fault::Torn)?;
        let mut memory = Memory::new(length).map_err(|_| Fault::Memory)?;
        let length = file.read(memory.bytes_mut(), from).map_err(|_| Fault::System)?.min(length);
        let loaded = Self { memory, length, choice, now: kernel::now() };
        loaded.given()?;
        Ok(loaded)
    }

    /// What the file says.
    ///
    /// # Errors
    ///
    /// If it cannot be used.
    pub fn given(&self) -> Result<Given<'_>, Fault> {
        Ok(Given::read(self.memory.bytes().get(..self.length).unwrap_or_default())?)
    }

    /// The time at which the file was read, in milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// True if a GPU, or a part of one, was given to this place.
    #[must_use]
    pub fn shows(&self, device: Section<'_>) -> bool {
        match &self.choice {
            Choice::All => true,
            Choice::Entries(folder) => {
                device.text("uuid").is_some_and(|uuid| there(&[folder.bytes(), b"/", uuid.as_bytes()]))
            }
            Choice::Nodes => {
                let nodes = self.given().ok().and_then(|given| given.machine().text("nodes"));
                let node = nodes.zip(device.text("node"));
                node.is_none_or(|(folder, node)| there(&[folder.as_bytes(), b"/", node.as_bytes()]))
            }
        }
    }
}

fn there(pieces: &[&[u8]]) -> bool {
    Path::of(pieces).terminated().is_some_and(kernel::exists)
}
