//! What must hold for the fixtures as a whole, and for the documents made from them. Runs no hook.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use hook_test_support::programs;
use libtest_mimic::{Failed, Trial};
use nvidia_hook_conformance::case::Case;
use nvidia_hook_conformance::fixtures::Files;
use nvidia_hook_conformance::judge::Suite;
use nvidia_hook_conformance::recorded::Recorded;
use nvidia_hook_conformance::release::Release;

use crate::conformance::{differences, security};
use crate::report;

/// The tests.
pub fn tests(suite: &'static Suite) -> Vec<Trial> {
    vec![
        Trial::test("fixtures: overrides.toml names recorded cases once and uses its reasons", || {
            report(override_faults(suite))
        }),
        Trial::test("fixtures: an unknown file or key of a case is an error", || report(schema_faults())),
        Trial::test("fixtures: every oddity of the recorded runs is kept or a difference", || {
            report(quirk_faults(suite))
        }),
        Trial::test("fixtures: the rules by which releases differ are those of the runs", || {
            report(rule_faults(suite))
        }),
        Trial::test("fixtures: a hook that does what a release did passes as that release alone", || {
            report(release_faults(suite)?)
        }),
        Trial::test("fixtures: what people search for is in the messages", || report(word_faults(suite))),
        Trial::test("docs: differences.md is what the cases say", || differences::check(suite)),
        Trial::test("docs: cves.md has no empty cell, and its tests are there", security::check_advisories),
        Trial::test("docs: security.md has every requirement, its rule and what shows it", || security::check(suite)),
    ]
}

/// Invalid cases must not pass for valid ones.
fn schema_faults() -> Vec<String> {
    let good = "why = \"w\"\nsource = \"SPEC 1\"\n";
    let with = |more: &str| format!("{good}{more}\n");
    let wrong = [
        ("config.tml", String::new()),
        ("bundle/rootfs/x", String::new()),
        ("host.toml", "arg = []".to_owned()),
        ("host.toml", "stdin.open = true".to_owned()),
        ("host.toml", "[files]\n\"/x\" = { text = \"\", symlink = \"y\" }".to_owned()),
        ("host.toml", "[files]\n\"/x\" = { txt = \"\" }".to_owned()),
        ("host.toml", "[files]\n\"x\" = { text = \"\" }".to_owned()),
        ("expected.toml", "why = \"w\"".to_owned()),
        ("expected.toml", with("exits = 1")),
        ("expected.toml", with("[exec]\nargv = []\nenv = []")),
        ("expected.toml", with("[upstream]\ndifference = \"x\"")),
    ];
    let mut faults = Vec::new();
    for (file, text) in [("expected.toml", good.to_owned())].into_iter().chain(wrong) {
        let mut files = Files::from([("expected.toml".to_owned(), good.to_owned())]);
        files.insert(file.to_owned(), text.clone());
        let case = Case::new("area/case", files, Arc::default());
        if (case.scene().is_ok() && case.expected().is_ok()) != (text == good) {
            faults.push(format!("{file}: {text:?}"));
        }
    }
    faults
}

/// Rules that no run shows although they should, or that are not listed.
fn rule_faults(suite: &Suite) -> Vec<String> {
    let named = |recorded: &Recorded| {
        recorded.releases().flat_map(|release| recorded.rules(release).to_vec()).collect::<Vec<_>>()
    };
    let shown: BTreeSet<String> = suite.recorded.iter().flat_map(named).collect();
    let unlisted = shown.iter().filter(|id| !suite.rules.contains_key(*id)).map(|id| format!("{id} is not listed"));
    let seen = suite.rules.iter().filter(|(id, rule)| rule.unseen.is_some() == shown.contains(*id));
    unlisted.chain(seen.map(|(id, _)| format!("{id}: unseen is wrong"))).collect()
}

/// Whether two releases differ, and whether the recording of one fails when compared with the other.
fn verdict(recorded: &Recorded, (played, held): (Release, Release)) -> Result<(bool, bool), Failed> {
    let Some(published) = recorded.published(played)? else { return Ok((false, false)) };
    let differs = recorded.published(held)?.is_some_and(|other| other.differs(&published));
    Ok((differs, !recorded.faults(&recorded.outcome(played)?, held)?.is_empty()))
}

/// Re-enacts the recording of each release, and compares it with every release.
fn release_faults(suite: &Suite) -> Result<Vec<String>, Failed> {
    let mut faults = Vec::new();
    let mut told_apart: BTreeSet<(Release, Release)> = BTreeSet::new();
    for recorded in &suite.recorded {
        // Most releases share a record, so what holds for one of them holds for all.
        let first = |of: Release| recorded.releases().find(|other| recorded.is_one_record(*other, of)).unwrap_or(of);
        let mut known: BTreeMap<(Release, Release), (bool, bool)> = BTreeMap::new();
        for (played, held) in recorded.releases().flat_map(|played| recorded.releases().map(move |held| (played, held)))
        {
            let pair = (first(played), first(held));
            let (differs, failed) = match known.get(&pair) {
                Some(verdict) => *verdict,
                None => *known.entry(pair).or_insert(verdict(recorded, pair)?),
            };
            if played == held && failed || differs && !failed {
                faults.push(format!("{} of {played} held against {held}", recorded.name()));
            }
            if failed {
                told_apart.insert((played, held));
            }
        }
    }
    let all = Release::all().count();
    if told_apart.len() != all * (all - 1) {
        faults.push(format!("{} pairs of releases are told apart", told_apart.len()));
    }
    Ok(faults)
}

fn quirk_faults(suite: &Suite) -> Vec<String> {
    let mut decided: BTreeSet<String> = suite.overrides.reasons.keys().cloned().collect();
    for expected in suite.cases.iter().filter_map(|case| case.expected().ok()) {
        decided.extend(expected.kept.into_iter().chain(expected.upstream.map(|upstream| upstream.difference)));
    }
    let quirks: BTreeSet<String> = suite.recorded.iter().filter_map(|it| it.quirk().map(str::to_owned)).collect();
    quirks.difference(&decided).map(|quirk| format!("{quirk} is nowhere decided")).collect()
}

fn override_faults(suite: &Suite) -> Vec<String> {
    let overrides = &suite.overrides;
    let names: BTreeSet<&str> = suite.recorded.iter().map(|recorded| recorded.name()).collect();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for case in &overrides.case {
        if !names.contains(case.name.as_str()) || !seen.insert(&case.name) {
            faults.push(format!("{} is not a recorded case, or is there twice", case.name));
        }
        if !overrides.reasons.contains_key(&case.because) {
            faults.push(format!("{}: no reason {}", case.name, case.because));
        }
    }
    let used: BTreeSet<&String> = overrides.case.iter().map(|case| &case.because).collect();
    let unused = overrides.reasons.keys().filter(|reason| !used.contains(reason));
    faults.extend(unused.map(|reason| format!("{reason} is used by no case")));
    faults
}

/// Lines of `searched-words.txt` that no message contains.
fn word_faults(suite: &Suite) -> Vec<String> {
    let words = fs::read_to_string(programs::source("fixtures/searched-words.txt")).unwrap();
    let cases = suite.cases.iter().filter_map(|case| case.expected().ok()).map(|expected| expected.stderr);
    let messages: Vec<String> = cases.chain(suite.overrides.case.iter().map(|case| case.stderr.clone())).collect();
    let words = words.lines().filter(|line| !line.starts_with('#'));
    words
        .filter(|words| !messages.iter().any(|message| message.contains(words)))
        .map(|words| format!("no message holds {words:?}"))
        .collect()
}
