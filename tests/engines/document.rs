//! docs/engines.md: which scenarios each engine passed, and why it cannot run the others. One run writes it, and every
//! other run is compared with it for the engines that are installed; versions are listed, but not compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use hook_test_support::programs;

use super::scenario::Scenario;

const PATH: &str = "docs/engines.md";
const PASSED: &str = "passed";

/// An engine, with its version if it is here.
pub struct Column {
    /// Its name.
    pub name: String,
    /// `MAJOR.MINOR`.
    pub version: Option<String>,
}

/// The result of a scenario under an engine, or the reason why it is impossible.
pub type Results = BTreeMap<(String, String), Result<(), String>>;

/// What the document says: a version by engine, and a result by engine and scenario.
#[derive(Default)]
struct Written {
    versions: BTreeMap<String, String>,
    cells: BTreeMap<(String, String), String>,
}

/// Whether the document matches the run. With `BLESS` it is rewritten.
pub fn compare(columns: &[Column], scenarios: &[Scenario], results: &Results) -> bool {
    let file = programs::source(PATH);
    let text = fs::read_to_string(&file).unwrap_or_default();
    let mut written = read(&text);
    let cell = |result: &Result<(), String>| match result {
        Ok(()) => PASSED.to_owned(),
        Err(reason) => reason.clone(),
    };
    if programs::bless() {
        for column in columns {
            if let Some(version) = &column.version {
                written.versions.insert(column.name.clone(), version.clone());
            }
        }
        written.cells.extend(results.iter().map(|(key, result)| (key.clone(), cell(result))));
        let text = write(columns, scenarios, &written);
        fs::write(&file, text).unwrap();
        return true;
    }
    let mut same = true;
    for (key, result) in results {
        let said = written.cells.get(key).map_or("nothing", String::as_str);
        if said != cell(result) {
            println!("{PATH} says of {}/{}: {said}; it is: {}. BLESS=1 writes it", key.0, key.1, cell(result));
            same = false;
        }
    }
    // Entries of engines that are not here stay; scenarios that are gone, and other sentences, do not.
    if write(columns, scenarios, &written) != text {
        println!("{PATH} is not as it would be written now. BLESS=1 writes it");
        same = false;
    }
    same
}

const HEAD: &str = "\
# Engines

Real engines start containers with the hook, or call `nvidia-container-cli` by themselves, on simulated GPUs with real mounts.
Each scenario is a file of [fixtures/engines](../fixtures/engines): a machine, a configuration, a container, and the expected
result. A container that starts must see exactly its devices, through `nvidia-smi -L`, an NVML client and its device nodes, and the
driver's libraries in `ldconfig -p`, in a Debian image. A container that is refused must tell its user why. Afterwards, nothing may
remain mounted, and no process may remain.

A run writes this document (`BLESS=1 cargo test --features engines --test engines`). `.ci/run` fails if an installed engine gives
another result, and skips engines that are not installed. The runs use version 1 of control groups; `.ci/run` repeats all of them
with version 2.

";

fn write(columns: &[Column], scenarios: &[Scenario], written: &Written) -> String {
    let mut text = HEAD.to_owned();
    let known: Vec<&Column> = columns.iter().filter(|column| written.versions.contains_key(&column.name)).collect();
    text.push_str("## Versions\n\n| engine | seen with |\n|---|---|\n");
    for column in &known {
        writeln!(text, "| {} | {} |", column.name, written.versions[&column.name]).unwrap();
    }
    let reasons = reasons(&known, scenarios, written);
    text.push_str("\n## Scenarios\n\n`+` passed; a number: not possible, and the reason below.\n\n| |");
    known.iter().for_each(|column| write!(text, " {} |", column.name).unwrap());
    text.push_str("\n|---|");
    known.iter().for_each(|_| text.push_str("---|"));
    text.push('\n');
    for scenario in scenarios {
        write!(text, "| `{}` |", scenario.name).unwrap();
        for column in &known {
            let cell = written.cells.get(&(column.name.clone(), scenario.name.clone()));
            let sign = match cell.map(String::as_str) {
                None => " ".to_owned(),
                Some(PASSED) => "+".to_owned(),
                Some(reason) => (1 + reasons.iter().position(|known| *known == reason).unwrap()).to_string(),
            };
            write!(text, " {sign} |").unwrap();
        }
        text.push('\n');
    }
    text.push_str("\n## Why not\n\n");
    for (at, reason) in reasons.iter().enumerate() {
        writeln!(text, "{}. {reason}", at + 1).unwrap();
    }
    text.push_str("\n## What the scenarios are\n\n");
    for scenario in scenarios {
        writeln!(text, "- `{}`: {}", scenario.name, scenario.why).unwrap();
    }
    text
}

/// Each reason once, in the order of the table.
fn reasons<'a>(columns: &[&Column], scenarios: &[Scenario], written: &'a Written) -> Vec<&'a str> {
    let mut reasons: Vec<&str> = Vec::new();
    for scenario in scenarios {
        for column in columns {
            let cell = written.cells.get(&(column.name.clone(), scenario.name.clone())).map(String::as_str);
            if let Some(reason) = cell.filter(|cell| *cell != PASSED && !reasons.contains(cell)) {
                reasons.push(reason);
            }
        }
    }
    reasons
}

/// The document as it was written; empty if there is none.
fn read(text: &str) -> Written {
    let mut written = Written::default();
    let section = |title: &str| {
        let rest = text.split_once(&format!("\n## {title}\n")).map_or("", |(_, rest)| rest);
        rest.split("\n## ").next().unwrap_or_default().to_owned()
    };
    let row = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let rows = |title: &str| -> Vec<Vec<String>> {
        let section = section(title);
        section.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---")).map(row).collect()
    };
    for cells in rows("Versions").into_iter().skip(1) {
        written.versions.insert(cells[0].clone(), cells[1].clone());
    }
    let reasons = section("Why not");
    let reasons: Vec<&str> =
        reasons.lines().filter_map(|line| line.split_once(". ")).map(|(_, reason)| reason).collect();
    let table = rows("Scenarios");
    let Some((names, table)) = table.split_first() else { return written };
    for cells in table {
        for (name, cell) in names.iter().zip(cells).skip(1).filter(|(_, cell)| !cell.is_empty()) {
            let said = match cell.parse::<usize>() {
                Ok(number) => reasons.get(number - 1).copied().unwrap_or("a reason that is missing"),
                Err(_) => PASSED,
            };
            written.cells.insert((name.clone(), cells[0].clone()), said.to_owned());
        }
    }
    written
}
