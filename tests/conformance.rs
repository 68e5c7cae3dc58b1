//! Every case, found at run time: the folders of fixtures/ and the recorded lines of fixtures/recorded/, one named test
//! each. fixtures/README.md says what a case is and how to add one.
//!
//! - plain: our hook, as a program with the fake and as the pure core, must do what the case says;
//! - `BLESS=1`: expectations are rewritten with what came out;
//! - `HOOK_UNDER_TEST=PROGRAM`: another hook runs the same cases, each in a private root, and a table says per area where
//!   it agrees. Listed differences are expected of it; one that no longer differs is a failure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::string_slice,
    clippy::exit,
    clippy::disallowed_methods,
    reason = "tests make the world that the hook reads"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use support::bless;
use support::case::{self, Case};
use support::core;
use support::recorded::{Overrides, Recorded};
use support::run::{self, Which};
use support::{differences, explained, launch, programs};

fn main() -> ExitCode {
    launch::if_launcher();
    let arguments = Arguments::from_args();
    let (cases, recorded) = (Case::all(), Recorded::all());
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut trials = match programs::hook_under_test() {
        Some(_) => trials_of_other(cases.clone(), recorded, &tally),
        None => trials_of_ours(cases.clone(), recorded, &tally),
    };
    if programs::hook_under_test().is_none() {
        trials.extend(trials_of_fixtures(&cases));
    }
    let everything = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list && !arguments.ignored;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if programs::bless() {
        // Behind the cases, whose expectations it is made of.
        differences::write(&cases);
    }
    run::clean_up();
    let tally = tally.lock().unwrap();
    if programs::hook_under_test().is_some() {
        tally.print();
    }
    if everything && tally.folders != cases.len() {
        println!("{} case folders, but {} were run", cases.len(), tally.folders);
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// What has been run, and per area how another hook did.
#[derive(Default)]
struct Tally {
    folders: usize,
    areas: BTreeMap<String, [usize; 4]>,
}

/// How a case of another hook came out.
#[derive(Clone, Copy)]
enum Verdict {
    Agrees,
    DiffersAsListed,
    NotComparable,
    Fails,
}

impl Tally {
    fn count(&mut self, area: &str, verdict: Verdict) {
        self.areas.entry(area.to_owned()).or_default()[verdict as usize] += 1;
    }

    fn print(&self) {
        println!("{:<36} {:>6} {:>17} {:>14} {:>5}", "area", "agrees", "differs as listed", "not comparable", "fails");
        for (area, [agrees, listed, not_comparable, fails]) in &self.areas {
            println!("{area:<36} {agrees:>6} {listed:>17} {not_comparable:>14} {fails:>5}");
        }
    }
}

fn trials_of_ours(cases: Vec<Case>, recorded: Vec<Recorded>, tally: &Arc<Mutex<Tally>>) -> Vec<Trial> {
    let folders = cases.into_iter().map(|case| {
        let tally = Arc::clone(tally);
        Trial::test(case.name.clone(), move || {
            tally.lock().unwrap().folders += 1;
            report(case_of_ours(&case)?)
        })
    });
    let overrides = Arc::new(Overrides::read().unwrap());
    if programs::bless() {
        bless_overrides(&overrides, &recorded);
        return folders.collect();
    }
    let lines = recorded.into_iter().map(|recorded| {
        let overrides = Arc::clone(&overrides);
        Trial::test(format!("recorded/{}", recorded.name()), move || report(recorded_of_ours(&recorded, &overrides)))
    });
    folders.chain(lines).collect()
}

fn report(faults: Vec<String>) -> Result<(), Failed> {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// Runs a case folder through the programs and the core.
fn case_of_ours(case: &Case) -> Result<Vec<String>, String> {
    let scene = case.scene()?;
    let expected = case.expected()?;
    let outcome = run::run(&scene, Which::Ours);
    let decided = core::decide(&scene);
    let mut faults: Vec<String> = core::disagreement(&decided, &outcome).into_iter().collect();
    if programs::bless() {
        let file = case.folder.join("expected.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, bless::rewritten(&text, &scene, &outcome, &decided)).unwrap();
        return Ok(faults);
    }
    faults.extend(explained::faults(&scene, &outcome));
    faults.extend(expected.faults(&scene, &outcome, &decided));
    if expected.upstream.as_ref().is_some_and(|it| !it.only_words)
        && expected.faults_of_other(&scene, &outcome).is_empty()
    {
        faults.push("[upstream] describes what ours does: no difference is left".to_owned());
    }
    Ok(faults)
}

fn recorded_of_ours(recorded: &Recorded, overrides: &Overrides) -> Vec<String> {
    let outcome = run::run(&recorded.scene, Which::Ours);
    let mut faults: Vec<String> = core::disagreement(&core::decide(&recorded.scene), &outcome).into_iter().collect();
    faults.extend(explained::faults(&recorded.scene, &outcome));
    let differs = recorded.faults(&outcome);
    match overrides.find(recorded.name()) {
        None => faults.extend(differs),
        Some(_) if differs.is_empty() => faults.push("overrides.toml lists a difference that is none".to_owned()),
        Some(ours) => faults.extend(ours.faults(&recorded.scene, &outcome)),
    }
    faults
}

/// Rewrites the entries of overrides.toml. Which cases are in it, and why, is for a person to say.
fn bless_overrides(overrides: &Overrides, recorded: &[Recorded]) {
    let path = programs::fixtures().join("recorded/overrides.toml");
    let mut document: toml_edit::DocumentMut = fs::read_to_string(&path).unwrap().parse().unwrap();
    let mut tables = toml_edit::ArrayOfTables::new();
    for ours in &overrides.case {
        let recorded = recorded.iter().find(|recorded| recorded.name() == ours.name).unwrap();
        let outcome = run::run(&recorded.scene, Which::Ours);
        tables.push(bless::override_table(&ours.name, &ours.because, &recorded.scene, &outcome));
    }
    document.insert("case", toml_edit::Item::ArrayOfTables(tables));
    fs::write(path, document.to_string()).unwrap();
}

fn trials_of_other(cases: Vec<Case>, recorded: Vec<Recorded>, tally: &Arc<Mutex<Tally>>) -> Vec<Trial> {
    let folders = cases.into_iter().map(|case| {
        let tally = Arc::clone(tally);
        Trial::test(case.name.clone(), move || {
            let (scene, expected) = (case.scene()?, case.expected()?);
            tally.lock().unwrap().folders += 1;
            if expected.ours_only.is_some() {
                tally.lock().unwrap().count(case.area(), Verdict::NotComparable);
                return Ok(());
            }
            let outcome = run::run(&scene, Which::Other);
            let listed = expected.upstream.as_ref().is_some_and(|it| !it.only_words);
            judge(&tally, case.area(), listed, expected.faults_of_other(&scene, &outcome))
        })
    });
    let overrides = Arc::new(Overrides::read().unwrap());
    let lines = recorded.into_iter().map(|recorded| {
        let (tally, overrides) = (Arc::clone(tally), Arc::clone(&overrides));
        Trial::test(format!("recorded/{}", recorded.name()), move || {
            let outcome = run::run(&recorded.scene, Which::Other);
            let published = recorded.published();
            let ours = overrides.find(recorded.name());
            let listed = ours.is_some_and(|ours| !ours.is_only_words(&recorded.scene, &published));
            judge(&tally, &format!("recorded/{}", recorded.area()), listed, published.faults(&outcome))
        })
    });
    folders.chain(lines).collect()
}

/// Counts and reports a case of another hook. `faults` are those against the published behaviour.
fn judge(tally: &Mutex<Tally>, area: &str, listed: bool, faults: Vec<String>) -> Result<(), Failed> {
    let verdict = match (listed, faults.is_empty()) {
        (false, true) => Verdict::Agrees,
        (true, true) => Verdict::DiffersAsListed,
        (_, false) => Verdict::Fails,
    };
    tally.lock().unwrap().count(area, verdict);
    match listed {
        true if !faults.is_empty() => Err(format!("does not differ from ours as listed: {}", faults.join("\n")).into()),
        _ => report(faults),
    }
}

/// What holds for the fixtures as a whole.
fn trials_of_fixtures(cases: &[Case]) -> Vec<Trial> {
    let cases = cases.to_vec();
    let known = cases.clone();
    let folders: BTreeSet<_> = cases.iter().map(|case| case.folder.clone()).collect();
    vec![
        Trial::test("fixtures: every expected.toml is in a case folder", move || {
            let stray = case::files(&programs::fixtures().join("hook"))
                .into_iter()
                .filter(|file| file.ends_with("expected.toml"));
            report(
                stray
                    .filter(|file| !folders.contains(file.parent().unwrap()))
                    .map(|file| file.display().to_string())
                    .collect(),
            )
        }),
        Trial::test("fixtures: overrides.toml names recorded cases once and uses its reasons", || {
            report(override_faults())
        }),
        Trial::test("fixtures: an unknown file or key of a case is an error", || report(schema_faults())),
        Trial::test("fixtures: every oddity of the recorded runs is kept or a difference", move || {
            report(quirk_faults(&known))
        }),
        Trial::test("docs: differences.md is what the cases say", move || differences::check(&cases)),
    ]
}

/// Cases that must not pass for one.
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
    let folder = tempfile::tempdir().unwrap();
    let case = Case { name: "area/case".to_owned(), folder: folder.path().join("case") };
    let read = || case.scene().is_ok() && case.expected().is_ok();
    let mut faults = Vec::new();
    for (file, text) in [("expected.toml", good.to_owned())].into_iter().chain(wrong) {
        fs::create_dir_all(case.folder.join("bundle/rootfs")).unwrap();
        fs::write(case.folder.join("expected.toml"), good).unwrap();
        fs::write(case.folder.join(file), &text).unwrap();
        if read() != (text == good) {
            faults.push(format!("{file}: {text:?}"));
        }
        fs::remove_dir_all(&case.folder).unwrap();
    }
    faults
}

fn quirk_faults(cases: &[Case]) -> Vec<String> {
    let mut decided: BTreeSet<String> = Overrides::read().unwrap().reasons.into_keys().collect();
    for expected in cases.iter().filter_map(|case| case.expected().ok()) {
        decided.extend(expected.kept.into_iter().chain(expected.upstream.map(|upstream| upstream.difference)));
    }
    let quirks: BTreeSet<String> = Recorded::all().iter().filter_map(|it| it.quirk().map(str::to_owned)).collect();
    quirks.difference(&decided).map(|quirk| format!("{quirk} is nowhere decided")).collect()
}

fn override_faults() -> Vec<String> {
    let overrides = Overrides::read().unwrap();
    let names: Vec<String> = Recorded::all().iter().map(|recorded| recorded.name().to_owned()).collect();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for case in &overrides.case {
        if !names.contains(&case.name) || !seen.insert(&case.name) {
            faults.push(format!("{} is no recorded case, or is there twice", case.name));
        }
        if !overrides.reasons.contains_key(&case.because) {
            faults.push(format!("{}: no reason {}", case.name, case.because));
        }
    }
    let used: BTreeSet<&String> = overrides.case.iter().map(|case| &case.because).collect();
    faults.extend(
        overrides
            .reasons
            .keys()
            .filter(|reason| !used.contains(reason))
            .map(|reason| format!("{reason} is used by no case")),
    );
    faults
}
