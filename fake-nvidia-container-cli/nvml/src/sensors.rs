//! What is measured or set: utilization, temperatures, power, clocks, the bus.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::layout::{Pair, Versioned, put_versioned, version};
use crate::lists;
use nvidia_simulated_shim::c::Out;
use nvidia_simulated_shim::kernel;

/// Shares of time in per cent: of the multiprocessors and of the memory.
pub(crate) fn utilization(device: Handle, out: Out<Pair>) -> Answer {
    let shares = device.gpu(|gpu| {
        let share = |key| gpu.number(key, Unit::Same);
        Ok(Pair(share("utilization.gpu")?, share("utilization.memory")?))
    })?;
    Ok(out.put(shares)?)
}

/// The share of an engine, and over how long it was taken, in microseconds.
pub(crate) fn engine(key: &'static str) -> impl FnOnce(Handle, Out<u32>, Out<u32>) -> Answer {
    move |device, share, period| {
        share.put(device.gpu(|gpu| gpu.number(key, Unit::Same))?)?;
        Ok(period.put(167_000)?)
    }
}

/// The temperature of the chip, the only sensor there is.
pub(crate) fn temperature(device: Handle, sensor: u32, out: Out<u32>) -> Answer {
    if sensor != 0 {
        return Err(Code::INVALID_ARGUMENT);
    }
    Ok(out.put(device.gpu(|gpu| gpu.number("temperature.gpu", Unit::Same))?)?)
}

/// A sensor and its temperature.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Temperature {
    version: u32,
    sensor: u32,
    value: i32,
}

/// The same in a structure.
pub(crate) fn temperature_versioned(device: Handle, out: Out<Temperature>) -> Answer {
    version(out, 1)?;
    let asked = out.get()?;
    if asked.sensor != 0 {
        return Err(Code::INVALID_ARGUMENT);
    }
    let value = device.gpu(|gpu| gpu.number("temperature.gpu", Unit::Same))?;
    Ok(out.put(Temperature { value, ..asked })?)
}

/// How far the chip is from slowing down.
pub(crate) fn margin(device: Handle, out: Out<Versioned<i32>>) -> Answer {
    put_versioned(out, device.gpu(|gpu| gpu.number("temperature.gpu.tlimit", Unit::Same))?)
}

/// The temperatures at which something happens.
pub(crate) fn threshold(device: Handle, which: u32, out: Out<u32>) -> Answer {
    let key = match which {
        0 => "temperature.shutdown",
        1 => "temperature.slowdown",
        2 => "temperature.memory.max",
        3 => "temperature.max",
        4 => "temperature.target.min",
        5 => "temperature.target",
        6 => "temperature.target.max",
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    let degrees = device.gpu(|gpu| {
        // Models that tell margins have no such temperatures.
        if gpu.text("temperature.form") == Ok("tlimit") {
            Err(Code::NOT_SUPPORTED)
        } else {
            gpu.number(key, Unit::Same)
        }
    })?;
    Ok(out.put(degrees)?)
}

/// The fan's speed in per cent, of the fan or of one of them.
pub(crate) fn fan(device: Handle, fan: u32, out: Out<u32>) -> Answer {
    let speed = device.gpu(|gpu| gpu.number("fan.speed", Unit::Same))?;
    if fan > 0 { Err(Code::INVALID_ARGUMENT) } else { Ok(out.put(speed)?) }
}

/// How many fans there are.
pub(crate) fn fans(device: Handle, out: Out<u32>) -> Answer {
    Ok(out.put(device.gpu(|gpu| Ok(u32::from(gpu.text("fan.speed").is_ok())))?)?)
}

/// The power that is drawn, in mW. On average, as the driver's own tool tells it.
pub(crate) fn power(device: Handle, out: Out<u32>) -> Answer {
    Ok(out.put(device.gpu(draw)?)?)
}

/// What a power is told by: the first that is there.
const DRAWS: [&str; 3] = ["power.draw", "power.draw.average", "power.draw.instant"];

pub(crate) fn draw<T: TryFrom<i64>>(gpu: Device<'_>) -> Result<T, Code> {
    let mut draws = DRAWS.into_iter().map(|key| gpu.number(key, Unit::Thousandth));
    draws.find_map(Result::ok).ok_or(Code::NOT_SUPPORTED)
}

/// The least and the most that the limit may be set to.
pub(crate) fn limits(device: Handle, least: Out<u32>, most: Out<u32>) -> Answer {
    let bounds = device.gpu(|gpu| {
        let limit = |key| gpu.number(key, Unit::Thousandth);
        Ok(Pair(limit("power.min_limit")?, limit("power.max_limit")?))
    })?;
    least.put(bounds.0)?;
    Ok(most.put(bounds.1)?)
}

/// Millijoules since the host was started.
pub(crate) fn energy(device: Handle, out: Out<u64>) -> Answer {
    Ok(out.put(device.gpu(energy_of)?)?)
}

pub(crate) fn energy_of(gpu: Device<'_>) -> Result<u64, Code> {
    if let Ok(told) = gpu.number("energy", Unit::Same) {
        return Ok(told);
    }
    // GPUs without error correction do not count it.
    gpu.text("ecc.mode.current")?;
    // A draw that does not change with time, so that the count never goes back.
    let steady = |key: &&str| gpu.gpu.thousandths(key, 0).and_then(|draw| u64::try_from(draw).ok());
    let milliwatts = DRAWS.iter().find_map(steady).ok_or(Code::NOT_SUPPORTED)?;
    Ok(milliwatts.saturating_mul(kernel::ticks() / 1000))
}

/// The key of a clock, after what it is.
fn clock(which: u32, keys: [&'static str; 4]) -> Result<&'static str, Code> {
    keys.get(usize::try_from(which).unwrap_or(usize::MAX)).copied().ok_or(Code::INVALID_ARGUMENT)
}

const CURRENT: [&str; 4] =
    ["clocks.current.graphics", "clocks.current.sm", "clocks.current.memory", "clocks.current.video"];
const MOST: [&str; 4] = ["clocks.max.graphics", "clocks.max.sm", "clocks.max.memory", "clocks.max.video"];
const SET: [&str; 4] =
    ["clocks.applications.graphics", "clocks.applications.graphics", "clocks.applications.memory", "no"];
const DEFAULT: [&str; 4] = [
    "clocks.default_applications.graphics",
    "clocks.default_applications.graphics",
    "clocks.default_applications.memory",
    "no",
];
const BOOST: [&str; 4] = ["clocks.boost.graphics", "clocks.boost.graphics", "clocks.max.memory", "no"];

/// Which clocks a row of the table tells.
#[derive(Clone, Copy)]
pub(crate) enum Clocks {
    /// Those of now.
    Current,
    /// The highest.
    Most,
    /// Those that are set for applications.
    Set,
    /// Those that are set unless others are.
    Default,
    /// The highest that a customer may set.
    Boost,
}

fn keys(clocks: Clocks) -> [&'static str; 4] {
    match clocks {
        Clocks::Current => CURRENT,
        Clocks::Most => MOST,
        Clocks::Set => SET,
        Clocks::Default => DEFAULT,
        Clocks::Boost => BOOST,
    }
}

/// A clock in MHz.
pub(crate) fn clocks(clocks: Clocks) -> impl FnOnce(Handle, u32, Out<u32>) -> Answer {
    move |device, which, out| {
        let key = clock(which, keys(clocks))?;
        Ok(out.put(device.gpu(|gpu| gpu.number(key, Unit::Same))?)?)
    }
}

/// A clock by its kind and by what it is of.
pub(crate) fn clock_of(device: Handle, which: u32, kind: u32, out: Out<u32>) -> Answer {
    let all = [Clocks::Current, Clocks::Set, Clocks::Default, Clocks::Boost];
    let kind = all.get(usize::try_from(kind).unwrap_or(usize::MAX)).ok_or(Code::INVALID_ARGUMENT)?;
    clocks(*kind)(device, which, out)
}

/// The memory's clocks that may be set: the highest alone.
pub(crate) fn memory_clocks(device: Handle, count: Out<u32>, array: Out<u32>) -> Answer {
    let most: u32 = device.gpu(|gpu| gpu.number("clocks.max.memory", Unit::Same))?;
    lists::write([most].into_iter(), count, array)
}

/// The graphics clocks that may be set with one of the memory: from the highest down in steps of 15 MHz.
pub(crate) fn graphics_clocks(device: Handle, memory: u32, count: Out<u32>, array: Out<u32>) -> Answer {
    let (most, of_memory) = device.gpu(|gpu| {
        let clock = |key| gpu.number::<u32>(key, Unit::Same);
        Ok((clock("clocks.max.graphics")?, clock("clocks.max.memory")?))
    })?;
    if memory != of_memory {
        return Err(Code::NOT_FOUND);
    }
    lists::write((210..=most.min(10_000)).rev().step_by(15), count, array)
}

/// Why the clocks are not higher: a bit a reason.
pub(crate) fn reasons(device: Handle, out: Out<u64>) -> Answer {
    const BITS: [(&str, u64); 9] = [
        ("clocks_event_reasons.gpu_idle", 0x1),
        ("clocks_event_reasons.applications_clocks_setting", 0x2),
        ("clocks_event_reasons.sw_power_cap", 0x4),
        ("clocks_event_reasons.hw_slowdown", 0x8),
        ("clocks_event_reasons.sync_boost", 0x10),
        ("clocks_event_reasons.sw_thermal_slowdown", 0x20),
        ("clocks_event_reasons.hw_thermal_slowdown", 0x40),
        ("clocks_event_reasons.hw_power_brake_slowdown", 0x80),
        ("clocks_event_reasons.display_clock_setting", 0x100),
    ];
    let bits = device.gpu(|gpu| {
        if let Ok(told) = gpu.number("clocks_event_reasons.active", Unit::Same) {
            return Ok(told);
        }
        let active = |key| gpu.switch(key) == Ok(1);
        Ok(BITS.iter().filter(|(key, _)| active(key)).fold(0, |bits, (_, bit)| bits | bit))
    })?;
    Ok(out.put(bits)?)
}

/// The performance state: 0 of `P0`.
pub(crate) fn performance(device: Handle, out: Out<u32>) -> Answer {
    let state = device.gpu(|gpu| {
        let state = gpu.text("pstate")?.strip_prefix('P').and_then(|state| state.parse().ok());
        state.ok_or(Code::NOT_SUPPORTED)
    })?;
    Ok(out.put(state)?)
}

/// What goes over the bus in a direction, in KB/s.
pub(crate) fn throughput(device: Handle, direction: u32, out: Out<u32>) -> Answer {
    let key = match direction {
        0 => "pcie.tx",
        1 => "pcie.rx",
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    Ok(out.put(device.gpu(|gpu| gpu.number(key, Unit::Same))?)?)
}

/// The bus's speed in Mbit/s a lane, by its generation.
pub(crate) fn bus_speed(key: &'static str) -> impl FnOnce(Handle, Out<u32>) -> Answer {
    move |device, out| {
        let generation: u32 = device.gpu(|gpu| gpu.number(key, Unit::Same))?;
        let speed = match generation {
            1 => 2_500,
            2 => 5_000,
            3 => 8_000,
            4 => 16_000,
            5 => 32_000,
            6 => 64_000,
            _ => return Err(Code::UNKNOWN),
        };
        Ok(out.put(speed)?)
    }
}

/// How many videos are encoded, how fast and how late.
pub(crate) fn encoder_statistics(device: Handle, sessions: Out<u32>, rate: Out<u32>, latency: Out<u32>) -> Answer {
    let keys = ["encoder.stats.sessionCount", "encoder.stats.averageFps", "encoder.stats.averageLatency"];
    let told = device.gpu(|gpu| {
        gpu.text("encoder.stats.sessionCount")?;
        Ok(keys.map(|key| gpu.number(key, Unit::Same).unwrap_or(0)))
    })?;
    let [count, average, late] = told;
    sessions.put(count)?;
    rate.put(average)?;
    Ok(latency.put(late)?)
}
