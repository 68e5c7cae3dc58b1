//! Each scenario under each engine as a test, and the report when all are done: skips, what was left on the machine,
//! and whether docs/engines.md agrees.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

use super::calls::{self, Calls};
use super::containerd::Containerd;
use super::docker::Docker;
use super::document::{self, Column, Results};
use super::engine::{Change, Container, Engine, Seen};
use super::host::Host;
use super::hpc::{Charliecloud, Enroot};
use super::lxc::Lxc;
use super::machine::Machine;
use super::oci::Runtime;
use super::podman::{Buildah, Podman};
use super::scenario::Scenario;
use super::{image, judge, look, sandbox};

/// Every engine, in the order of the document.
fn engines() -> Vec<Box<dyn Engine>> {
    vec![
        Box::new(Runtime { program: "runc" }),
        Box::new(Runtime { program: "crun" }),
        Box::new(Runtime { program: "youki" }),
        Box::new(Docker::by_gpus()),
        Box::new(Docker::by_runtime()),
        Box::new(Podman { runtime: "runc", rootless: false }),
        Box::new(Podman { runtime: "crun", rootless: false }),
        Box::new(Podman { runtime: "crun", rootless: true }),
        Box::new(Buildah::default()),
        Box::new(Containerd::by_specification()),
        Box::new(Containerd::by_gpus()),
        Box::new(Lxc),
        Box::new(Enroot),
        Box::new(Charliecloud),
    ]
}

/// An installed engine, on its own host. Its scenarios take turns, because a host has one configuration.
struct Place {
    engine: Box<dyn Engine>,
    host: Mutex<Host>,
    version: String,
}

/// The result of each scenario under each engine, and the calls that engines made themselves.
#[derive(Clone, Default)]
struct Outcome {
    results: Arc<Mutex<Results>>,
    calls: Arc<Mutex<Calls>>,
}

/// Runs the tests that the command line asks for.
pub fn run() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = TempDir::new().unwrap();
    open(folder.path());
    if !arguments.list {
        image::make(folder.path());
    }
    let scenarios = Scenario::all();
    let (mut places, mut columns, mut skips) = (Vec::new(), Vec::new(), Vec::new());
    for engine in engines() {
        let name = engine.name().to_owned();
        match engine.version() {
            Ok(version) => {
                columns.push(Column { name, version: Some(version.clone()) });
                let host = Mutex::new(Host::new(folder.path(), engine.as_ref()));
                places.push(Arc::new(Place { engine, host, version }));
            }
            Err(missing) => {
                skips.push(format!("{name}, all scenarios: {missing}"));
                columns.push(Column { name, version: None });
            }
        }
    }
    let outcome = Outcome::default();
    let (trials, unable) = trials(&scenarios, &places, &outcome);
    skips.extend(unable);
    let all = arguments.filter.is_none() && !arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    let versions: Vec<String> =
        places.iter().map(|place| format!("{} {}", place.engine.name(), place.version)).collect();
    for place in &places {
        place.engine.end(&place.host.lock().unwrap_or_else(PoisonError::into_inner));
    }
    // Engines end here, with everything that they hold.
    drop(places);
    let left = sandbox::others();
    left.iter().for_each(|process| println!("left on the machine: {process}"));
    if conclusion.has_failed() || !left.is_empty() {
        return ExitCode::FAILURE;
    }
    if !all {
        return ExitCode::SUCCESS;
    }
    println!("engines: {}", versions.join(", "));
    skips.iter().for_each(|skip| println!("skipped: {skip}"));
    let is_as_written = document::compare(&columns, &scenarios, &outcome.results.lock().unwrap())
        && calls::compare(&outcome.calls.lock().unwrap());
    if is_as_written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A container's root may be any user on the host.
fn open(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The tests, scenario by scenario so that engines work side by side; and what is impossible, by engine and reason.
fn trials(scenarios: &[Scenario], places: &[Arc<Place>], outcome: &Outcome) -> (Vec<Trial>, Vec<String>) {
    let mut trials = Vec::new();
    let mut unable: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for scenario in scenarios {
        for place in places {
            let engine = place.engine.name();
            let key = (engine.to_owned(), scenario.name.clone());
            if let Some(reason) = place.engine.cannot(scenario) {
                unable.entry((engine, reason)).or_default().push(&scenario.name);
                outcome.results.lock().unwrap().insert(key, Err(reason.to_owned()));
                continue;
            }
            let (place, scenario, outcome) = (Arc::clone(place), scenario.clone(), outcome.clone());
            trials.push(Trial::test(format!("{engine}/{}", scenario.name), move || {
                let calls = check(&place, &scenario)?;
                outcome.calls.lock().unwrap().extend(calls);
                outcome.results.lock().unwrap().insert(key, Ok(()));
                Ok(())
            }));
        }
    }
    let line = |((engine, reason), names): (&(&str, &str), &Vec<&str>)| {
        let names = if names.len() > 6 { format!("{} scenarios", names.len()) } else { names.join(" ") };
        format!("{engine}, {names}: {reason}")
    };
    (trials, unable.iter().map(line).collect())
}

/// One scenario under one engine, and the calls that are recorded.
fn check(place: &Place, scenario: &Scenario) -> Result<Calls, Failed> {
    // A failed test has reported what it saw, and the host is still good.
    let host = place.host.lock().unwrap_or_else(PoisonError::into_inner);
    let engine = place.engine.as_ref();
    let machines: Vec<Machine> =
        [&scenario.topology].into_iter().chain(&scenario.then).map(|name| Machine::of(name)).collect();
    host.prepare(scenario, &scenario.topology);
    host.forget();
    engine.begin(&host);
    let before = host.traces();
    let changes: Vec<Box<dyn Fn() + Sync + '_>> = scenario
        .then
        .iter()
        .map(|topology| Box::new(|| host.prepare(scenario, topology)) as Box<dyn Fn() + Sync>)
        .collect();
    let changes: Vec<Change<'_>> = changes.iter().map(AsRef::as_ref).collect();
    let containers: Vec<Container> = (0..scenario.at_once)
        .map(|turn| {
            let name = format!("{}-{}-{turn}-{}", engine.name(), scenario.name, std::process::id());
            container(name, scenario, &machines[0], turn)
        })
        .collect();
    let starts: Vec<Vec<Seen>> = std::thread::scope(|scope| {
        let host = &*host;
        let changes = &changes[..];
        let all: Vec<_> =
            containers.iter().map(|container| scope.spawn(move || engine.run(host, container, changes))).collect();
        all.into_iter().map(|one| one.join().unwrap_or_else(|why| std::panic::resume_unwind(why))).collect()
    });
    let mut wrong = Vec::new();
    for (turn, seen) in starts.iter().enumerate() {
        for (machine, seen) in machines.iter().zip(seen) {
            wrong.extend(judge::differences(engine, scenario, machine, turn, seen));
        }
    }
    let calls = host.calls();
    wrong.extend(judge::differences_of_calls(engine, scenario, &calls));
    wrong.extend(host.left_since(&before).iter().map(|left| format!("left: {left}")));
    if wrong.is_empty() {
        Ok(calls::cases(engine, &place.version, scenario, &calls))
    } else {
        Err(wrong.join("\n").into())
    }
}

/// The container of a scenario's turn.
fn container(name: String, scenario: &Scenario, machine: &Machine, turn: usize) -> Container {
    let fill = |text: &String| machine.fill(&judge::at_turn(text, turn, machine));
    let described = &scenario.container;
    let folder = "/var/run/nvidia-container-devices";
    Container {
        name,
        gpus: described.gpus.as_ref().map(fill),
        env: described.env.iter().map(fill).collect(),
        mounts: described.mounts.iter().map(|device| format!("{folder}/{}", fill(device))).collect(),
        privileged: described.privileged,
        read_only: described.read_only,
        remapped: described.remapped,
        is_limited: described.hook_has_a_second,
        script: look::script(&described.script),
    }
}
