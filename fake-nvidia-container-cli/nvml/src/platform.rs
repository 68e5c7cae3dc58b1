//! Where a device is installed and what it can do besides computing: its rack, its number there, its bus, confidential
//! computing. Things that a simulated machine does not have are counted as none.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::driver::ask;
use crate::handle::Handle;
use crate::identity::is_since_hopper;
use crate::layout::{Versioned, version};
use nvidia_simulated_given::Section;
use nvidia_simulated_shim::c::Out;
use nvidia_simulated_shim::kernel;

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

/// Where the device is installed; unknown unless the board says it.
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

/// A 64-bit number, for which the file's usual numbers are too small.
fn hexadecimal(section: Section<'_>, key: &str) -> Option<u64> {
    u64::from_str_radix(section.text(key)?.strip_prefix("0x")?, 16).ok()
}

/// The globally unique number of the device.
pub(crate) fn pdi(device: Handle, out: Out<[u64; 2]>) -> Answer {
    version(out, 1)?;
    let value = device.gpu(|gpu| hexadecimal(gpu.gpu, "pdi").ok_or(Code::NOT_SUPPORTED))?;
    Ok(out.put([out.version()?.into(), value])?)
}

/// A number that is the same for every GPU.
pub(crate) fn always(number: u32) -> impl FnOnce(Handle, Out<u32>) -> Answer {
    move |device, out| {
        device.gpu(|_| Ok(()))?;
        Ok(out.put(number)?)
    }
}

/// A structure with a version, whose number is the same for every GPU.
pub(crate) fn always_versioned(number: u32) -> impl FnOnce(Handle, Out<Versioned<u32>>) -> Answer {
    move |device, out| {
        version(out, 1)?;
        device.gpu(|_| Ok(()))?;
        Ok(out.put(Versioned { version: out.version()?, value: number })?)
    }
}

/// Nothing is licensed and nothing needs to be: licensing is not supported, and there are no features.
pub(crate) fn licences(device: Handle, out: Out<[u32; 2]>) -> Answer {
    device.gpu(|_| Ok(()))?;
    Ok(out.put([0, 0])?)
}

/// Settings of confidential computing: all off.
pub(crate) fn confidential<const N: usize>(out: Out<[u32; N]>) -> Answer {
    Ok(out.put([0; N])?)
}

/// Whether the infoROM is intact.
pub(crate) fn valid(device: Handle) -> Answer {
    device.gpu(|gpu| {
        gpu.text("inforom.img")?;
        if gpu.text("inforom.corrupted") == Ok("true") { Err(Code::CORRUPTED_INFOROM) } else { Ok(()) }
    })
}

/// Whether only root may use an operation: not known for application clocks, and no for boost.
pub(crate) fn restricted(device: Handle, which: u32, out: Out<u32>) -> Answer {
    match which {
        0 => device.gpu(|_| Err(Code::NOT_SUPPORTED)),
        1 => always(0)(device, out),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

/// Whether clocks follow the voltage: since Maxwell they do.
pub(crate) fn adaptive(device: Handle, out: Out<u32>) -> Answer {
    device
        .gpu(|gpu| if gpu.text("product_architecture") == Ok("Kepler") { Err(Code::NOT_SUPPORTED) } else { Ok(()) })?;
    Ok(out.put(1)?)
}

/// The checksum of the infoROM's configuration.
pub(crate) fn checksum(device: Handle, out: Out<u32>) -> Answer {
    device.gpu(|gpu| gpu.text("inforom.img").map(drop))?;
    Ok(out.put(0)?)
}

/// When the infoROM's black box was last written, and how long that took: it has not been written yet.
pub(crate) fn flushed(device: Handle, _time: Out<u64>, _length: Out<u64>) -> Answer {
    device.gpu(|gpu| gpu.text("inforom.img").and(Err(Code::NOT_READY)))
}

/// How the clocks follow the load: as the driver thinks best, out of three possible ways.
pub(crate) fn power_mizer(device: Handle, out: Out<[u32; 3]>) -> Answer {
    const WAYS: u32 = 0b111;
    device.gpu(|_| Ok(()))?;
    Ok(out.put([0, 0, WAYS])?)
}

/// The certificate of a GPU, which it has only while it computes confidentially.
pub(crate) fn certificate(device: Handle, _out: usize) -> Answer {
    device.gpu(|gpu| Err(if is_since_hopper(gpu) { Code::UNKNOWN } else { Code::NOT_SUPPORTED }))
}

/// Whether processors and GPUs support confidential computing: GPUs do since Hopper.
pub(crate) fn capabilities(out: Out<[u32; 2]>) -> Answer {
    Ok(out.put([0, has_hopper()?.into()])?)
}

/// Whether the machine has a GPU of Hopper or later.
fn has_hopper() -> Result<bool, Code> {
    ask(|driver| {
        let of = |(place, gpu)| is_since_hopper(Device { driver, gpu, place, part: None });
        Ok(driver.gpus().any(of))
    })
}

/// How much use of a key is allowed before it is changed.
pub(crate) fn key_rotation(out: Out<[u64; 2]>) -> Answer {
    const ADVANTAGE: u64 = 60;
    version(out, 1)?;
    Ok(out.put([out.version()?.into(), ADVANTAGE])?)
}

/// How wide links are, since Hopper: full width. Only root may ask.
pub(crate) fn link_mode(out: Out<u32>) -> Answer {
    if !has_hopper()? {
        return Err(Code::NOT_SUPPORTED);
    }
    if kernel::effective_user() != 0 {
        return Err(Code::NO_PERMISSION);
    }
    Ok(out.put(0)?)
}
