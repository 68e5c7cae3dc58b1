//! A run from start to end: the one file that reads like a list of what happens.

use crate::apply;
use crate::cli::{self, Context, Parsed, Reading};
use crate::failure::{self, Pending};
use crate::libraries::Identity;
use crate::outcome::{Outcome, Stop};
use crate::plan::Plan;
use crate::record::{Process, Record, Sink};
use crate::settings::{self, Apply, Settings};
use crate::simulate::{self, Look, Setting, Work};
use crate::{debug_log, smi, verbs};
use nix::sys::signal::{SigSet, Signal};
use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::step::Step;
use nvidia_simulated_machine::text::{self, Text};
use nvidia_simulated_machine::{driver_files, topology};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs the program on the words that C's `main` was given and this process's environment; returns the exit code.
#[must_use]
pub fn main(arguments: &[&[u8]]) -> i32 {
    main_with(arguments, |_| ())
}

/// The same for a program that can restore a signal's default action: then it ends by a signal even if the caller has
/// left that signal ignored.
#[must_use]
pub fn main_with(arguments: &[&[u8]], restore: fn(Signal)) -> i32 {
    let process = Process::look(arguments);
    let argv: Vec<Text> = process.argv.iter().map(|word| word.0.clone()).collect();
    if let Some((_, words)) = argv.split_first().filter(|(name, _)| name.as_str() == apply::LDCONFIG) {
        return apply::ldconfig(words);
    }
    let outcome = outcome(&process, &argv);
    print(&outcome);
    linger(&outcome, restore);
    outcome.exit
}

/// Everything except the end.
fn outcome(process: &Process, argv: &[Text]) -> Outcome {
    report_panics_as_internal();
    occupy_standard_descriptors();
    let settings = settings::load(|name| std::env::var_os(name));
    if let Some(outcome) = verbs::run(argv, &settings) {
        return outcome;
    }
    let (settings, broken) = match settings {
        Ok(settings) => (settings, None),
        Err(why) => (Settings::default(), Some(Stop::Internal(why))),
    };
    if let Some(name) = standin(process) {
        return match broken {
            Some(stop) => stop.outcome(""),
            None => answer_as(&name, process, &settings),
        };
    }
    let sink = match settings.record.as_deref().map(Sink::open).transpose() {
        Ok(sink) => sink,
        Err(why) => return Stop::Internal(why).outcome(""),
    };
    let run = match broken {
        Some(stop) => Run::stopped(stop),
        None => run(process, &settings),
    };
    finish(process, &settings, sink, run)
}

/// The name of the driver's program that this one runs as, if it does.
fn standin(process: &Process) -> Option<String> {
    let argv0 = process.argv.first()?.0.as_str();
    let name = argv0.rsplit('/').next().unwrap_or(argv0);
    driver_files::bins().find(|bin| *bin == name).map(str::to_owned)
}

/// nvidia-smi answers; the other programs of a driver have nothing to do.
fn answer_as(name: &str, process: &Process, settings: &Settings) -> Outcome {
    if name != "nvidia-smi" {
        return Outcome { stdout: format!("{name}: simulated, does nothing\n"), ..Outcome::default() };
    }
    let (given, folder) = match smi::Given::find() {
        Some(found) => found,
        None => (topology::load(settings.topology.as_deref()).map(smi::Given::everything), None),
    };
    let words: Vec<String> = process.argv.iter().skip(1).map(|word| word.0.to_string()).collect();
    let mut emit = |text: &str| {
        let mut out = std::io::stdout().lock();
        out.write_all(&text::bytes(text)).and_then(|()| out.flush()).is_ok()
    };
    match given {
        Ok(given) => {
            // A failure is counted and due as for nvidia-container-cli.
            match armed(settings) {
                Ok(Some(spec)) => {
                    if let Some(outcome) = smi::asked(&spec, &given) {
                        return outcome;
                    }
                }
                Ok(None) => {}
                Err(why) => return Stop::Internal(why).outcome(""),
            }
            let place = folder.map(|folder| folder.join(smi::STATE));
            let store = smi::Store::new(settings.state.as_deref().or(place.as_deref()));
            smi::run(&words, &smi::Host { given, store }, &mut emit)
        }
        Err(why) => Stop::Internal(why).outcome(""),
    }
}

/// The result of a run.
struct Run {
    parsed: Option<Parsed>,
    plan: Plan,
    outcome: Outcome,
}

impl Run {
    fn stopped(stop: Stop) -> Self {
        Self::stopped_as(stop, "")
    }

    fn stopped_as(stop: Stop, program: &str) -> Self {
        Self { parsed: None, plan: Plan::default(), outcome: stop.outcome(program) }
    }
}

fn run(process: &Process, settings: &Settings) -> Run {
    let context = context(process, settings);
    let words = process.argv.iter().skip(1).map(|word| word.0.clone()).collect();
    // Parsed first even if a failure comes before it: the record should show what was asked for.
    let Reading { program, hang, parsed } = cli::parse(&context, words);
    std::thread::sleep(hang);
    let rootfs = parsed.as_ref().ok().and_then(|p| p.rootfs.as_deref()).unwrap_or_default();
    let pending = match arm(settings, rootfs) {
        Ok(pending) => pending,
        Err(why) => return Run::stopped(Stop::Internal(why)),
    };
    if let Err(stop) = pending.at(Step::Start, &program) {
        return Run { parsed: parsed.ok(), ..Run::stopped(stop) };
    }
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(stop) => return Run::stopped_as(stop, &program),
    };
    let mut work = Work::default();
    let outcome = steps(process, settings, &pending, &program, &parsed, &mut work);
    let plan = work.plan;
    let outcome = outcome.map_or_else(|stop| stop.outcome(&program), |stdout| Outcome { stdout, ..Outcome::default() });
    let debug = parsed.debug.as_deref().or_else(|| process.variable("NVC_DEBUG_FILE"));
    if let Some(file) = debug {
        debug_log::write(file, settings.version, &parsed, &plan, &outcome);
    }
    Run { parsed: Some(parsed), plan, outcome }
}

/// The failure that was asked for, armed if its turn has come.
fn arm(settings: &Settings, rootfs: &str) -> Result<Pending, String> {
    Ok(Pending::new(armed(settings)?, rootfs))
}

/// The failure that was asked for, if its turn has come.
fn armed(settings: &Settings) -> Result<Option<failure::Spec>, String> {
    let Some(spec) = settings.fail.as_deref().map(failure::parse).transpose()? else { return Ok(None) };
    let beside = settings.record.as_ref().map(|record| {
        let mut name = record.clone().into_os_string();
        name.push(".runs");
        PathBuf::from(name)
    });
    let counter = settings.counter.clone().or(beside);
    let turn = failure::turn(counter.as_deref(), spec.every)?;
    Ok(turn.then_some(spec))
}

/// The steps of the real program on the simulated machine.
fn steps(
    process: &Process,
    settings: &Settings,
    pending: &Pending,
    program: &str,
    parsed: &Parsed,
    work: &mut Work,
) -> Result<String, Stop> {
    let machine = topology::load(settings.topology.as_deref()).map_err(Stop::Internal)?;
    let state = match settings.apply {
        Apply::Imagine => State::default(),
        _ => smi::Store::new(settings.state.as_deref()).read().map_err(Stop::Internal)?,
    };
    let identity = Identity::of(&machine);
    let machine = state.applied(machine);
    let setting = Setting {
        machine: &machine,
        version: settings.version,
        path: process.variable("PATH"),
        mps: process.variable("CUDA_MPS_PIPE_DIRECTORY"),
        pending,
        program,
        look: match settings.apply {
            Apply::Imagine => Look::Nowhere,
            Apply::Record | Apply::Files => Look::Rootfs,
            Apply::Mounts => Look::Everywhere,
        },
    };
    let answer = simulate::run(setting, parsed, work);
    let Work { plan, container } = work;
    // What was planned before an error appears too, as it would in the real program's container.
    if let Some(container) = container.as_ref().filter(|_| settings.apply == Apply::Files) {
        apply::files(plan, &container.root)?;
    }
    let answer = answer?;
    let applied = container.as_ref().filter(|_| [Apply::Files, Apply::Mounts].contains(&settings.apply));
    if let Some(container) = applied {
        let given = apply::given(&machine, &state, &answer.choice, settings.cuda)?;
        match settings.apply {
            Apply::Mounts => {
                let changes = settings.state.as_deref().unwrap_or(Path::new(smi::CHANGES));
                let live = apply::Live::of(changes, identity, settings.cuda);
                apply::mounts(plan, container, &machine, (&answer.choice, &given, &live), parsed)?;
            }
            _ => apply::fill(plan, &container.root, &machine, &given)?,
        }
    }
    pending.at(Step::End, program)?;
    Ok(answer.stdout)
}

fn context(process: &Process, settings: &Settings) -> Context {
    Context {
        argv0: process.argv.first().map(|word| word.0.to_string()).unwrap_or_default(),
        version: settings.version,
        posixly_correct: process.variable("POSIXLY_CORRECT").is_some(),
        ppid: process.ppid,
        euid: (process.euid, process.egid),
    }
}

/// Records.
fn finish(process: &Process, settings: &Settings, sink: Option<Sink>, run: Run) -> Outcome {
    let mut outcome = run.outcome;
    if let Some(sink) = sink {
        let record = Record::new(process, run.parsed.as_ref(), &run.plan).ended(&outcome, settings.fail.as_deref());
        let line = serde_json::to_vec(&record).map_err(|why| why.to_string());
        if let Err(why) = line.and_then(|line| sink.append(line)) {
            outcome = Stop::Internal(why).outcome("");
        }
    }
    outcome
}

fn print(outcome: &Outcome) {
    // Write errors are ignored: a closed stream must not change the exit code.
    let _ = std::io::stdout().write_all(&text::bytes(&outcome.stdout)).and_then(|()| std::io::stdout().flush());
    let _ = std::io::stderr().write_all(&text::bytes(&outcome.stderr));
}

/// Ends by a signal, as a crash would, or not at all.
fn linger(outcome: &Outcome, restore: fn(Signal)) {
    if outcome.hang {
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
    if let Some(signal) = outcome.signal.and_then(|number| Signal::try_from(number).ok()) {
        // The caller may have left it ignored or blocked.
        restore(signal);
        let _ = SigSet::from(signal).thread_unblock();
        let _ = nix::sys::signal::raise(signal);
    }
}

/// A panic is a fault of the simulator like any other: exit code 3, and the line that the real program never prints.
fn report_panics_as_internal() {
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let owned = payload.downcast_ref::<String>().map(String::as_str);
        let what = payload.downcast_ref::<&str>().copied().or(owned).unwrap_or("unknown");
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let line = Stop::Internal(format!("panic: {what}{place}")).outcome("");
        let _ = std::io::stderr().write_all(line.stderr.as_bytes());
        #[expect(clippy::exit, reason = "unwinding must not reach C's main, and an abort would look like a crash")]
        std::process::exit(line.exit);
    }));
}

/// A descriptor 0, 1 or 2 that the caller left closed must not be reused for one of our files, or a message would end
/// up in that file.
fn occupy_standard_descriptors() {
    while let Ok(file) = OpenOptions::new().read(true).write(true).open("/dev/null") {
        if file.as_raw_fd() > 2 {
            break;
        }
        let _ = file.into_raw_fd();
    }
}
