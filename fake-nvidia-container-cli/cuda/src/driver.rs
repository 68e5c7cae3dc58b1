//! The driver as a call finds it: initialized or not, and the devices in the given file.

use crate::code::{Answer, Code};
use core::sync::atomic::{AtomicBool, Ordering};
use nvidia_simulated_given::Section;
use nvidia_simulated_shim::Loaded;
use nvidia_simulated_shim::c::Out;

/// Whether `cuInit` succeeded: the only state that is kept.
static READY: AtomicBool = AtomicBool::new(false);

/// The given file as one call sees it.
pub(crate) struct Driver {
    loaded: Loaded,
}

/// A device that programs could compute on: a GPU, or the first part of a split GPU.
#[derive(Clone, Copy)]
pub(crate) struct Device<'a> {
    pub(crate) gpu: Section<'a>,
    pub(crate) part: Option<Section<'a>>,
    pub(crate) now: u64,
    /// The CUDA version, as [`version`] returns it.
    pub(crate) version: u32,
}

/// Reads the file and asks it a question.
fn ask<T>(question: impl FnOnce(&Driver) -> Result<T, Code>) -> Result<T, Code> {
    question(&Driver { loaded: Loaded::load(1)? })
}

/// `cuInit`: reports no device, unless the file says otherwise and has one.
pub(crate) fn init(flags: u32) -> Answer {
    if flags != 0 {
        return Err(Code::INVALID_VALUE);
    }
    ask(|driver| match driver.loaded.machine().id("cuda.init") {
        Some(0) if driver.devices().next().is_some() => Ok(()),
        None | Some(0) => Err(Code::NO_DEVICE),
        Some(code) => Err(Code(code)),
    })?;
    READY.store(true, Ordering::Release);
    Ok(())
}

/// An error unless `cuInit` succeeded.
pub(crate) fn ready() -> Answer {
    if READY.load(Ordering::Acquire) { Ok(()) } else { Err(Code::NOT_INITIALIZED) }
}

/// `13000` for CUDA 13.0; available without `cuInit`.
pub(crate) fn version(out: Out<i32>) -> Answer {
    let version = ask(|driver| driver.loaded.machine().id("cuda").ok_or(Code::UNKNOWN))?;
    Ok(out.put(i32::try_from(version).map_err(|_| Code::UNKNOWN)?)?)
}

/// How many devices there are.
pub(crate) fn count(out: Out<i32>) -> Answer {
    let count = ask(|driver| i32::try_from(driver.devices().count()).map_err(|_| Code::UNKNOWN))?;
    Ok(out.put(count)?)
}

/// Asks a question about the device with this number.
pub(crate) fn device<T>(number: i32, question: impl FnOnce(Device<'_>) -> Result<T, Code>) -> Result<T, Code> {
    let number = usize::try_from(number).map_err(|_| Code::INVALID_DEVICE)?;
    ask(|driver| question(driver.devices().nth(number).ok_or(Code::INVALID_DEVICE)?))
}

/// The number of the first device that meets a condition.
pub(crate) fn find(is: impl Fn(Device<'_>) -> bool) -> Result<i32, Code> {
    let at = ask(|driver| driver.devices().position(is).ok_or(Code::INVALID_DEVICE))?;
    i32::try_from(at).map_err(|_| Code::UNKNOWN)
}

impl Driver {
    /// The devices. As with the driver, a program sees at most one part, and then nothing else.
    fn devices(&self) -> impl Iterator<Item = Device<'_>> {
        let all = || self.loaded.machine().sections("gpu");
        let version = self.loaded.machine().id("cuda").unwrap_or_default();
        let device = move |gpu, part| Device { gpu, part, now: self.loaded.now(), version };
        let parts = all().flat_map(move |gpu| gpu.sections("mig").map(move |part| device(gpu, Some(part))));
        let shown = |device: &Device<'_>| device.part.is_some_and(|part| self.loaded.shows_part(device.gpu, part));
        let part = parts.filter(shown).take(1);
        let split = part.clone().count() > 0;
        let whole = all().filter(move |gpu| !split && self.loaded.shows(*gpu)).map(move |gpu| device(gpu, None));
        part.chain(whole.filter(|device| device.gpu.text("mig.mode.current") != Some("Enabled")))
    }
}
