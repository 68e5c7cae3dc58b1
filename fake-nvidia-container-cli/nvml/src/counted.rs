//! What a driver counts and samples: slowed clocks, readings of the last seconds, programs that have ended, encoders.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::sensors::draw;
use nvidia_simulated_shim::c::Out;

/// When something was counted and how long it was, in microseconds and nanoseconds.
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
        let time: u64 = if key.is_empty() { 0 } else { gpu.number(key, Unit::Same)? };
        Ok(Violation { reference: now(gpu), time: time.saturating_mul(1000) })
    })?;
    Ok(out.put(violation)?)
}

fn now(gpu: Device<'_>) -> u64 {
    gpu.driver.now().saturating_mul(1000)
}

/// Samples since a time. There is one, of now: a reading is worked out when it is asked for.
pub(crate) fn samples(
    device: Handle,
    what: u32,
    since: u64,
    form: Out<u32>,
    count: Out<u32>,
    array: Out<Sample>,
) -> Answer {
    const UNSIGNED: u32 = 1;
    let key = match what {
        0 => "power.draw",
        1 => "utilization.gpu",
        2 => "utilization.memory",
        3 => "utilization.encoder",
        4 => "utilization.decoder",
        5 => "clocks.current.sm",
        6 => "clocks.current.memory",
        7 => return device.gpu(|_| Err(Code::NOT_SUPPORTED)),
        8 => "utilization.jpeg",
        9 => "utilization.ofa",
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    let sample = device.gpu(|gpu| {
        let value: u64 = if what == 0 { draw(gpu)? } else { gpu.number(key, Unit::Same)? };
        Ok(Sample { time: now(gpu), value })
    })?;
    form.put(UNSIGNED)?;
    if array.is_null() {
        return Ok(count.put(1)?);
    }
    if sample.time <= since {
        return Err(Code::NOT_FOUND);
    }
    if count.get()? == 0 {
        return Err(Code::INSUFFICIENT_SIZE);
    }
    count.put(1)?;
    Ok(array.put(sample)?)
}

/// A list of things that a simulated GPU has none of, where it could have some.
pub(crate) fn none(key: &'static str) -> impl FnOnce(Handle, Out<u32>) -> Answer {
    move |device, count| {
        device.gpu(|gpu| gpu.text(key).map(drop))?;
        Ok(count.put(0)?)
    }
}

/// A program that ended: none was accounted.
pub(crate) fn accounted(device: Handle, stats: Out<u64>) -> Answer {
    if stats.is_null() {
        return Err(Code::INVALID_ARGUMENT);
    }
    device.gpu(|gpu| gpu.text("accounting.mode").and(Err(Code::NOT_FOUND)))
}

/// Forgets the programs that ended, as root may.
pub(crate) fn forget(device: Handle) -> Answer {
    device.gpu(|gpu| {
        gpu.text("accounting.mode")?;
        if nvidia_simulated_shim::kernel::effective_user() == 0 { Ok(()) } else { Err(Code::NO_PERMISSION) }
    })
}

/// What of the encoder is left, in per cent.
pub(crate) fn encoder_room(device: Handle, codec: u32, out: Out<u32>) -> Answer {
    if codec > 2 {
        return Err(Code::INVALID_ARGUMENT);
    }
    let used: u32 = device.gpu(|gpu| gpu.number("utilization.encoder", Unit::Same))?;
    Ok(out.put(100_u32.saturating_sub(used))?)
}

/// Sessions that capture frames: none.
pub(crate) fn captures(device: Handle, out: Out<[u32; 3]>) -> Answer {
    device.gpu(|gpu| gpu.text("encoder.stats.sessionCount").map(drop))?;
    Ok(out.put([0; 3])?)
}
