//! Errors in the chip's own memory, and pending repairs.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::layout::version;
use nvidia_simulated_shim::c::Out;

/// Errors in the chip's own memory: aggregate and volatile by kind, and the places of the uncorrected ones.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Sram {
    version: [u32; 2],
    counts: [u64; 11],
    exceeded: [u32; 2],
}

const _: () = assert!(size_of::<Sram>() == 104);

const COUNTS: [&str; 11] = [
    "ecc.errors.uncorrected.aggregate.sram.parity",
    "ecc.errors.uncorrected.aggregate.sram.secded",
    "ecc.errors.corrected.aggregate.sram",
    "ecc.errors.uncorrected.volatile.sram.parity",
    "ecc.errors.uncorrected.volatile.sram.secded",
    "ecc.errors.corrected.volatile.sram",
    "ecc.errors.uncorrected.aggregate.sram.l2",
    "ecc.errors.uncorrected.aggregate.sram.sm",
    "ecc.errors.uncorrected.aggregate.sram.pcie",
    "ecc.errors.uncorrected.aggregate.sram.mcu",
    "ecc.errors.uncorrected.aggregate.sram.other",
];

/// An error unless a GPU counts parity errors separately and its error correction is on.
fn counts(gpu: Device<'_>) -> Answer {
    let on = gpu.switch("ecc.mode.current")? == 1;
    if on && gpu.text("ecc.form") == Ok("sram") { Ok(()) } else { Err(Code::NOT_SUPPORTED) }
}

/// Errors in the chip's own memory.
pub(crate) fn sram(device: Handle, out: Out<Sram>) -> Answer {
    version(out, 1)?;
    let (counts, exceeded) = device.gpu(|gpu| {
        counts(gpu)?;
        let exceeded = gpu.switch("ecc.errors.uncorrected.aggregate.sram.thresholdExceeded").unwrap_or_default();
        Ok((COUNTS.map(|key| gpu.number(key, Unit::Same).unwrap_or_default()), exceeded))
    })?;
    Ok(out.put(Sram { version: [out.version()?, 0], counts, exceeded: [exceeded, 0] })?)
}

/// Whether a channel of the memory or a part of the chip is waiting to be repaired.
pub(crate) fn status(device: Handle, out: Out<[u32; 3]>) -> Answer {
    version(out, 1)?;
    let told = device.gpu(|gpu| Ok([gpu.switch("channel_repair_pending")?, gpu.switch("tpc_repair_pending")?]))?;
    let [channel, part] = told;
    Ok(out.put([out.version()?, channel, part])?)
}

/// Whether there is memory that cannot be repaired.
pub(crate) fn unrepairable(device: Handle, out: Out<[u32; 2]>) -> Answer {
    version(out, 1)?;
    let flag = device.gpu(|gpu| gpu.switch("unrepairable_memory"))?;
    Ok(out.put([out.version()?, flag])?)
}
