//! What a GPU can be split into: the profiles of GPU instances and of compute instances.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit, number};
use crate::handle::Handle;
use crate::identity::profile_name;
use crate::layout::{Pair, version, word};
use crate::lists;
use nvidia_simulated_given::{Section, pieces};
use nvidia_simulated_shim::c::Out;

/// The first number after the GPU instance profiles, which grew with the driver's releases.
fn end(gpu: Device<'_>) -> u32 {
    match gpu.driver.release() {
        0..570 => 10,
        570..575 => 13,
        _ => 17,
    }
}

/// Ids of profiles that drivers know, even if the GPU does not have them.
const KNOWN: [u32; 9] = [0, 5, 6, 9, 10, 14, 15, 19, 20];
/// Slices of compute instance profiles, by their number.
const COMPUTE: [u32; 9] = [1, 2, 3, 4, 7, 8, 6, 1, 7];
/// The numbers of profiles that are variants of others; no simulated GPU has them.
const VARIANTS: [u32; 2] = [7, 8];

/// A profile of GPU instances.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Profile {
    id: u32,
    peer: u32,
    rest: Counts,
    memory: u64,
}

/// Slices, instances, multiprocessors; copy engines, decoders, encoders, JPEG and optical flow engines.
type Counts = [u32; 8];

/// The second version.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ProfileV2 {
    version: u32,
    id: u32,
    peer: u32,
    rest: Counts,
    gap: u32,
    memory: u64,
    name: [u8; 96],
}

/// The third version.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ProfileV3 {
    version: u32,
    id: u32,
    rest: Counts,
    memory: u64,
    name: [u8; 96],
    capabilities: [u32; 2],
}

const _: () = assert!(size_of::<Profile>() == 48 && size_of::<ProfileV2>() == 152 && size_of::<ProfileV3>() == 152);

/// The profile with a number: NOT_SUPPORTED if the GPU does not have it.
fn numbered(gpu: Device<'_>, wanted: u32) -> Result<Section<'_>, Code> {
    gpu.text("mig.mode.current")?;
    if wanted >= end(gpu) {
        return Err(Code::INVALID_ARGUMENT);
    }
    gpu.gpu.sections("profile").find(|row| row.id("number") == Some(wanted)).ok_or(Code::NOT_SUPPORTED)
}

/// The profile with an id: the error is `missing` if the driver knows the id but the GPU does not have it.
pub(crate) fn with_id(gpu: Device<'_>, wanted: u32, missing: Code) -> Result<Section<'_>, Code> {
    gpu.text("mig.mode.current")?;
    let code = if KNOWN.contains(&wanted) { missing } else { Code::INVALID_ARGUMENT };
    gpu.gpu.sections("profile").find(|row| row.id("id") == Some(wanted)).ok_or(code)
}

fn read(row: Section<'_>) -> Profile {
    let count = |key| row.id(key).unwrap_or_default();
    Profile {
        id: count("id"),
        peer: 0,
        rest: ["slices", "total", "sm", "ce", "dec", "enc", "jpeg", "ofa"].map(count),
        memory: number(row, "memory", Unit::Same, 0).unwrap_or_default(),
    }
}

/// A profile by its number.
pub(crate) fn first(device: Handle, wanted: u32, out: Out<Profile>) -> Answer {
    Ok(out.put(device.gpu(|gpu| numbered(gpu, wanted).map(read))?)?)
}

/// The same in a structure of version 2 or 3.
pub(crate) fn versioned(device: Handle, wanted: u32, out: Out<ProfileV3>) -> Answer {
    device.gpu(|gpu| write(numbered(gpu, wanted)?, out))
}

/// The same by its id.
pub(crate) fn versioned_by_id(device: Handle, wanted: u32, out: Out<ProfileV3>) -> Answer {
    device.gpu(|gpu| write(with_id(gpu, wanted, Code::NOT_FOUND)?, out))
}

fn write(row: Section<'_>, out: Out<ProfileV3>) -> Answer {
    let Profile { id, peer, rest, memory } = read(row);
    let name = profile_name(row.text("name").unwrap_or_default());
    let version = out.version()?;
    if version == word::<ProfileV3>(3) {
        return Ok(out.put(ProfileV3 { version, id, rest, memory, name, capabilities: [0; 2] })?);
    }
    crate::layout::version(out.of::<ProfileV2>(), 2)?;
    // The driver leaves no version in the structure that it has filled.
    Ok(out.of::<ProfileV2>().put(ProfileV2 { version: 0, id, peer, rest, gap: 0, memory, name })?)
}

/// Where instances of a profile can begin, and how much they take.
pub(crate) fn placements(device: Handle, wanted: u32, array: Out<Pair>, count: Out<u32>) -> Answer {
    device.gpu(|gpu| {
        let row = with_id(gpu, wanted, Code::NOT_SUPPORTED)?;
        let size = row.id("size").unwrap_or_default();
        let starts = lists::ranges(row.text("starts").unwrap_or_default());
        let pairs = starts.map(|start| Pair(u32::try_from(start).unwrap_or_default(), size));
        if array.is_null() {
            return Ok(count.put(u32::try_from(pairs.count()).unwrap_or_default())?);
        }
        lists::write(pairs, count, array)
    })
}

/// The same in the first form, in which the caller does not say how much room there is.
pub(crate) fn placements_first(device: Handle, wanted: u32, array: Out<Pair>, count: Out<u32>) -> Answer {
    if !array.is_null() {
        count.put(u32::MAX)?;
    }
    placements(device, wanted, array, count)
}

/// A profile of compute instances.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ComputeProfile {
    id: u32,
    counts: Counts,
}

/// The second version.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ComputeProfileV2 {
    version: u32,
    profile: ComputeProfile,
    name: [u8; 96],
}

/// The third version.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ComputeProfileV3 {
    second: ComputeProfileV2,
    capabilities: u32,
}

const _: () = assert!(
    size_of::<ComputeProfile>() == 36 && size_of::<ComputeProfileV2>() == 136 && size_of::<ComputeProfileV3>() == 140
);

/// The compute profile with a number in a GPU instance, and the name of the instance's profile.
fn compute<'a>(
    gpu: Device<'a>,
    part: Section<'a>,
    wanted: u32,
    engines: u32,
) -> Result<(ComputeProfile, &'a str), Code> {
    if engines > 0 {
        return Err(Code::INVALID_ARGUMENT);
    }
    let row = with_id(gpu, part.id("gi.profile").unwrap_or_default(), Code::INVALID_ARGUMENT)?;
    let has = |key| row.id(key).unwrap_or_default();
    let slices = COMPUTE.get(usize::try_from(wanted).unwrap_or(usize::MAX)).ok_or(Code::INVALID_ARGUMENT)?;
    if VARIANTS.contains(&wanted) || *slices > has("slices") {
        return Err(Code::NOT_SUPPORTED);
    }
    let whole = has("slices");
    let share = match row.text("computes") {
        Some(all) => told(all, wanted).ok_or(Code::NOT_SUPPORTED)?,
        None => has("sm").saturating_mul(*slices).checked_div(whole).unwrap_or_default(),
    };
    let fit = whole.checked_div(*slices).unwrap_or_default();
    let counts = [*slices, fit, share, has("ce"), has("dec"), has("enc"), has("jpeg"), has("ofa")];
    Ok((ComputeProfile { id: wanted, counts }, row.text("name").unwrap_or_default()))
}

/// The multiprocessors of the compute profile with a number, in a list of number, slices and multiprocessors of each.
fn told(all: &str, wanted: u32) -> Option<u32> {
    let rows = pieces(all, ',').filter_map(|row| row.split_once(':'));
    let mut rows = rows.filter(|(number, _)| number.parse() == Ok(wanted));
    rows.next()?.1.split_once(':')?.1.parse().ok()
}

/// A profile of compute instances by its number.
pub(crate) fn compute_first(instance: Handle, wanted: u32, engines: u32, out: Out<ComputeProfile>) -> Answer {
    Ok(out.put(instance.instance(|gpu, part| compute(gpu, part, wanted, engines).map(|(profile, _)| profile))?)?)
}

/// The same in a structure of version 2 or 3.
pub(crate) fn compute_versioned(instance: Handle, wanted: u32, engines: u32, out: Out<ComputeProfileV3>) -> Answer {
    instance.instance(|gpu, part| {
        let (profile, name) = compute(gpu, part, wanted, engines)?;
        let whole = profile.counts.first()
            == crate::profiles::read(with_id(gpu, part.id("gi.profile").unwrap_or_default(), Code::INVALID_ARGUMENT)?)
                .rest
                .first();
        let name = if whole { profile_name(name) } else { shared_name(profile.counts, name) };
        let second = ComputeProfileV2 { version: out.version()?, profile, name };
        if second.version == word::<ComputeProfileV3>(3) {
            return Ok(out.put(ComputeProfileV3 { second, capabilities: 0 })?);
        }
        version(out.of::<ComputeProfileV2>(), 2)?;
        Ok(out.of::<ComputeProfileV2>().put(second)?)
    })
}

/// `MIG 1c.3g.20gb`: compute slices before the name of the whole.
fn shared_name(counts: Counts, name: &str) -> [u8; 96] {
    let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8"];
    let slices = counts.first().and_then(|slices| digits.get(usize::try_from(*slices).ok()?));
    crate::layout::array(&["MIG ", slices.copied().unwrap_or_default(), "c.", name])
}

/// How many more compute instances of a profile fit into a GPU instance.
pub(crate) fn compute_room(instance: Handle, wanted: u32, out: Out<u32>) -> Answer {
    let room = instance.instance(|gpu, part| {
        let (profile, _) = compute(gpu, part, wanted, 0)?;
        let [slices, ..] = profile.counts;
        let whole = with_id(gpu, part.id("gi.profile").unwrap_or_default(), Code::INVALID_ARGUMENT)?.id("slices");
        let within = gpu.driver.parts(gpu.gpu).filter(|(_, other)| other.id("gi") == part.id("gi"));
        let taken = within.filter_map(|(_, other)| other.id("slices.compute")).fold(0, u32::saturating_add);
        let free = whole.unwrap_or_default().saturating_sub(taken);
        Ok(free.checked_div(slices).unwrap_or_default())
    })?;
    Ok(out.put(room)?)
}
