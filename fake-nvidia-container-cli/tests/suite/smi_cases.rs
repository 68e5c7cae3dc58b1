//! Outputs of nvidia-smi, each a folder in `tests/cases/smi`: `machine.toml` is the machine, `case.toml` the command,
//! and `expected` what it prints, to the byte. Most are outputs that people posted. `BLESS=1` rewrites `expected`.

use super::programs;
use super::sandbox::{Sandbox, unwritable};
use fake_nvidia_container_cli::simulate::Choice;
use fake_nvidia_container_cli::smi::{Given, Host, Store, run};
use nvidia_simulated_machine::{select, topology};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The words after the program's name.
    #[serde(default)]
    run: Vec<String>,
    /// Several runs instead, each on the machine as it was: `expected` has the words, the output and the exit code.
    #[serde(default)]
    transcript: Vec<Vec<String>>,
    /// Whether the user may change nothing.
    #[serde(default)]
    denied: bool,
    /// Commands that run before it on the same machine.
    #[serde(default)]
    before: Vec<Vec<String>>,
    /// The exit code.
    #[serde(default)]
    exit: i32,
    /// Whether the posted copy has lost trailing blanks.
    #[serde(default)]
    trimmed: bool,
    /// The devices of the container that it runs in; without this, it runs on the machine itself.
    device: Option<String>,
    /// FAKE_NVIDIA_FAIL.
    fail: Option<String>,
}

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(programs::source("tests/cases/smi")).unwrap();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

/// What a case prints, and its exit code; nothing if it cannot be tried.
fn answer(folder: &Path, case: &Case) -> Option<(String, i32)> {
    let sandbox = Sandbox::new();
    let machine = folder.join("machine.toml");
    let state = if case.denied { unwritable()? } else { sandbox.path("state") };
    if let Some(device) = &case.device {
        let machine = topology::load(machine.to_str()).unwrap();
        let devices = select::devices(device, &machine.gpus).unwrap();
        let given = Given::new(&machine, &Choice { devices, ..Choice::default() });
        let host = Host { given, store: Store::new(Some(&state)) };
        let outcome = run(&case.run, &host, &mut |_| true);
        return Some((outcome.stdout, outcome.exit));
    }
    let smi = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = sandbox.named("nvidia-smi", &words);
        command.env("FAKE_NVIDIA_TOPOLOGY", &machine).env("FAKE_NVIDIA_STATE", &state);
        command.envs(case.fail.iter().map(|fail| ("FAKE_NVIDIA_FAIL", fail))).output().unwrap()
    };
    for words in &case.before {
        assert!(smi(words).status.success(), "{}: {words:?}", folder.display());
    }
    if !case.transcript.is_empty() {
        let told = |words: &Vec<String>| {
            let output = smi(words);
            // Each run begins with the machine as in the file.
            let _ = fs::remove_file(&state);
            let (text, exit) = (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap());
            format!("$ nvidia-smi {}\n{text}exit {exit}\n", words.iter().map(quoted).collect::<Vec<_>>().join(" "))
        };
        return Some((case.transcript.iter().map(told).collect(), 0));
    }
    let output = smi(&case.run);
    Some((String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap()))
}

/// A word as a shell takes it.
fn quoted(word: &String) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/".contains(c);
    if word.chars().all(is_plain) { word.clone() } else { format!("'{word}'") }
}

fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What is wrong with a case's output, if anything.
fn fault(folder: &Path) -> Option<String> {
    let case: Case = toml::from_str(&fs::read_to_string(folder.join("case.toml")).unwrap())
        .unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let (found, exit) = answer(folder, &case)?;
    let place = folder.join("expected");
    if std::env::var_os("BLESS").is_some() && !case.trimmed {
        fs::write(&place, &found).unwrap();
    }
    let expected = fs::read_to_string(&place).unwrap();
    let is_same = if case.trimmed { trimmed(&found) == trimmed(&expected) } else { found == expected };
    let differ = || found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    let is_right = is_same && exit == case.exit;
    (!is_right).then(|| format!("{}: exit {exit}, first difference {:#?}", folder.display(), differ()))
}

#[test]
fn every_case_prints_its_bytes() {
    // The last test of the suite to begin: a single thread would leave a processor idle.
    let (folders, next, wrong) = (folders(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fault = fault(folder);
                    wrong.lock().unwrap().extend(fault);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
