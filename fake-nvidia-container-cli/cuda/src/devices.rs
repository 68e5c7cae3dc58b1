//! What a device is: name, UUID, memory, bus.

use crate::code::{Answer, Code};
use crate::driver::{Device, device, find};
use nvidia_simulated_given::at_last;
use nvidia_simulated_shim::c::{Out, Words};

impl Device<'_> {
    /// A number of the GPU.
    pub(crate) fn number(self, key: &str) -> Option<i64> {
        self.gpu.thousandths(key, self.now).map(|thousandths| thousandths / 1000)
    }

    /// The memory of the GPU or the part, in bytes.
    fn memory(self) -> Result<u64, Code> {
        let own = self.part.unwrap_or(self.gpu).thousandths("memory.total", self.now).ok_or(Code::UNKNOWN)?;
        let reserved = self.gpu.thousandths("memory.reserved", self.now).filter(|_| self.part.is_none());
        let usable = own.saturating_sub(reserved.unwrap_or_default());
        u64::try_from(usable / 1000).map(|mebibytes| mebibytes.saturating_mul(1 << 20)).map_err(|_| Code::UNKNOWN)
    }

    /// Domain, bus and device.
    pub(crate) fn place(self) -> Option<[u32; 3]> {
        place(self.gpu.text("pci.bus_id")?)
    }
}

/// Reads `DOMAIN:BUS:DEVICE.FUNCTION`; the domain and the function are optional.
fn place(text: &str) -> Option<[u32; 3]> {
    let (rest, device) = at_last(text, b':')?;
    let (device, _) = device.split_once('.').unwrap_or((device, ""));
    let (domain, bus) = at_last(rest, b':').unwrap_or(("0", rest));
    let number = |digits: &str| u32::from_str_radix(digits, 16).ok();
    Some([number(domain)?, number(bus)?, number(device)?])
}

/// A device's handle is its number, if there is such a device.
pub(crate) fn get(out: Out<i32>, number: i32) -> Answer {
    device(number, |_| Ok(()))?;
    Ok(out.put(number)?)
}

/// The name, truncated to fit the buffer.
pub(crate) fn name(out: Out<u8>, length: i32, number: i32) -> Answer {
    device(number, |device| {
        let name = device.gpu.text("name").unwrap_or_default();
        let profile = device.part.and_then(|part| part.text("profile"));
        let room = usize::try_from(length).ok().and_then(|length| length.checked_sub(1)).ok_or(Code::INVALID_VALUE)?;
        let pieces = [name, if profile.is_some() { " MIG " } else { "" }, profile.unwrap_or_default()];
        let bytes = pieces.iter().flat_map(|piece| piece.bytes()).take(room).chain([0]);
        for (at, byte) in bytes.enumerate() {
            out.put_at(at, byte)?;
        }
        Ok(())
    })
}

/// The sixteen bytes of the UUID.
pub(crate) fn uuid(out: Out<[u8; 16]>, number: i32) -> Answer {
    device(number, |device| {
        let text = device.part.unwrap_or(device.gpu).text("uuid").and_then(|uuid| uuid.split_once('-'));
        let mut uuid = [0; 16];
        let digits = text.unwrap_or_default().1.chars().filter_map(|digit| digit.to_digit(16));
        for (at, digit) in digits.enumerate() {
            if let Some(byte) = uuid.get_mut(at / 2) {
                *byte = *byte << 4 | u8::try_from(digit).unwrap_or_default();
            }
        }
        Ok(out.put(uuid)?)
    })
}

/// The memory in bytes.
pub(crate) fn memory(out: Out<usize>, number: i32) -> Answer {
    let bytes = device(number, |device| device.memory())?;
    Ok(out.put(usize::try_from(bytes).unwrap_or(usize::MAX))?)
}

/// The same in the older form, which has no room for more than 4 GiB.
pub(crate) fn memory_first(out: Out<u32>, number: i32) -> Answer {
    let bytes = device(number, |device| device.memory())?;
    Ok(out.put(u32::try_from(bytes).unwrap_or(u32::MAX))?)
}

/// The two numbers of the compute capability.
pub(crate) fn capability(major: Out<i32>, minor: Out<i32>, number: i32) -> Answer {
    let (first, second) = device(number, |device| capability_of(device).ok_or(Code::UNKNOWN))?;
    major.put(first)?;
    Ok(minor.put(second)?)
}

pub(crate) fn capability_of(device: Device<'_>) -> Option<(i32, i32)> {
    let (first, second) = device.gpu.text("compute_cap")?.split_once('.')?;
    first.parse().ok().zip(second.parse().ok())
}

/// The place on the bus: `0000:1B:00.0`.
pub(crate) fn bus(out: Out<u8>, length: i32, number: i32) -> Answer {
    let [domain, bus, device] = device(number, |device| device.place().ok_or(Code::UNKNOWN))?;
    let digits = |number: u32, count: u32| {
        (0..count).rev().map(move |place| char::from_digit(number >> (4 * place) & 0xf, 16).unwrap_or('0'))
    };
    // The domain has four digits, or eight if needed.
    let domain = digits(domain, if domain > 0xffff { 8 } else { 4 });
    let text = domain.chain([':']).chain(digits(bus, 2)).chain([':']).chain(digits(device, 2));
    let text = text.chain(".0".chars()).map(|digit| digit.to_ascii_uppercase());
    let bytes = text.map(|digit| u8::try_from(digit).unwrap_or_default()).chain([0]);
    let room = usize::try_from(length).unwrap_or_default();
    if bytes.clone().count() > room {
        return Err(Code::INVALID_VALUE);
    }
    for (at, byte) in bytes.enumerate() {
        out.put_at(at, byte)?;
    }
    Ok(())
}

/// The device at a place on the bus.
pub(crate) fn by_bus(out: Out<i32>, bus: Words) -> Answer {
    let mut buffer = [0; 40];
    let wanted = place(bus.read(&mut buffer)?).ok_or(Code::INVALID_VALUE)?;
    Ok(out.put(find(|device| device.place() == Some(wanted))?)?)
}
