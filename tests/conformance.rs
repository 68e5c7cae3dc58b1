//! Every case, found at run time: the folders of fixtures/hook and the recorded lines of fixtures/recorded, one named test
//! each. fixtures/README.md says what a case is and how to add one.
//!
//! - plain: our hook, as a program and as the pure core, must do what the case says;
//! - `BLESS=1`: expectations are rewritten with the actual outcome;
//! - `HOOK_UNDER_TEST=PROGRAM`: another hook runs the same cases, each in a private root, and a table shows by area
//!   where it agrees. Listed differences are expected; one that no longer differs is a failure.
//!
//! `nvidia-hook-conformance` knows what a case is and how to judge a hook; here is what needs the hook's own code.
#![no_main]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes the world that the hook reads"
)]

mod conformance {
    pub mod bless;
    pub mod differences;
    pub mod fixtures;
    pub mod security;
}

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::sync::{Arc, Mutex};

use conformance::{bless, differences, fixtures, security};
use hook_test_support::core::{self, Decided, Planned};
use hook_test_support::programs;
use libtest_mimic::{Arguments, Failed, Trial};
use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::judge::{Check, Contract, Suite, Verdict};
use nvidia_hook_conformance::outcome::{Outcome, difference};
use nvidia_hook_conformance::release::Release;
use nvidia_hook_conformance::run::{Runner, Seat};
use nvidia_hook_conformance::scene::Scene;

nvidia_hook_conformance::entry!(run);

fn run(words: Vec<OsString>) -> u8 {
    let arguments = Arguments::from_iter(words);
    let suite: &'static Suite =
        Box::leak(Box::new(Suite::read(&Fixtures::read(&programs::fixtures()).unwrap()).unwrap()));
    let tally = Arc::new(Mutex::new(Tally::default()));
    let other = programs::hook_under_test();
    let runner = match &other {
        Some(hook) => Runner::new(hook, programs::fake().as_deref(), Seat::PrivateRoot),
        None => {
            let hook = programs::hook(env!("CARGO_BIN_EXE_nvidia-container-runtime-hook"));
            Runner::new(&hook, programs::fake().as_deref(), Seat::HostRoot)
        }
    };
    let runner = Arc::new(runner.unwrap());
    let judge = if other.is_some() { of_other } else { of_ours };
    let mut trials: Vec<Trial> = suite
        .checks()
        .filter(|check| !programs::bless() || matches!(check, Check::Folder(_)))
        .map(|check| {
            let (runner, tally) = (Arc::clone(&runner), Arc::clone(&tally));
            Trial::test(check.name(), move || judge(check, &runner, &tally))
        })
        .collect();
    if other.is_none() {
        trials.extend(fixtures::tests(suite));
    }
    let all = trials.len();
    let everything = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list && !arguments.ignored;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if programs::bless() {
        bless_overrides(suite, &runner);
        // After the cases, because the documents are made from their expectations.
        let suite = Suite::read(&Fixtures::read(&programs::fixtures()).unwrap()).unwrap();
        differences::write(&suite);
        security::write(&suite);
    }
    if other.is_some() {
        tally.lock().unwrap().print();
    }
    let complete = !everything || conclusion.num_passed + conclusion.num_failed == all as u64;
    u8::from(conclusion.has_failed() || !complete)
}

/// The results of another hook by area: agrees, differs as listed, cannot be compared, fails.
#[derive(Default)]
struct Tally(BTreeMap<String, [usize; 4]>);

impl Tally {
    fn count(&mut self, area: String, verdict: &Verdict) {
        let column = match verdict {
            Verdict::Passes => 0,
            Verdict::DiffersAsListed => 1,
            Verdict::Skipped(_) => 2,
            Verdict::Fails(_) => 3,
        };
        self.0.entry(area).or_default()[column] += 1;
    }

    fn print(&self) {
        println!("{:<36} {:>6} {:>17} {:>14} {:>5}", "area", "agrees", "differs as listed", "not comparable", "fails");
        for (area, [agrees, listed, not_comparable, fails]) in &self.0 {
            println!("{area:<36} {agrees:>6} {listed:>17} {not_comparable:>14} {fails:>5}");
        }
    }
}

fn report(faults: Vec<String>) -> Result<(), Failed> {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// Another hook, compared with the newest published one.
fn of_other(check: Check<'_>, runner: &Runner, tally: &Mutex<Tally>) -> Result<(), Failed> {
    let contract = Contract::Published(Release::MAIN);
    let verdict = match check.skip(contract)? {
        Some(reason) => Verdict::Skipped(reason),
        None => {
            let scene = check.scene()?;
            check.judge(&scene, &runner.run(&scene)?, contract)?
        }
    };
    tally.lock().unwrap().count(check.area(), &verdict);
    match verdict {
        Verdict::Fails(faults) => report(faults),
        _ => Ok(()),
    }
}

/// Our hook: the program and the pure core.
fn of_ours(check: Check<'_>, runner: &Runner, _: &Mutex<Tally>) -> Result<(), Failed> {
    let scene = check.scene()?;
    let decided = core::decide(&scene);
    let outcome = if scene.fails() { core::outcome(&decided) } else { runner.run(&scene)? };
    let mut faults: Vec<String> = core::disagreement(&decided, &outcome).into_iter().collect();
    if let (true, Check::Folder(case)) = (programs::bless(), check) {
        let file = programs::fixtures().join("hook").join(&case.name).join("expected.toml");
        let text = fs::read_to_string(&file)?;
        fs::write(file, bless::rewritten(&text, &scene, &outcome, &decided))?;
        return report(faults);
    }
    faults.extend(origin_faults(check, &decided)?);
    if let Verdict::Fails(of_program) = check.judge(&scene, &outcome, Contract::Ours)? {
        faults.extend(of_program);
    }
    report(faults)
}

/// Where the core gives an argument another origin than the case.
fn origin_faults(check: Check<'_>, decided: &Decided) -> Result<Option<String>, Failed> {
    let (Check::Folder(case), Decided::Execute(Planned { origins, .. })) = (check, decided) else { return Ok(None) };
    let bytes = |origin: &String| origin.clone().into_bytes();
    let got: Vec<Vec<u8>> = origins.iter().map(bytes).collect();
    let want = case.expected()?.exec.map(|exec| exec.argv.iter().map(|(_, origin)| bytes(origin)).collect::<Vec<_>>());
    Ok(want.and_then(|want| difference("origin", &want, &got)))
}

/// Rewrites the entries of overrides.toml. Which cases are in it, and why, is for a person to decide.
fn bless_overrides(suite: &Suite, runner: &Runner) {
    let path = programs::fixtures().join("recorded/overrides.toml");
    let mut document: toml_edit::DocumentMut = fs::read_to_string(&path).unwrap().parse().unwrap();
    let mut tables = toml_edit::ArrayOfTables::new();
    for ours in &suite.overrides.case {
        let recorded = suite.recorded.iter().find(|recorded| recorded.name() == ours.name).unwrap();
        let (scene, outcome): (&Scene, Outcome) = (&recorded.scene, runner.run(&recorded.scene).unwrap());
        tables.push(bless::override_table(&ours.name, &ours.because, scene, &outcome));
    }
    document.insert("case", toml_edit::Item::ArrayOfTables(tables));
    fs::write(path, document.to_string()).unwrap();
}
