//! Unexpected scenes: machines, configurations and containers are drawn from a seed, and the hook must decide as a
//! second, naive reading of the specification does (fuzz/properties/src/naive.rs).
//!
//! - `NVIDIA_HOOK_RANDOM_SEED`: the first seed, one per scene; 1 by default, so `cargo test` is the same everywhere;
//! - `NVIDIA_HOOK_RANDOM_RUNS`: how many scenes; 2000 by default.
//!
//! A failure names its seed and shows the smallest scene that is still wrong:
//! `NVIDIA_HOOK_RANDOM_SEED=SEED NVIDIA_HOOK_RANDOM_RUNS=1 cargo test --test random` runs it alone.
#![no_main]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes the world that the hook reads"
)]

mod random {
    pub mod shrink;
}

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;

use hook_properties::draw;
use hook_properties::naive::{self, Verdict, disagreement};
use hook_test_support::core;
use hook_test_support::programs;
use libtest_mimic::{Arguments, Failed, Trial};
use nvidia_hook_conformance::outcome::shown;
use nvidia_hook_conformance::run::{Runner, Seat};
use nvidia_hook_conformance::scene::{Node, Scene};
use random::shrink;

nvidia_hook_conformance::entry!(run);

/// How many scenes, unless the environment says.
const RUNS: u64 = 2000;
/// One in this many scenes is also run with the programs.
const PLAYED: usize = 40;
/// How many faults are shown.
const SHOWN: usize = 5;

fn run(words: Vec<OsString>) -> u8 {
    let number = |name, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let first: u64 = number("NVIDIA_HOOK_RANDOM_SEED", 1);
    let runs = number("NVIDIA_HOOK_RANDOM_RUNS", RUNS);
    let seeds = first..first.wrapping_add(runs).max(first);
    println!("{runs} scenes from seed {first}");
    let trials = vec![
        Trial::test("core", {
            let seeds = seeds.clone();
            move || of_core(seeds)
        }),
        Trial::test("program", move || of_program(seeds)),
    ];
    u8::from(libtest_mimic::run(&Arguments::from_iter(words), trials).has_failed())
}

/// The core decides every scene as the naive reading does, and the scenes are of all kinds.
fn of_core(seeds: std::ops::Range<u64>) -> Result<(), Failed> {
    let (mut wrong, mut faults) = (0, Vec::new());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let runs = seeds.end - seeds.start;
    for seed in seeds {
        let scene = draw::scene(draw::Dice::new(seed));
        *kinds.entry(kind(&naive::verdict(&scene))).or_default() += 1;
        if disagreement(&scene).is_none() {
            continue;
        }
        wrong += 1;
        if faults.len() < SHOWN {
            let scene = shrink::smallest(&scene, &|scene| disagreement(scene).is_some());
            let why = disagreement(&scene).unwrap();
            faults.push(format!("NVIDIA_HOOK_RANDOM_SEED={seed}: {why}\n{}", story(&scene)));
        }
    }
    for (kind, count) in &kinds {
        println!("{count:>6} {kind}");
    }
    if wrong > 0 {
        return Err(format!("{wrong} of {runs} scenes; the first:\n{}", faults.join("\n")).into());
    }
    // A change of what is drawn must not make most scenes fail early unnoticed.
    let executed = kinds.get(kind(&Verdict::Executed { argv: Vec::new(), environ: Vec::new() }));
    if runs >= RUNS && (executed.is_none_or(|count| *count as u64 * 6 < runs) || kinds.len() < 20) {
        return Err(format!("the scenes are too much alike: {kinds:?}").into());
    }
    Ok(())
}

/// For some of the scenes, the programs do what the core decides.
fn of_program(seeds: std::ops::Range<u64>) -> Result<(), Failed> {
    let hook = programs::hook(env!("CARGO_BIN_EXE_nvidia-container-runtime-hook"));
    let runner = Runner::new(&hook, programs::fake().as_deref(), Seat::HostRoot)?;
    let has_others = knows_another_user();
    for seed in seeds.step_by(PLAYED) {
        let scene = draw::scene(draw::Dice::new(seed));
        // A pipe as a configuration keeps its reader waiting; in memory nothing waits.
        if scene.files.iter().any(|(path, node)| path.ends_with(".toml") && *node == Node::Fifo) {
            continue;
        }
        // The owner of the tree has access where others have none, and there is no other user here.
        if scene.unprivileged && !has_others && scene.files.iter().any(|(_, node)| lets_only_some_in(node)) {
            continue;
        }
        let outcome = runner.run(&scene)?;
        let wrong_exit = match naive::verdict(&scene) {
            Verdict::NoPrestart(exit) => outcome.exit != exit || outcome.executed.is_some(),
            _ => false,
        };
        let why = core::disagreement(&core::decide(&scene), &outcome)
            .or_else(|| wrong_exit.then(|| format!("exit status {}: {}", outcome.exit, outcome.stderr())));
        if let Some(why) = why {
            return Err(format!("NVIDIA_HOOK_RANDOM_SEED={seed}: {why}\n{}", story(&scene)).into());
        }
    }
    Ok(())
}

/// Whether a program can be started as another user: this needs root, and a namespace that has another user. Starting a
/// folder fails, with an error that comes only after the change of user.
fn knows_another_user() -> bool {
    let started = std::process::Command::new("/").uid(65_534).spawn();
    started.is_err_and(|error| error.raw_os_error() == Some(nix::libc::EACCES))
}

/// Whether others may do less with a file than its owner.
fn lets_only_some_in(node: &Node) -> bool {
    match node {
        Node::File { mode, .. } | Node::Directory { mode } | Node::Cli { mode } => mode >> 6 & 0o5 & !mode != 0,
        _ => false,
    }
}

/// A verdict without the details of its scene.
fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::NoPrestart(_) => "not a prestart",
        Verdict::Nothing => "nothing",
        Verdict::Refused(words) => words,
        Verdict::Executed { .. } => "executed",
    }
}

/// A scene as readable text.
fn story(scene: &Scene) -> String {
    let mut story = format!(
        "  in {}, arguments {:?}, environment {:?}{}\n  stdin {}\n",
        scene.cwd,
        shown(&scene.args),
        shown(&scene.environ),
        if scene.unprivileged { ", unprivileged" } else { "" },
        scene.stdin.content.escape_ascii()
    );
    for (path, node) in &scene.files {
        match node {
            Node::File { content, mode } => {
                story.push_str(&format!("  {path} ({mode:o}) {}\n", content.escape_ascii()))
            }
            other => story.push_str(&format!("  {path} {other:?}\n")),
        }
    }
    story
}
