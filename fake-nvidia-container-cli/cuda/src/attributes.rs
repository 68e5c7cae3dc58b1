//! Attributes of a device by their numbers.

use crate::code::{Answer, Code};
use crate::devices::capability_of;
use crate::driver::{Device, device};
use nvidia_simulated_shim::c::Out;

/// Attributes that are the same for every GPU since Kepler: number and value.
const FIXED: [(u32, i32); 19] = [
    (1, 1024), // threads of a block
    (2, 1024), // and its sizes
    (3, 1024),
    (4, 64),
    (5, i32::MAX), // sizes of a grid
    (6, 65_535),
    (7, 65_535),
    (8, 49_152),  // shared memory of a block
    (9, 65_536),  // constant memory
    (10, 32),     // threads of a warp
    (12, 65_536), // registers of a block
    (15, 1),      // copies beside kernels
    (18, 0),      // part of the processor
    (19, 1),      // memory of the host can be mapped
    (31, 1),      // kernels beside each other
    (40, 2),      // copy engines
    (41, 1),      // one address space
    (83, 1),      // managed memory
    (84, 0),      // several GPUs on a board
];

/// Attributes that are a number of the file: number, key and what it is multiplied by.
const TOLD: [(u32, &str, i64); 5] = [
    (13, "clocks.max.sm", 1000),
    (16, "sm", 1),
    (36, "clocks.max.memory", 1000),
    (37, "memory.bus", 1),
    (38, "cache.l2", 1),
];

/// The value of an attribute; what the file does not tell is 0.
pub(crate) fn get(out: Out<i32>, which: u32, number: i32) -> Answer {
    let value = device(number, |device| value(device, which))?;
    Ok(out.put(value)?)
}

fn value(device: Device<'_>, which: u32) -> Result<i32, Code> {
    if let Some((_, value)) = FIXED.iter().find(|(known, _)| *known == which) {
        return Ok(*value);
    }
    if let Some((_, key, times)) = TOLD.iter().find(|(known, ..)| *known == which) {
        let own = device.part.and_then(|part| part.id(key)).map(i64::from);
        let told = own.or_else(|| device.number(key)).unwrap_or_default().saturating_mul(*times);
        return Ok(i32::try_from(told).unwrap_or(i32::MAX));
    }
    let place = |at: usize| device.place().and_then(|place| place.get(at).copied()).and_then(|n| i32::try_from(n).ok());
    match which {
        20 => Ok(0),
        32 => Ok(i32::from(device.gpu.text("ecc.mode.current") == Some("Enabled"))),
        33 => place(1).ok_or(Code::UNKNOWN),
        34 => place(2).ok_or(Code::UNKNOWN),
        50 => place(0).ok_or(Code::UNKNOWN),
        75 => capability_of(device).map(|(major, _)| major).ok_or(Code::UNKNOWN),
        76 => capability_of(device).map(|(_, minor)| minor).ok_or(Code::UNKNOWN),
        1..=150 => Ok(0),
        _ => Err(Code::INVALID_VALUE),
    }
}
