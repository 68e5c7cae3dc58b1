//! The container in question: from a bundle, from a state, or made up from variables, with variables and privilege
//! added if the question asks for them. The rest of the machine stays as it is.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::amend::amended;
use super::report::Source;
use hook::container::State;
use hook::host::{FileKind, Host};
use hook::text::paths;

/// The bundle of a container made up from variables.
const MADE_UP_BUNDLE: &str = "/BUNDLE";
/// Its root filesystem.
pub const MADE_UP_ROOTFS: &str = "/ROOTFS";
/// The process of a container that has no state yet.
pub const MADE_UP_PID: u32 = 1;

/// The container in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The container of a bundle, by its absolute path.
    Bundle(String),
    /// The container of a state, by its JSON.
    State(Vec<u8>),
    /// A container with the given variables and nothing else.
    Variables,
}

impl Subject {
    /// Where its description comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Subject::Bundle(_) => Source::Bundle,
            Subject::State(_) => Source::State,
            Subject::Variables => Source::Variables,
        }
    }

    /// The container state that a runtime would write.
    #[must_use]
    pub fn state(&self) -> Vec<u8> {
        let state = |bundle: &str| json!({"pid": MADE_UP_PID, "bundle": bundle}).to_string().into_bytes();
        match self {
            Subject::Bundle(bundle) => state(bundle),
            Subject::State(json) => json.clone(),
            Subject::Variables => state(MADE_UP_BUNDLE),
        }
    }

    /// The path of the specification; `None` if the state is faulty.
    fn document(&self) -> Option<PathBuf> {
        let state = State::read(&mut self.state().as_slice()).ok()?;
        Some(PathBuf::from(paths::join_str(&state.bundle, "config.json")))
    }
}

/// A machine with one container changed as the question says.
pub struct AmendedHost<'h> {
    host: &'h dyn Host,
    file: Option<(PathBuf, Vec<u8>)>,
}

impl<'h> AmendedHost<'h> {
    /// `host`, with variables and privilege added to the container.
    #[must_use]
    pub fn new(host: &'h dyn Host, subject: &Subject, variables: &[String], privileged: bool) -> Self {
        let unchanged = variables.is_empty() && !privileged && *subject != Subject::Variables;
        let path = subject.document().filter(|_| !unchanged);
        let file = path.and_then(|path| {
            let document = match subject {
                Subject::Variables => made_up().to_string().into_bytes(),
                _ => host.read(&path).ok()?,
            };
            // A document without a place for them is faulty, and the explained start reports that.
            let amended = amended(&document, variables, privileged).unwrap_or(document);
            Some((path, amended))
        });
        AmendedHost { host, file }
    }
}

fn made_up() -> Value {
    json!({"ociVersion": "1.0.2", "process": {"env": []}, "root": {"path": MADE_UP_ROOTFS}})
}

impl Host for AmendedHost<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match &self.file {
            Some((amended, bytes)) if amended == path => Ok(bytes.clone()),
            _ => self.host.read(path),
        }
    }

    fn read_settled(&self, path: &Path, waits_for_pipe: bool) -> io::Result<Vec<u8>> {
        self.host.read_settled(path, waits_for_pipe)
    }

    fn is_dangling(&self, path: &Path) -> io::Result<bool> {
        self.host.is_dangling(path)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        self.host.kind(path)
    }

    fn is_executable(&self, path: &Path) -> io::Result<bool> {
        self.host.is_executable(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.host.list(path)
    }

    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        self.host.locate(path)
    }
}
