//! What is measured or set: utilization, temperatures, power, clocks, the bus.

use crate::code::{Answer, Code};
use crate::device::{DRAWS, Device, Unit};
use crate::handle::Handle;
use crate::identity::is_since_hopper;
use crate::layout::{Pair, Versioned, put_versioned, version};
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

/// The share of an engine, and the sampling period in microseconds.
pub(crate) fn engine(key: &'static str) -> impl FnOnce(Handle, Out<u32>, Out<u32>) -> Answer {
    move |device, share, period| {
        let (now, over) = device
            .gpu(|gpu| Ok((gpu.number(key, Unit::Same)?, if is_since_hopper(gpu) { 100_000 } else { 167_000 })))?;
        share.put(now)?;
        Ok(period.put(over)?)
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
        7 => return device.gpu(|_| Err(Code::NOT_SUPPORTED)),
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    let degrees = device.gpu(|gpu| {
        let told = gpu.number::<i32>(key, Unit::Same)?;
        if which > 3 || gpu.text("temperature.form") != Ok("tlimit") {
            return Ok(told);
        }
        // Models that report margins measure them down from a maximum: for the chip, what the file says, or the
        // temperature now plus what is left.
        let highest = match which {
            2 => gpu.number::<i32>("temperature.memory.limit", Unit::Same)?,
            _ => match gpu.number::<i32>("temperature.gpu.limit", Unit::Same) {
                Ok(limit) => limit,
                Err(_) => gpu
                    .number::<i32>("temperature.gpu", Unit::Same)?
                    .saturating_add(gpu.number("temperature.gpu.tlimit", Unit::Same)?),
            },
        };
        Ok(highest.saturating_sub(told))
    })?;
    Ok(out.put(u32::try_from(degrees).map_err(|_| Code::UNKNOWN)?)?)
}

/// A sensor: its controller, its least and greatest value, its current value, and its target.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Sensor {
    controller: u32,
    least: i32,
    most: i32,
    now: i32,
    target: u32,
}

/// The sensors of a GPU.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Sensors {
    count: u32,
    all: [Sensor; 3],
}

const _: () = assert!(size_of::<Sensors>() == 64);

/// The sensors up to a number. Only the first exists; for the others the driver reports controller and target.
pub(crate) fn thermal(device: Handle, last: u32, out: Out<Sensors>) -> Answer {
    const INTERNAL: u32 = 1;
    const CHIP: u32 = 1;
    let now = device.gpu(|gpu| gpu.number("temperature.gpu", Unit::Same))?;
    let none = Sensor { controller: 0, least: 0, most: 0, now: 0, target: 0 };
    let mut all = [none; 3];
    let last = usize::try_from(last).unwrap_or(usize::MAX);
    for (at, sensor) in all.iter_mut().enumerate().take(last.saturating_add(1)) {
        *sensor = Sensor { controller: INTERNAL, target: CHIP, ..none };
        if at == 0 {
            *sensor = Sensor { most: 127, now, ..*sensor };
        }
    }
    let count = u32::try_from(last.saturating_add(1).min(all.len())).unwrap_or_default();
    Ok(out.put(Sensors { count, all })?)
}

/// The speed of the fan in per cent; NOT_SUPPORTED without a fan.
pub(crate) fn fan(device: Handle, out: Out<u32>) -> Answer {
    Ok(out.put(device.gpu(|gpu| gpu.number("fan.speed", Unit::Same))?)?)
}

/// The speed of a fan by its number; the fan must exist.
pub(crate) fn fan_numbered(device: Handle, fan: u32, out: Out<u32>) -> Answer {
    Ok(out.put(device.gpu(|gpu| has_fan(gpu, fan).and_then(|()| gpu.number("fan.speed", Unit::Same)))?)?)
}

/// An error unless a GPU has a fan with this number.
pub(crate) fn has_fan(gpu: Device<'_>, fan: u32) -> Answer {
    if fan == 0 && gpu.text("fan.speed").is_ok() { Ok(()) } else { Err(Code::INVALID_ARGUMENT) }
}

/// Who controls a fan: not known for a fan that exists.
pub(crate) fn fan_policy(device: Handle, fan: u32, _out: Out<u32>) -> Answer {
    device.gpu(|gpu| has_fan(gpu, fan).and(Err(Code::NOT_SUPPORTED)))
}

/// How fast a fan turns: not known for a fan that exists.
pub(crate) fn fan_turns(device: Handle, out: Out<[u32; 3]>) -> Answer {
    version(out, 1)?;
    let [_, fan, _] = out.get()?;
    device.gpu(|gpu| has_fan(gpu, fan).and(Err(Code::NOT_SUPPORTED)))
}

/// What cools a part of a GPU: not supported.
pub(crate) fn cooler(device: Handle, out: Out<[u32; 4]>) -> Answer {
    version(out, 1)?;
    device.gpu(|_| Err(Code::NOT_SUPPORTED))
}

/// How many fans there are.
pub(crate) fn fans(device: Handle, out: Out<u32>) -> Answer {
    Ok(out.put(device.gpu(|gpu| Ok(u32::from(gpu.text("fan.speed").is_ok())))?)?)
}

/// The power draw in mW: the average, as the driver's own tool reports it.
pub(crate) fn power(device: Handle, out: Out<u32>) -> Answer {
    Ok(out.put(device.gpu(draw)?)?)
}

pub(crate) fn draw<T: TryFrom<i64>>(gpu: Device<'_>) -> Result<T, Code> {
    draw_at(gpu, gpu.driver.now())
}

/// The draw at a time.
pub(crate) fn draw_at<T: TryFrom<i64>>(gpu: Device<'_>, at: u64) -> Result<T, Code> {
    let mut draws = DRAWS.into_iter().map(|key| gpu.number_at(key, Unit::Thousandth, at));
    draws.find_map(Result::ok).ok_or(Code::NOT_SUPPORTED)
}

/// The lowest and highest value that the limit can be set to.
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
    // A draw that changes neither with time nor by `set`, so the count never goes back.
    let steady = |key: &&str| gpu.gpu.thousandths(key, 0).and_then(|draw| u64::try_from(draw).ok());
    let milliwatts = ["energy.draw"].iter().chain(&DRAWS).find_map(steady).ok_or(Code::NOT_SUPPORTED)?;
    Ok(milliwatts.saturating_mul(kernel::ticks() / 1000))
}

/// The traffic over the bus in one direction, in KB/s.
pub(crate) fn throughput(device: Handle, direction: u32, out: Out<u32>) -> Answer {
    let key = match direction {
        0 => "pcie.tx",
        1 => "pcie.rx",
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    Ok(out.put(device.gpu(|gpu| gpu.number(key, Unit::Same))?)?)
}

/// The current speed of the bus in Mbit/s per lane, by its generation.
pub(crate) fn bus_speed(device: Handle, out: Out<u32>) -> Answer {
    let generation: u32 = device.gpu(|gpu| gpu.number("pcie.link.gen.current", Unit::Same))?;
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

/// How many videos are encoded, how fast and with what latency.
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
