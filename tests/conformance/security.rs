//! docs/security.md, generated from the list of requirements and the cases that name them: each requirement, its rule,
//! and what fails when it is broken. No cell may be empty. Must not know how a case is run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use hook_test_support::programs;
use libtest_mimic::Failed;
use nvidia_hook_conformance::judge::Suite;
use nvidia_hook_conformance::requirement::AREA;
use serde::Deserialize;

/// The number of requirements.
const ALL: usize = 20;
const MARK: &str = "<!-- What follows is made from fixtures/requirements.toml and the cases; BLESS=1 cargo test --test conformance writes it. -->\n";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirements {
    requirement: Vec<Requirement>,
}

/// A requirement, and what ensures it besides cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    id: String,
    says: String,
    rule: String,
    /// Files, each with words that it contains.
    #[serde(default)]
    tests: Vec<String>,
    /// Steps of the gate.
    #[serde(default)]
    gate: Vec<String>,
}

/// The cases of each requirement.
type Cases<'s> = BTreeMap<String, Vec<&'s str>>;

/// Compares the document with the list and the cases.
pub fn check(suite: &Suite) -> Result<(), Failed> {
    let (requirements, cases) = (read(), cases(suite));
    let faults = faults(suite, &requirements, &cases);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let text = document();
    let (_, made) = text.split_once(MARK).ok_or("docs/security.md has lost its mark")?;
    if programs::bless() || made == render(&requirements, &cases) {
        return Ok(());
    }
    Err("docs/security.md is stale; run BLESS=1 cargo test --test conformance".into())
}

/// Checks docs/cves.md: no cell of its table is empty, and each test that it names exists.
pub fn check_advisories() -> Result<(), Failed> {
    let text = fs::read_to_string(programs::source("docs/cves.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| CVE-"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let mut faults = Vec::new();
    for row in &rows {
        if row.len() != 6 || row.iter().any(|cell| cell.is_empty()) {
            faults.push(format!("{}: an empty cell", row[0]));
        }
        for test in row[5].split('`').skip(1).step_by(2) {
            let there = if test.contains(": ") { stands(test) } else { programs::source(test).exists() };
            if !there {
                faults.push(format!("{}: there is no {test}", row[0]));
            }
        }
    }
    for number in [
        "2024-0132",
        "2024-0133",
        "2024-0134",
        "2024-0135",
        "2024-0136",
        "2024-0137",
        "2025-23359",
        "2025-23266",
        "2025-23267",
    ] {
        if !rows.iter().any(|row| row[0].contains(number)) {
            faults.push(format!("CVE-{number} has no row"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// Rewrites the document.
pub fn write(suite: &Suite) {
    let text = document();
    let written = text.split_once(MARK).unwrap().0;
    fs::write(programs::source("docs/security.md"), format!("{written}{MARK}{}", render(&read(), &cases(suite))))
        .unwrap();
}

fn document() -> String {
    fs::read_to_string(programs::source("docs/security.md")).unwrap()
}

fn read() -> Vec<Requirement> {
    let text = fs::read_to_string(programs::fixtures().join("requirements.toml")).unwrap();
    toml::from_str::<Requirements>(&text).unwrap().requirement
}

fn cases(suite: &Suite) -> Cases<'_> {
    let mut cases = Cases::new();
    for case in &suite.cases {
        if let Some(id) = case.expected().ok().and_then(|expected| expected.requirement) {
            cases.entry(id).or_default().push(&case.name);
        }
    }
    cases
}

fn faults(suite: &Suite, requirements: &[Requirement], cases: &Cases<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let ids: Vec<&str> = requirements.iter().map(|it| it.id.as_str()).collect();
    if ids != (1..=ALL).map(|number| format!("S{number}")).collect::<Vec<_>>() {
        faults.push(format!("the requirements are S1 to S{ALL}, and the list has {ids:?}"));
    }
    for it in requirements {
        if it.says.is_empty() || it.rule.is_empty() {
            faults.push(format!("{}: says nothing, or has no rule", it.id));
        }
        if !cases.contains_key(&it.id) && it.tests.is_empty() {
            faults.push(format!("{}: nothing shows it", it.id));
        }
        faults
            .extend(it.tests.iter().filter(|test| !stands(test)).map(|test| format!("{}: there is no {test}", it.id)));
        faults.extend(it.gate.iter().filter(|step| !is_step(step)).map(|step| format!("{}: no step {step}", it.id)));
    }
    for case in suite.cases.iter().filter(|case| case.area() == AREA) {
        let id = case.expected().ok().and_then(|expected| expected.requirement).unwrap_or_default();
        if !ids.contains(&id.as_str()) {
            faults.push(format!("{} stands for no requirement", case.name));
        }
    }
    faults
}

/// Whether the words of a test are in its file.
fn stands(test: &str) -> bool {
    let (file, words) = test.split_once(": ").unwrap();
    fs::read_to_string(programs::source(file)).is_ok_and(|text| text.contains(words))
}

/// Whether the gate has a step of this name. A package build need not have the gate.
fn is_step(step: &str) -> bool {
    let Ok(gate) = fs::read_to_string(programs::source(".ci/run")) else { return true };
    gate.contains(&format!("step '{step}'"))
        || gate.contains(&format!("step \"{step}\""))
        || gate.contains(&format!("step {step} "))
}

fn render(requirements: &[Requirement], cases: &Cases<'_>) -> String {
    let mut text = "\n| | requirement | rule | what fails when it is broken |\n|---|---|---|---|\n".to_owned();
    for it in requirements {
        let cases = cases.get(&it.id).into_iter().flatten().map(|case| format!("`{case}`"));
        let tests = it.tests.iter().map(|test| test.split_once(": ").unwrap());
        let tests = tests.map(|(file, words)| format!("{file} (\"{words}\")"));
        let gate = it.gate.iter().map(|step| format!(".ci/run (\"{step}\")"));
        let shown: Vec<String> = cases.chain(tests).chain(gate).collect();
        writeln!(text, "| {} | {} | {} | {} |", it.id, it.says, it.rule, shown.join("; ")).unwrap();
    }
    text
}
