//! `replay`: decides the start of a case folder again, and says how it would end: exit status, messages, command line.
//! Must not execute anything. The case's machine is on disk only for the time of the answer.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;
use nvidia_hook_conformance::case::Case;
use nvidia_hook_conformance::fixtures::Files;
use nvidia_hook_conformance::scene::{Node, Scene as CaseScene};
use nvidia_hook_conformance::tree;
use schemars::JsonSchema;
use serde::Serialize;
use tempfile::{NamedTempFile, TempDir};

use crate::answer::{Answer, Scene};
use crate::arguments::Replay;
use crate::capture::case::{Outcome, Start, outcome};
use crate::inspect::Inspect;
use crate::page::{Colour, Page, Tone};
use crate::tree::Tree;
use hook::host::{FileKind, Host};
use hook::invocation::Environ;
use hook::text::{Escaped, shell_word};

/// The version of the JSON form; it changes when a member changes meaning or is removed.
pub const SCHEMA: u32 = 1;
/// The files that a case folder may have.
const FILES: [&str; 5] = ["config.toml", "state.json", "host.toml", "expected.toml", "bundle/config.json"];

/// The answer of `nvidia-hookctl replay`: how the start in a case folder ends.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Version of the schema of this answer; it changes when a member changes meaning or is removed.
    pub schema: u32,
    /// Version of nvidia-hookctl.
    pub hookctl_version: &'static str,
    /// Version of the hook whose rules nvidia-hookctl applies.
    pub hook_version: &'static str,
    /// The exit status of the start; nvidia-container-cli counts as exiting with 0 if it is executed.
    pub exit: i32,
    /// The lines that the hook writes to standard error.
    pub stderr: Vec<String>,
    /// The command line of nvidia-container-cli; null if it is not executed.
    pub argv: Option<Vec<String>>,
}

/// Runs the command.
pub fn run(arguments: &Replay, scene: &Scene<'_>) -> Answer {
    match replay(&arguments.case) {
        Err(message) => Answer::failure(&message),
        Ok(outcome) => {
            let report = Report {
                schema: SCHEMA,
                hookctl_version: crate::VERSION,
                hook_version: hook::VERSION,
                exit: outcome.exit,
                stderr: outcome.stderr,
                argv: outcome.argv.map(|argv| argv.into_iter().map(|(argument, _)| argument).collect()),
            };
            let status = u8::try_from(report.exit).unwrap_or(u8::MAX);
            scene.answer(&report, |colour| text(&report, colour), status)
        }
    }
}

/// Decides the start of a case folder.
///
/// # Errors
/// What is wrong with the folder.
pub fn replay(folder: &Path) -> Result<Outcome, String> {
    let scene = Case::new("case", files(folder)?, Arc::new(Files::new()))
        .scene()
        .map_err(|error| format!("{}: {error:#}", folder.display()))?;
    let unmade = |error: io::Error| format!("a directory for the case: {error}");
    let root = Made(tempfile::tempdir().map_err(unmade)?);
    // Stands in for nvidia-container-cli, which is not executed: a start asks only whether it could be.
    let program = NamedTempFile::new().map_err(unmade)?;
    let mut made = scene.clone();
    made.files.retain(|(_, node)| !matches!(node, Node::Fails(_)));
    tree::set_mode(program.path(), 0o755)
        .and_then(|()| tree::make(root.0.path(), &made, program.path()))
        .map_err(|error| format!("{}: {error:#}", folder.display()))?;
    let host = Failing { host: Tree::new(Some(root.0.path().to_path_buf())), scene: &scene };
    decide(&scene, &host).ok_or_else(|| format!("{}: its command line is not one of prestart", folder.display()))
}

/// A machine on disk, which is removed whatever its permissions are.
struct Made(TempDir);

impl Drop for Made {
    fn drop(&mut self) {
        tree::remove(self.0.path());
    }
}

/// Permissions of others, which an unprivileged start has.
const READ: u32 = 0o004;
const EXECUTE: u32 = 0o001;

/// The machine of a case, which fails where the case says it failed, and where its start had no permission.
struct Failing<'s> {
    host: Tree,
    scene: &'s CaseScene,
}

impl Failing<'_> {
    fn ask<T>(&self, path: &Path, question: impl FnOnce(&Tree, &Path) -> io::Result<T>) -> io::Result<T> {
        let fails = |(place, node): &(String, Node)| match node {
            Node::Fails(number) if Path::new(place) == path => Some(*number),
            _ => None,
        };
        match self.scene.files.iter().find_map(fails) {
            Some(number) => Err(io::Error::from_raw_os_error(number)),
            None if self.is_denied(path, 0) => Err(Errno::EACCES.into()),
            None => question(&self.host, path),
        }
    }

    /// The same for a question that needs a permission.
    fn ask_with<T>(
        &self,
        wanted: u32,
        path: &Path,
        question: impl FnOnce(&Tree, &Path) -> io::Result<T>,
    ) -> io::Result<T> {
        self.ask(
            path,
            |host, path| if self.is_denied(path, wanted) { Err(Errno::EACCES.into()) } else { question(host, path) },
        )
    }

    /// Whether an unprivileged start cannot reach a path, or lacks a permission there. The user who replays may have
    /// more rights than the start had.
    fn is_denied(&self, path: &Path, wanted: u32) -> bool {
        let mode = |place: &Path| {
            self.scene.files.iter().rev().find(|(name, _)| Path::new(name) == place).and_then(|(_, node)| match node {
                Node::File { mode, .. } | Node::Cli { mode } | Node::Directory { mode } => Some(*mode),
                _ => None,
            })
        };
        let lacks = |place: &Path, wanted: u32| mode(place).is_some_and(|mode| mode & wanted != wanted);
        let place = self.host.resolve(path);
        self.scene.unprivileged && (place.ancestors().skip(1).any(|on| lacks(on, EXECUTE)) || lacks(&place, wanted))
    }
}

impl Host for Failing<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.ask_with(READ, path, Host::read)
    }

    fn read_settled(&self, path: &Path, waits_for_pipe: bool) -> io::Result<Vec<u8>> {
        self.ask_with(READ, path, |host, path| host.read_settled(path, waits_for_pipe))
    }

    fn is_dangling(&self, path: &Path) -> io::Result<bool> {
        self.ask(path, Host::is_dangling)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        self.ask(path, Host::kind)
    }

    fn is_executable(&self, path: &Path) -> io::Result<bool> {
        // Like the kernel's answer, which a search passes over.
        self.ask(path, |host, path| Ok(host.is_executable(path)? && !self.is_denied(path, EXECUTE)))
            .or_else(|error| if error.raw_os_error() == Some(Errno::EACCES as i32) { Ok(false) } else { Err(error) })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.ask_with(READ, path, Host::list)
    }

    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        self.host.locate(path)
    }
}

/// The texts of a case folder, which is on this machine, not on the case's machine.
fn files(folder: &Path) -> Result<Files, String> {
    let tree = Tree::new(None);
    let mut files = Files::new();
    for name in FILES {
        let path = folder.join(name);
        if !matches!(tree.kind(&path), Ok(None)) {
            let bytes = tree.bytes(&path).ok_or_else(|| format!("{}: it cannot be read", path.display()))?;
            let text = String::from_utf8(bytes).map_err(|_| format!("{}: not UTF-8", path.display()))?;
            files.insert(name.to_owned(), text);
        }
    }
    if files.contains_key("expected.toml") {
        Ok(files)
    } else {
        Err(format!("{}: it has no expected.toml, so it is not a case folder", folder.display()))
    }
}

/// Decides a scene on a machine.
#[must_use]
pub fn decide(scene: &CaseScene, host: &dyn Host) -> Option<Outcome> {
    let arguments: Vec<&OsStr> = scene.args.iter().map(|word| OsStr::from_bytes(word)).collect();
    let environ: Vec<CString> = scene.environ.iter().filter_map(|entry| CString::new(entry.as_slice()).ok()).collect();
    let environ: Vec<&CStr> = environ.iter().map(CString::as_c_str).collect();
    let start = Start {
        arguments: &arguments,
        environ: Environ(&environ),
        stdin: &scene.stdin.content,
        cwd: &scene.cwd,
        ended: None,
    };
    outcome(&start, host)
}

fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    for line in &report.stderr {
        page.verbatim(Tone::Plain, &Escaped(line).to_string());
    }
    if let Some(argv) = &report.argv {
        let words: Vec<String> = argv.iter().map(|argument| shell_word(argument).into_owned()).collect();
        page.verbatim(Tone::Plain, &words.join(" "));
    }
    page.line(if report.exit == 0 { Tone::Good } else { Tone::Bad }, &format!("exit status {}", report.exit));
    page.finish()
}
