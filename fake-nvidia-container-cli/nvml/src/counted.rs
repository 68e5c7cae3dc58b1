//! What a driver counts and samples: slowed clocks, readings of the last seconds, programs that have ended, encoders.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::lists;
use crate::sensors::draw_at;
use nvidia_simulated_shim::c::Out;
use nvidia_simulated_shim::kernel;

/// When something was counted, in microseconds, and how long it lasted, in nanoseconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Violation {
    reference: u64,
    time: u64,
}

/// A sample and its time in microseconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    time: u64,
    value: u64,
}

const _: () = assert!(size_of::<Violation>() == 16 && size_of::<Sample>() == 16);

/// Policies that apply to an idle GPU.
const LOW_UTILIZATION: u32 = 4;
const APPLICATIONS: u32 = 10;
const BASE: u32 = 11;

/// How long a GPU has been idle, in nanoseconds: since the host was started, if it is idle now.
pub(crate) fn unused(gpu: Device<'_>) -> u64 {
    let is_busy = gpu.number("utilization.gpu", Unit::Same).is_ok_and(|share: u32| share > 0);
    if is_busy { 0 } else { kernel::ticks().saturating_mul(1_000_000) }
}

/// How long a policy has slowed the clocks.
pub(crate) fn violation(device: Handle, policy: u32, out: Out<Violation>) -> Answer {
    let key = match policy {
        0 => "clocks_event_reasons_counters.sw_power_cap",
        1 => "clocks_event_reasons_counters.sw_thermal_slowdown",
        2 => "clocks_event_reasons_counters.sync_boost",
        3..=5 | 10 | 11 => "",
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    let violation = device.gpu(|gpu| {
        let time = match policy {
            LOW_UTILIZATION | APPLICATIONS | BASE => unused(gpu),
            _ if key.is_empty() => 0,
            _ => gpu.number::<u64>(key, Unit::Same)?.saturating_mul(1000),
        };
        Ok(Violation { reference: now(gpu), time })
    })?;
    Ok(out.put(violation)?)
}

fn now(gpu: Device<'_>) -> u64 {
    gpu.driver.now().saturating_mul(1000)
}

/// How many samples a driver keeps, and how far apart they are, in milliseconds: for power and clocks, and for shares.
const QUICK: (u64, u64) = (119, 20);
const SLOW: (u64, u64) = (71, 200);

/// Samples since a time, oldest first: what the file says for each moment.
pub(crate) fn samples(
    device: Handle,
    what: u32,
    since: u64,
    form: Out<u32>,
    count: Out<u32>,
    array: Out<Sample>,
) -> Answer {
    const UNSIGNED: u32 = 1;
    let (key, (kept, apart)) = match what {
        0 => ("power.draw", QUICK),
        1 => ("utilization.gpu", SLOW),
        2 => ("utilization.memory", SLOW),
        3 => ("utilization.encoder", SLOW),
        4 => ("utilization.decoder", SLOW),
        8 => ("utilization.jpeg", SLOW),
        9 => ("utilization.ofa", SLOW),
        5 => ("clocks.current.sm", QUICK),
        6 => ("clocks.current.memory", QUICK),
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    // If clocks are not sampled, the model's figures say so.
    let told = match what {
        5 => "samples.clocks.current.sm",
        6 => "samples.clocks.current.memory",
        _ => "",
    };
    device.gpu(|gpu| {
        if gpu.text(told) == Ok("Not Found") {
            return Err(Code::NOT_FOUND);
        }
        let value = |at: u64| if what == 0 { draw_at(gpu, at) } else { gpu.number_at(key, Unit::Same, at) };
        let now = gpu.driver.now();
        value(now)?;
        form.put(UNSIGNED)?;
        let moments = (0..kept).map(|back| now.saturating_sub(back.saturating_mul(apart))).rev();
        let newer = moments.filter(|at| at.saturating_mul(1000) > since);
        let samples = newer.map(|at| Sample { time: at.saturating_mul(1000), value: value(at).unwrap_or_default() });
        let there = u32::try_from(samples.clone().count()).unwrap_or_default();
        if array.is_null() {
            return Ok(count.put(u32::try_from(kept).unwrap_or_default())?);
        }
        if there == 0 {
            return Err(Code::NOT_FOUND);
        }
        let room = usize::try_from(count.get()?).unwrap_or_default();
        if room == 0 {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        lists::write_all(samples.take(room), count, array)
    })
}

/// A list that is empty on a simulated GPU, if the GPU could have such things at all.
pub(crate) fn none(key: &'static str) -> impl FnOnce(Handle, Out<u32>) -> Answer {
    move |device, count| {
        device.gpu(|gpu| gpu.text(key).map(drop))?;
        Ok(count.put(0)?)
    }
}

/// The programs that ended: none was accounted. A caller without room gets an error even for an empty list.
pub(crate) fn ended(device: Handle, count: Out<u32>) -> Answer {
    device.gpu(|gpu| gpu.text("accounting.mode").map(drop))?;
    let room = count.get()?;
    count.put(0)?;
    if room == 0 { Err(Code::INSUFFICIENT_SIZE) } else { Ok(()) }
}

/// A program that ended: none was accounted.
pub(crate) fn accounted(device: Handle, stats: Out<u64>) -> Answer {
    if stats.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    device.gpu(|gpu| gpu.text("accounting.mode").and(Err(Code::NOT_FOUND)))
}

/// Forgets the programs that ended; only root may.
pub(crate) fn forget(device: Handle) -> Answer {
    device.gpu(|gpu| {
        gpu.text("accounting.mode")?;
        if kernel::effective_user() == 0 { Ok(()) } else { Err(Code::NO_PERMISSION) }
    })
}

/// The free share of the encoder, in per cent.
pub(crate) fn encoder_room(device: Handle, codec: u32, out: Out<u32>) -> Answer {
    const AV1: u32 = 2;
    if codec > AV1 {
        return Err(Code::INVALID_ARGUMENT);
    }
    let used: u32 = device.gpu(|gpu| {
        // Hopper's chip has no encoder; the driver reports the older codecs nevertheless.
        let has_av1 = matches!(gpu.text("product_architecture"), Ok("Ada Lovelace" | "Blackwell"));
        if codec == AV1 && !has_av1 {
            return Err(Code::NOT_SUPPORTED);
        }
        gpu.number("utilization.encoder", Unit::Same)
    })?;
    Ok(out.put(100_u32.saturating_sub(used))?)
}

/// Sessions that capture frames: none.
pub(crate) fn captures(device: Handle, out: Out<[u32; 3]>) -> Answer {
    device.gpu(|gpu| gpu.text("encoder.stats.sessionCount").map(drop))?;
    Ok(out.put([0; 3])?)
}
