//! What a program sets on a GPU. It is kept in the library's own memory, so it applies only to this process, until the
//! process ends. The given file is never written; `nvidia-smi` and `set` change a machine for everyone.
//!
//! A setting is one atomic number, so neither a thread nor a fork can find it half made. A child starts with its
//! parent's settings and continues independently.

use crate::clocks;
use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::layout::{Pair, version};
use crate::sensors;
use core::sync::atomic::{AtomicI64, Ordering};
use nvidia_simulated_shim::c::Out;
use nvidia_simulated_shim::kernel;

/// Facts that can be set: numbers in thousandths, and words by their place in a list.
const KEYS: [(&str, &[&str]); 17] = [
    ("persistence_mode", &SWITCH),
    ("compute_mode", &["Default", "Exclusive_Thread", "Prohibited", "Exclusive_Process"]),
    ("ecc.mode.pending", &SWITCH),
    ("accounting.mode", &SWITCH),
    ("mig.mode.pending", &SWITCH),
    ("auto_boost", &SWITCH),
    ("auto_boost.default", &SWITCH),
    ("power.limit", &[]),
    ("enforced.power.limit", &[]),
    ("clocks.applications.memory", &[]),
    ("clocks.applications.graphics", &[]),
    ("clocks.current.graphics", &[]),
    ("clocks.current.sm", &[]),
    ("clocks.current.memory", &[]),
    ("temperature.target", &[]),
    ("fan.speed", &[]),
    ("clocks.deferred.memory", &[]),
];
const SWITCH: [&str; 2] = ["Disabled", "Enabled"];
/// For how many GPUs settings are kept.
const GPUS: usize = 64;
const UNSET: i64 = i64::MIN;

static ALL: [[AtomicI64; KEYS.len()]; GPUS] = [const { [const { AtomicI64::new(UNSET) }; KEYS.len()] }; GPUS];

fn place(gpu: u8, key: &str) -> Option<(&'static AtomicI64, &'static [&'static str])> {
    let at = KEYS.iter().position(|(known, _)| *known == key)?;
    Some((ALL.get(usize::from(gpu))?.get(at)?, KEYS.get(at)?.1))
}

/// What was set for a fact that is a number, in thousandths.
pub(crate) fn number(gpu: u8, key: &str) -> Option<i64> {
    let (place, words) = place(gpu, key)?;
    Some(place.load(Ordering::Acquire)).filter(|value| *value != UNSET && words.is_empty())
}

/// What was set for a fact that is a word.
pub(crate) fn word(gpu: u8, key: &str) -> Option<&'static str> {
    let (place, words) = place(gpu, key)?;
    usize::try_from(place.load(Ordering::Acquire)).ok().and_then(|at| words.get(at)).copied()
}

/// Sets facts of a GPU, each as [`number`] or [`word`] returns it afterwards. Only root may.
fn set(gpu: Device<'_>, facts: &[(&str, i64)]) -> Answer {
    if kernel::effective_user() != 0 {
        return Err(Code::NO_PERMISSION);
    }
    for (key, value) in facts {
        let (place, _) = place(gpu.place, key).ok_or(Code::INSUFFICIENT_RESOURCES)?;
        place.store(*value, Ordering::Release);
    }
    Ok(())
}

/// Sets a switch of a GPU that has it.
pub(crate) fn switch(key: &'static str, has: &'static str) -> impl FnOnce(Handle, u32) -> Answer {
    move |device, on| {
        if on > 1 {
            return Err(Code::INVALID_ARGUMENT);
        }
        device.gpu(|gpu| {
            gpu.text(has)?;
            set(gpu, &[(key, on.into())])
        })
    }
}

/// Sets who may compute.
pub(crate) fn compute_mode(device: Handle, mode: u32) -> Answer {
    if mode > 3 {
        return Err(Code::INVALID_ARGUMENT);
    }
    device.gpu(|gpu| {
        gpu.text("compute_mode")?;
        set(gpu, &[("compute_mode", mode.into())])
    })
}

/// Sets a power limit in mW, between the bounds that the GPU allows.
pub(crate) fn power_limit(device: Handle, limit: u32) -> Answer {
    device.gpu(|gpu| {
        let bound = |key| gpu.number::<u32>(key, Unit::Thousandth);
        if !(bound("power.min_limit")?..=bound("power.max_limit")?).contains(&limit) {
            return Err(Code::INVALID_ARGUMENT);
        }
        set(gpu, &[("power.limit", limit.into()), ("enforced.power.limit", limit.into())])
    })
}

/// The same in a structure: version, what the limit applies to, and the limit.
pub(crate) fn power_limit_versioned(device: Handle, asked: Out<[u32; 3]>) -> Answer {
    version(asked, 2)?;
    match asked.get()? {
        [_, 0, limit] => power_limit(device, limit),
        // The limit of a whole module.
        [_, 1, _] => device.gpu(|_| Err(Code::NOT_SUPPORTED)),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

/// MHz in thousandths.
fn clock(mhz: u32) -> i64 {
    i64::from(mhz).saturating_mul(1000)
}

/// Sets the clocks that programs get: one of the memory, and one of the shaders that goes with it.
pub(crate) fn applications(device: Handle, memory: u32, graphics: u32) -> Answer {
    device.gpu(|gpu| {
        gpu.text("clocks.applications.graphics")?;
        if !clocks::is_pair(gpu, memory, graphics) {
            return Err(Code::INVALID_ARGUMENT);
        }
        set(gpu, &[("clocks.applications.memory", clock(memory)), ("clocks.applications.graphics", clock(graphics))])
    })
}

/// Removes settings of a GPU that has what they apply to.
pub(crate) fn reset(keys: &'static [&'static str], has: &'static str) -> impl FnOnce(Handle) -> Answer {
    move |device| {
        device.gpu(|gpu| {
            gpu.text(has)?;
            keys.iter().try_for_each(|key| set(gpu, &[(key, UNSET)]))
        })
    }
}

/// Locks the shaders between two clocks: they run at the higher one, or at their maximum.
pub(crate) fn lock_graphics(device: Handle, least: u32, most: u32) -> Answer {
    device.gpu(|gpu| {
        lockable(gpu, least, most)?;
        let highest = gpu.number::<u32>("clocks.max.graphics", Unit::Same)?;
        let at = clock(most.min(highest));
        set(gpu, &[("clocks.current.graphics", at), ("clocks.current.sm", at)])
    })
}

/// Locks the memory between two clocks.
pub(crate) fn lock_memory(device: Handle, least: u32, most: u32) -> Answer {
    device.gpu(|gpu| {
        lockable(gpu, least, most)?;
        let highest = gpu.number::<u32>("clocks.max.memory", Unit::Same)?;
        set(gpu, &[("clocks.current.memory", clock(most.min(highest)))])
    })
}

/// Clocks can be locked since Volta.
fn lockable(gpu: Device<'_>, least: u32, most: u32) -> Answer {
    if matches!(gpu.text("product_architecture"), Ok("Kepler" | "Maxwell" | "Pascal")) {
        return Err(Code::NOT_SUPPORTED);
    }
    if least > most { Err(Code::INVALID_ARGUMENT) } else { Ok(()) }
}

/// Sets the MIG mode. It takes effect when the GPU is reset, which a library cannot do; the second answer says so.
pub(crate) fn mig_mode(device: Handle, mode: u32, status: Out<u32>) -> Answer {
    if mode > 1 || status.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    let current = device.gpu(|gpu| {
        let current = gpu.switch("mig.mode.current")?;
        set(gpu, &[("mig.mode.pending", mode.into())])?;
        Ok(current)
    })?;
    Ok(status.put(if current == mode { 0 } else { Code::RESET_REQUIRED.0 })?)
}

/// Sets the temperature that a GPU is kept at, if it has one.
pub(crate) fn target(device: Handle, which: u32, degrees: Out<i32>) -> Answer {
    let asked = degrees.get()?;
    match which {
        5 => device.gpu(|gpu| {
            let bound = |key| gpu.number::<i32>(key, Unit::Same);
            if !(bound("temperature.target.min")?..=bound("temperature.target.max")?).contains(&asked) {
                return Err(Code::INVALID_ARGUMENT);
            }
            set(gpu, &[("temperature.target", i64::from(asked).saturating_mul(1000))])
        }),
        0..=8 => device.gpu(|_| Err(Code::NOT_SUPPORTED)),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

/// Sets the fan to a share of its highest speed.
pub(crate) fn fan(device: Handle, fan: u32, speed: u32) -> Answer {
    device.gpu(|gpu| {
        gpu.text("fan.speed")?;
        if fan > 0 || speed > 100 {
            return Err(Code::INVALID_ARGUMENT);
        }
        set(gpu, &[("fan.speed", clock(speed))])
    })
}

/// Leaves the fan to the driver again.
pub(crate) fn fan_default(device: Handle, fan: u32) -> Answer {
    if fan > 0 { device.gpu(|_| Err(Code::INVALID_ARGUMENT)) } else { reset(&["fan.speed"], "fan.speed")(device) }
}

/// How slow and how fast a fan can run, in per cent.
pub(crate) fn fan_range(device: Handle, least: Out<u32>, most: Out<u32>) -> Answer {
    let Pair(low, high) = device.gpu(|gpu| sensors::has_fan(gpu, 0).map(|()| Pair(30, 100)))?;
    least.put(low)?;
    Ok(most.put(high)?)
}
