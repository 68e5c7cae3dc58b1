//! Cases of the commands of our own: a folder each below fixtures/hookctl/{explain,check,doctor}, found at
//! run time. A case is a machine, a command line, and the transcript of what the hook says to it.
//!
//! - `expected.toml`: `why` (a sentence), `base` (a case beside it whose machine this one starts from), `[modes]` (octal
//!   permissions of paths, last);
//! - `host.toml`: arguments, environment and files as in the other cases (fixtures/README.md);
//! - `expected.txt`: the transcript, and `expected.json` where the JSON form is of interest. `BLESS=1` writes the first,
//!   and the second where there is one.
#![allow(dead_code, unused_imports, reason = "each test uses its part")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use hook_test_support::{programs, schema};
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

/// A machine on disk, and how the hook is started there.
pub struct Machine {
    directory: TempDir,
    scene: Scene,
}

/// What the hook said.
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
    pub fn of_case(folder: &Path) -> Machine {
        let mut scene = Scene { cwd: "/".to_owned(), ..Scene::default() };
        let mut modes = BTreeMap::new();
        gather(folder, &mut scene, &mut modes);
        let directory = TempDir::new().unwrap();
        tree::make(directory.path(), &scene, Path::new("")).unwrap();
        settle(directory.path());
        for (path, mode) in modes {
            let mode = u32::from_str_radix(&mode, 8).unwrap();
            fs::set_permissions(tree::below(directory.path(), &path), fs::Permissions::from_mode(mode)).unwrap();
        }
        Machine { directory, scene }
    }

    /// The path of a file of the machine.
    pub fn path(&self, path: &str) -> PathBuf {
        tree::below(self.directory.path(), path)
    }

    /// The arguments of the case.
    pub fn arguments(&self) -> Vec<String> {
        self.scene.args.iter().map(|word| String::from_utf8(word.clone()).unwrap()).collect()
    }

    /// Runs the hook on the machine.
    pub fn run<A: AsRef<str>>(&self, arguments: &[A]) -> Said {
        self.run_with(arguments, &self.scene.stdin.content, &[])
    }

    /// Runs the hook with standard input and further variables.
    pub fn run_with<A: AsRef<str>>(&self, arguments: &[A], stdin: &[u8], variables: &[(&str, &str)]) -> Said {
        let mut command = Command::new(programs::hook(env!("CARGO_BIN_EXE_nvidia-container-runtime-hook")));
        command.arg("-host-root").arg(self.directory.path()).args(arguments.iter().map(AsRef::as_ref));
        command.env_clear().current_dir(self.directory.path());
        for entry in &self.scene.environ {
            let at = entry.iter().position(|byte| *byte == b'=').unwrap();
            command.env(std::ffi::OsStr::from_bytes(&entry[..at]), std::ffi::OsStr::from_bytes(&entry[at + 1..]));
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The hook may end without having read it.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&self.directory.path().display().to_string(), "[ROOT]")
        };
        Said { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

fn gather(folder: &Path, scene: &mut Scene, modes: &mut BTreeMap<String, String>) {
    let read = |file: &str| fs::read_to_string(folder.join(file));
    let case: CaseToml =
        toml::from_str(&read("expected.toml").unwrap()).unwrap_or_else(|why| panic!("{folder:?}: {why}"));
    assert!(case.why.ends_with('.'), "{folder:?}: why is a sentence");
    if let Some(base) = &case.base {
        gather(&folder.parent().unwrap().join(base), scene, modes);
    }
    if let Ok(text) = read("host.toml") {
        let host: HostToml = toml::from_str(&text).unwrap_or_else(|why| panic!("{folder:?}: {why}"));
        host.apply(scene).unwrap_or_else(|why| panic!("{folder:?}: {why}"));
    }
    modes.extend(case.modes);
    // A case may take away what its base has.
    modes
        .retain(|path, _| scene.files.iter().any(|(known, _)| known == path || known.starts_with(&format!("{path}/"))));
}

/// Gives directories the permissions that they have on a machine, whatever the mask of the test's user is.
fn settle(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            settle(&entry.path());
        }
    }
}

/// Runs every case of an area and compares the transcripts; returns the JSON form of each for further checks.
pub fn run_area(area: &str) -> Vec<(String, serde_json::Value)> {
    let folder = programs::fixtures().join("hookctl").join(area);
    let mut folders: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(!folders.is_empty(), "{folder:?} holds no case");
    let mut faults = Vec::new();
    let documents = folders.iter().map(|folder| run_case(folder, &mut faults)).collect();
    assert!(faults.is_empty(), "{}\nBLESS=1 rewrites expectations\n", faults.join("\n"));
    documents
}

/// Asserts that documents are as a schema says, and that every word of its list of ids is the answer to some case.
pub fn follow(documents: &[(String, serde_json::Value)], file: &str, list: &str, ids: &str) {
    let text = fs::read_to_string(programs::source(file)).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut seen = BTreeSet::new();
    for (name, document) in documents {
        assert_eq!(schema::faults(&schema, document), Vec::<String>::new(), "{name}");
        let items = document[list].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
    }
    for id in schema.pointer(ids).unwrap().as_array().unwrap() {
        assert!(seen.contains(id.as_str().unwrap()), "no case shows {id}");
    }
}

fn run_case(folder: &Path, faults: &mut Vec<String>) -> (String, serde_json::Value) {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = ["expected.toml", "host.toml", "expected.txt", "expected.json"].contains(&file.as_str());
        assert!(known, "{name}: {file} is no file of a case");
    }
    let machine = Machine::of_case(folder);
    let mut arguments = machine.arguments();
    let said = machine.run(&arguments);
    let said_text = transcript(&arguments, &said);
    for line in said.stdout.lines().filter(|line| line.chars().count() > 100) {
        faults.push(format!("{name}: more than 100 columns: {line}"));
    }
    compare(&folder.join("expected.txt"), &said_text, &name, faults);
    arguments.extend(["--output".to_owned(), "json".to_owned()]);
    let json = machine.run(&arguments);
    if json.status != said.status {
        faults.push(format!("{name}: text ends with {}, JSON with {}", said.status, json.status));
    }
    let document = serde_json::from_str(&json.stdout).unwrap_or_else(|why| panic!("{name}: {why}: {json:?}"));
    if folder.join("expected.json").exists() {
        compare(&folder.join("expected.json"), &json.stdout, &name, faults);
    }
    (name, document)
}

fn compare(file: &Path, got: &str, name: &str, faults: &mut Vec<String>) {
    if programs::bless() {
        fs::write(file, got).unwrap();
    } else if fs::read_to_string(file).unwrap_or_default() != got {
        faults.push(format!("{name}: {} is not what came out:\n{got}", file.file_name().unwrap().to_string_lossy()));
    }
}

/// What a person would see.
pub fn transcript(arguments: &[String], said: &Said) -> String {
    let mut text = "$ nvidia-container-runtime-hook".to_owned();
    for argument in arguments {
        text.push(' ');
        text.push_str(&nvidia_container_runtime_hook::text::shell_word(argument));
    }
    text.push('\n');
    text.push_str(&said.stdout);
    for (what, end) in [(&said.stderr, "[standard error]\n")] {
        if !what.is_empty() {
            text.push_str(end);
            text.push_str(what);
        }
    }
    text.push_str(&format!("[exit status {}]\n", said.status));
    text
}
