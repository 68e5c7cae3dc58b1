//! docs/differences.md, generated from the cases: every way in which ours differs from the published hook, and every
//! oddity that is kept. Must not know how a case is run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use hook_test_support::programs;
use libtest_mimic::Failed;
use nvidia_hook_conformance::expected::{Expected, Published};
use nvidia_hook_conformance::judge::Suite;
use nvidia_hook_conformance::overrides::Override;
use nvidia_hook_conformance::recorded::Recorded;
use nvidia_hook_conformance::release::Release;

const HEAD: &str = "\
<!-- Generated from fixtures/ by `BLESS=1 cargo test --test conformance`; a test fails when it is stale. -->
# Where this hook differs from the published one

The published hook is that of NVIDIA Container Toolkit as its main branch had it on 2026-08-21 (commit d34b3046, after
1.20.0), where no release is named. What is not named here is the same, as far as the recorded runs in
`fixtures/recorded/` show it. Each difference has a reason and at least one case that pins both behaviours. Where it is
known which releases a difference is from, it says so: the hooks of 1.14.1, 1.14.6, 1.16.2, 1.17.4, 1.17.9, 1.18.2, 1.19.1,
1.20.0 and main were run. The options that a release does not have yet are left out of that comparison: `cli-version` is
about these. [What releases do otherwise](#what-releases-do-otherwise) has the rest.
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
        section(&mut text, id, cases, suite);
    }
    releases(&mut text, suite);
    text.push_str("\n## Odd, and kept\n\nPrograms rely on these, or a change would gain too little.\n\n");
    for (id, cases) in &kept {
        for (name, expected) in cases {
            writeln!(text, "- `{id}`: {} (`fixtures/hook/{name}`)", expected.why).unwrap();
        }
    }
    text
}

fn section(text: &mut String, id: &str, cases: &[(&str, &Expected)], suite: &Suite) {
    let overrides = &suite.overrides;
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
    if !recorded.is_empty() {
        writeln!(text, "Recorded runs that show it: {}.\n", recorded.join(", ")).unwrap();
    }
    writeln!(text, "{}", differs_from(id, cases, suite)).unwrap();
}

/// The releases that ours differs from, as a sentence.
fn differs_from(id: &str, cases: &[(&str, &Expected)], suite: &Suite) -> String {
    let named = suite.overrides.case.iter().filter(|case| case.because == id);
    let runs: Vec<(&Override, &Recorded)> = named
        .filter_map(|ours| Some((ours, suite.recorded.iter().find(|recorded| recorded.name() == ours.name)?)))
        .collect();
    let differs = |release: &Release| {
        runs.iter().any(|(ours, recorded)| {
            let theirs = recorded.published(*release).unwrap();
            theirs.is_some_and(|theirs| common(ours.published(&recorded.scene)).differs(&common(theirs)))
        })
    };
    let recorded: Vec<Release> = runs.iter().flat_map(|(_, recorded)| recorded.releases()).collect();
    let found: Vec<Release> = Release::all().filter(differs).collect();
    let visible = cases.iter().any(|(_, expected)| expected.differs_visibly());
    match (found.is_empty(), visible) {
        (false, _) => {
            let missing = Release::all().filter(|release| !recorded.contains(release)).count();
            let known = if missing == 0 { "" } else { ", as far as releases were run" };
            format!("Differs from: {}{known}.", ranges(&found))
        }
        (true, true) => {
            let since = cases.iter().map(|(_, expected)| expected.published_since()).min().unwrap_or(Release::MAIN);
            format!("Differs from: {since} to main; older ones were not run.")
        }
        (true, false) => "Only messages differ.".to_owned(),
    }
}

/// An outcome without the options that a release may not know yet.
fn common(mut published: Published) -> Published {
    let later = |word: &Vec<u8>| word.starts_with(b"--cuda-compat-mode=") || word == b"--no-cntlibs";
    published.argv.as_mut().into_iter().for_each(|argv| argv.retain(|word| !later(word)));
    published
}

/// Releases as ranges of the recorded ones.
fn ranges(releases: &[Release]) -> String {
    let all: Vec<Release> = Release::all().collect();
    if releases == all {
        return "every release, 1.14.1 to main".to_owned();
    }
    let mut ranges: Vec<(Release, Release)> = Vec::new();
    for (before, release) in [None].into_iter().chain(all.iter().map(Some)).zip(&all) {
        match ranges.last_mut() {
            _ if !releases.contains(release) => {}
            Some((_, last)) if Some(&*last) == before => *last = *release,
            _ => ranges.push((*release, *release)),
        }
    }
    let word = |(first, last): &(Release, Release)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    };
    ranges.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// The rules by which releases differ from the newest.
fn releases(text: &mut String, suite: &Suite) {
    text.push_str(
        "\n## What releases do otherwise\n\nBy these rules the hooks of releases differ from the newest. `cli-version` makes ours \
         speak to the `nvidia-container-cli` of a release; it chooses options, and never how something is read.\n",
    );
    let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
    for recorded in &suite.recorded {
        let rules: BTreeSet<&String> = recorded.releases().flat_map(|release| recorded.rules(release)).collect();
        rules.into_iter().for_each(|rule| *runs.entry(rule).or_default() += 1);
    }
    for (id, rule) in &suite.rules {
        let runs = runs.get(id.as_str()).map_or_else(
            || format!("No recorded run shows it: {}.", rule.unseen.as_deref().unwrap_or_default()),
            |runs| format!("Recorded runs that show it: {runs}."),
        );
        writeln!(text, "\n### {id}\n\nSince: {} ({}).\n", rule.since, rule.commit).unwrap();
        writeln!(text, "{}\n\nOurs: {} {runs}", rule.says, lower(&rule.ours)).unwrap();
    }
}

/// A sentence that continues after a colon.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What ours and the published hook do, if they differ.
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
