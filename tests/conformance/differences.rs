//! docs/differences.md, put together from the cases: every way in which ours differs from the published hook, and every
//! oddity that is kept. Must not know how a case is run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use hook_test_support::programs;
use libtest_mimic::Failed;
use nvidia_hook_conformance::expected::Expected;
use nvidia_hook_conformance::judge::Suite;
use nvidia_hook_conformance::overrides::{Override, Overrides};

const HEAD: &str = "\
<!-- Generated from fixtures/ by `BLESS=1 cargo test --test conformance`; a test fails when it is stale. -->
# Where this hook differs from the published one

The published hook is that of NVIDIA Container Toolkit 1.20. What is not named here is the same, as far as the recorded
runs in `fixtures/recorded/` show it. Each difference has a reason and at least one case that pins both behaviours.
";

/// Compares the file with the cases.
pub fn check(suite: &Suite) -> Result<(), Failed> {
    if programs::bless() || fs::read_to_string(path()).unwrap_or_default() == render(suite) {
        return Ok(());
    }
    Err("docs/differences.md is stale; run BLESS=1 cargo test --test conformance".into())
}

/// Rewrites the file.
pub fn write(suite: &Suite) {
    fs::write(path(), render(suite)).unwrap();
}

fn path() -> PathBuf {
    programs::source("docs/differences.md")
}

fn render(suite: &Suite) -> String {
    let expected: Vec<(&str, Expected)> =
        suite.cases.iter().filter_map(|case| Some((case.name.as_str(), case.expected().ok()?))).collect();
    let overrides = &suite.overrides;
    let mut changed: BTreeMap<&str, Vec<(&str, &Expected)>> = BTreeMap::new();
    let mut kept: BTreeMap<&str, Vec<(&str, &Expected)>> = BTreeMap::new();
    for (name, expected) in &expected {
        if let Some(upstream) = &expected.upstream {
            changed.entry(&upstream.difference).or_default().push((name, expected));
        }
        if let Some(id) = &expected.kept {
            kept.entry(id).or_default().push((name, expected));
        }
    }
    let mut text = format!("{HEAD}\n## Changed on purpose\n");
    for id in overrides.reasons.keys().chain(overrides.limits.keys()) {
        changed.entry(id).or_default();
    }
    for (id, cases) in &changed {
        section(&mut text, id, cases, overrides);
    }
    text.push_str("\n## Odd, and kept\n\nPrograms rely on these, or a change would gain too little.\n\n");
    for (id, cases) in &kept {
        for (name, expected) in cases {
            writeln!(text, "- `{id}`: {} (`fixtures/hook/{name}`)", expected.why).unwrap();
        }
    }
    text
}

fn section(text: &mut String, id: &str, cases: &[(&str, &Expected)], overrides: &Overrides) {
    write!(text, "\n### {id}\n\n").unwrap();
    let mut by_reason: BTreeMap<&str, Vec<(&str, &Expected)>> = BTreeMap::new();
    for (name, expected) in cases {
        by_reason.entry(&expected.upstream.as_ref().unwrap().why_different).or_default().push((name, expected));
    }
    let reason = overrides.reasons.get(id).or_else(|| overrides.limits.get(id));
    if let (true, Some(reason)) = (cases.is_empty(), reason) {
        writeln!(text, "{reason}\n").unwrap();
    }
    for (reason, cases) in by_reason {
        writeln!(text, "{reason}\n").unwrap();
        for (name, expected) in cases {
            writeln!(text, "- {}{} (`fixtures/hook/{name}`)", expected.why, both_outcomes(expected)).unwrap();
        }
        text.push('\n');
    }
    let named = |case: &&Override| case.because == id;
    let recorded: Vec<String> = overrides.case.iter().filter(named).map(|case| format!("`{}`", case.name)).collect();
    match recorded.is_empty() {
        true => drop(text.pop()),
        false => writeln!(text, "Recorded runs that show it: {}.", recorded.join(", ")).unwrap(),
    }
}

/// What ours and the published hook do, as far as it is not the same.
fn both_outcomes(expected: &Expected) -> String {
    let upstream = expected.upstream.as_ref().unwrap();
    let outcome = |exit: i32, executes: bool| match (exit, executes) {
        (0, true) => "executes nvidia-container-cli".to_owned(),
        (0, false) => "exit 0, nothing executed".to_owned(),
        (exit, false) => format!("exit {exit}"),
        (exit, true) => format!("nvidia-container-cli ends with {exit}"),
    };
    let ours = outcome(expected.exit, expected.exec.is_some());
    let theirs = outcome(upstream.exit, upstream.argv.is_some());
    match (ours == theirs, argument_differences(expected)) {
        (false, _) => format!("; ours: {ours}, published: {theirs}"),
        (true, Some((ours, theirs))) => format!("; ours: {ours}, published: {theirs}"),
        (true, None) => String::new(),
    }
}

/// The arguments that only one of two executions has.
fn argument_differences(expected: &Expected) -> Option<(String, String)> {
    let ours: Vec<&String> = expected.exec.as_ref()?.argv.iter().map(|(argument, _)| argument).collect();
    let theirs: Vec<&String> = expected.upstream.as_ref()?.argv.as_ref()?.iter().collect();
    let only = |list: &[&String], other: &[&String]| {
        let words: Vec<String> =
            list.iter().filter(|word| !other.contains(word)).map(|word| format!("`{word}`")).collect();
        if words.is_empty() { "no such argument".to_owned() } else { words.join(" ") }
    };
    (ours != theirs).then(|| (only(&ours, &theirs), only(&theirs, &ours)))
}
