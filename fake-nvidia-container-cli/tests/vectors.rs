//! The recorded runs of the real `nvidia-container-cli`, each as two separate tests: with a record, and in the mode
//! `files` with the tree compared. The cases are data in fixtures/cli-recorded; nothing here knows what they are about.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken fixture or a missing member fails the test"
)]

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

mod suite {
    pub(crate) mod programs;
}
use suite::programs;

fn main() {
    libtest_mimic::run(&Arguments::from_args(), trials()).exit();
}

/// The same for build rules that run every test under Rust's own harness, which would find nothing else here.
#[test]
fn all() {
    assert!(!libtest_mimic::run(&Arguments::default(), trials()).has_failed());
}

fn trials() -> Vec<Trial> {
    let folder = programs::fixtures().join("cli-recorded");
    let lines = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut machines: BTreeMap<String, Value> =
        lines("topologies.jsonl").into_iter().map(|t| (t["name"].as_str().unwrap().to_owned(), t)).collect();
    // What clients of the program pass to it, on machines that the simulator has.
    let clients = lines("clients.jsonl");
    for name in clients.iter().map(|case| case["topology"].as_str().unwrap()) {
        machines.entry(name.to_owned()).or_insert_with(|| built_in(name));
    }
    let machines = Arc::new(machines);
    let mut trials = Vec::new();
    for case in lines("cli.jsonl").into_iter().chain(clients) {
        let case = Arc::new(case);
        for mode in ["record", "files"] {
            let (case, machines) = (Arc::clone(&case), Arc::clone(&machines));
            let name = format!("{} ({mode})", case["name"].as_str().unwrap());
            trials.push(Trial::test(name, move || check(&case, &machines, mode)));
        }
    }
    trials
}

/// A built-in machine of the simulator.
fn built_in(name: &str) -> Value {
    let mut command = Command::new(programs::fake());
    let output =
        command.args(["topologies", name]).env_clear().env("FAKE_NVIDIA_CONFIG", "/dev/null").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A case's own folder, removed when the test ends.
struct Scratch {
    top: tempfile::TempDir,
    gives_root: bool,
}

impl Scratch {
    fn new(case: &Value, machine: &Value) -> Self {
        let top = tempfile::tempdir().unwrap();
        let gives_root = strings(&case["argv"]).iter().any(|word| word.contains("{ROOT}"));
        let scratch = Self { top, gives_root };
        fs::create_dir(scratch.rootfs()).unwrap();
        fs::create_dir(scratch.top.path().join("root")).unwrap();
        if case["container"]["debian"] == true {
            fs::create_dir(scratch.rootfs().join("etc")).unwrap();
            fs::write(scratch.rootfs().join("etc/debian_version"), "12.0\n").unwrap();
        }
        for file in strings(&case["container"]["files"]) {
            let at = scratch.rootfs().join(file.trim_start_matches('/'));
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, "").unwrap();
        }
        fs::write(scratch.top.path().join("topology.json"), machine.to_string()).unwrap();
        scratch
    }

    fn rootfs(&self) -> PathBuf {
        self.top.path().join("rootfs")
    }

    fn fill(&self, text: &str) -> String {
        let top = self.top.path().to_str().unwrap();
        let text = text.replace("{ROOTFS}", &format!("{top}/rootfs"));
        text.replace("{ROOT}", &format!("{top}/root")).replace("{TMP}", top)
    }

    /// An expected text: without `--root` the driver root is `/`.
    fn want(&self, text: &str) -> String {
        match text {
            "{ROOT}" if !self.gives_root => "/".to_owned(),
            _ if !self.gives_root => self.fill(&text.replace("{ROOT}/", "/")),
            _ => self.fill(text),
        }
    }

    fn want_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.want(text)),
            Value::Array(items) => items.iter().map(|item| self.want_all(item)).collect(),
            Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), self.want_all(v))).collect(),
            other => other.clone(),
        }
    }

    fn run(&self, case: &Value, mode: &str) -> (Output, Value) {
        let record = self.top.path().join("record.jsonl");
        let mut command = Command::new(programs::fake());
        command.arg0("nvidia-container-cli").args(strings(&case["argv"]).iter().map(|word| self.fill(word)));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("FAKE_NVIDIA_CONFIG", "/dev/null");
        command.env("FAKE_NVIDIA_TOPOLOGY", self.top.path().join("topology.json"));
        command.env("FAKE_NVIDIA_RECORD", &record).env("FAKE_NVIDIA_APPLY", mode);
        command.env("FAKE_NVIDIA_STATE", self.top.path().join("state"));
        for (name, value) in case["env"].as_object().unwrap() {
            command.env(name, self.fill(value.as_str().unwrap()));
        }
        let output = command.current_dir(self.top.path()).stdin(Stdio::null()).output().unwrap();
        let line = fs::read_to_string(record).unwrap_or_default();
        (output, serde_json::from_str(line.trim_end()).unwrap_or_default())
    }
}

fn check(case: &Value, machines: &BTreeMap<String, Value>, mode: &str) -> Result<(), Failed> {
    let scratch = Scratch::new(case, &machines[case["topology"].as_str().unwrap()]);
    let before = tree(&scratch.rootfs());
    let (output, record) = scratch.run(case, mode);
    let expect = &case["expect"];
    let mut wrong = Vec::new();
    if output.status.code().map(i64::from) != expect["exit"].as_i64() {
        wrong.push(format!("{}, expected {}", output.status, expect["exit"]));
    }
    for (name, got) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let got = String::from_utf8_lossy(got);
        match expect[name].as_str() {
            Some(text) if got != scratch.want(text) => {
                wrong.push(format!("{name} is {got:?}, expected {:?}", scratch.want(text)));
            }
            None if got.trim().len() < 20 => wrong.push(format!("{name} is {got:?}, expected {}", expect[name])),
            _ => {}
        }
    }
    wrong.extend(parsed(&scratch, &expect["parsed"], &record["parsed"]));
    if let Some(plan) = expect.get("plan") {
        wrong.extend(first_difference(scratch.want_all(plan).as_array().unwrap(), record["plan"].as_array()));
    }
    if let Some(expected) = expect.get("rootfs").and_then(Value::as_object).filter(|_| mode == "files") {
        wrong.extend(expected.iter().filter_map(|(path, what)| unlike(&scratch.rootfs(), path, what)));
        let expected: BTreeSet<String> = expected.keys().cloned().collect();
        let new: BTreeSet<String> = tree(&scratch.rootfs()).difference(&before).cloned().collect();
        wrong.extend(new.difference(&expected).map(|path| format!("{path} appeared")));
        wrong.extend(expected.difference(&new).map(|path| format!("{path} did not appear")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// Each expected option; `ppid` stands for this process.
fn parsed(scratch: &Scratch, expected: &Value, got: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, value) in expected.as_object().into_iter().flatten() {
        let value = if value == "ppid" { std::process::id().into() } else { scratch.want_all(value) };
        if got[name.as_str()] != value {
            wrong.push(format!("parsed.{name} is {}, expected {value}", got[name.as_str()]));
        }
    }
    wrong
}

/// What is wrong if a path in the tree is not of the recorded kind: `dir`, `file`, `-> target` or an object with its
/// content.
fn unlike(rootfs: &Path, path: &str, what: &Value) -> Option<String> {
    let at = rootfs.join(path.trim_start_matches('/'));
    let alike = match what.as_str() {
        Some("dir") => at.is_dir(),
        Some("file") => at.is_file(),
        Some(link) => fs::read_link(&at).ok().as_deref() == link.strip_prefix("-> ").map(Path::new),
        None => fs::read_to_string(&at).ok().as_deref() == what["content"].as_str(),
    };
    (!alike).then(|| format!("{path} is not {what}"))
}

fn first_difference(expected: &[Value], got: Option<&Vec<Value>>) -> Option<String> {
    let got = got.map(Vec::as_slice).unwrap_or_default();
    let at = (0..expected.len().max(got.len())).find(|at| expected.get(*at) != got.get(*at))?;
    Some(format!("plan[{at}] is {:?}, expected {:?}", got.get(at), expected.get(at)))
}

/// All paths below a folder.
fn tree(top: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![top.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            found.insert(format!("/{}", entry.path().strip_prefix(top).unwrap().display()));
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}
