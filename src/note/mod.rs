//! The note about the decision for a container: one line of JSON in a file, in syslog or in the journal, if the hook's
//! environment or the configuration asks for it. Some runtimes throw away what a hook prints, so an administrator needs
//! another way to see it. Failing to write a note never fails a start.

mod line;
pub mod store;
mod time;

use std::io;
use std::path::Path;

use crate::contract::keys::Key;
use crate::contract::variables::HOOK_LOG;
use crate::error::Error;
use crate::host::{Host, path_of};
use crate::invocation::Invocation;
use crate::prestart::{Decision, Trail};
use line::Line;

/// A log file is renamed before it grows beyond this size, in bytes.
const FILE_LIMIT: u64 = 1 << 20;
const SYSLOG: &str = "/dev/log";
const JOURNAL: &str = "/run/systemd/journal/socket";
/// The name under which log daemons file the notes.
const IDENTIFIER: &str = "nvidia-container-runtime-hook";

/// Where a note goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    File(Vec<u8>),
    Syslog,
    Journal,
}

impl Target {
    /// Reads the value of the variable or the key. An empty value means nowhere.
    ///
    /// # Errors
    /// Any other value, such as a relative path, which would be in the runtime's working directory.
    fn named(value: &[u8]) -> io::Result<Option<Self>> {
        match value {
            b"" => Ok(None),
            b"syslog" => Ok(Some(Target::Syslog)),
            b"journald" => Ok(Some(Target::Journal)),
            path if path.starts_with(b"/") => Ok(Some(Target::File(path.to_vec()))),
            _ => Err(io::Error::other("it is to go to neither an absolute path, syslog nor journald")),
        }
    }
}

/// Writes the line about a start, if the hook's environment or the configuration asks for one. Returns the failure, for
/// debugging.
///
/// # Errors
/// Those of writing, and a target that is not understood.
pub fn write(
    invocation: &Invocation<'_>,
    trail: &Trail<'_>,
    decision: Result<&Decision<'_>, &Error>,
    host: &dyn Host,
) -> io::Result<()> {
    let Some(target) = target(invocation, trail)? else { return Ok(()) };
    let line = Line::new(trail, decision).json();
    match target {
        Target::File(path) => store::append_line(&host.locate(path_of(&path)), &line, FILE_LIMIT),
        Target::Syslog => {
            // Facility daemon, severity notice.
            let datagram = format!("<29>{IDENTIFIER}[{}]: {line}", std::process::id());
            store::send(&host.locate(Path::new(SYSLOG)), datagram.as_bytes())
        }
        Target::Journal => {
            let datagram = format!("PRIORITY=5\nSYSLOG_IDENTIFIER={IDENTIFIER}\nMESSAGE={line}\n");
            store::send(&host.locate(Path::new(JOURNAL)), datagram.as_bytes())
        }
    }
}

/// The variable decides if it is set; otherwise the configuration does, if it was read.
fn target(invocation: &Invocation<'_>, trail: &Trail<'_>) -> io::Result<Option<Target>> {
    match invocation.environ.get(HOOK_LOG) {
        Some(value) => Target::named(value),
        None => trail.config.as_ref().map_or(Ok(None), |config| Target::named(config.text(Key::HookLog).as_bytes())),
    }
}
