//! GPUs that are split: modes, devices and instances.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit, fact, number};
use crate::handle::{Handle, Kind};
use crate::lists;
use nvidia_simulated_given::Section;
use nvidia_simulated_shim::c::Out;

/// How many parts a GPU can have; 0 if it is not split.
pub(crate) fn most(device: Handle, out: Out<u32>) -> Answer {
    let most = device.gpu(|gpu| match gpu.switch("mig.mode.current") {
        Ok(1) => Ok(gpu.number("mig.max", Unit::Same).unwrap_or(7)),
        _ => Ok(0),
    })?;
    Ok(out.put(most)?)
}

/// Whether a handle is of a part.
pub(crate) fn is_part(device: Handle, out: Out<u32>) -> Answer {
    Ok(out.put(device.device(|device| Ok(u32::from(device.part.is_some())))?)?)
}

/// A part by its number among the given ones of the GPU.
pub(crate) fn part(device: Handle, index: u32, out: Out<Handle>) -> Answer {
    let handle = device.gpu(|gpu| {
        if gpu.switch("mig.mode.current")? == 0 {
            return Err(Code::NOT_FOUND);
        }
        let part = gpu.driver.parts(gpu.gpu).nth(usize::try_from(index).unwrap_or(usize::MAX));
        part.map(|(at, _)| Handle::new(Kind::Part, gpu.place, at)).ok_or(Code::NOT_FOUND)
    })?;
    Ok(out.put(handle)?)
}

/// The number of a part's instance.
pub(crate) fn instance_of(key: &'static str) -> impl FnOnce(Handle, Out<u32>) -> Answer {
    move |device, out| {
        let id = device.device(|device| {
            let (_, part) = device.part.ok_or(Code::INVALID_ARGUMENT)?;
            part.id(key).ok_or(Code::UNKNOWN)
        })?;
        Ok(out.put(id)?)
    }
}

/// A device's share of a GPU.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Attributes {
    /// Multiprocessors; copy engines, decoders, encoders, JPEG and optical flow engines.
    engines: [u32; 6],
    /// GPU slices and compute slices.
    slices: [u32; 2],
    /// In MiB.
    memory: u64,
}

const _: () = assert!(size_of::<Attributes>() == 40);

/// The attributes of a part; a whole GPU has none.
pub(crate) fn attributes(device: Handle, out: Out<Attributes>) -> Answer {
    let attributes = device.device(|device| {
        let (_, part) = device.part.ok_or(Code::NOT_SUPPORTED)?;
        let count = |key| part.id(key).unwrap_or(0);
        let memory = number(part, "memory.total", Unit::Same, device.driver.now())?;
        Ok(Attributes {
            engines: ["sm", "ce", "dec", "enc", "jpeg", "ofa"].map(count),
            slices: ["slices.gpu", "slices.compute"].map(count),
            memory,
        })
    })?;
    Ok(out.put(attributes)?)
}

/// The GPU instances that were given: each has a part that was, or all of the GPU was. In a file that lists none, the
/// first part of each stands for it.
fn instances<'a>(gpu: Device<'a>) -> impl Iterator<Item = Section<'a>> + Clone {
    let parts = move || gpu.driver.parts(gpu.gpu).map(|(_, part)| part);
    let same = |one: &Section<'_>, other: &Section<'_>| one.id("gi") == other.id("gi");
    let is_first = move |part: &Section<'a>, at: usize| !parts().take(at).any(|other| same(&other, part));
    let first = (0..usize::from(u8::MAX))
        .map_while(move |at| parts().nth(at).map(|part| (at, part)))
        .filter_map(move |(at, part)| is_first(&part, at).then_some(part));
    let listed = gpu.gpu.sections("instance");
    let (are_listed, whole) = (listed.clone().next().is_some(), gpu.driver.shows_whole(gpu.gpu));
    let given = listed.filter(move |instance| whole || parts().any(|part| same(&part, instance)));
    given.chain(first.filter(move |_| !are_listed))
}

fn id(part: Section<'_>, key: &str) -> u8 {
    part.id(key).and_then(|id| u8::try_from(id).ok()).unwrap_or_default()
}

/// The GPU instances with a profile.
pub(crate) fn list(device: Handle, profile: u32, array: Out<Handle>, count: Out<u32>) -> Answer {
    device.gpu(|gpu| {
        gpu.text("mig.mode.current")?;
        let of = instances(gpu).filter(|part| part.id("gi.profile") == Some(profile));
        lists::write_all(of.map(|part| Handle::new(Kind::Instance, gpu.place, id(part, "gi"))), count, array)
    })
}

/// The GPU instance with a number.
pub(crate) fn by_id(device: Handle, wanted: u32, out: Out<Handle>) -> Answer {
    let handle = device.gpu(|gpu| {
        gpu.text("mig.mode.current")?;
        let found = instances(gpu).find(|part| part.id("gi") == Some(wanted)).ok_or(Code::NOT_FOUND)?;
        Ok(Handle::new(Kind::Instance, gpu.place, id(found, "gi")))
    })?;
    Ok(out.put(handle)?)
}

/// How many more instances of a profile fit.
pub(crate) fn room(device: Handle, profile: u32, out: Out<u32>) -> Answer {
    let room = device.gpu(|gpu| {
        let row = crate::profiles::with_id(gpu, profile, Code::NOT_SUPPORTED)?;
        if let Some(free) = row.id("free") {
            return Ok(free);
        }
        let taken = instances(gpu).filter_map(|part| part.id("size")).fold(0, u32::saturating_add);
        let free = gpu.gpu.id("mig.slices").unwrap_or(8).saturating_sub(taken);
        let fit = free.checked_div(row.id("size").unwrap_or(1)).unwrap_or_default();
        Ok(fit.min(row.id("total").unwrap_or_default()))
    })?;
    Ok(out.put(room)?)
}

/// A GPU instance.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct InstanceInfo {
    device: Handle,
    id: u32,
    profile: u32,
    start: u32,
    size: u32,
}

/// A compute instance; its first form ends before the place.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ComputeInfo {
    first: ComputeInfoV1,
    start: u32,
    size: u32,
}

/// The first form.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ComputeInfoV1 {
    device: Handle,
    instance: Handle,
    id: u32,
    profile: u32,
}

const _: () = assert!(size_of::<usize>() != 8 || size_of::<InstanceInfo>() == 24 && size_of::<ComputeInfo>() == 32);

impl Handle {
    /// Asks a question about the GPU instance of this handle, given its GPU and its section.
    pub(crate) fn instance<T>(
        self,
        question: impl FnOnce(Device<'_>, Section<'_>) -> Result<T, Code>,
    ) -> Result<T, Code> {
        let (place, wanted) = self.of(Kind::Instance)?;
        Self::new(Kind::Gpu, place, 0).gpu(|gpu| {
            let part =
                instances(gpu).find(|part| part.id("gi") == Some(u32::from(wanted))).ok_or(Code::INVALID_ARGUMENT)?;
            question(gpu, part)
        })
    }
}

/// Describes a GPU instance.
pub(crate) fn info(instance: Handle, out: Out<InstanceInfo>) -> Answer {
    let info = instance.instance(|gpu, part| {
        let number = |key| part.id(key).unwrap_or_default();
        Ok(InstanceInfo {
            device: Handle::new(Kind::Gpu, gpu.place, 0),
            id: number("gi"),
            profile: number("gi.profile"),
            start: number("start"),
            size: number("size"),
        })
    })?;
    Ok(out.put(info)?)
}

/// The compute instances within a GPU instance.
fn compute<'a>(gpu: Device<'a>, instance: Section<'a>) -> impl Iterator<Item = Section<'a>> {
    let within = gpu.driver.parts(gpu.gpu).map(|(_, part)| part);
    within.filter(move |part| part.id("gi") == instance.id("gi"))
}

fn compute_handle(gpu: Device<'_>, part: Section<'_>) -> Handle {
    Handle::new(Kind::Compute, gpu.place, id(part, "gi") << 3 | id(part, "ci") & 7)
}

/// The compute instances with a profile.
pub(crate) fn compute_list(instance: Handle, profile: u32, array: Out<Handle>, count: Out<u32>) -> Answer {
    instance.instance(|gpu, of| {
        let of = compute(gpu, of).filter(|part| part.id("ci.profile") == Some(profile));
        lists::write_all(of.map(|part| compute_handle(gpu, part)), count, array)
    })
}

/// The compute instance with a number.
pub(crate) fn compute_by_id(instance: Handle, wanted: u32, out: Out<Handle>) -> Answer {
    let handle = instance.instance(|gpu, of| {
        let found = compute(gpu, of).find(|part| part.id("ci") == Some(wanted)).ok_or(Code::NOT_FOUND)?;
        Ok(compute_handle(gpu, found))
    })?;
    Ok(out.put(handle)?)
}

fn compute_info_of(handle: Handle) -> Result<ComputeInfo, Code> {
    let (place, number) = handle.of(Kind::Compute)?;
    let instance = Handle::new(Kind::Instance, place, number >> 3);
    instance.instance(|gpu, of| {
        let found = compute(gpu, of).find(|part| part.id("ci") == Some(u32::from(number & 7)));
        let part = found.ok_or(Code::INVALID_ARGUMENT)?;
        let number = |key| part.id(key).unwrap_or_default();
        let device = Handle::new(Kind::Gpu, gpu.place, 0);
        let first = ComputeInfoV1 { device, instance, id: number("ci"), profile: number("ci.profile") };
        Ok(ComputeInfo { first, start: number("ci.start"), size: number("slices.compute") })
    })
}

/// Describes a compute instance.
pub(crate) fn compute_info(handle: Handle, out: Out<ComputeInfo>) -> Answer {
    Ok(out.put(compute_info_of(handle)?)?)
}

/// The same without its place.
pub(crate) fn compute_info_first(handle: Handle, out: Out<ComputeInfoV1>) -> Answer {
    Ok(out.put(compute_info_of(handle)?.first)?)
}

/// The mode that says whether a GPU is split, now and after a reset; NOT_SUPPORTED if it cannot be.
pub(crate) fn mode(device: Handle, current: Out<u32>, pending: Out<u32>) -> Answer {
    let modes = device.device(|gpu| {
        fact(gpu.gpu, "mig.mode.current")?;
        let now = gpu.switch("mig.mode.current")?;
        Ok((now, gpu.switch("mig.mode.pending").unwrap_or(now)))
    })?;
    current.put(modes.0)?;
    Ok(pending.put(modes.1)?)
}
