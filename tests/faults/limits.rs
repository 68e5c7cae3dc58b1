//! Starts that run out of something: memory, descriptors, room in a file or on a disk, streams. Must not know what is right.
//!
//! If a limit is too low even for `poststop`, a command that does nothing, the C library ends in its own way; nothing
//! else may be executed there either.

use std::sync::Mutex;

use libtest_mimic::{Failed, Trial};

use super::judge::{Sound, Stage, fault};
use super::launcher::Lack;
use super::scenes::{Place, Setting, all};
use super::trace::{End, Meddling, Start, run};

/// What a test does.
type Test = fn() -> Result<(), Failed>;

/// The tests.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 9] = [
        ("memory: address space, in steps", || memory("as")),
        ("memory: heap, in steps", || memory("data")),
        ("descriptors: no more than a few", few_descriptors),
        ("files: no larger than a few bytes", small_files),
        ("streams: each mix of closed ones", closed_streams),
        ("streams: nothing can be written to them", full_streams),
        ("disk: no room for the line about a start", full_disk),
        ("a thousand starts, 64 at once: the same bytes", || many_at_once(&[])),
        ("a thousand starts, 64 at once, with little memory: the same bytes or a message", || {
            many_at_once(&[Lack::Limit("data", 1 << 20), Lack::Limit("data", 3 << 20), Lack::Limit("as", 6 << 20)])
        }),
    ];
    tests.map(|(name, test)| Trial::test(name, test)).into()
}

/// A start, and its outcome if it lacks nothing.
struct Lacking {
    place: Place,
    sound: Sound,
}

impl Lacking {
    fn new(setting: &Setting) -> Lacking {
        let place = setting.place();
        place.reset();
        let root = place.root().to_str().unwrap().to_owned();
        let sound = Sound { run: run(&place.start, Meddling::None), root };
        Lacking { place, sound }
    }

    fn named(name: &str) -> Lacking {
        Lacking::new(all().iter().find(|setting| setting.name == name).unwrap())
    }

    /// What is wrong with this start under some lacks.
    fn fault(&self, lacks: &[Lack], stage: Stage) -> Option<String> {
        self.end_and_fault(lacks, stage).1
    }

    /// How this start ends under some lacks, and what is wrong with it.
    fn end_and_fault(&self, lacks: &[Lack], stage: Stage) -> (End, Option<String>) {
        self.place.reset();
        let mut start = self.place.start.clone();
        start.lacks = lacks.to_vec();
        let stage = if stage == Stage::Deciding && !begins(&start) { Stage::BeforeMain } else { stage };
        let outcome = run(&start, Meddling::None);
        let fault = fault(&outcome, &start, &[&self.sound], stage).map(|why| format!("{lacks:?}: {why}"));
        (outcome.end, fault)
    }
}

/// Whether a command that does nothing can run.
fn begins(start: &Start) -> bool {
    let mut idle = start.clone();
    *idle.argv.last_mut().unwrap() = "poststop".into();
    run(&idle, Meddling::None).end == End::Exits(0)
}

fn none(faults: Vec<String>) -> Result<(), Failed> {
    if faults.is_empty() { Ok(()) } else { Err(format!("{} faults:\n{}", faults.len(), faults.join("\n")).into()) }
}

/// In steps, from the least memory with which a program can begin to where this start has succeeded several times.
fn memory(what: &'static str) -> Result<(), Failed> {
    let mut faults = Vec::new();
    for (name, step) in [("usual", 4 << 10), ("a large config.json", 32 << 10), ("a long list of devices", 16 << 10)] {
        let lacking = Lacking::named(name);
        let with = |most| Start { lacks: vec![Lack::Limit(what, most)], ..lacking.place.start.clone() };
        let (mut few, mut many) = (0_u64, 256 << 20);
        while many - few > step {
            let most = few.midpoint(many);
            *(if begins(&with(most)) { &mut many } else { &mut few }) = most;
        }
        // Below the least as well: nothing may be executed there.
        let (mut most, mut enough) = (few.saturating_sub(8 * step).max(step), 0);
        while enough < 8 {
            let (end, fault) = lacking.end_and_fault(&[Lack::Limit(what, most)], Stage::Deciding);
            faults.extend(fault.map(|fault| format!("{name}: {fault}")));
            enough += usize::from(matches!(end, End::Becomes { .. }));
            most += step;
            assert!(most < 256 << 20, "{name}: no memory is enough");
        }
    }
    none(faults)
}

fn few_descriptors() -> Result<(), Failed> {
    let settings = all();
    let each = settings.iter().flat_map(|setting| {
        let lacking = Lacking::new(setting);
        (0..8)
            .filter_map(move |most| lacking.fault(&[Lack::Limit("nofile", most)], Stage::Deciding))
            .collect::<Vec<_>>()
    });
    none(each.collect())
}

fn small_files() -> Result<(), Failed> {
    let lacking = Lacking::named("a log file");
    none(
        [0, 1, 10, 100]
            .into_iter()
            .filter_map(|most| lacking.fault(&[Lack::Limit("fsize", most)], Stage::Noting))
            .collect(),
    )
}

fn closed_streams() -> Result<(), Failed> {
    let mut faults = Vec::new();
    for setting in all() {
        let lacking = Lacking::new(&setting);
        for mix in 1..8 {
            let closed: Vec<i32> = (0..3).filter(|number| mix & (1 << number) != 0).collect();
            let lacks: Vec<Lack> = closed.iter().copied().map(Lack::Closed).collect();
            // Without standard error a message is lost.
            let stage = if closed.contains(&2) { Stage::Saying } else { Stage::Deciding };
            faults.extend(lacking.fault(&lacks, stage).map(|fault| format!("{}: {fault}", setting.name)));
        }
    }
    none(faults)
}

fn full_streams() -> Result<(), Failed> {
    let mut faults = Vec::new();
    for setting in all() {
        let lacking = Lacking::new(&setting);
        for (full, stage) in [(1, Stage::Noting), (2, Stage::Saying)] {
            faults.extend(lacking.fault(&[Lack::Full(full)], stage).map(|fault| format!("{}: {fault}", setting.name)));
        }
    }
    none(faults)
}

/// If users may not make namespaces, the log cannot have its own disk; a directory in its place stands in for that.
fn full_disk() -> Result<(), Failed> {
    let lacking = Lacking::named("a log file");
    let folder = lacking.place.log().unwrap().parent().unwrap().to_str().unwrap().to_owned();
    let mut start = lacking.place.start.clone();
    start.lacks = vec![Lack::FullDisk(folder)];
    let outcome = run(&start, Meddling::None);
    if outcome.end == End::Exits(i32::from(super::launcher::FAILED)) {
        println!("no disk of its own here: {}", String::from_utf8_lossy(&outcome.stderr));
        let log = lacking.place.log().unwrap();
        std::fs::create_dir(log).unwrap();
        start.lacks.clear();
        let outcome = run(&start, Meddling::None);
        return none(fault(&outcome, &start, &[&lacking.sound], Stage::Noting).into_iter().collect());
    }
    none(fault(&outcome, &start, &[&lacking.sound], Stage::Noting).into_iter().collect())
}

/// Starts that share a machine and its log, some of them with limits. Each line of the log must be whole.
fn many_at_once(limits: &[Lack]) -> Result<(), Failed> {
    const AT_ONCE: usize = 64;
    const EACH: usize = 16;
    let lacking = Lacking::named("a log file");
    let begin: Vec<bool> = limits
        .iter()
        .map(|limit| begins(&Start { lacks: vec![limit.clone()], ..lacking.place.start.clone() }))
        .collect();
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..AT_ONCE {
            let (lacking, begin, faults) = (&lacking, &begin, &faults);
            scope.spawn(move || {
                for turn in 0..EACH {
                    let limit = limits.get((worker + turn) % limits.len().max(1));
                    let start = Start { lacks: limit.cloned().into_iter().collect(), ..lacking.place.start.clone() };
                    let can_begin = limit.is_none() || begin[(worker + turn) % limits.len()];
                    let stage = if can_begin { Stage::Deciding } else { Stage::BeforeMain };
                    let fault = fault(&run(&start, Meddling::None), &start, &[&lacking.sound], stage);
                    faults.lock().unwrap().extend(fault);
                }
            });
        }
    });
    let mut faults = faults.into_inner().unwrap();
    let log = std::fs::read_to_string(lacking.place.log().unwrap()).unwrap_or_default();
    let is_whole = |line: &&str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    faults.extend(log.lines().filter(|line| !is_whole(line)).map(|line| format!("a line of the log: {line}")));
    if limits.is_empty() && log.lines().count() != AT_ONCE * EACH + 1 {
        faults.push(format!("{} lines in the log", log.lines().count()));
    }
    none(faults)
}
