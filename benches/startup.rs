//! How long a start of the hook takes as a whole process, with either C library. In random alternation, it is compared
//! with the floor with either library, two bare execs, the same hook once more (what the measurement itself adds) and
//! another hook (`HOOK_UNDER_TEST`). Prints the minimum, the median and their ratios to the first program's; a shared
//! machine slows down all of them, and the minimum least. The processor's time follows, which other programs lengthen
//! little. `cargo bench --bench startup [-- SCENARIO...]`; `BENCH_ROUNDS`, `BENCH_SEED` and `BENCH_PAGES` change what
//! their names say. Plots are written below the target directory.
#![allow(clippy::disallowed_methods, reason = "a bench makes files, starts programs and reads the clock")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this program is for")]
#![expect(clippy::cast_precision_loss, reason = "times in microseconds")]

mod scenes;
mod support;

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use scenes::Result;
use scenes::grown::{Grown, Input};
use scenes::large::Large;
use scenes::scenario::{Scenario, Variant, Workplace};
use support::plot::{self, Series, quantile};
use support::programs::{self, CPrograms, Library};
use support::random::Random;

/// How often each program is started in a scenario, in one with a large specification, and in one with an input of many MiB.
const ROUNDS: usize = 400;
const LARGE_ROUNDS: usize = 40;
const GROWN_ROUNDS: usize = 10;
/// The number of starts in the last table, and how many run at a time.
const STARTS: usize = 1000;
const AT_A_TIME: usize = 16;
/// How often these starts are repeated; the best counts.
const REPEATS: usize = 7;

/// How long a start took.
struct Took {
    clock: Duration,
    /// User and system time together.
    processor: Duration,
}

/// How long the starts of a program took, in microseconds, sorted.
#[derive(Default, Clone)]
struct Times {
    clock: Vec<f64>,
    processor: Vec<f64>,
}

fn main() -> ExitCode {
    match measure_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("startup: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One of the compared programs. The first of a list is the floor.
struct Contestant {
    name: &'static str,
    program: PathBuf,
    kind: Kind,
}

/// How a program is started.
#[derive(Clone, Copy)]
enum Kind {
    Hook,
    Floor,
    Chain,
}

impl Contestant {
    fn command(&self, scenario: &Scenario) -> Result<Command> {
        match self.kind {
            Kind::Hook => scenario.hook(&self.program),
            Kind::Floor => scenario.floor(&self.program),
            Kind::Chain => {
                let mut command = scenario.command(&self.program)?;
                command.arg(scenario.cli());
                Ok(command)
            }
        }
    }
}

fn measure_all() -> Result<()> {
    let (mut random, seed) = Random::from_environment()?;
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let workplace = Workplace::new()?;
    let c = CPrograms::build(&workplace.path().join("c"))?;
    let contestants = contestants(&c, &workplace)?;
    let plots = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("startup");
    std::fs::create_dir_all(&plots)?;
    println!("seed {seed}; times in microseconds; plots in {}", plots.display());
    println!(
        "{:<22} {:<16} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "scenario", "program", "minimum", "median", "/ floor", "/ floor", "processor", "/ floor"
    );
    let large = Large::ALL.map(Variant::Large);
    for variant in Variant::SMALL.into_iter().chain(large).chain(Grown::ALL.map(Variant::Grown)) {
        if chosen.is_empty() || chosen.iter().any(|name| name == variant.name()) {
            let scenario = Scenario::make(&workplace, variant, &c.target())?;
            let times = alternate(&contestants, &scenario, &mut random)?;
            report(&contestants, &scenario, &times, &plots)?;
        }
    }
    if chosen.is_empty() || chosen.iter().any(|name| name == "rate") {
        let scenario = Scenario::make(&workplace, Variant::Configured, &c.target())?;
        rates(&contestants, &scenario, &mut random)?;
    }
    Ok(())
}

/// The programs, copied next to each other to paths of one length, and read from the disk as after a boot: the kernel
/// caches a file that was just written in larger pieces of unpredictable size, and maps those with less work.
/// `BENCH_PAGES=written` measures that case, for comparison with what others measured on a program that they had just
/// built.
fn contestants(c: &CPrograms, workplace: &Workplace) -> Result<Vec<Contestant>> {
    let mut list = vec![
        ("floor", c.floor(Library::Glibc)?, Kind::Floor),
        ("floor, musl", c.floor(Library::Musl)?, Kind::Floor),
        ("two bare execs", c.chain(), Kind::Chain),
        ("hook", Library::Glibc.hook()?, Kind::Hook),
        ("hook once more", Library::Glibc.hook()?, Kind::Hook),
        ("hook, musl", Library::Musl.hook()?, Kind::Hook),
    ];
    list.extend(programs::under_test().map(|path| ("hook under test", path, Kind::Hook)));
    let written = match std::env::var("BENCH_PAGES").as_deref() {
        Err(_) => false,
        Ok("written") => true,
        Ok(other) => return Err(format!("BENCH_PAGES={other}: only \"written\" is known").into()),
    };
    let mut contestants = Vec::new();
    for (index, (name, source, kind)) in list.into_iter().enumerate() {
        let program = workplace.path().join(format!("program{index}"));
        std::fs::copy(source, &program)?;
        if !written {
            let file = File::open(&program)?;
            file.sync_all()?;
            posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        }
        contestants.push(Contestant { name, program, kind });
    }
    Ok(contestants)
}

/// Starts every program in every round, in an order that changes from round to round; returns the sorted times of each.
fn alternate(contestants: &[Contestant], scenario: &Scenario, random: &mut Random) -> Result<Vec<Times>> {
    let rounds = match std::env::var("BENCH_ROUNDS") {
        Ok(text) => text.parse()?,
        Err(_) => match scenario.variant {
            Variant::Large(_) => LARGE_ROUNDS,
            Variant::Grown(_) => GROWN_ROUNDS,
            _ => ROUNDS,
        },
    };
    let mut runs: Vec<(&Contestant, Times)> = contestants.iter().map(|one| (one, Times::default())).collect();
    for _ in 0..rounds {
        random.shuffle(&mut runs);
        for (contestant, times) in &mut runs {
            let took = start(contestant, scenario)?;
            times.clock.push(took.clock.as_secs_f64() * 1e6);
            times.processor.push(took.processor.as_secs_f64() * 1e6);
        }
    }
    for (_, times) in &mut runs {
        times.clock.sort_by(f64::total_cmp);
        times.processor.sort_by(f64::total_cmp);
    }
    let of =
        |one: &Contestant| runs.iter().find(|(other, _)| std::ptr::eq(*other, one)).map(|(_, times)| times.clone());
    Ok(contestants.iter().filter_map(of).collect())
}

/// Starts a program and waits for its end. A grown state comes on a pipe, as from a runtime. This process fills the
/// pipe from memory, which adds to the time of all programs alike.
fn start(contestant: &Contestant, scenario: &Scenario) -> Result<Took> {
    let mut command = contestant.command(scenario)?;
    let mut state = Vec::new();
    if matches!(scenario.variant, Variant::Grown(Grown { input: Input::State, .. })) {
        state = std::fs::read(scenario.state())?;
        command.stdin(Stdio::piped());
    }
    let (began, processor) = (Instant::now(), of_children()?);
    let mut process = command.spawn()?;
    if let Some(mut pipe) = process.stdin.take() {
        // Two bare execs read nothing. A program that has not read what it should fails, which is checked below.
        match pipe.write_all(&state) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written?,
        }
    }
    let status = process.wait()?;
    let clock = began.elapsed();
    if status.success() {
        Ok(Took { clock, processor: of_children()?.saturating_sub(processor) })
    } else {
        Err(format!("{} in {}: {status}", contestant.name, scenario.variant.name()).into())
    }
}

/// The processor's time for all programs that were started here and have ended.
fn of_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(microseconds.try_into()?))
}

/// Prints the table of a scenario and writes its plot.
fn report(contestants: &[Contestant], scenario: &Scenario, times: &[Times], plots: &Path) -> Result<()> {
    let name = scenario.variant.name();
    let figures = |sorted: &[f64]| quantile(sorted, 0.0).zip(quantile(sorted, 0.5)).ok_or("nothing was measured");
    let first = times.first().ok_or("no program")?;
    let ((floor, floor_median), floor_processor) = (figures(&first.clock)?, figures(&first.processor)?.0);
    for (contestant, times) in contestants.iter().zip(times) {
        let ((minimum, median), processor) = (figures(&times.clock)?, figures(&times.processor)?.0);
        let clock = format!("{minimum:>9.0} {median:>9.0} {:>9.3} {:>9.3}", minimum / floor, median / floor_median);
        println!("{name:<22} {:<16} {clock} {processor:>9.0} {:>9.3}", contestant.name, processor / floor_processor);
    }
    let series = contestants.iter().zip(times).map(|(one, times)| Series { name: one.name, sorted: &times.clock });
    let title = format!("{name}: share of starts that took at most a time");
    plot::draw(&plots.join(name), &title, &series.collect::<Vec<_>>())
}

/// Prints how many starts there are per second when many run at a time.
fn rates(contestants: &[Contestant], scenario: &Scenario, random: &mut Random) -> Result<()> {
    let mut best: Vec<(&Contestant, f64)> = contestants.iter().map(|one| (one, 0.0)).collect();
    for _ in 0..REPEATS {
        random.shuffle(&mut best);
        for (contestant, rate) in &mut best {
            *rate = rate.max(STARTS as f64 / start_many(contestant, scenario)?.as_secs_f64());
        }
    }
    let rate = |kind: &str| best.iter().find(|(one, _)| one.name == kind).map_or(f64::NAN, |(_, rate)| *rate);
    println!("\n{STARTS} starts, {AT_A_TIME} at a time, the best of {REPEATS}: starts a second, and over the floor's");
    for contestant in contestants {
        println!(
            "{:<16} {:>9.0} {:>9.3}",
            contestant.name,
            rate(contestant.name),
            rate(contestant.name) / rate("floor")
        );
    }
    Ok(())
}

/// Starts a program many times, several at a time.
fn start_many(contestant: &Contestant, scenario: &Scenario) -> Result<Duration> {
    let left = AtomicUsize::new(STARTS);
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let work = || -> std::result::Result<(), String> {
        while take() {
            start(contestant, scenario).map_err(|error| error.to_string())?;
        }
        Ok(())
    };
    let began = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    Ok(began.elapsed())
}
