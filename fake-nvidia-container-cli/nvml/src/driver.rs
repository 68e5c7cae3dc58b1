//! The driver as a call finds it: started or not, and the given file as it is now.

use crate::code::{Answer, Code};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use nvidia_simulated_given::Section;
use nvidia_simulated_shim::Loaded;

/// How many times the library was started and not yet stopped.
static STARTED: AtomicU32 = AtomicU32::new(0);
/// How many calls the process has made, for values that change at a call. One atomic number needs no lock: two threads
/// count two calls, and a child continues from its parent's count independently.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Counts a call: every exported function does, except the one that returns the words of a code.
pub(crate) fn count() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

/// `nvmlInit` in all its forms: the file must be usable.
pub(crate) fn start() -> Answer {
    ask(|driver| match driver.machine().id("init") {
        Some(code) if code != 0 => Err(Code(code)),
        _ => Ok(()),
    })?;
    let more = |count: u32| count.checked_add(1);
    STARTED.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).map(drop).map_err(|_| Code::INSUFFICIENT_RESOURCES)
}

/// `nvmlShutdown`.
pub(crate) fn stop() -> Answer {
    let less = |count: u32| count.checked_sub(1);
    STARTED.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).map(drop).map_err(|_| Code::UNINITIALIZED)
}

/// An error unless the library is started.
pub(crate) fn started() -> Answer {
    if STARTED.load(Ordering::Acquire) > 0 { Ok(()) } else { Err(Code::UNINITIALIZED) }
}

/// The given file as one call sees it.
pub(crate) struct Driver {
    loaded: Loaded,
}

/// Reads the file and asks a question about it.
pub(crate) fn ask<T>(question: impl FnOnce(&Driver) -> Result<T, Code>) -> Result<T, Code> {
    question(&Driver { loaded: Loaded::load(CALLS.load(Ordering::Relaxed))? })
}

impl Driver {
    /// The time of the call in milliseconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        self.loaded.now()
    }

    /// The facts that belong to no device.
    pub(crate) fn machine(&self) -> Section<'_> {
        // The file was checked when it was loaded; a broken one has no section.
        self.loaded.machine()
    }

    /// The first number of the driver's version, which decides what the driver knows.
    pub(crate) fn release(&self) -> u32 {
        let version = self.machine().text("driver").unwrap_or_default();
        version.split_once('.').map_or(version, |(release, _)| release).parse().unwrap_or_default()
    }

    /// The GPUs that were given, each with its place in the file.
    pub(crate) fn gpus(&self) -> impl Iterator<Item = (u8, Section<'_>)> {
        let all = (0..=u8::MAX).zip(self.machine().sections("gpu"));
        all.filter(|(_, gpu)| self.loaded.shows(*gpu))
    }

    /// The parts of a GPU that were given, each with its place in the file.
    pub(crate) fn parts<'a>(&'a self, gpu: Section<'a>) -> impl Iterator<Item = (u8, Section<'a>)> {
        (0..=u8::MAX).zip(gpu.sections("mig")).filter(move |(_, part)| self.loaded.shows_part(gpu, *part))
    }

    /// True if all of a GPU was given.
    pub(crate) fn shows_whole(&self, gpu: Section<'_>) -> bool {
        self.loaded.shows_whole(gpu)
    }

    /// The GPU at a place in the file.
    pub(crate) fn gpu(&self, place: u8) -> Option<Section<'_>> {
        self.gpus().find(|(at, _)| *at == place).map(|(_, gpu)| gpu)
    }
}
