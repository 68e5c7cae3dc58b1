//! Which device it is: names, numbers, its place on the bus.

use crate::bus::{bus, digit};
use crate::code::{Answer, Code};
use crate::device::{Device, Unit, fact};
use crate::handle::{Handle, Kind};
use crate::layout::{Versioned, array, put_versioned};
use nvidia_simulated_shim::c::Out;

/// The product's name; a part's ends with its profile.
pub(crate) fn name(device: Handle, out: Out<u8>, length: u32) -> Answer {
    device.device(|device| {
        let name = device.text("name")?;
        let Some((_, part)) = device.part else { return Ok(out.text(length, name)?) };
        let mut buffer = [0; 160];
        let pieces = [name, " MIG ", fact(part, "profile")?];
        let bytes = pieces.iter().flat_map(|piece| piece.bytes());
        let length_of = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        buffer.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        let text = buffer.get(..length_of).and_then(|bytes| core::str::from_utf8(bytes).ok());
        Ok(out.text(length, text.ok_or(Code::INSUFFICIENT_SIZE)?)?)
    })
}

/// The UUID of the GPU or the part; before driver 470, a part had a name made from its GPU's.
pub(crate) fn uuid(device: Handle, out: Out<u8>, length: u32) -> Answer {
    device.device(|device| {
        let early = device.part.filter(|_| device.driver.release() < 470).and_then(|(_, part)| part.text("early"));
        Ok(out.text(length, early.map_or_else(|| fact(device.own(), "uuid"), Ok)?)?)
    })
}

/// The number of the GPU among those given, or of the part among those of its GPU.
pub(crate) fn index(device: Handle, out: Out<u32>) -> Answer {
    let index = device.device(|device| {
        let index = match device.part {
            Some((part, _)) => device.driver.parts(device.gpu).position(|(at, _)| at == part),
            None => device.driver.gpus().position(|(at, _)| at == device.place),
        };
        index.and_then(|index| u32::try_from(index).ok()).ok_or(Code::UNKNOWN)
    })?;
    Ok(out.put(index)?)
}

/// The two numbers of the compute capability.
pub(crate) fn capability(device: Handle, major: Out<i32>, minor: Out<i32>) -> Answer {
    let (first, second) = device.device(|device| {
        let (first, second) = device.text("compute_cap")?.split_once('.').ok_or(Code::NOT_SUPPORTED)?;
        first.parse().ok().zip(second.parse().ok()).ok_or(Code::NOT_SUPPORTED)
    })?;
    major.put(first)?;
    Ok(minor.put(second)?)
}

/// The number of the brand.
pub(crate) fn brand(device: Handle, out: Out<u32>) -> Answer {
    const BRANDS: [(&str, u32); 12] = [
        ("Quadro", 1),
        ("Tesla", 2),
        ("NVS", 3),
        ("GRID", 4),
        ("GeForce", 5),
        ("Titan", 6),
        ("Quadro RTX", 12),
        ("NVIDIA RTX", 13),
        ("NVIDIA", 14),
        ("GeForce RTX", 15),
        ("TITAN RTX", 16),
        ("TITAN", 6),
    ];
    Ok(out.put(device.device(|device| known(&BRANDS, device.text("product_brand")?).ok_or(Code::NOT_SUPPORTED))?)?)
}

/// The number of the architecture.
pub(crate) fn architecture(device: Handle, out: Out<u32>) -> Answer {
    Ok(out.put(device.device(architecture_of)?)?)
}

const HOPPER: u32 = 9;

pub(crate) fn architecture_of(device: Device<'_>) -> Result<u32, Code> {
    const ARCHITECTURES: [(&str, u32); 9] = [
        ("Kepler", 2),
        ("Maxwell", 3),
        ("Pascal", 4),
        ("Volta", 5),
        ("Turing", 6),
        ("Ampere", 7),
        ("Ada Lovelace", 8),
        ("Hopper", 9),
        ("Blackwell", 10),
    ];
    known(&ARCHITECTURES, device.text("product_architecture")?).ok_or(Code::NOT_SUPPORTED)
}

/// Whether a GPU's architecture reports temperature margins, fabrics and confidential computing.
pub(crate) fn is_since_hopper(device: Device<'_>) -> bool {
    architecture_of(device).is_ok_and(|number| number >= HOPPER)
}

fn known(table: &[(&str, u32)], word: &str) -> Option<u32> {
    table.iter().find(|(known, _)| *known == word).map(|(_, number)| *number)
}

/// The number of the board: the same for GPUs on one board, but here every GPU has its own.
pub(crate) fn board(device: Handle, out: Out<u32>) -> Answer {
    let bus = device.gpu(bus)?;
    Ok(out.put(bus.domain << 16 | bus.bus << 8 | bus.device)?)
}

/// Whether two GPUs are on one board.
pub(crate) fn same_board(one: Handle, other: Handle, out: Out<i32>) -> Answer {
    one.gpu(|_| other.gpu(|_| Ok(())))?;
    Ok(out.put(i32::from(one == other))?)
}

/// How memory is addressed: in no special way, with the kernel's help, or with the machine's.
pub(crate) fn addressing(device: Handle, out: Out<Versioned<u32>>) -> Answer {
    let mode = device.gpu(|gpu| {
        known(&[("None", 0), ("HMM", 1), ("ATS", 2)], gpu.text("addressing_mode")?).ok_or(Code::NOT_SUPPORTED)
    });
    put_versioned(out, mode?)
}

/// The mode of virtualization.
pub(crate) fn virtualization(device: Handle, out: Out<u32>) -> Answer {
    const MODES: [(&str, u32); 5] = [("None", 0), ("Pass-Through", 1), ("VGPU", 2), ("Host VGPU", 3), ("Host VSGA", 4)];
    Ok(out.put(device.gpu(|gpu| known(&MODES, gpu.text("virtualization_mode")?).ok_or(Code::NOT_SUPPORTED))?)?)
}

/// The mode that says who may compute.
pub(crate) fn compute_mode(device: Handle, out: Out<u32>) -> Answer {
    const MODES: [(&str, u32); 4] =
        [("Default", 0), ("Exclusive_Thread", 1), ("Prohibited", 2), ("Exclusive_Process", 3)];
    Ok(out.put(device.gpu(|gpu| known(&MODES, gpu.text("compute_mode")?).ok_or(Code::NOT_SUPPORTED))?)?)
}

/// The version of the firmware. NVML does not learn the size of the buffer; the header says 80 bytes.
pub(crate) fn firmware(device: Handle, out: Out<u8>) -> Answer {
    device.gpu(|gpu| {
        gpu.text("gsp.mode.current")?;
        let version = gpu.text("gsp.firmware").or_else(|_| fact(gpu.driver.machine(), "driver"))?;
        Ok(out.text(80, version)?)
    })
}

/// The version of a part of the infoROM.
pub(crate) fn inforom(device: Handle, object: u32, out: Out<u8>, length: u32) -> Answer {
    let key = match object {
        0 => "inforom.oem",
        1 => "inforom.ecc",
        2 => "inforom.pwr",
        // The serial number of a component, which no simulated GPU has.
        3 => return device.gpu(|_| Err(Code::NOT_SUPPORTED)),
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    device.gpu(|gpu| Ok(out.text(length, gpu.text(key)?)?))
}

/// A UUID that a caller passes: as text or as bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct UuidV1 {
    version: u32,
    form: u32,
    value: [u8; 41],
}

const _: () = assert!(size_of::<UuidV1>() == 52);

impl UuidV1 {
    /// Its text.
    pub(crate) fn text(self, buffer: &mut [u8; 41]) -> Option<&str> {
        match self.form {
            1 => *buffer = self.value,
            2 => {
                let bytes = self.value.iter().take(16).enumerate();
                let dash = |at: usize| if matches!(at, 4 | 6 | 8 | 10) { Some(b'-') } else { None };
                let digits = |byte: u8| [digit(u32::from(byte >> 4)), digit(u32::from(byte & 0xf))];
                let text = bytes.flat_map(|(at, byte)| dash(at).into_iter().chain(digits(*byte)));
                buffer.iter_mut().zip(b"GPU-".iter().copied().chain(text)).for_each(|(place, byte)| *place = byte);
            }
            _ => return None,
        }
        let end = buffer.iter().position(|byte| *byte == 0)?;
        core::str::from_utf8(buffer.get(..end)?).ok()
    }
}

/// The state of the fabric between the GPUs of a rack.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Fabric {
    cluster: [u8; 16],
    status: u32,
    clique: u32,
    /// One byte in the header, and the padding after it, which is zero.
    state: [u8; 4],
}

/// The same with a version, and the fabric's health.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct FabricV3 {
    version: u32,
    fabric: Fabric,
    health: u32,
    summary: [u8; 4],
}

/// The same without the summary.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct FabricV2 {
    version: u32,
    fabric: Fabric,
    health: u32,
}

const _: () = assert!(size_of::<Fabric>() == 28 && size_of::<FabricV2>() == 36 && size_of::<FabricV3>() == 40);

fn fabric_of(device: Handle) -> Result<Fabric, Code> {
    device.gpu(|gpu| {
        let states = [("Not Supported", 0), ("Not Started", 1), ("In Progress", 2), ("Completed", 3)];
        // Without a fabric, GPUs that could have one report a state of not supported instead of an error.
        let word =
            gpu.text("fabric.state").or_else(|why| if is_since_hopper(gpu) { Ok("Not Supported") } else { Err(why) });
        let state = known(&states, word?).ok_or(Code::NOT_SUPPORTED)?;
        let mut cluster = [0; 16];
        let digits = gpu.text("fabric.clusterUuid").unwrap_or_default().chars().filter_map(|c| c.to_digit(16));
        for (at, value) in digits.enumerate() {
            if let Some(byte) = cluster.get_mut(at / 2) {
                *byte = *byte << 4 | u8::try_from(value).unwrap_or_default();
            }
        }
        let clique = gpu.number("fabric.cliqueId", Unit::Same).unwrap_or_default();
        Ok(Fabric { cluster, status: 0, clique, state: state.to_le_bytes() })
    })
}

/// The first form of the fabric's state; NOT_SUPPORTED for a GPU that cannot have a fabric.
pub(crate) fn fabric(device: Handle, out: Out<Fabric>) -> Answer {
    Ok(out.put(fabric_of(device)?)?)
}

/// The forms with a version.
pub(crate) fn fabric_versioned(device: Handle, out: Out<FabricV3>) -> Answer {
    let fabric = fabric_of(device)?;
    let version = out.version()?;
    // No health is reported: nothing is known to be wrong.
    if version == crate::layout::word::<FabricV3>(3) {
        return Ok(out.put(FabricV3 { version, fabric, health: 0, summary: [0; 4] })?);
    }
    crate::layout::version(out.of::<FabricV2>(), 2)?;
    Ok(out.of::<FabricV2>().put(FabricV2 { version, fabric, health: 0 })?)
}

/// A handle of the GPU that a part belongs to.
pub(crate) fn parent(device: Handle, out: Out<Handle>) -> Answer {
    let (place, _) = device.of(Kind::Part)?;
    device.device(|_| Ok(()))?;
    Ok(out.put(Handle::new(Kind::Gpu, place, 0))?)
}

/// The name for structures that have one: `MIG 1g.5gb`.
pub(crate) fn profile_name(profile: &str) -> [u8; 96] {
    array(&["MIG ", profile])
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn a_uuid_is_text_or_bytes() {
        let mut value = [0; 41];
        value[..16].copy_from_slice(&[0xab; 16]);
        let text = UuidV1 { version: 0, form: 2, value }.text(&mut [0; 41]).map(std::borrow::ToOwned::to_owned);
        assert_eq!(text.unwrap(), "GPU-ABABABAB-ABAB-ABAB-ABAB-ABABABABABAB");
        value[..4].copy_from_slice(b"GPU\0");
        assert_eq!(UuidV1 { version: 0, form: 1, value }.text(&mut [0; 41]), Some("GPU"));
        assert_eq!(UuidV1 { version: 0, form: 1, value: [1; 41] }.text(&mut [0; 41]), None);
    }
}
