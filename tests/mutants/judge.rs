//! Every case, with the program only, until the first that fails: what cargo-mutants runs for each changed hook. The
//! order keeps neighbouring cases far apart, because a change shows in many cases of one area and in none of others.
//! Must not know what was changed. docs/testing.md has the command.
#![no_main]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::judge::{Check, Contract, Suite, Verdict};
use nvidia_hook_conformance::run::{Runner, Seat};

nvidia_hook_conformance::entry!(run);

/// Coprime to the number of cases, almost always.
const STRIDE: usize = 389;
/// Some cases mostly wait.
const AT_ONCE: usize = 4;

fn run(_: Vec<OsString>) -> u8 {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let suite = Suite::read(&Fixtures::read(&fixtures).unwrap()).unwrap();
    let hook = Path::new(env!("CARGO_BIN_EXE_hook-under-mutation"));
    let runner = Runner::new(hook, None, Seat::HostRoot).unwrap().with_patience(Duration::from_secs(20));
    let checks: Vec<Check<'_>> = suite.checks().collect();
    let order = (0..STRIDE).flat_map(|first| checks.iter().skip(first).step_by(STRIDE));
    let order = Mutex::new(order);
    let found = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while !found.load(Ordering::Relaxed)
                    && let Some(check) = { order.lock().unwrap().next() }
                {
                    if let Some(faults) = faults(check, &runner) {
                        println!("{}: {faults}", check.name());
                        found.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    found.load(Ordering::Relaxed).into()
}

/// What a case finds wrong with a hook.
fn faults(check: &Check<'_>, runner: &Runner) -> Option<String> {
    let scene = check.scene().unwrap();
    // Only a machine in memory can be like this.
    if scene.fails() {
        return None;
    }
    match check.judge(&scene, &runner.run(&scene).unwrap(), Contract::Ours).unwrap() {
        Verdict::Fails(faults) => Some(faults.join("; ")),
        _ => None,
    }
}
