//! Events: a program says what it waits for, and is notified when the given file says that it happened.
//!
//! Sets are places in an array of atomic numbers, so neither a thread nor a fork can find one half made. For each GPU a
//! set keeps what it is registered for and what it saw last; a change is an event.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::driver::{Driver, ask, started};
use crate::handle::{Handle, Kind};
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use nvidia_simulated_shim::c::Out;
use nvidia_simulated_shim::kernel;

/// How many sets a process can have, and how many GPUs each can watch.
const SETS: usize = 32;
const GPUS: usize = 64;
/// The pause between two looks, in milliseconds.
const PAUSE: u64 = 20;

const SINGLE_BIT: u32 = 0x1;
const DOUBLE_BIT: u32 = 0x2;
const XID: u32 = 0x8;
/// What can be waited for: the events that the driver of a data centre GPU supports, and the release that added them.
const KNOWN: [(u32, u32); 3] =
    [(0, SINGLE_BIT | DOUBLE_BIT | 0x4 | XID | 0x10 | 0x80 | 0x100), (560, 0x3e00), (570, 0xc000)];

/// The critical error of a GPU that has fallen off the bus.
const OFF_THE_BUS: u32 = 79;

const FREE: u8 = 0;
const TAKEN: u8 = 1;

/// What a set knows about a GPU.
struct Watch {
    /// What it is registered for; 0 if it is not.
    wanted: AtomicU32,
    /// What it saw last: single-bit errors, double-bit errors, the critical error.
    seen: [AtomicU32; 3],
}

struct Set {
    state: AtomicU8,
    watches: [Watch; GPUS],
}

static ALL: [Set; SETS] = [const {
    let watch = [const { Watch { wanted: AtomicU32::new(0), seen: [const { AtomicU32::new(0) }; 3] } }; GPUS];
    Set { state: AtomicU8::new(FREE), watches: watch }
}; SETS];

/// An event as NVML reports it; the first form ends before the instances.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Event {
    first: EventV1,
    instance: u32,
    compute: u32,
}

/// The first form.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct EventV1 {
    device: Handle,
    kind: u64,
    data: u64,
}

const _: () = assert!(size_of::<Event>() == 32 || size_of::<usize>() != 8);

/// Creates a set.
pub(crate) fn create(out: Out<Handle>) -> Answer {
    if out.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    let take = |set: &Set| set.state.compare_exchange(FREE, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_ok();
    let at = ALL.iter().position(take).and_then(|at| u8::try_from(at).ok()).ok_or(Code::INSUFFICIENT_RESOURCES)?;
    Ok(out.put(Handle::new(Kind::Events, at, 0))?)
}

fn set(handle: Handle) -> Result<&'static Set, Code> {
    let (at, _) = handle.of(Kind::Events)?;
    let set = ALL.get(usize::from(at)).ok_or(Code::INVALID_ARGUMENT)?;
    if set.state.load(Ordering::Acquire) == TAKEN { Ok(set) } else { Err(Code::INVALID_ARGUMENT) }
}

/// Frees a set.
pub(crate) fn free(handle: Handle) -> Answer {
    let set = set(handle)?;
    set.watches.iter().for_each(|watch| watch.wanted.store(0, Ordering::Relaxed));
    set.state.store(FREE, Ordering::Release);
    Ok(())
}

fn known(gpu: Device<'_>) -> u32 {
    let release = gpu.driver.release();
    KNOWN.iter().filter(|(since, _)| release >= *since).fold(0, |all, (_, kinds)| all | kinds)
}

/// The events that a GPU can report.
pub(crate) fn supported(device: Handle, out: Out<u64>) -> Answer {
    let kinds = device.gpu(|gpu| {
        let errors = if gpu.text("ecc.mode.current").is_ok() { 0 } else { SINGLE_BIT | DOUBLE_BIT };
        Ok(known(gpu) & !errors)
    })?;
    Ok(out.put(kinds.into())?)
}

/// Watches a GPU from now on.
pub(crate) fn register(device: Handle, kinds: u64, handle: Handle) -> Answer {
    let set = set(handle)?;
    let (place, now, wanted) = device.gpu(|gpu| {
        let wanted = u32::try_from(kinds).ok().filter(|kinds| kinds & !known(gpu) == 0).ok_or(Code::NOT_SUPPORTED)?;
        Ok((gpu.place, counts(gpu), wanted))
    })?;
    let watch = set.watches.get(usize::from(place)).ok_or(Code::INSUFFICIENT_RESOURCES)?;
    now.iter().zip(&watch.seen).for_each(|(count, seen)| seen.store(*count, Ordering::Relaxed));
    watch.wanted.fetch_or(wanted, Ordering::Release);
    Ok(())
}

/// The numbers of a GPU whose changes are events, in the order of [`Watch`].
fn counts(gpu: Device<'_>) -> [u32; 3] {
    let keys = ["ecc.errors.corrected.volatile.total", "ecc.errors.uncorrected.volatile.total", "xid"];
    let [corrected, uncorrected, told] = keys.map(|key| gpu.number(key, Unit::Same).unwrap_or(0));
    let lost = gpu.alive() == Err(Code::GPU_IS_LOST);
    [corrected, uncorrected, if lost && told == 0 { OFF_THE_BUS } else { told }]
}

/// Waits for an event, for at most this many milliseconds.
fn next(handle: Handle, timeout: u32) -> Result<EventV1, Code> {
    let end = kernel::ticks().saturating_add(timeout.into());
    loop {
        started()?;
        let set = set(handle)?;
        if let Some(event) = ask(|driver| Ok(look(driver, set)))? {
            return Ok(event);
        }
        let left = end.saturating_sub(kernel::ticks());
        if left == 0 {
            return Err(if ask(|driver| Ok(has_lost(driver, set)))? { Code::GPU_IS_LOST } else { Code::TIMEOUT });
        }
        kernel::sleep(left.min(PAUSE));
    }
}

/// The first change since the last look. A lost GPU is still reported, by its critical error.
fn look(driver: &Driver, set: &Set) -> Option<EventV1> {
    const KINDS: [u32; 3] = [SINGLE_BIT, DOUBLE_BIT, XID];
    for (place, gpu) in driver.gpus() {
        let Some(watch) = set.watches.get(usize::from(place)) else { continue };
        let wanted = watch.wanted.load(Ordering::Acquire);
        if wanted == 0 {
            continue;
        }
        let now = counts(Device { driver, gpu, place, part: None });
        for ((kind, count), seen) in KINDS.into_iter().zip(now).zip(&watch.seen) {
            // If two threads wait for one set, only one is notified.
            let changed = seen.swap(count, Ordering::AcqRel) != count;
            if changed && count > 0 && wanted & kind > 0 {
                let data = if kind == XID { count.into() } else { 0 };
                return Some(EventV1 { device: Handle::new(Kind::Gpu, place, 0), kind: kind.into(), data });
            }
        }
    }
    None
}

/// Whether a GPU of the set is lost. This is reported at the end of a wait, not at once: otherwise a program that waits
/// again would never sleep.
fn has_lost(driver: &Driver, set: &Set) -> bool {
    let watched = |place: u8| set.watches.get(usize::from(place)).is_some_and(|w| w.wanted.load(Ordering::Acquire) > 0);
    let lost = |(place, gpu)| Device { driver, gpu, place, part: None }.alive() == Err(Code::GPU_IS_LOST);
    driver.gpus().filter(|(place, _)| watched(*place)).any(lost)
}

/// The current form of the wait.
pub(crate) fn wait(handle: Handle, out: Out<Event>, timeout: u32) -> Answer {
    if out.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    match next(handle, timeout) {
        Ok(first) => Ok(out.put(Event { first, instance: u32::MAX, compute: u32::MAX })?),
        Err(why) => {
            let first = EventV1 { device: Handle::NONE, kind: 0, data: 0 };
            out.put(Event { first, instance: u32::MAX, compute: u32::MAX })?;
            Err(why)
        }
    }
}

/// The first form of the wait.
pub(crate) fn wait_first(handle: Handle, out: Out<EventV1>, timeout: u32) -> Answer {
    if out.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    Ok(out.put(next(handle, timeout)?)?)
}
