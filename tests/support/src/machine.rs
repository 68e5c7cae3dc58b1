//! A case folder's machine on disk, and a program that runs on it, to test the transcripts of nvidia-hookctl and the
//! hook's own notes. Must not know expectations.
//!
//! - `expected.toml`: `why` (a sentence), `base` (a case beside it whose machine this one starts from), `[modes]` (octal
//!   permissions of paths, last);
//! - `host.toml`: arguments, environment and files as in the other cases (fixtures/README.md).

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use nvidia_hook_conformance::host_toml::HostToml;
use nvidia_hook_conformance::scene::Scene;
use nvidia_hook_conformance::tree;
use serde::Deserialize;
use tempfile::TempDir;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseToml {
    why: String,
    base: Option<String>,
    #[serde(default)]
    modes: BTreeMap<String, String>,
}

/// A machine on disk, and how a program is started there.
pub struct Machine {
    directory: TempDir,
    scene: Scene,
    /// The program, and the option by which it takes the machine's root.
    program: (PathBuf, &'static str),
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Machine {
    /// The machine of a case folder.
    pub fn of_case(folder: &Path, program: PathBuf, root_option: &'static str) -> Machine {
        let mut scene = Scene { cwd: "/".to_owned(), ..Scene::default() };
        let mut modes = BTreeMap::new();
        load_case(folder, &mut scene, &mut modes);
        let directory = TempDir::new().unwrap();
        tree::make(directory.path(), &scene, Path::new("")).unwrap();
        set_modes(directory.path());
        for (path, mode) in modes {
            let mode = u32::from_str_radix(&mode, 8).unwrap();
            fs::set_permissions(tree::below(directory.path(), &path), fs::Permissions::from_mode(mode)).unwrap();
        }
        Machine { directory, scene, program: (program, root_option) }
    }

    /// The path of a file of the machine.
    pub fn path(&self, path: &str) -> PathBuf {
        tree::below(self.directory.path(), path)
    }

    /// The directory that is the machine's root.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// The arguments of the case.
    pub fn arguments(&self) -> Vec<String> {
        self.scene.args.iter().map(|word| String::from_utf8(word.clone()).unwrap()).collect()
    }

    /// Runs the program on the machine.
    pub fn run<A: AsRef<str>>(&self, arguments: &[A]) -> Said {
        self.run_with(arguments, &self.scene.stdin.content, &[])
    }

    /// Runs the program with standard input and additional variables.
    pub fn run_with<A: AsRef<str>>(&self, arguments: &[A], stdin: &[u8], variables: &[(&str, &str)]) -> Said {
        let (program, root) = &self.program;
        let mut command = Command::new(program);
        let mut words: Vec<std::ffi::OsString> = arguments.iter().map(|word| word.as_ref().into()).collect();
        // Options of the hook come before its command, those of nvidia-hookctl after it.
        let at = usize::from(root.starts_with("--") && !words.is_empty());
        if !arguments.iter().any(|word| [*root, "--root"].contains(&word.as_ref())) {
            words.splice(at..at, [root.into(), self.directory.path().into()]);
        }
        command.args(words);
        command.env_clear().current_dir(self.directory.path());
        for entry in &self.scene.environ {
            let at = entry.iter().position(|byte| *byte == b'=').unwrap();
            command.env(std::ffi::OsStr::from_bytes(&entry[..at]), std::ffi::OsStr::from_bytes(&entry[at + 1..]));
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may end without reading it.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = ended(child);
        let asked: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        assert_ne!(output.status.signal(), Some(Signal::SIGKILL as i32), "{asked:?} hangs");
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&self.directory.path().display().to_string(), "[ROOT]")
        };
        Said { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// When a program counts as one that hangs. It runs for a second, or a few on a busy machine.
const HANGS_AFTER: Duration = Duration::from_secs(120);

/// What a program printed until it ended, or was ended because it hangs.
fn ended(child: Child) -> Output {
    let id = Pid::from_raw(child.id().try_into().unwrap());
    let (running, watched) = mpsc::channel::<()>();
    thread::spawn(move || {
        if watched.recv_timeout(HANGS_AFTER) == Err(RecvTimeoutError::Timeout) {
            let _ = kill(id, Signal::SIGKILL);
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(running);
    output
}

fn load_case(folder: &Path, scene: &mut Scene, modes: &mut BTreeMap<String, String>) {
    let read = |file: &str| fs::read_to_string(folder.join(file));
    let case: CaseToml =
        toml::from_str(&read("expected.toml").unwrap()).unwrap_or_else(|why| panic!("{folder:?}: {why}"));
    assert!(case.why.ends_with('.'), "{folder:?}: why is a sentence");
    if let Some(base) = &case.base {
        load_case(&folder.parent().unwrap().join(base), scene, modes);
    }
    if let Ok(text) = read("host.toml") {
        let host: HostToml = toml::from_str(&text).unwrap_or_else(|why| panic!("{folder:?}: {why}"));
        host.apply(scene).unwrap_or_else(|why| panic!("{folder:?}: {why}"));
    }
    modes.extend(case.modes);
    // A case can remove what its base has.
    modes
        .retain(|path, _| scene.files.iter().any(|(known, _)| known == path || known.starts_with(&format!("{path}/"))));
}

/// Gives directories the permissions that they have on a machine, whatever the umask of the test's user is.
fn set_modes(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            set_modes(&entry.path());
        }
    }
}
