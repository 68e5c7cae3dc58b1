//! Runs a scene with real programs: the hook becomes the stand-in for nvidia-container-cli, which records how it was
//! executed. Must not judge the outcome.
//!
//! The stand-in learns from variables where to record, but the environment of the hook is part of a case. So the
//! variables `FAKE_NVIDIA_*` come before the case's own, and exactly these entries are removed from the record.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::launch::{self, Ended, Launch, Report};
use crate::outcome::{Executed, Outcome};
use crate::scene::{HOOK, Scene, Stdin};
use crate::snapshot::Snapshot;
use crate::talk::feed;
use crate::trees::{Trees, overwrite};
use crate::{entry, host_toml, private_root, tree};

/// A hook that takes longer than this hangs; no case takes nearly as long, even on a slow machine.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// The time within which a hook must say what it is.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How a hook is made to take the tree of a scene for the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// The hook is told by `-host-root`.
    HostRoot,
    /// The tree becomes the root of the process.
    PrivateRoot,
}

/// A hook that is ready to run: a folder with copies of the programs, which cases link to, and the trees of the cases.
#[derive(Debug)]
pub struct Runner {
    folder: tempfile::TempDir,
    base: PathBuf,
    seat: Seat,
    trees: Trees,
    patience: Duration,
}

impl Runner {
    /// Prepares a hook. `cli` stands in for nvidia-container-cli. Without it, a copy of this program does; the program
    /// must then have been started through [`crate::entry!`].
    pub fn new(hook: &Path, cli: Option<&Path>, seat: Seat) -> Result<Runner> {
        let folder = tempfile::Builder::new().prefix("hook-conformance-").tempdir().context("make a folder")?;
        tree::set_mode(folder.path(), 0o755)?;
        let base = folder.path().canonicalize()?;
        let programs = [Some((hook, "hook")), cli.map(|cli| (cli, "cli"))];
        for (program, name) in programs.into_iter().flatten() {
            fs::copy(program, base.join(name)).with_context(|| format!("copy {}", program.display()))?;
            tree::set_mode(&base.join(name), 0o755)?;
        }
        if cli.is_none() {
            entry::copy_as_cli(&base.join("cli"))?;
        }
        if seat == Seat::PrivateRoot {
            private_root::prepare(&base.join("private"), hook, &base.join("cli"))?;
        }
        let trees = Trees::new(&base);
        Ok(Runner { folder, base, seat, trees, patience: HANGS_AFTER })
    }

    /// How the hook takes a tree for the machine.
    pub fn seat(&self) -> Seat {
        self.seat
    }

    /// Sets the time after which a hook hangs, instead of the usual minute.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Runner {
        self.patience = patience;
        self
    }

    /// The hook that it runs: an exact copy of the given file.
    pub fn hook(&self) -> PathBuf {
        self.base.join("hook")
    }

    /// Why a scene cannot be run as described, if so: in a private root the kernel, not the scene, tells the hook and
    /// the stand-in for nvidia-container-cli who they are.
    pub fn cannot(&self, scene: &Scene) -> Option<&'static str> {
        let says_who = scene.files.iter().any(|(path, _)| path.starts_with("/proc/self/"));
        (self.seat == Seat::PrivateRoot && says_who)
            .then_some("in a private root the kernel says who a process is, not the case")
    }

    /// Runs a scene as often as it says, each time on a machine without traces of another start.
    pub fn run(&self, scene: &Scene) -> Result<Outcome> {
        let mut outcome = self.run_once(scene)?;
        for _ in 0..scene.again {
            let again = self.run_once(scene)?;
            if outcome.unsteady.is_none() {
                outcome.unsteady = outcome.differs_from(&again);
            }
        }
        Ok(outcome)
    }

    fn run_once(&self, scene: &Scene) -> Result<Outcome> {
        let tree = self.trees.take(scene)?;
        let outcome = self.run_in(&tree.place, &tree.root, scene);
        match &outcome {
            // A private root has mounts and libraries in it.
            Ok(outcome) if outcome.leaves.is_empty() && self.seat == Seat::HostRoot => self.trees.give_back(tree),
            _ => tree.remove(),
        }
        outcome
    }

    fn run_in(&self, place: &Path, root: &Path, scene: &Scene) -> Result<Outcome> {
        if self.seat == Seat::PrivateRoot {
            private_root::install(&self.base.join("private"), root)?;
        }
        // At the top of the tree, where both a hook in a private root and one outside can write.
        let recorded = root.join(".record");
        let settings = settings(scene, &self.inside(root, &recorded)?);
        let launch = Launch {
            program: match self.seat {
                Seat::HostRoot => self.base.join("hook"),
                Seat::PrivateRoot => private_root::hook_inside(),
            },
            argv: self.argv(scene, root),
            environ: settings.iter().chain(&scene.environ).cloned().collect(),
            cwd: self.inside(root, &tree::below(root, &scene.cwd))?,
            root: (self.seat == Seat::PrivateRoot).then(|| root.to_path_buf()),
            unprivileged: scene.unprivileged,
            ignore_sigpipe: scene.inherited.ignore_sigpipe,
            blocked: scene.inherited.blocked.clone(),
            umask: scene.inherited.umask.unwrap_or(0o022),
            closed: scene.inherited.closed.clone(),
            opened: scene.inherited.opened.clone(),
            unread_stderr: scene.inherited.unread_stderr,
            file_size: scene.inherited.file_size,
            report: place.join("ended"),
        };
        let spec = place.join("launch");
        overwrite(&spec, &serde_json::to_vec(&launch)?)?;
        overwrite(&launch.report, b"nothing yet")?;
        let known = fs::metadata(&recorded).map_or(0, |metadata| metadata.len());
        let before = Snapshot::of(root, self.seat);
        let (stdout, stderr) = feed(&mut spawn(&spec)?, &scene.stdin, self.patience)?;
        let leaves = before.changes(&Snapshot::of(root, self.seat));
        let report = fs::read(&launch.report).unwrap_or_default();
        let report: Report = serde_json::from_slice(&report)
            .map_err(|_| anyhow!("the launcher failed: {}", String::from_utf8_lossy(&stderr).trim_end()))?;
        let ended = report.map_err(|why| anyhow!(why))?;
        let records = read_records(&recorded, known)?;
        let executed = records.first().map(|record| executed(record, &settings, root, &ended)).transpose()?;
        Ok(Outcome {
            exit: ended.exit,
            stdout,
            stderr: without_hint(stderr),
            executed,
            records,
            leaves,
            unsteady: None,
        })
    }

    /// A path of the tree as the hook sees it.
    fn inside(&self, root: &Path, path: &Path) -> Result<PathBuf> {
        Ok(match self.seat {
            Seat::HostRoot => path.to_path_buf(),
            Seat::PrivateRoot => Path::new("/").join(path.strip_prefix(root)?),
        })
    }

    fn argv(&self, scene: &Scene, root: &Path) -> Vec<Vec<u8>> {
        let mut argv = vec![HOOK.as_bytes().to_vec()];
        if self.seat == Seat::HostRoot {
            argv.extend([b"-host-root".to_vec(), root.as_os_str().as_bytes().to_vec()]);
        }
        argv.extend(scene.args.iter().cloned());
        argv
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        tree::remove(self.folder.path());
    }
}

/// Standard error without the hint that follows every error if the bundle is known. The hint is the same everywhere, so
/// expectations leave it out.
fn without_hint(mut stderr: Vec<u8>) -> Vec<u8> {
    const HINT: (&[u8], &[u8]) = (b"see: ", b" explain --bundle ");
    let body = stderr.strip_suffix(b"\n").unwrap_or(&stderr);
    let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let is_hint = |line: &[u8]| line.starts_with(HINT.0) && line.windows(HINT.1.len()).any(|part| part == HINT.1);
    if body.get(start..).is_some_and(is_hint) {
        stderr.truncate(start);
    }
    stderr
}

/// The variables that tell the stand-in what to do.
fn settings(scene: &Scene, record: &Path) -> Vec<Vec<u8>> {
    let mut settings = vec![[b"FAKE_NVIDIA_RECORD=", record.as_os_str().as_bytes()].concat()];
    // Without a failure the stand-in would go on to its simulated driver, whose output is not part of these cases.
    let fails = scene.cli_fails.as_deref().unwrap_or("exit=0");
    settings.push(format!("FAKE_NVIDIA_FAIL={fails}").into_bytes());
    settings.extend(scene.cli_version.iter().map(|version| format!("FAKE_NVIDIA_CLI_VERSION={version}").into_bytes()));
    settings
}

fn spawn(spec: &Path) -> Result<Child> {
    let command = Command::new("/proc/self/exe")
        .arg(launch::ARGUMENT)
        .arg(spec)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn();
    command.context("start this program as the launcher")
}

/// Runs a program without environment and input; returns its exit status, standard output and standard error.
pub fn ask(program: &Path, arguments: &[&OsStr]) -> Result<(Option<i32>, Vec<u8>, Vec<u8>)> {
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let (stdout, stderr) = feed(&mut child, &Stdin::default(), ANSWERS_WITHIN)?;
    Ok((child.wait()?.code(), stdout, stderr))
}

/// The records in a file beyond its known length.
fn read_records(file: &Path, known: u64) -> Result<Vec<serde_json::Value>> {
    let mut text = String::new();
    if let Ok(mut file) = fs::File::open(file) {
        file.seek(SeekFrom::Start(known))?;
        file.read_to_string(&mut text)?;
    }
    let records = text.lines().map(serde_json::from_str).collect::<serde_json::Result<_>>();
    records.context("read the record of nvidia-container-cli")
}

fn executed(record: &serde_json::Value, settings: &[Vec<u8>], root: &Path, ended: &Ended) -> Result<Executed> {
    let member = |name: &str| record.get(name).unwrap_or(&serde_json::Value::Null);
    let list = |name: &str| -> Result<Vec<Vec<u8>>> {
        member(name).as_array().into_iter().flatten().map(bytes).collect::<Result<_>>()
    };
    let path = |name: &str| {
        let path = PathBuf::from(member(name).as_str().unwrap_or_default());
        match path.strip_prefix(root) {
            Ok(below) => Path::new("/").join(below).to_string_lossy().into_owned(),
            Err(_) => path.to_string_lossy().into_owned(),
        }
    };
    Ok(Executed {
        argv: list("argv")?,
        environ: list("environ")?.into_iter().filter(|entry| !settings.contains(entry)).collect(),
        program: path("exe"),
        cwd: path("cwd"),
        same_pid: member("pid") == ended.pid,
        understood: !member("parsed").is_null(),
    })
}

/// The bytes of a text of the record, which is `{"b64": ...}` if they are not UTF-8.
fn bytes(value: &serde_json::Value) -> Result<Vec<u8>> {
    match (value.as_str(), value.get("b64").and_then(serde_json::Value::as_str)) {
        (Some(text), _) => Ok(text.as_bytes().to_vec()),
        (None, Some(text)) => host_toml::decode(text),
        (None, None) => bail!("neither a text nor bytes: {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Node;

    #[test]
    fn in_a_private_root_no_scene_says_who_a_process_is() {
        let this = std::env::current_exe().unwrap();
        let scene = |path: &str| Scene { files: vec![(path.to_owned(), Node::text(""))], ..Scene::default() };
        let cannot = |seat, path: &str| Runner::new(&this, Some(&this), seat).unwrap().cannot(&scene(path)).is_some();
        assert!(cannot(Seat::PrivateRoot, "/proc/self/status"));
        assert!(!cannot(Seat::HostRoot, "/proc/self/status"));
        assert!(!cannot(Seat::PrivateRoot, "/proc/driver/nvidia/version"));
    }
}
