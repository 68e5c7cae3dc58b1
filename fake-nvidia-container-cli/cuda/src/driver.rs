//! The driver as a call finds it: initialized or not, and the devices in the given file.

use crate::code::{Answer, Code};
use core::sync::atomic::{AtomicBool, Ordering};
use nvidia_simulated_given::{Section, pieces};
use nvidia_simulated_shim::c::Out;
use nvidia_simulated_shim::{Environment, Loaded};

/// Whether `cuInit` succeeded: the only state that is kept.
static READY: AtomicBool = AtomicBool::new(false);

/// The given file as one call sees it, and the environment, which can hide devices and order them.
pub(crate) struct Driver {
    loaded: Loaded,
    environment: Option<Environment>,
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
    question(&Driver { loaded: Loaded::load(1)?, environment: Environment::read() })
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

/// The same without a place for it; none if the file does not say.
pub(crate) fn cuda() -> Option<u32> {
    Loaded::load(1).ok()?.machine().id("cuda")
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

impl<'a> Device<'a> {
    /// Its UUID: the part's, or the GPU's.
    fn uuid(self) -> &'a str {
        self.part.unwrap_or(self.gpu).text("uuid").unwrap_or_default()
    }

    /// Whether an item of `CUDA_VISIBLE_DEVICES` names it: by the beginning of a UUID, or a part by its early name.
    fn is(self, item: &str) -> bool {
        let begins = |name: &str| name.get(..item.len()).is_some_and(|start| start.eq_ignore_ascii_case(item));
        let early = self.part.and_then(|part| part.text("early")).unwrap_or_default();
        // The part of a GPU stands for it.
        let gpu = self.gpu.text("uuid").unwrap_or_default();
        item.len() > 4 && (begins(self.uuid()) || begins(gpu) || early.eq_ignore_ascii_case(item))
    }
}

impl Driver {
    /// The devices, as `CUDA_VISIBLE_DEVICES` lists them if it is set: the first item that names no device, or one that
    /// is already there, ends the list.
    fn devices(&self) -> impl Iterator<Item = Device<'_>> {
        (0..).map_while(|at| self.nth(at))
    }

    fn nth(&self, at: usize) -> Option<Device<'_>> {
        let list = self.environment.as_ref().and_then(|environment| environment.variable("CUDA_VISIBLE_DEVICES"));
        let Some(list) = list else { return self.all().nth(at) };
        let listed = || pieces(list, ',').map_while(|item| self.named(item.trim()));
        let found = listed().nth(at)?;
        let is_alone = listed().next().is_some_and(|first| first.part.is_some());
        let is_new = |(place, device): (usize, Device<'_>)| {
            listed().take(place).all(|before| before.uuid() != device.uuid()) && device.part.is_none()
        };
        let is_there = at == 0 || !is_alone && listed().enumerate().take(at.saturating_add(1)).all(is_new);
        is_there.then_some(found)
    }

    /// The device that an item names: by its number among all, or by its name, which no other may share.
    fn named(&self, item: &str) -> Option<Device<'_>> {
        if let Ok(number) = item.parse::<usize>() {
            return self.all().nth(number);
        }
        let part = self.parts().find(|device| device.is(item));
        let mut whole = self.whole().filter(|device| device.is(item));
        let found = part.or_else(|| whole.next());
        found.filter(|_| whole.next().is_none())
    }

    /// The devices of a program that does not choose. As with the driver, it sees at most one part, and then nothing
    /// else.
    fn all(&self) -> impl Iterator<Item = Device<'_>> {
        let part = self.parts().next();
        part.into_iter().chain(self.whole().filter(move |_| part.is_none()))
    }

    fn device<'a>(&'a self, gpu: Section<'a>, part: Option<Section<'a>>) -> Device<'a> {
        let version = self.loaded.machine().id("cuda").unwrap_or_default();
        Device { gpu, part, now: self.loaded.now(), version }
    }

    /// The parts of GPUs that were given.
    fn parts(&self) -> impl Iterator<Item = Device<'_>> {
        let gpus = self.loaded.machine().sections("gpu");
        let parts = gpus.flat_map(move |gpu| gpu.sections("mig").map(move |part| (gpu, part)));
        let shown = parts.filter(|(gpu, part)| self.loaded.shows_part(*gpu, *part));
        shown.map(|(gpu, part)| self.device(gpu, Some(part)))
    }

    /// The GPUs that were given and are not split.
    fn whole(&self) -> impl Iterator<Item = Device<'_>> {
        let gpus = self.loaded.machine().sections("gpu").filter(|gpu| self.loaded.shows(*gpu));
        gpus.filter(|gpu| gpu.text("mig.mode.current") != Some("Enabled")).map(|gpu| self.device(gpu, None))
    }
}
