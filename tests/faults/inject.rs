//! Every system call of every start in turn returns an error, or gets fewer bytes than the hook wants. Must not know
//! what is right.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Failed, Trial};
use nix::errno::Errno;
use nix::libc;

use super::judge::{Sound, Stage, fault};
use super::scenes::{Place, Setting, all};
use super::trace::{Call, End, Meddling, Run, run, watch};

/// The errors that a call can return; not ENOENT and ENOTDIR, which mean that something is absent.
const ERRORS: [i32; 13] = [
    libc::EIO,
    libc::ENOMEM,
    libc::EINTR,
    libc::EACCES,
    libc::EMFILE,
    libc::ENFILE,
    libc::ETXTBSY,
    libc::ELOOP,
    libc::EAGAIN,
    libc::EPERM,
    libc::ENOSPC,
    libc::ENAMETOOLONG,
    libc::ESTALE,
];
/// The lasting errors: from one call on, all of its kind fail.
const LASTING: [i32; 3] = [libc::EIO, libc::ENOMEM, libc::EMFILE];
/// How much a call that is cut short can read or write.
const SHORT: [u64; 3] = [1, 7, 100];
/// How many faults of one start are shown.
const SHOWN: usize = 12;

/// The tests, one per start; each prints how many runs there were.
pub fn tests(all_errors: bool) -> Vec<Trial> {
    watch();
    all()
        .into_iter()
        .map(|setting| {
            Trial::test(format!("every call fails: {}", setting.name), move || every_call(&setting, all_errors))
        })
        .collect()
}

/// One start, and its outcome on a sound machine.
struct Subject<'s> {
    setting: &'s Setting,
    sound: Sound,
    /// Its outcome when something is passed over, in the order of the setting.
    others: Vec<Sound>,
    /// How many calls the C library makes before `main`.
    before_main: usize,
}

fn every_call(setting: &Setting, all_errors: bool) -> Result<(), Failed> {
    let place = setting.place();
    let subject = Subject::new(setting, &place);
    let mut plan: Vec<Meddling> = Vec::new();
    // Before main every start is the same.
    let first = if setting.name == "usual" { 0 } else { subject.before_main };
    for at in first..subject.sound.run.calls.len() {
        match all_errors {
            true => plan.extend(ERRORS.map(|errno| Meddling::Fails(at, errno))),
            false => plan.push(Meddling::Fails(at, ERRORS[at % ERRORS.len()])),
        }
        let lasting = if all_errors { LASTING.len() } else { 1 };
        plan.extend(LASTING.iter().take(lasting).map(|errno| Meddling::FailsFromThenOn(at, *errno)));
        if subject.is_data(at) {
            plan.extend(SHORT.map(|most| Meddling::Short(at, most)));
        }
    }
    if !setting.name.starts_with("a l") {
        plan.extend(SHORT.map(|most| Meddling::ShortFromThenOn(subject.before_main, most)));
    }
    let faults = in_turn(&subject, &plan);
    println!(
        "{}: {} calls, {} before main, {} runs, {} faults",
        setting.name,
        subject.sound.run.calls.len(),
        subject.before_main,
        plan.len(),
        faults.len()
    );
    if faults.is_empty() {
        return Ok(());
    }
    let mut shown: Vec<String> = faults.iter().take(SHOWN).cloned().collect();
    shown.insert(0, format!("{} of {} runs:", faults.len(), plan.len()));
    Err(shown.join("\n").into())
}

/// Runs a whole plan, divided among workers.
fn in_turn(subject: &Subject<'_>, plan: &[Meddling]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(BTreeMap::new());
    // The tracer and the traced take turns.
    let workers = 2;
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let place = subject.setting.place();
                while let Some(meddling) = plan.get(next.fetch_add(1, Ordering::Relaxed)) {
                    place.reset();
                    let outcome = run(&place.start, *meddling);
                    if let Some(fault) = subject.fault(&outcome, &place, *meddling) {
                        let at = format!("{meddling:?}");
                        faults.lock().unwrap().insert(at, fault);
                    }
                }
            });
        }
    });
    faults.into_inner().unwrap().into_values().collect()
}

impl<'s> Subject<'s> {
    fn new(setting: &'s Setting, place: &Place) -> Subject<'s> {
        let sound = sound(place);
        assert!(!matches!(sound.run.end, End::Signal(_) | End::Hangs), "{sound:?}");
        let others = (0..setting.passed_over.len()).map(|which| self::sound(&setting.place_without(which))).collect();
        let mut idle = place.start.clone();
        *idle.argv.last_mut().unwrap() = "poststop".into();
        let idle = run(&idle, Meddling::None);
        let both = idle.calls.iter().zip(&sound.run.calls);
        let before_main =
            both.take_while(|(idle, start)| idle.number == start.number && idle.path == start.path).count();
        Subject { setting, sound, others, before_main }
    }

    fn is_data(&self, at: usize) -> bool {
        let number = self.sound.run.calls[at].number as i64;
        [libc::SYS_read, libc::SYS_pread64, libc::SYS_write].contains(&number)
    }

    /// What is wrong with a run that was meddled with.
    fn fault(&self, run: &Run, place: &Place, meddling: Meddling) -> Option<String> {
        let (at, errno) = match meddling {
            Meddling::Fails(at, errno) | Meddling::FailsFromThenOn(at, errno) => (Some(at), Some(errno)),
            Meddling::Short(at, _) | Meddling::ShortFromThenOn(at, _) => (Some(at), None),
            Meddling::None => (None, None),
        };
        let call = at.and_then(|at| run.calls.get(at));
        let mut right = vec![&self.sound];
        for ((file, errors, _), other) in self.setting.passed_over.iter().zip(&self.others) {
            if file_of(run, at).is_some_and(|path| path.ends_with(file))
                && errno.is_some_and(|errno| errors.contains(&errno))
            {
                right.push(other);
            }
        }
        let why = fault(run, &place.start, &right, self.stage(run, at))?;
        let which = call.map_or_else(String::new, |call| format!(" of call {} ({})", at.unwrap(), shown(call)));
        let what = match meddling {
            Meddling::Fails(_, errno) => Errno::from_raw(errno).to_string(),
            Meddling::FailsFromThenOn(_, errno) => format!("{}, from then on,", Errno::from_raw(errno)),
            Meddling::Short(_, most) => format!("no more than {most} bytes"),
            Meddling::ShortFromThenOn(_, most) => format!("no more than {most} bytes, from then on,"),
            Meddling::None => "nothing".to_owned(),
        };
        Some(format!("{what}{which}: {why}"))
    }

    fn stage(&self, run: &Run, at: Option<usize>) -> Stage {
        let Some(at) = at else { return Stage::Deciding };
        let call = run.calls.get(at);
        let says = |call: &Call| call.number == libc::SYS_write as u64 && call.first == 2;
        // From the opening of the log on, the hook decides nothing until it executes.
        let opens = |call: &Call| match self.setting.log {
            Some("/dev/log") => call.number == libc::SYS_socket as u64,
            Some(log) => call.path.as_deref().is_some_and(|path| path.ends_with(log)),
            None => false,
        };
        let noting = run.calls.iter().position(opens);
        let executes = |call: &Call| call.number == libc::SYS_execve as u64;
        match call {
            _ if at < self.before_main => Stage::BeforeMain,
            Some(call) if says(call) => Stage::Saying,
            Some(call) if noting.is_some_and(|noting| noting <= at) && !executes(call) => Stage::Noting,
            _ => Stage::Deciding,
        }
    }
}

/// The file that a call is about: the one that it names or, for a call by a descriptor, the last one named before it.
fn file_of(run: &Run, at: Option<usize>) -> Option<&str> {
    let calls = run.calls.get(..=at?)?.iter().rev();
    calls.filter_map(|call| call.path.as_deref()).find(|path| !path.is_empty())
}

fn sound(place: &Place) -> Sound {
    place.reset();
    Sound { run: run(&place.start, Meddling::None), root: place.root().to_str().unwrap().to_owned() }
}

fn shown(call: &Call) -> String {
    let number = call.number;
    call.path
        .as_ref()
        .map_or_else(|| format!("number {number} on {}", call.first), |path| format!("number {number} of {path}"))
}
