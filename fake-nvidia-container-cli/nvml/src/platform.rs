//! Where a device is built in and what it can do beside computing: its rack, its number in it, its bus, confidential
//! computing. What a simulated machine has none of is counted as none.

use crate::code::{Answer, Code};
use crate::device::Unit;
use crate::handle::Handle;
use crate::layout::{Versioned, version};
use nvidia_simulated_given::Section;
use nvidia_simulated_shim::c::Out;

/// The place in a rack.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Platform {
    version: u32,
    /// The number of the fabric, in the first eight bytes.
    fabric: [u8; 16],
    chassis: [u8; 16],
    /// Slot, tray, host, kind of peers, module.
    place: [u8; 5],
}

const _: () = assert!(size_of::<Platform>() == 44);

/// Where the device is built in; the board says it or it is not known.
pub(crate) fn place(device: Handle, out: Out<Platform>) -> Answer {
    let asked = out.version()?;
    if [1, 2].iter().all(|number| asked != crate::layout::word::<Platform>(*number)) {
        return Err(Code::ARGUMENT_VERSION_MISMATCH);
    }
    let platform = device.gpu(|gpu| {
        let number = |key| gpu.number::<u8>(key, Unit::Same).unwrap_or_default();
        let mut chassis = [0; 16];
        let serial = gpu.text("platform.chassis_serial_number").unwrap_or_default().bytes().take(15);
        chassis.iter_mut().zip(serial).for_each(|(place, byte)| *place = byte);
        let mut fabric = [0; 16];
        let guid = hexadecimal(gpu.gpu, "platform.gpu_fabric_guid").unwrap_or_default();
        fabric.iter_mut().zip(guid.to_be_bytes()).for_each(|(place, byte)| *place = byte);
        let peers = u8::from(gpu.text("platform.peer_type") == Ok("Switch Connected"));
        let slots = ["platform.slot_number", "platform.tray_index", "platform.host_id"].map(number);
        let [slot, tray, host] = slots;
        let place = [slot, tray, host, peers, number("platform.module_id")];
        Ok(Platform { version: asked, fabric, chassis, place })
    })?;
    Ok(out.put(platform)?)
}

/// A number of 64 bits, which is more than a number of a file can be.
fn hexadecimal(section: Section<'_>, key: &str) -> Option<u64> {
    u64::from_str_radix(section.text(key)?.strip_prefix("0x")?, 16).ok()
}

/// The number of the device that no other in the world has.
pub(crate) fn pdi(device: Handle, out: Out<Versioned<u64>>) -> Answer {
    version(out, 1)?;
    let value = device.gpu(|gpu| hexadecimal(gpu.gpu, "pdi").ok_or(Code::NOT_SUPPORTED))?;
    Ok(out.put(Versioned { version: out.version()?, value })?)
}

/// A number that is the same for every GPU.
pub(crate) fn always(number: u32) -> impl FnOnce(Handle, Out<u32>) -> Answer {
    move |device, out| {
        device.gpu(|_| Ok(()))?;
        Ok(out.put(number)?)
    }
}

/// A structure of a version whose number is the same for every GPU.
pub(crate) fn always_versioned(number: u32) -> impl FnOnce(Handle, Out<Versioned<u32>>) -> Answer {
    move |device, out| {
        version(out, 1)?;
        device.gpu(|_| Ok(()))?;
        Ok(out.put(Versioned { version: out.version()?, value: number })?)
    }
}

/// Nothing is licensed and nothing needs to be: not supported, and no feature.
pub(crate) fn licences(device: Handle, out: Out<[u32; 2]>) -> Answer {
    device.gpu(|_| Ok(()))?;
    Ok(out.put([0, 0])?)
}

/// Settings of confidential computing: off, all of them.
pub(crate) fn confidential<const N: usize>(out: Out<[u32; N]>) -> Answer {
    Ok(out.put([0; N])?)
}

/// Whether the infoROM is whole.
pub(crate) fn valid(device: Handle) -> Answer {
    device.gpu(|gpu| {
        gpu.text("inforom.img")?;
        if gpu.text("inforom.corrupted") == Ok("true") { Err(Code::CORRUPTED_INFOROM) } else { Ok(()) }
    })
}

/// The performance states that a GPU has: the highest, and that of now. What is left of the array says that it is not one.
pub(crate) fn states(device: Handle, out: Out<u32>, bytes: u32) -> Answer {
    const NO_STATE: u32 = 32;
    let room = bytes / 4;
    let now: u32 = device.gpu(|gpu| {
        let state = gpu.text("pstate")?.strip_prefix('P').and_then(|state| state.parse().ok());
        state.ok_or(Code::NOT_SUPPORTED)
    })?;
    let there = [0, now];
    let there = there.get(..if now == 0 { 1 } else { 2 }).unwrap_or_default();
    if usize::try_from(room).unwrap_or_default() < there.len() {
        return Err(Code::INSUFFICIENT_SIZE);
    }
    for at in 0..usize::try_from(room).unwrap_or_default() {
        out.put_at(at, there.get(at).copied().unwrap_or(NO_STATE))?;
    }
    Ok(())
}
