//! Memory and its errors.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit, number};
use crate::handle::Handle;
use crate::layout::{Pair, version};
use nvidia_simulated_given::at_last;
use nvidia_simulated_shim::c::Out;

/// Total, free and used bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    total: u64,
    free: u64,
    used: u64,
}

/// The same with the memory that the driver keeps for itself.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct MemoryV2 {
    version: [u32; 2],
    total: u64,
    reserved: u64,
    free: u64,
    used: u64,
}

const _: () = assert!(size_of::<Memory>() == 24 && size_of::<MemoryV2>() == 40);

/// Total, reserved and used bytes of the GPU or the part.
fn sizes(device: Device<'_>) -> Result<[u64; 3], Code> {
    let size = |key| number::<u64>(device.own(), key, Unit::Bytes, device.driver.now());
    let total = size("memory.total")?;
    Ok([total, size("memory.reserved").unwrap_or(0), size("memory.used").unwrap_or(0)])
}

/// The form without the reserved part, which counts as used.
pub(crate) fn memory(device: Handle, out: Out<Memory>) -> Answer {
    let [total, reserved, used] = device.device(sizes)?;
    let used = used.saturating_add(reserved).min(total);
    Ok(out.put(Memory { total, free: total.saturating_sub(used), used })?)
}

/// The form with the reserved part.
pub(crate) fn memory_v2(device: Handle, out: Out<MemoryV2>) -> Answer {
    version(out, 2)?;
    let [total, reserved, used] = device.device(sizes)?;
    let free = total.saturating_sub(reserved).saturating_sub(used);
    Ok(out.put(MemoryV2 { version: [out.version()?, 0], total, reserved, free, used })?)
}

/// The memory that the processor can reach.
pub(crate) fn bar1(device: Handle, out: Out<Memory>) -> Answer {
    let (total, used) = device.device(|device| {
        let size = |key| number::<u64>(device.own(), key, Unit::Bytes, device.driver.now());
        Ok((size("bar1.total")?, size("bar1.used").unwrap_or(0)))
    })?;
    Ok(out.put(Memory { total, free: total.saturating_sub(used), used })?)
}

/// Memory for confidential computing, in KiB: all memory that programs can have is unprotected.
pub(crate) fn confidential(device: Handle, out: Out<[u64; 2]>) -> Answer {
    let [total, reserved, _] = device.gpu(sizes)?;
    Ok(out.put([0, total.saturating_sub(reserved) / 1024])?)
}

/// Memory that confidential computing protects: none.
pub(crate) fn protected(device: Handle, out: Out<Memory>) -> Answer {
    device.device(|_| Ok(()))?;
    Ok(out.put(Memory { total: 0, free: 0, used: 0 })?)
}

/// The key of an error count: kind, counter and place.
fn errors(kind: u32, counter: u32, place: &str) -> Result<&'static str, Code> {
    const KEYS: [&str; 32] = [
        "ecc.errors.corrected.volatile.l1_cache",
        "ecc.errors.corrected.volatile.l2_cache",
        "ecc.errors.corrected.volatile.device_memory",
        "ecc.errors.corrected.volatile.register_file",
        "ecc.errors.corrected.volatile.texture_memory",
        "ecc.errors.corrected.volatile.cbu",
        "ecc.errors.corrected.volatile.sram",
        "ecc.errors.corrected.volatile.total",
        "ecc.errors.corrected.aggregate.l1_cache",
        "ecc.errors.corrected.aggregate.l2_cache",
        "ecc.errors.corrected.aggregate.device_memory",
        "ecc.errors.corrected.aggregate.register_file",
        "ecc.errors.corrected.aggregate.texture_memory",
        "ecc.errors.corrected.aggregate.cbu",
        "ecc.errors.corrected.aggregate.sram",
        "ecc.errors.corrected.aggregate.total",
        "ecc.errors.uncorrected.volatile.l1_cache",
        "ecc.errors.uncorrected.volatile.l2_cache",
        "ecc.errors.uncorrected.volatile.device_memory",
        "ecc.errors.uncorrected.volatile.register_file",
        "ecc.errors.uncorrected.volatile.texture_memory",
        "ecc.errors.uncorrected.volatile.cbu",
        "ecc.errors.uncorrected.volatile.sram",
        "ecc.errors.uncorrected.volatile.total",
        "ecc.errors.uncorrected.aggregate.l1_cache",
        "ecc.errors.uncorrected.aggregate.l2_cache",
        "ecc.errors.uncorrected.aggregate.device_memory",
        "ecc.errors.uncorrected.aggregate.register_file",
        "ecc.errors.uncorrected.aggregate.texture_memory",
        "ecc.errors.uncorrected.aggregate.cbu",
        "ecc.errors.uncorrected.aggregate.sram",
        "ecc.errors.uncorrected.aggregate.total",
    ];
    if kind > 1 || counter > 1 {
        return Err(Code::INVALID_ARGUMENT);
    }
    let group = usize::try_from(kind * 2 + counter).unwrap_or_default();
    let mut keys = KEYS.iter().skip(group * 8).take(8);
    keys.find(|key| at_last(key, b'.').is_some_and(|(_, last)| last == place)).copied().ok_or(Code::INVALID_ARGUMENT)
}

/// The error count of a GPU in one place. A GPU without error correction does not count.
fn count(gpu: Device<'_>, kind: u32, counter: u32, place: &str) -> Result<u64, Code> {
    gpu.text("ecc.mode.current")?;
    gpu.number(errors(kind, counter, place)?, Unit::Same)
}

/// All errors of a kind.
pub(crate) fn total(device: Handle, kind: u32, counter: u32, out: Out<u64>) -> Answer {
    Ok(out.put(device.gpu(|gpu| count(gpu, kind, counter, "total"))?)?)
}

/// Errors of a kind in one place.
pub(crate) fn in_place(device: Handle, kind: u32, counter: u32, place: u32, out: Out<u64>) -> Answer {
    let name = match place {
        0 => "l1_cache",
        1 => "l2_cache",
        2 => "device_memory",
        3 => "register_file",
        4 => "texture_memory",
        6 => "cbu",
        7 => "sram",
        5 => return Err(Code::NOT_SUPPORTED),
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    Ok(out.put(device.gpu(|gpu| count(gpu, kind, counter, name))?)?)
}

/// Errors of a kind in four places at once; what a GPU does not count is 0.
pub(crate) fn detailed(device: Handle, kind: u32, counter: u32, out: Out<[u64; 4]>) -> Answer {
    let counts = device.gpu(|gpu| {
        count(gpu, kind, counter, "total")?;
        let places = ["l1_cache", "l2_cache", "device_memory", "register_file"];
        Ok(places.map(|place| count(gpu, kind, counter, place).unwrap_or(0)))
    })?;
    Ok(out.put(counts)?)
}

/// Remapped rows of memory: how many, and whether a remapping is pending or has failed.
pub(crate) fn remapped(
    device: Handle,
    corrected: Out<u32>,
    uncorrected: Out<u32>,
    pending: Out<u32>,
    failed: Out<u32>,
) -> Answer {
    let (counts, flags) = device.gpu(|gpu| {
        let rows = |key| gpu.number::<u32>(key, Unit::Same);
        let counts = Pair(rows("remapped_rows.correctable")?, rows("remapped_rows.uncorrectable")?);
        Ok((counts, Pair(gpu.switch("remapped_rows.pending")?, gpu.switch("remapped_rows.failure")?)))
    })?;
    corrected.put(counts.0)?;
    uncorrected.put(counts.1)?;
    pending.put(flags.0)?;
    Ok(failed.put(flags.1)?)
}

/// How many banks have how many rows left.
pub(crate) fn histogram(device: Handle, out: Out<[u32; 5]>) -> Answer {
    let keys = [
        "remapped_rows.histogram.max",
        "remapped_rows.histogram.high",
        "remapped_rows.histogram.partial",
        "remapped_rows.histogram.low",
        "remapped_rows.histogram.none",
    ];
    let values = device.gpu(|gpu| {
        gpu.text("remapped_rows.histogram.max")?;
        Ok(keys.map(|key| gpu.number(key, Unit::Same).unwrap_or(0)))
    })?;
    Ok(out.put(values)?)
}

/// Retired pages, by cause; their addresses are not reported.
pub(crate) fn retired(device: Handle, cause: u32, out: Out<u32>) -> Answer {
    let key = match cause {
        0 => "retired_pages.single_bit_ecc.count",
        1 => "retired_pages.double_bit.count",
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    let count: u32 = device.gpu(|gpu| gpu.number(key, Unit::Same))?;
    // A list with pages would have to report their addresses.
    if count > 0 { Err(Code::NOT_SUPPORTED) } else { Ok(out.put(0)?) }
}
