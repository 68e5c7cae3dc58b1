//! A given file in memory: where to look for it, in which order, and what it says is given.
//!
//! 1. `fake-nvidia/given` beside the library,
//! 2. `/proc/driver/.fake-nvidia/live`, which leads to what the host shows now, or `given` there, which
//!    `fake-nvidia-container-cli` makes in a container,
//! 3. `/run/fake-nvidia/given`, which a CDI specification mounts,
//! 4. the end of the library itself.
//!
//! The first one that exists counts, even if it is broken.

use crate::kernel::{self, ENOENT, ENOTDIR, File, Memory};
use crate::path::Path;
use crate::place;
use nvidia_simulated_given::{self as given, Broken, Given, Section};

/// Why the file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no file.
    Missing,
    /// It has another version.
    Version,
    /// It is not a given file, is incomplete, or is too large.
    Torn,
    /// There is no memory for it.
    Memory,
    /// The kernel refuses to open or read it.
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

/// A given file in memory.
pub struct Loaded {
    memory: Memory,
    length: usize,
    /// The folder that selects devices: it has an entry for each given device.
    entries: Option<Path>,
    /// The time at which it was read, in milliseconds since the epoch.
    now: u64,
    /// The number of the caller's call.
    call: u64,
}

impl Loaded {
    /// Finds the file and reads it as the caller's call with this number sees it.
    ///
    /// # Errors
    ///
    /// If the file does not exist or cannot be used.
    pub fn load(call: u64) -> Result<Self, Fault> {
        Self::find().map(|found| Self { call, ..found })
    }

    fn find() -> Result<Self, Fault> {
        let own = place::own();
        let beside = Path::of(&[own.folder(), given::BESIDE.as_bytes()]);
        let (cli, cdi) = (given::OF_CLI.as_bytes(), given::OF_CDI.as_bytes());
        let places = [(beside.bytes(), given::FILE), (cli, given::LIVE), (cli, given::FILE), (cdi, given::FILE)];
        for (folder, name) in places.into_iter().skip(usize::from(own.folder().is_empty())) {
            let file = Path::of(&[folder, b"/", name.as_bytes()]);
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
        let there = entries.terminated().is_some_and(kernel::exists);
        Self::read(file, (0, size), there.then_some(entries))
    }

    /// The end of the library.
    fn tail(own: &Path) -> Result<Self, Fault> {
        let file = own.terminated().and_then(|path| File::open(path).ok()).ok_or(Fault::Missing)?;
        let size = file.size().ok().flatten().ok_or(Fault::Missing)?;
        let mut last = [0; given::TAIL_LENGTH];
        let from = size.checked_sub(last.len() as u64).ok_or(Fault::Missing)?;
        file.read(&mut last, from).map_err(|_| Fault::System)?;
        let (from, length) = given::tail(size, &last).ok_or(Fault::Missing)?;
        Self::read(&file, (from, length), None)
    }

    fn read(file: &File, (from, length): (u64, u64), entries: Option<Path>) -> Result<Self, Fault> {
        let length = usize::try_from(length).ok().filter(|length| *length <= given::LIMIT).ok_or(Fault::Torn)?;
        let mut memory = Memory::new(length).map_err(|_| Fault::Memory)?;
        let length = file.read(memory.bytes_mut(), from).map_err(|_| Fault::System)?.min(length);
        let loaded = Self { memory, length, entries, now: kernel::now(), call: 1 };
        loaded.given()?;
        Ok(loaded)
    }

    /// What the file says.
    ///
    /// # Errors
    ///
    /// If it cannot be used.
    pub fn given(&self) -> Result<Given<'_>, Fault> {
        Ok(Given::read(self.memory.bytes().get(..self.length).unwrap_or_default())?.at_call(self.call))
    }

    /// The machine's section: what the file says apart from the devices, and the sections of the devices.
    #[must_use]
    pub fn machine(&self) -> Section<'_> {
        // Only complete files are ever loaded.
        self.given().map(Given::machine).unwrap_or_default()
    }

    /// The time at which the file was read, in milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// True if a GPU or a part of it was given to this place.
    #[must_use]
    pub fn shows(&self, gpu: Section<'_>) -> bool {
        match self.named(gpu) {
            Some(whole) => whole || gpu.sections("mig").any(|part| self.named(part) == Some(true)),
            None => self.has_nodes(gpu),
        }
    }

    /// True if all of a GPU was given to this place, whatever its parts are.
    #[must_use]
    pub fn shows_whole(&self, gpu: Section<'_>) -> bool {
        let all_parts = || gpu.sections("mig").all(|part| self.shows_part(gpu, part));
        gpu.text("whole") != Some("No") && self.named(gpu).unwrap_or_else(all_parts)
    }

    /// True if a part of a GPU was given to this place.
    #[must_use]
    pub fn shows_part(&self, gpu: Section<'_>, part: Section<'_>) -> bool {
        match self.named(gpu) {
            // A given GPU includes its parts.
            Some(whole) => whole || self.named(part) == Some(true),
            None => self.has_nodes(gpu) && self.has_nodes(part),
        }
    }

    /// Whether the folder that selects devices has an entry for this device; `None` if there is no such folder.
    fn named(&self, device: Section<'_>) -> Option<bool> {
        let folder = self.entries.as_ref()?;
        Some(device.text("uuid").is_some_and(|uuid| there(&[folder.bytes(), b"/", uuid.as_bytes()])))
    }

    /// Whether all nodes of a device exist, if nodes select the devices.
    fn has_nodes(&self, device: Section<'_>) -> bool {
        let Some(folder) = self.machine().text("nodes") else { return true };
        let mut nodes = given::pieces(device.text("node").unwrap_or_default(), ' ').filter(|node| !node.is_empty());
        nodes.all(|node| there(&[folder.as_bytes(), b"/", node.as_bytes()]))
    }
}

fn there(pieces: &[&[u8]]) -> bool {
    Path::of(pieces).terminated().is_some_and(kernel::exists)
}
