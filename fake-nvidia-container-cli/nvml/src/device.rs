//! A device as a call finds it, and its facts: texts, numbers in a unit, words that say yes or no.

use crate::code::{Answer, Code};
use crate::driver::{Driver, ask};
use crate::handle::{Handle, Kind};
use crate::settings;
use nvidia_simulated_given::Section;
use nvidia_simulated_shim::c::Out;

/// A GPU or a part of one.
#[derive(Clone, Copy)]
pub(crate) struct Device<'a> {
    pub(crate) driver: &'a Driver,
    pub(crate) gpu: Section<'a>,
    /// The GPU's place in the file.
    pub(crate) place: u8,
    /// The part, if it is one, and its place in the file.
    pub(crate) part: Option<(u8, Section<'a>)>,
}

/// The keys of the power draw: the first one present counts, and stands in for the others.
pub(crate) const DRAWS: [&str; 3] = ["power.draw", "power.draw.average", "power.draw.instant"];

/// The unit in which NVML reports a number, compared with the file's.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// The same: per cent, degrees, MHz.
    Same,
    /// A thousand times smaller: mW instead of W.
    Thousandth,
    /// Bytes instead of MiB.
    Bytes,
}

impl Handle {
    /// Asks a question about the device that this handle is for.
    pub(crate) fn device<T>(self, question: impl FnOnce(Device<'_>) -> Result<T, Code>) -> Result<T, Code> {
        let (place, part) = match self.read()? {
            (Kind::Gpu, place, _) => (place, None),
            (Kind::Part, place, part) => (place, Some(part)),
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        ask(|driver| {
            let gpu = driver.gpu(place).ok_or(Code::GPU_IS_LOST)?;
            let part = match part {
                Some(part) => Some(driver.parts(gpu).find(|(at, _)| *at == part).ok_or(Code::INVALID_ARGUMENT)?),
                None => None,
            };
            let device = Device { driver, gpu, place, part };
            device.alive()?;
            question(device)
        })
    }

    /// Asks a question about a whole GPU that does not apply to a part of one.
    pub(crate) fn gpu<T>(self, question: impl FnOnce(Device<'_>) -> Result<T, Code>) -> Result<T, Code> {
        self.device(|device| if device.part.is_some() { Err(Code::NOT_SUPPORTED) } else { question(device) })
    }
}

impl<'a> Device<'a> {
    /// An error if the GPU does not answer.
    pub(crate) fn alive(self) -> Answer {
        let says = |key: &str| matches!(self.gpu.text(key), Some("true" | "Yes"));
        match () {
            () if says("lost") => Err(Code::GPU_IS_LOST),
            () if says("reset_needed") => Err(Code::RESET_REQUIRED),
            () if says("sick") => Err(Code::UNKNOWN),
            () => Ok(()),
        }
    }

    /// The facts of the part, or of the GPU.
    pub(crate) fn own(self) -> Section<'a> {
        self.part.map_or(self.gpu, |(_, part)| part)
    }

    /// A fact of the GPU, or what this process set instead.
    pub(crate) fn text(self, key: &str) -> Result<&'a str, Code> {
        settings::word(self.place, key).map_or_else(|| fact(self.gpu, key), Ok)
    }

    /// A number of the GPU, or what this process set instead.
    pub(crate) fn number<T: TryFrom<i64>>(self, key: &str, unit: Unit) -> Result<T, Code> {
        self.number_at(key, unit, self.driver.now())
    }

    /// The number at another time.
    pub(crate) fn number_at<T: TryFrom<i64>>(self, key: &str, unit: Unit, at: u64) -> Result<T, Code> {
        if let Some(set) = settings::number(self.place, key) {
            return in_unit(set, unit);
        }
        number(self.gpu, key, unit, at).or_else(|code| match self.following(key, at) {
            Some(worked_out) => in_unit(worked_out, unit),
            None => Err(code),
        })
    }

    /// A number that the file leaves out because it follows from another one, in thousandths: see [`DRAWS`] for draws.
    fn following(self, key: &str, at: u64) -> Option<i64> {
        let other = |key| self.gpu.thousandths(key, at);
        match key {
            "temperature.gpu.tlimit" => {
                // The whole degrees that are left, as for a whole reading.
                let now = other("temperature.gpu")?.saturating_add(500).div_euclid(1000).saturating_mul(1000);
                other("temperature.gpu.limit")?.checked_sub(now)
            }
            "enforced.power.limit" => other("power.limit"),
            "power.draw.instant" => DRAWS.iter().find_map(|key| other(key)),
            _ => None,
        }
    }

    /// A word of the GPU that says yes or no, as 1 or 0.
    pub(crate) fn switch(self, key: &str) -> Result<u32, Code> {
        match self.text(key)? {
            "Enabled" | "Yes" | "Active" | "true" | "On" => Ok(1),
            "Disabled" | "No" | "Not Active" | "false" | "Off" => Ok(0),
            _ => Err(Code::NOT_SUPPORTED),
        }
    }
}

/// A fact that must be there.
pub(crate) fn fact<'a>(section: Section<'a>, key: &str) -> Result<&'a str, Code> {
    match section.text(key) {
        None | Some("" | "N/A" | "[N/A]") => Err(Code::NOT_SUPPORTED),
        Some("Requested functionality has been deprecated") => Err(Code::DEPRECATED),
        Some(text) => Ok(text),
    }
}

/// A number that must be there, in a unit, at a time.
pub(crate) fn number<T: TryFrom<i64>>(section: Section<'_>, key: &str, unit: Unit, now: u64) -> Result<T, Code> {
    fact(section, key)?;
    let thousandths = section.thousandths(key, now).ok_or(Code::NOT_SUPPORTED)?;
    in_unit(thousandths, unit)
}

fn in_unit<T: TryFrom<i64>>(thousandths: i64, unit: Unit) -> Result<T, Code> {
    let number = match unit {
        Unit::Thousandth => thousandths,
        Unit::Same => thousandths / 1000,
        // Memory is allocated in pages of 64 KiB, a sixteenth of a MiB; thousandths come close to that.
        Unit::Bytes => (thousandths.saturating_mul(16).saturating_add(500) / 1000).saturating_mul(1 << 16),
    };
    T::try_from(number).map_err(|_| Code::UNKNOWN)
}

// The building blocks of table rows: functions of a handle that write one fact.

/// A number of a GPU.
pub(crate) fn reading<T: TryFrom<i64> + Copy>(key: &'static str, unit: Unit) -> impl FnOnce(Handle, Out<T>) -> Answer {
    move |device, out| Ok(out.put(device.gpu(|gpu| gpu.number(key, unit))?)?)
}

/// A number of a GPU that its parts share: they are on the same bus and of the same make.
pub(crate) fn shared<T: TryFrom<i64> + Copy>(key: &'static str) -> impl FnOnce(Handle, Out<T>) -> Answer {
    move |device, out| Ok(out.put(device.device(|gpu| gpu.number(key, Unit::Same))?)?)
}

/// Yes or no.
pub(crate) fn switch(key: &'static str) -> impl FnOnce(Handle, Out<u32>) -> Answer {
    move |device, out| Ok(out.put(device.gpu(|gpu| gpu.switch(key))?)?)
}

/// Yes or no, now and after the next restart.
pub(crate) fn switches(now: &'static str, later: &'static str) -> impl FnOnce(Handle, Out<u32>, Out<u32>) -> Answer {
    move |device, current, pending| {
        let both = device.gpu(|gpu| Ok((gpu.switch(now)?, gpu.switch(later)?)))?;
        current.put(both.0)?;
        Ok(pending.put(both.1)?)
    }
}

/// A text of a GPU.
pub(crate) fn text(key: &'static str) -> impl FnOnce(Handle, Out<u8>, u32) -> Answer {
    move |device, out, length| device.gpu(|gpu| Ok(out.text(length, gpu.text(key)?)?))
}
