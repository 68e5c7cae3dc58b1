//! The recorded cases: runs of the published hooks, one line per case. Must not know how a case is run.
//!
//! `main.jsonl` holds what the newest release does; `releases.jsonl` holds where other releases differ, and by which
//! rules of `rules.toml`. `1.20.0.jsonl` holds more runs of that release alone. `founding.jsonl` holds the runs of the
//! founding description: 1.14.1 alone, with a key that only ours knows.
//!
//! A recorded case has all its files below one directory, written `$ROOT`, and relies on a machine without surprises
//! (no Tegra, no SUSE, no other nvidia-container-cli). A private root provides both.

use std::collections::BTreeMap;
use std::str::Utf8Chunk;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::expected::{Published, sort_requirements};
use crate::fixtures::Fixtures;
use crate::host_toml::decode;
use crate::outcome::{Executed, Outcome, difference};
use crate::release::Release;
use crate::scene::{Node, Scene, Stdin};

/// Replaces `$ROOT`. As deep as the directories of the recording, because some cases go upwards.
pub const ROOT: &str = "/recorded/case";
/// The files of recordings, each with its release if it covers only one.
const FILES: [(&str, Option<&str>); 3] = [
    ("recorded/main.jsonl", None),
    ("recorded/1.20.0.jsonl", Some("1.20.0")),
    ("recorded/founding.jsonl", Some("1.14.1")),
];
/// Where releases differ from the newest.
const RELEASES: &str = "recorded/releases.jsonl";

/// A line of a recording. Members that are not read describe the origin of the case, or name conditions on the machine,
/// all of which hold in a private root.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    family: String,
    files: BTreeMap<String, File>,
    args: Vec<Text>,
    stdin: Text,
    cwd: String,
    env_raw: Vec<Text>,
    uid: Option<String>,
    quirk: Option<String>,
    #[serde(default)]
    unordered_requires: bool,
    #[serde(rename = "requires")]
    _requires: Option<Vec<String>>,
    #[serde(rename = "notes")]
    _notes: Option<String>,
    expect: Expect,
}

/// How the hook ended.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    exit: i32,
    exec: Option<ExpectExec>,
    stderr: Text,
    stdout: Option<Text>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectExec {
    argv: Vec<Text>,
    env: Vec<Text>,
    exe: Text,
    cwd: Text,
    same_pid: bool,
}

/// A string, or bytes that are not text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Bytes(Bytes),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bytes {
    b64: String,
}

/// The file at a path: a text, or one of the members.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum File {
    Plain(String),
    Other(OtherFile),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OtherFile {
    text: Option<String>,
    b64: Option<String>,
    symlink: Option<String>,
    dir: bool,
    recorder: bool,
    absent: bool,
    mode: Option<String>,
}

/// A line of `releases.jsonl`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Releases {
    name: String,
    differs: Vec<Differs>,
}

/// What some releases do differently.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Differs {
    releases: Vec<Release>,
    rules: Vec<String>,
    expect: Expect,
    #[serde(rename = "requires")]
    _requires: Option<Vec<String>>,
}

/// A recorded case.
#[derive(Debug, Clone)]
pub struct Recorded {
    line: Line,
    /// The scene.
    pub scene: Scene,
    only: Option<Release>,
    differs: Vec<Differs>,
}

impl Recorded {
    /// Every case of the files of recordings.
    pub fn all(fixtures: &Fixtures) -> Result<Vec<Recorded>> {
        let mut all = Vec::new();
        for (file, only) in FILES {
            let only = only.map(str::parse).transpose().map_err(|why: String| anyhow!(why))?;
            for line in lines::<Line>(fixtures, file)? {
                let scene = scene(&line).with_context(|| line.name.clone())?;
                all.push(Recorded { line, scene, only, differs: Vec::new() });
            }
        }
        let mut releases: BTreeMap<String, Vec<Differs>> =
            lines::<Releases>(fixtures, RELEASES)?.into_iter().map(|line| (line.name, line.differs)).collect();
        for recorded in all.iter_mut().filter(|recorded| recorded.only.is_none()) {
            recorded.differs = releases.remove(recorded.name()).unwrap_or_default();
        }
        match releases.keys().next() {
            Some(name) => bail!("fixtures/{RELEASES}: {name} was not recorded of the newest"),
            None => Ok(all),
        }
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

    /// The newest release that was recorded.
    pub fn newest(&self) -> Release {
        self.only.unwrap_or(Release::MAIN)
    }

    /// The releases that were recorded.
    pub fn releases(&self) -> impl Iterator<Item = Release> {
        Release::all().filter(|release| self.only.is_none_or(|only| only == *release))
    }

    /// The rules by which a release differs from the newest.
    pub fn rules(&self, release: Release) -> &[String] {
        self.differs(release).map_or(&[], |differs| &differs.rules)
    }

    /// Whether two releases share one record.
    pub fn is_one_record(&self, one: Release, other: Release) -> bool {
        self.expect(one).map(std::ptr::from_ref) == self.expect(other).map(std::ptr::from_ref)
    }

    /// How an outcome differs from the recording of a release; nothing without a recording.
    pub fn faults(&self, outcome: &Outcome, release: Release) -> Result<Vec<String>> {
        let (Some(expect), Some(published)) = (self.expect(release), self.published(release)?) else {
            return Ok(Vec::new());
        };
        let mut faults = published.faults(outcome);
        if let (Some(exec), Some(executed)) = (&expect.exec, &outcome.executed) {
            let argv = list(&exec.argv)?;
            if !self.line.unordered_requires && sort_requirements(&argv) == sort_requirements(&executed.argv) {
                faults.extend(difference("order of argv", &argv, &executed.argv));
            }
            for (what, want, got) in
                [("program", &exec.exe, &executed.program), ("working directory", &exec.cwd, &executed.cwd)]
            {
                let want = want.bytes()?;
                if want != got.as_bytes() {
                    faults.push(format!("{what}: want {}, got {got}", String::from_utf8_lossy(&want)));
                }
            }
            if exec.same_pid != executed.same_pid {
                faults.push("another process".to_owned());
            }
        }
        if expect.exit != 0 && !expect.stderr.bytes()?.is_empty() && outcome.stderr.is_empty() {
            faults.push("no message".to_owned());
        }
        if expect.stdout.is_none() && !outcome.stdout.is_empty() {
            faults.push("standard output".to_owned());
        }
        Ok(faults)
    }

    /// The recorded outcome of a release, if there is one.
    pub fn published(&self, release: Release) -> Result<Option<Published>> {
        let Some(expect) = self.expect(release) else { return Ok(None) };
        let exec = expect.exec.as_ref();
        Ok(Some(Published {
            exit: expect.exit,
            argv: exec.map(|exec| list(&exec.argv)).transpose()?,
            environment: exec.map(|exec| list(&exec.env)).transpose()?.unwrap_or_default(),
        }))
    }

    /// The outcome of a hook that behaves as recorded of a release, for tests of the tests.
    pub fn outcome(&self, release: Release) -> Result<Outcome> {
        let expect = self.expect(release).context("not recorded")?;
        let text = |text: &Text| Ok::<_, anyhow::Error>(String::from_utf8_lossy(&text.bytes()?).into_owned());
        let executed = |exec: &ExpectExec| {
            Ok::<_, anyhow::Error>(Executed {
                argv: list(&exec.argv)?,
                environ: list(&exec.env)?,
                program: text(&exec.exe)?,
                cwd: text(&exec.cwd)?,
                same_pid: exec.same_pid,
                understood: true,
            })
        };
        Ok(Outcome {
            exit: expect.exit,
            stdout: expect.stdout.as_ref().map(Text::bytes).transpose()?.unwrap_or_default(),
            stderr: expect.stderr.bytes()?,
            executed: expect.exec.as_ref().map(executed).transpose()?,
            records: Vec::new(),
            leaves: Vec::new(),
            unsteady: None,
        })
    }

    fn expect(&self, release: Release) -> Option<&Expect> {
        let recorded = self.only.is_none_or(|only| only == release);
        recorded.then(|| self.differs(release).map_or(&self.line.expect, |differs| &differs.expect))
    }

    fn differs(&self, release: Release) -> Option<&Differs> {
        self.differs.iter().find(|differs| differs.releases.contains(&release))
    }
}

/// The lines of a file of JSON lines.
fn lines<T: DeserializeOwned>(fixtures: &Fixtures, file: &str) -> Result<Vec<T>> {
    let lines = fixtures.file(file)?.lines().enumerate();
    lines
        .map(|(index, line)| serde_json::from_str(line).with_context(|| format!("fixtures/{file}:{}", index + 1)))
        .collect()
}

fn scene(line: &Line) -> Result<Scene> {
    let mut scene = Scene {
        args: list(&line.args)?,
        environ: list(&line.env_raw)?,
        cwd: format!("{ROOT}/{}", line.cwd).trim_end_matches("/.").to_owned(),
        stdin: Stdin { content: line.stdin.bytes()?, keep_open: false },
        unprivileged: line.uid.as_deref() == Some("nonroot"),
        ..Scene::default()
    };
    scene.put("/dev/null", Node::text(""));
    scene.put(&format!("{ROOT}/bin/nvidia-container-cli"), Node::EXECUTABLE_CLI);
    for (path, file) in &line.files {
        match (path.ends_with("/.recorder-exit"), file) {
            (true, File::Plain(exit)) => scene.cli_fails = Some(format!("exit={exit}")),
            _ => put(&mut scene, &format!("{ROOT}/{path}"), file).with_context(|| path.clone())?,
        }
    }
    Ok(scene)
}

fn put(scene: &mut Scene, path: &str, file: &File) -> Result<()> {
    match node(file)? {
        Some(node) => scene.put(path, node),
        None => scene.remove(path),
    }
    Ok(())
}

/// The node that a file stands for; `None` if the path is to be absent.
fn node(file: &File) -> Result<Option<Node>> {
    let file = match file {
        File::Plain(text) => return Ok(Some(Node::text(rooted(text.as_bytes())))),
        File::Other(file) => file,
    };
    let given = file.mode.as_deref().map(|mode| u32::from_str_radix(mode, 8)).transpose()?;
    let mode = |usual| given.unwrap_or(usual);
    Ok(Some(match (&file.text, &file.b64, &file.symlink) {
        _ if file.absent => return Ok(None),
        _ if file.recorder => Node::Cli { mode: mode(0o755) },
        _ if file.dir => Node::Directory { mode: mode(0o755) },
        (_, _, Some(target)) => Node::Symlink(target.replace("$ROOT", ROOT)),
        (_, Some(text), _) => Node::File { content: rooted(&decode(text)?), mode: mode(0o644) },
        (Some(text), _, _) => Node::File { content: rooted(text.as_bytes()), mode: mode(0o644) },
        (None, None, None) => anyhow::bail!("neither text, b64, symlink, dir, recorder nor absent"),
    }))
}

impl Text {
    fn bytes(&self) -> Result<Vec<u8>> {
        Ok(match self {
            Text::Plain(text) => rooted(text.as_bytes()),
            Text::Bytes(bytes) => rooted(&decode(&bytes.b64)?),
        })
    }
}

fn list(texts: &[Text]) -> Result<Vec<Vec<u8>>> {
    texts.iter().map(Text::bytes).collect()
}

/// The bytes with `$ROOT` replaced.
fn rooted(raw: &[u8]) -> Vec<u8> {
    let put_in = |part: Utf8Chunk<'_>| [part.valid().replace("$ROOT", ROOT).as_bytes(), part.invalid()].concat();
    raw.utf8_chunks().map(put_in).collect::<Vec<_>>().concat()
}
