//! The program from its words to its exit status: which cases, on which hook, reported how. The only file that prints.
#![expect(clippy::print_stderr, reason = "the one file that prints")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use clap::Parser;

use crate::arguments::Arguments;
use crate::elf;
use crate::fixtures::Fixtures;
use crate::judge::{Check, Suite, Verdict};
use crate::report::{Entry, Results, harmless};
use crate::subject::Subject;
use crate::talk::Leftovers;

/// Nothing failed, and something ran.
const PASSED: u8 = 0;
/// A case failed, or nothing could run.
const FAILED: u8 = 1;
/// The command line, or what it names, is wrong.
const USAGE: u8 = 2;

/// Runs the program on its words, with the cases that were packed into it, if any.
pub fn run(words: Vec<OsString>, packed: &[u8]) -> u8 {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { USAGE } else { PASSED };
        }
    };
    follow(&arguments, packed).unwrap_or_else(|why| {
        eprintln!("nvidia-hook-conformance: {}", harmless(&format!("{why:#}")));
        USAGE
    })
}

fn follow(arguments: &Arguments, packed: &[u8]) -> Result<u8> {
    let suite = Suite::read(&fixtures(arguments.cases.as_deref(), packed)?)?;
    let checks = chosen(&suite, &arguments.filters())?;
    let Some(hook) = arguments.hook() else {
        let names: String = checks.iter().map(|check| check.name() + "\n").collect();
        return Ok(print(&names, PASSED));
    };
    let leftovers = Leftovers::adopt();
    let subject = Subject::new(&hook, arguments.release, arguments.private_root)?;
    let jobs = arguments.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, std::num::NonZero::get);
    let results = Results { about: subject.about.clone(), entries: run_all(&checks, &subject, jobs) };
    drop(leftovers);
    let status = if results.is_success() { PASSED } else { FAILED };
    Ok(print(&results.render(arguments.format, arguments.verbose), status))
}

/// Writes to standard output and returns the exit status: `status`, even if a reader closes its end early (`| head`);
/// [`FAILED`] if the text cannot be written.
fn print(text: &str, status: u8) -> u8 {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => {
            eprintln!("nvidia-hook-conformance: write to standard output: {why}");
            FAILED
        }
        _ => status,
    }
}

/// The cases of a folder, of this program, or of the tree that it was built from.
fn fixtures(folder: Option<&Path>, packed: &[u8]) -> Result<Fixtures> {
    match folder {
        Some(folder) => Fixtures::read(folder),
        None if !packed.is_empty() => Fixtures::unpack(packed),
        None => {
            let tree = option_env!("CASES_TREE").context("this program was built without cases; --cases names some")?;
            Fixtures::read(Path::new(tree)).context("a debug build reads the cases of its source tree")
        }
    }
}

/// The checks that match filters. A filter that is an area or a name matches only that; others match part of a name.
fn chosen<'s>(suite: &'s Suite, filters: &[String]) -> Result<Vec<Check<'s>>> {
    let all: Vec<(Check<'_>, String, String)> =
        suite.checks_of_a_release().map(|check| (check, check.area(), check.name())).collect();
    let known: BTreeSet<&String> = all.iter().flat_map(|(_, area, name)| [area, name]).collect();
    let mut unused: BTreeSet<&String> = filters.iter().collect();
    let mut meant = |area: &String, name: &String| {
        let mut any = filters.is_empty();
        for filter in filters {
            let matches = if known.contains(filter) { filter == area || filter == name } else { name.contains(filter) };
            if matches {
                unused.remove(filter);
                any = true;
            }
        }
        any
    };
    let checks = all.iter().filter(|(_, area, name)| meant(area, name)).map(|(check, ..)| *check).collect();
    match unused.first() {
        Some(filter) => anyhow::bail!("no case is called {filter:?}; --list names all"),
        None => Ok(checks),
    }
}

/// Runs checks, several at a time, and returns their results in the order of the checks.
fn run_all(checks: &[Check<'_>], subject: &Subject, jobs: usize) -> Vec<Entry> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(checks.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some((at, check)) = take(checks, &next) {
                    let verdict =
                        run_one(check, subject).unwrap_or_else(|why| Verdict::Fails(vec![format!("{why:#}")]));
                    let entry = Entry { name: check.name(), area: check.area(), why: check.why(), verdict };
                    if let Ok(mut done) = done.lock() {
                        done.push((at, entry));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, entry)| entry).collect()
}

fn take<'c, 's>(checks: &'c [Check<'s>], next: &AtomicUsize) -> Option<(usize, &'c Check<'s>)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    checks.get(at).map(|check| (at, check))
}

fn run_one(check: &Check<'_>, subject: &Subject) -> Result<Verdict> {
    if let Some(reason) = check.skip(subject.contract)? {
        return Ok(Verdict::Skipped(reason));
    }
    match &subject.runner {
        Err(reason) => Ok(Verdict::Skipped(reason.clone())),
        Ok(runner) => {
            let scene = check.scene()?;
            if let Some(reason) = runner.cannot(&scene) {
                return Ok(Verdict::Skipped(reason.to_owned()));
            }
            let verdict = check.judge(&scene, &runner.run(&scene)?, subject.contract)?;
            let file = match check {
                Check::Program(_) => elf::faults(&std::fs::read(runner.hook())?),
                _ => Vec::new(),
            };
            Ok(match verdict {
                Verdict::Fails(faults) => Verdict::Fails(faults.into_iter().chain(file).collect()),
                _ if !file.is_empty() => Verdict::Fails(file),
                verdict => verdict,
            })
        }
    }
}
