//! Where a device is on the bus.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::layout::version;
use nvidia_simulated_given::at_last;
use nvidia_simulated_shim::c::Out;

/// A place on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bus {
    pub(crate) domain: u32,
    pub(crate) bus: u32,
    pub(crate) device: u32,
}

impl Bus {
    /// Reads `DOMAIN:BUS:DEVICE.FUNCTION`, with or without the domain, the function, and leading zeros.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (rest, device) = at_last(text, b':')?;
        let (device, _) = device.split_once('.').unwrap_or((device, ""));
        let (domain, bus) = at_last(rest, b':').unwrap_or(("0", rest));
        let number = |digits: &str| u32::from_str_radix(digits, 16).ok();
        Some(Self { domain: number(domain)?, bus: number(bus)?, device: number(device)? })
    }

    /// The text of a place, with this many digits for the domain.
    fn text<const N: usize>(self, digits: u32) -> [u8; N] {
        let mut text = [0; N];
        let places = |number: u32, count: u32| (0..count).rev().map(move |place| digit(number >> (4 * place) & 0xf));
        let bytes = places(self.domain, digits).chain([b':']).chain(places(self.bus, 2)).chain([b':']);
        let bytes = bytes.chain(places(self.device, 2)).chain(*b".0").take(N.saturating_sub(1));
        text.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        text
    }
}

/// A hexadecimal digit.
pub(crate) fn digit(value: u32) -> u8 {
    char::from_digit(value, 16).map_or(b'0', |digit| digit.to_ascii_uppercase() as u8)
}

/// The place of a device.
pub(crate) fn bus(device: Device<'_>) -> Result<Bus, Code> {
    Bus::read(device.text("pci.bus_id")?).ok_or(Code::UNKNOWN)
}

/// What the first form of the function fills; later forms continue where this ends.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PciInfoV1 {
    legacy: [u8; 16],
    bus: [u32; 3],
    id: u32,
    subsystem: u32,
}

/// The whole structure.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PciInfo {
    first: PciInfoV1,
    bus_id: [u8; 32],
}

/// The structure with a version.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PciInfoExt {
    version: u32,
    bus: [u32; 3],
    id: u32,
    subsystem: u32,
    class: [u32; 2],
    bus_id: [u8; 32],
}

const _: () = assert!(size_of::<PciInfoV1>() == 36 && size_of::<PciInfo>() == 68 && size_of::<PciInfoExt>() == 64);

impl PciInfo {
    /// The whole structure, which begins with the first form.
    pub(crate) fn new(first: PciInfoV1, bus_id: [u8; 32]) -> Self {
        Self { first, bus_id }
    }

    /// Its first form.
    pub(crate) fn short(self) -> PciInfoV1 {
        self.first
    }

    /// A switch of a machine: links go to the switches in turn.
    pub(crate) fn of_switch(link: usize) -> Self {
        const SWITCHES: u32 = 4;
        const SWITCH: u32 = 0x22a3_10de;
        let bus = u32::try_from(link).unwrap_or_default().checked_rem(SWITCHES).unwrap_or_default().saturating_add(5);
        let place = Bus { domain: 0, bus, device: 0 };
        let first = PciInfoV1 { legacy: place.text(4), bus: [0, bus, 0], id: SWITCH, subsystem: 0 };
        Self { first, bus_id: place.text(8) }
    }
}

/// What NVML reports about a device's place on the bus: the first form and the long text.
pub(crate) fn pci(device: Device<'_>) -> Result<(PciInfoV1, [u8; 32]), Code> {
    let place = bus(device)?;
    let id = |key: &str| device.number(key, Unit::Same).unwrap_or_default();
    let first = PciInfoV1 {
        legacy: place.text(4),
        bus: [place.domain, place.bus, place.device],
        id: id("pci.device_id"),
        subsystem: id("pci.sub_device_id"),
    };
    Ok((first, place.text(8)))
}

/// Forms 1 and 2: without the long text.
pub(crate) fn pci_short(device: Handle, out: Out<PciInfoV1>) -> Answer {
    Ok(out.put(device.device(pci)?.0)?)
}

/// Form 3.
pub(crate) fn pci_whole(device: Handle, out: Out<PciInfo>) -> Answer {
    let (first, bus_id) = device.device(pci)?;
    Ok(out.put(PciInfo { first, bus_id })?)
}

/// The form with a version.
pub(crate) fn pci_ext(device: Handle, out: Out<PciInfoExt>) -> Answer {
    version(out, 1)?;
    let ((first, bus_id), class) = device.device(|device| {
        let class = ["pci.baseClass", "pci.subClass"].map(|key| device.number(key, Unit::Same).unwrap_or_default());
        Ok((pci(device)?, class))
    })?;
    let PciInfoV1 { bus, id, subsystem, .. } = first;
    Ok(out.put(PciInfoExt { version: out.version()?, bus, id, subsystem, class, bus_id })?)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn a_bus_has_many_forms() {
        let bus = Bus { domain: 0xa, bus: 0x1b, device: 2 };
        for text in ["0000000a:1b:02.0", "A:1B:2.0", "000a:1b:02"] {
            assert_eq!(Bus::read(text), Some(bus), "{text}");
        }
        assert_eq!(Bus::read("1b:00.0"), Some(Bus { domain: 0, bus: 0x1b, device: 0 }));
        assert_eq!(std::str::from_utf8(&bus.text::<17>(8)).unwrap(), "0000000A:1B:02.0\0");
        assert_eq!(std::str::from_utf8(&bus.text::<16>(4)).unwrap(), "000A:1B:02.0\0\0\0\0");
        for text in ["", ":", "x:00.0", "1b", "0:0:0:x"] {
            assert_eq!(Bus::read(text), None, "{text}");
        }
    }
}
