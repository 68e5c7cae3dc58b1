//! The recorded bulk: runs of the published hooks, one line a case, and `overrides.toml`, which says where ours differs
//! and why. Must not know how a case is run.
//!
//! A recorded case has all its files below one directory, written `$ROOT`, and counts on a machine without surprises
//! (no Tegra, no SUSE, no other nvidia-container-cli). Both come true below a root of its own.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde_json::Value;

use super::expected::{Published, outcome_of_any, sort_requirements};
use super::outcome::{Outcome, difference};
use super::scene::{Node, Scene, Stdin};
use super::{base64, programs};

/// Stands for `$ROOT`. As deep as the directories of the recording, since some cases go upwards.
pub const ROOT: &str = "/recorded/case";

/// The members of a recorded case that are read; the others describe how it came about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    family: String,
    files: BTreeMap<String, Value>,
    args: Vec<Value>,
    stdin: Value,
    cwd: String,
    env_raw: Vec<Value>,
    uid: Option<String>,
    quirk: Option<String>,
    #[serde(default)]
    unordered_requires: bool,
    #[expect(dead_code, reason = "every condition on the machine holds below a root of its own")]
    requires: Option<Vec<String>>,
    #[expect(dead_code, reason = "a remark")]
    notes: Option<String>,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    exit: i32,
    exec: Option<ExpectExec>,
    stderr: Value,
    stdout: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectExec {
    argv: Vec<Value>,
    env: Vec<Value>,
    exe: Value,
    cwd: Value,
    same_pid: bool,
}

/// A recorded case.
#[derive(Debug)]
pub struct Recorded {
    line: Line,
    /// The scene.
    pub scene: Scene,
}

impl Recorded {
    /// Every case of the files of recordings.
    pub fn all() -> Vec<Recorded> {
        let files = ["hook_train.jsonl", "hook_seed_train.jsonl"];
        let texts = files.map(|file| fs::read_to_string(programs::fixtures().join("recorded").join(file)).unwrap());
        texts.iter().flat_map(|text| text.lines()).map(Recorded::parse).collect()
    }

    fn parse(line: &str) -> Recorded {
        let line: Line = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line:.80}"));
        let scene = scene(&line);
        Recorded { line, scene }
    }

    /// `FAMILY/CASE`.
    pub fn name(&self) -> &str {
        &self.line.name
    }

    /// The id of the odd behaviour that the case shows.
    pub fn quirk(&self) -> Option<&str> {
        self.line.quirk.as_deref()
    }

    /// The family.
    pub fn area(&self) -> &str {
        &self.line.family
    }

    /// Where an outcome is not what was recorded.
    pub fn faults(&self, outcome: &Outcome) -> Vec<String> {
        let expect = &self.line.expect;
        let mut faults = self.published().faults(outcome);
        if let (Some(exec), Some(executed)) = (&expect.exec, &outcome.executed) {
            let argv: Vec<Vec<u8>> = exec.argv.iter().map(bytes).collect();
            if !self.line.unordered_requires && sort_requirements(&argv) == sort_requirements(&executed.argv) {
                faults.extend(difference("order of argv", &argv, &executed.argv));
            }
            for (what, want, got) in
                [("program", &exec.exe, &executed.program), ("working directory", &exec.cwd, &executed.cwd)]
            {
                if bytes(want) != got.as_bytes() {
                    faults.push(format!("{what}: want {want}, got {got}"));
                }
            }
            if exec.same_pid != executed.same_pid {
                faults.push("another process".to_owned());
            }
        }
        if expect.exit != 0 && expect.stderr != "" && outcome.stderr.is_empty() {
            faults.push("no message".to_owned());
        }
        if expect.stdout.is_none() && !outcome.stdout.is_empty() {
            faults.push("standard output".to_owned());
        }
        faults
    }

    /// The recorded outcome.
    pub fn published(&self) -> Published {
        let expect = &self.line.expect;
        let exec = expect.exec.as_ref();
        Published {
            exit: expect.exit,
            argv: exec.map(|exec| exec.argv.iter().map(bytes).collect()),
            environment: exec.map(|exec| exec.env.iter().map(bytes).collect()).unwrap_or_default(),
        }
    }
}

fn scene(line: &Line) -> Scene {
    let mut scene = Scene {
        args: line.args.iter().map(bytes).collect(),
        environ: line.env_raw.iter().map(bytes).collect(),
        cwd: clean(&format!("{ROOT}/{}", line.cwd)),
        stdin: Stdin { content: bytes(&line.stdin), keep_open: false },
        unprivileged: line.uid.as_deref() == Some("nonroot"),
        ..Scene::default()
    };
    scene.put("/dev/null", Node::text(""));
    scene.put(&format!("{ROOT}/bin/nvidia-container-cli"), Node::EXECUTABLE_CLI);
    for (path, file) in &line.files {
        let path = format!("{ROOT}/{path}");
        if path.ends_with("/.recorder-exit") {
            scene.cli_fails = Some(format!("exit={}", file.as_str().unwrap()));
            continue;
        }
        match node(file) {
            Some(node) => scene.put(&path, node),
            None => scene.remove(&path),
        }
    }
    scene
}

fn node(file: &Value) -> Option<Node> {
    let mode = |usual| file["mode"].as_str().map_or(usual, |mode| u32::from_str_radix(mode, 8).unwrap());
    if file["absent"] == true {
        return None;
    }
    Some(match file {
        _ if file["recorder"] == true => Node::Cli { mode: mode(0o755) },
        _ if file["dir"] == true => Node::Directory { mode: mode(0o755) },
        _ if file["symlink"].is_string() => Node::Symlink(String::from_utf8(bytes(&file["symlink"])).unwrap()),
        _ => Node::File { content: bytes(file), mode: mode(0o644) },
    })
}

/// The bytes of a recorded string, or of one that is no text, with `$ROOT` put in.
fn bytes(value: &Value) -> Vec<u8> {
    let raw = match value {
        Value::String(text) => text.clone().into_bytes(),
        other => match (other["b64"].as_str(), other["text"].as_str()) {
            (Some(text), _) => base64::decode(text).unwrap(),
            (None, text) => text.unwrap().to_owned().into_bytes(),
        },
    };
    let mut bytes = Vec::new();
    let mut rest = raw.as_slice();
    while let Some(at) = rest.windows(5).position(|part| part == b"$ROOT") {
        bytes.extend_from_slice(&rest[..at]);
        bytes.extend_from_slice(ROOT.as_bytes());
        rest = &rest[at + 5..];
    }
    [bytes.as_slice(), rest].concat()
}

fn clean(path: &str) -> String {
    path.trim_end_matches("/.").to_owned()
}

/// `overrides.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// The differences and why they are.
    pub reasons: BTreeMap<String, String>,
    /// What ours does in the cases that show them.
    #[serde(default)]
    pub case: Vec<Override>,
}

/// What ours does in a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The recorded case.
    pub name: String,
    /// The difference.
    pub because: String,
    /// The exit status.
    #[serde(default)]
    pub exit: i32,
    /// Standard error, exactly.
    #[serde(default)]
    pub stderr: String,
    /// The arguments, if something is executed.
    pub argv: Option<Vec<String>>,
    /// The environment, where it is not just the hook's own.
    pub environment: Option<Vec<String>>,
}

impl Overrides {
    /// Reads the file.
    pub fn read() -> Result<Overrides, String> {
        let path = programs::fixtures().join("recorded/overrides.toml");
        let text = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        toml::from_str(&text).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// The entry of a case.
    pub fn find(&self, name: &str) -> Option<&Override> {
        self.case.iter().find(|case| case.name == name)
    }
}

impl Override {
    /// Whether only messages differ from what was recorded.
    pub fn is_only_words(&self, scene: &Scene, recorded: &Published) -> bool {
        let ours = self.published(scene);
        (ours.exit, ours.argv, ours.environment) == (recorded.exit, recorded.argv.clone(), recorded.environment.clone())
    }

    fn published(&self, scene: &Scene) -> Published {
        let list = |texts: &[String]| texts.iter().map(|text| text.clone().into_bytes()).collect::<Vec<_>>();
        Published {
            exit: self.exit,
            argv: self.argv.as_deref().map(list),
            environment: self.environment.as_deref().map_or_else(|| scene.environ.clone(), list),
        }
    }

    /// Where an outcome is not what the entry says.
    pub fn faults(&self, scene: &Scene, outcome: &Outcome) -> Vec<String> {
        let mut faults = self.published(scene).faults(outcome);
        if self.stderr != outcome.stderr() {
            faults.push(format!("stderr: want {:?}, got {:?}", self.stderr, outcome.stderr()));
        }
        faults.extend(outcome_of_any(scene, outcome));
        faults
    }
}
