//! The cases of nvidia-hookctl: one folder each below fixtures/hookctl/{explain,check,doctor}, found at run time. A
//! case is a machine, a command line, and the transcript of what the program prints.
//!
//! - `expected.toml` and `host.toml`: the machine (tests/support/src/machine.rs);
//! - `expected.txt`: the transcript, and `expected.json` if the JSON form is of interest. `BLESS=1` writes the first,
//!   and the second if it exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

pub use hook_test_support::machine::{Machine, Said};
pub use hook_test_support::programs;
use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::judge::Suite;

/// The program under test: `HOOKCTL_BIN`, or the one that cargo has built.
pub fn hookctl() -> PathBuf {
    programs::program("HOOKCTL_BIN", env!("CARGO_BIN_EXE_nvidia-hookctl"))
}

/// The machine of a case folder, with the program under test.
pub fn machine_of(folder: &Path) -> Machine {
    Machine::of_case(folder, hookctl(), "--host-root")
}

/// The machine of a case, `AREA/CASE`.
pub fn machine(case: &str) -> Machine {
    machine_of(&programs::fixtures().join("hookctl").join(case))
}

/// What the hook is tested with, read once for all tests.
pub fn of_the_hook() -> &'static (Fixtures, Suite) {
    static READ: OnceLock<(Fixtures, Suite)> = OnceLock::new();
    READ.get_or_init(|| {
        let fixtures = Fixtures::read(&programs::fixtures()).unwrap();
        let suite = Suite::read(&fixtures).unwrap();
        (fixtures, suite)
    })
}

/// Runs every case of an area and compares the transcripts; returns the JSON form of each for further checks.
pub fn run_area(area: &str) -> Vec<(String, serde_json::Value)> {
    let folder = programs::fixtures().join("hookctl").join(area);
    let mut folders: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(!folders.is_empty(), "{folder:?} holds no case");
    // An area is one test, and one thread would leave a processor idle at the end.
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let case = run_case(folder);
                    done.lock().unwrap().push(case);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let faults: Vec<&str> = done.iter().flat_map(|(.., faults)| faults).map(String::as_str).collect();
    assert!(faults.is_empty(), "{}\nBLESS=1 rewrites expectations\n", faults.join("\n"));
    done.into_iter().map(|(name, document, _)| (name, document)).collect()
}

/// Asserts that documents match a schema.
pub fn assert_schema(documents: &[(String, serde_json::Value)], schema: &serde_json::Value) {
    for (name, document) in documents {
        assert_eq!(schema_faults(schema, document), Vec::<String>::new(), "{name}");
    }
}

/// Where a document does not match its schema.
pub fn schema_faults(schema: &serde_json::Value, document: &serde_json::Value) -> Vec<String> {
    faults_of(&jsonschema::draft202012::new(schema).unwrap(), document)
}

/// The same, with a schema that has already been read.
pub fn faults_of(schema: &jsonschema::Validator, document: &serde_json::Value) -> Vec<String> {
    schema.iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

/// Asserts that some case has a finding with each of these ids; `list` is the member that holds the findings.
pub fn assert_shown(documents: &[(String, serde_json::Value)], list: &str, ids: &[&str]) {
    let findings = documents.iter().flat_map(|(_, document)| document[list].as_array().unwrap());
    let seen: BTreeSet<&str> = findings.map(|finding| finding["id"].as_str().unwrap()).collect();
    for id in ids {
        assert!(seen.contains(id), "no case shows {id}");
    }
}

/// The name of a case, its JSON form, and what is wrong.
fn run_case(folder: &Path) -> (String, serde_json::Value, Vec<String>) {
    let mut faults = Vec::new();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = ["expected.toml", "host.toml", "expected.txt", "expected.json"].contains(&file.as_str());
        assert!(known, "{name}: {file} is not a file of a case");
    }
    let machine = machine_of(folder);
    let mut arguments = machine.arguments();
    let said = machine.run(&arguments);
    let said_text = transcript(&arguments, &said);
    compare(&folder.join("expected.txt"), &said_text, &name, &mut faults);
    arguments.extend(["--output".to_owned(), "json".to_owned()]);
    let json = machine.run(&arguments);
    if json.status != said.status {
        faults.push(format!("{name}: text ends with {}, JSON with {}", said.status, json.status));
    }
    let document: serde_json::Value =
        serde_json::from_str(&json.stdout).unwrap_or_else(|why| panic!("{name}: {why}: {json:?}"));
    // A line to be copied stays whole, however long.
    let forms = document.pointer("/cdi/forms").and_then(serde_json::Value::as_array).into_iter().flatten();
    let copied: Vec<&str> =
        forms.flat_map(|form| form["lines"].as_array().unwrap()).map(|line| line.as_str().unwrap()).collect();
    for line in said.stdout.lines().filter(|line| line.chars().count() > 100) {
        if !copied.iter().any(|whole| line.ends_with(whole)) {
            faults.push(format!("{name}: more than 100 columns: {line}"));
        }
    }
    if folder.join("expected.json").exists() {
        compare(&folder.join("expected.json"), &json.stdout, &name, &mut faults);
    }
    (name, document, faults)
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
    let mut text = "$ nvidia-hookctl".to_owned();
    for argument in arguments {
        text.push(' ');
        text.push_str(&hook::text::shell_word(argument));
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
