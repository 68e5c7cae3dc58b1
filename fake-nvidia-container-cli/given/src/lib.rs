//! The given file: what the simulated driver reports in one place, a container or a host. One program writes it. The
//! libraries that stand in for the driver's read it, in other people's processes.
//!
//! It is text, one fact per line, so that a test can write one by hand:
//!
//! ```text
//! fake-nvidia given 1
//! driver 570.172.08
//! cuda 12080
//! gpu
//! uuid GPU-4dc08a19-16d0-00dc-8399-06e95c254e12
//! name Tesla T4
//! temperature 38
//! process
//! pid 4711
//! end
//! ```
//!
//! A line is a key, a space and a value, or a single word that begins a section: `gpu`, and within a GPU `mig`,
//! `instance`, `profile` and `process`. A missing fact is one that the driver does not support. The first line has the
//! version of the format and the last is `end`, so a truncated file is recognised. The crate must not know where a file
//! is, nor NVML; it neither allocates nor panics.
#![no_std]

mod section;
mod value;

pub use section::{Section, Sections};
pub use value::{Value, at_call};

/// The first line of a file, without its version.
pub const MAGIC: &str = "fake-nvidia given ";
/// The version of the format that this crate reads. A file of another version is refused.
pub const VERSION: &str = "1";
/// The last line of a file.
pub const END: &str = "end";
/// The maximum size of a file, in bytes; a larger one is refused before it is read.
pub const LIMIT: usize = 1 << 20;
/// The maximum number of GPUs in a file.
pub const GPUS: usize = 256;

/// The folder of a given file, next to a library.
pub const BESIDE: &str = "fake-nvidia";
/// The folder that `fake-nvidia-container-cli` creates in a container.
pub const OF_CLI: &str = "/proc/driver/.fake-nvidia";
/// The folder that a CDI specification mounts into a container: no container engine mounts below /proc.
pub const OF_CDI: &str = "/run/fake-nvidia";
/// The file's name in any of these folders.
pub const FILE: &str = "given";
/// The folder next to the file that selects devices: if it exists, only devices whose UUID is the name of an entry in
/// it are given. A CDI specification gives each device by mounting its entry.
pub const DEVICES: &str = "devices";

/// The folder next to the file that containers get in place of the file's own. Its file names the folder of device
/// nodes, and the nodes select the devices.
pub const CONTAINERS: &str = "containers";

/// The file next to a container's own that shows what the host shows now, if there is one. Also the host's folder, next
/// to its file of changes, that holds these files for all machines.
pub const LIVE: &str = "live";
/// The file next to it with the changes made on the host.
pub const CHANGES: &str = "changes";

/// The last bytes of a library with a given file appended: the length of the file in sixteen hexadecimal digits, a
/// space and this text.
pub const TAIL: &str = "fake-nvidia tail\n";

/// Why a file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It has another version.
    Version,
    /// It is not a given file, or not a whole one.
    Torn,
}

/// A whole file of the right version.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    body: &'a str,
    call: u64,
}

impl<'a> Given<'a> {
    /// Reads a file's bytes.
    ///
    /// # Errors
    ///
    /// If they are not a complete given file of this version.
    pub fn read(file: &'a [u8]) -> Result<Self, Broken> {
        let text = core::str::from_utf8(file).map_err(|_| Broken::Torn)?;
        let (first, body) = text.split_once('\n').ok_or(Broken::Torn)?;
        let version = first.strip_prefix(MAGIC).ok_or(Broken::Torn)?;
        if version != VERSION {
            return Err(Broken::Version);
        }
        let whole = body.strip_suffix('\n').and_then(|body| body.strip_suffix(END)).ok_or(Broken::Torn)?;
        if !(whole.is_empty() || whole.ends_with('\n')) {
            return Err(Broken::Torn);
        }
        Ok(Self { body: whole, call: 1 })
    }

    /// The file as the caller's call with this number sees it, counted from 1; the default is the first call.
    #[must_use]
    pub fn at_call(self, call: u64) -> Self {
        Self { call, ..self }
    }

    /// The facts that belong to no device: driver, versions, faults.
    #[must_use]
    pub fn machine(self) -> Section<'a> {
        Section::whole(self.body, self.call)
    }

    /// The GPUs, in the file's order.
    #[must_use]
    pub fn gpus(self) -> Sections<'a> {
        self.machine().sections("gpu")
    }
}

/// The pieces of a text between separators. `str::split` does the same, but its compiled code could panic.
pub fn pieces(text: &str, separator: char) -> impl Iterator<Item = &str> + Clone {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let (piece, after) = rest?.split_once(separator).map_or((rest?, None), |(piece, after)| (piece, Some(after)));
        rest = after;
        Some(piece)
    })
}

/// The text before and after the last separator, which is one byte; as above, the equivalent in `str` could panic.
#[must_use]
pub fn at_last(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

/// Finds the given file at the end of a library: from the library's size and its last bytes, where the file begins and
/// how long it is.
#[must_use]
pub fn tail(library: u64, last: &[u8]) -> Option<(u64, u64)> {
    let text = core::str::from_utf8(last).ok()?;
    let digits = text.strip_suffix(TAIL)?.strip_suffix(' ')?;
    let length = u64::from_str_radix(digits, 16).ok().filter(|length| *length <= LIMIT as u64)?;
    let end = library.checked_sub(last.len() as u64)?;
    Some((end.checked_sub(length)?, length))
}

/// The number of bytes that [`tail`] looks at.
pub const TAIL_LENGTH: usize = 17 + TAIL.len();
