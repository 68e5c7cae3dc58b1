//! The note of what was decided for a container: one line of JSON in a file, in syslog or in the journal, where the
//! hook's environment or the configuration asks for it. Some runtimes throw away what a hook prints, so an
//! administrator needs another way to see it. Failing to write a note never fails a start.

mod line;
mod time;

use std::path::Path;

use crate::config::Config;
use crate::container::{Spec, State, spec::Document};
use crate::contract::keys::Key;
use crate::contract::variables::HOOK_LOG;
use crate::error::Error;
use crate::host::{Host, path_of};
use crate::invocation::Invocation;
use crate::prestart::{Decision, Witness};
use crate::store;
use line::Line;

/// A log file is renamed rather than growing beyond this.
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
    /// Reads the value of the variable or the key; empty means nowhere, and so does a relative path, which would lie
    /// in the runtime's working directory.
    fn named(value: &[u8]) -> Option<Self> {
        match value {
            b"syslog" => Some(Target::Syslog),
            b"journald" => Some(Target::Journal),
            path if path.starts_with(b"/") => Some(Target::File(path.to_vec())),
            _ => None,
        }
    }
}

/// Keeps what a note needs, and the bundle, which hints need.
#[derive(Debug, Default)]
pub struct NoteTaker {
    /// The bundle, once the state named it.
    pub bundle: Option<String>,
    by_environment: bool,
    target: Option<Target>,
    pid: Option<u32>,
    config: Option<String>,
    privileged: Option<bool>,
}

impl NoteTaker {
    /// A note taker for a start.
    #[must_use]
    pub fn new(invocation: &Invocation<'_>) -> Self {
        let value = invocation.environ.get(HOOK_LOG);
        NoteTaker { by_environment: value.is_some(), target: value.and_then(Target::named), ..NoteTaker::default() }
    }

    /// Writes the note, if one is asked for. What goes wrong is returned for those who debug.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, decision: Result<&Decision<'_>, &Error>, host: &dyn Host) -> std::io::Result<()> {
        let Some(target) = &self.target else { return Ok(()) };
        let line = Line::new(self, decision).json();
        match target {
            Target::File(path) => store::append_line(&host.locate(path_of(path)), &line, FILE_LIMIT),
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
}

impl Witness for NoteTaker {
    fn config(&mut self, config: &Config<'_>) {
        if !self.by_environment {
            self.target = Target::named(config.text(Key::HookLog).as_bytes());
        }
        if self.target.is_some() {
            self.config = config.file().map(|file| file.path.display().to_string());
        }
    }

    fn state(&mut self, state: &State) {
        self.bundle = Some(state.bundle.clone());
        self.pid = Some(state.pid);
    }

    fn spec(&mut self, _config: &Config<'_>, _document: &Document, spec: &Spec<'_>) {
        self.privileged = Some(spec.privileged);
    }
}
