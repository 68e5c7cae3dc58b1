//! How devices are connected: to each other, to processors and their memory.

use crate::bus::{PciInfo, PciInfoV1, pci};
use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::driver::{Driver, ask};
use crate::handle::{Handle, Kind};
use crate::identity::architecture_of;
use crate::lists;
use nvidia_simulated_given::pieces;
use nvidia_simulated_shim::c::Out;

/// The most links that NVML has numbers for.
const LINKS: u32 = 36;

/// Levels at which two GPUs meet, by the words of `nvidia-smi topo -m`.
const LEVELS: [(&str, u32); 6] = [("X", 0), ("PIX", 10), ("PXB", 20), ("PHB", 30), ("NODE", 40), ("SYS", 50)];

/// The word for the connection between two GPUs: the first one's row has a word for each GPU.
fn word<'a>(gpu: Device<'a>, other: u8) -> &'a str {
    if gpu.place == other {
        return "X";
    }
    let row = gpu.gpu.text("peers").unwrap_or_default();
    pieces(row, ' ').nth(usize::from(other)).filter(|word| !word.is_empty()).unwrap_or("SYS")
}

/// The level at which two GPUs meet on the bus: a row has the words for that if links hide them.
fn level(gpu: Device<'_>, other: u8) -> u32 {
    let row = gpu.gpu.text("ways").unwrap_or_default();
    let way = pieces(row, ' ').nth(usize::from(other)).filter(|word| !word.is_empty());
    let word = way.unwrap_or_else(|| word(gpu, other));
    LEVELS.iter().find(|(known, _)| *known == word).map_or(50, |(_, level)| *level)
}

fn linked(word: &str) -> bool {
    word.starts_with("NV")
}

/// Both devices must be GPUs that were given.
fn pair<T>(one: Handle, other: Handle, question: impl FnOnce(Device<'_>, u8) -> T) -> Result<T, Code> {
    let place = other.gpu(|other| Ok(other.place))?;
    one.gpu(|gpu| Ok(question(gpu, place)))
}

/// The level at which two GPUs meet; a GPU does not meet itself.
pub(crate) fn ancestor(one: Handle, other: Handle, out: Out<u32>) -> Answer {
    if one == other {
        return one.gpu(|_| Err(Code::NOT_SUPPORTED));
    }
    Ok(out.put(pair(one, other, level)?)?)
}

/// The GPUs that a GPU meets at a level, except itself.
pub(crate) fn nearest(device: Handle, at: u32, count: Out<u32>, array: Out<Handle>) -> Answer {
    if !LEVELS.iter().any(|(_, level)| *level == at) {
        return Err(Code::INVALID_ARGUMENT);
    }
    device.gpu(|gpu| {
        let others = (0..usize::from(u8::MAX)).map_while(|nth| gpu.driver.gpus().nth(nth));
        let near = others.filter(|(place, _)| *place != gpu.place && level(gpu, *place) == at);
        let handles = near.map(|(place, _)| Handle::new(Kind::Gpu, place, 0));
        if array.is_null() {
            return Ok(count.put(u32::try_from(handles.count()).unwrap_or_default())?);
        }
        lists::write(handles, count, array)
    })
}

/// The GPUs near a processor.
pub(crate) fn near_processor(processor: u32, count: Out<u32>, array: Out<Handle>) -> Answer {
    let processor = usize::try_from(processor).unwrap_or(usize::MAX);
    ask(|driver| {
        let near = near(driver, processor);
        if array.is_null() {
            return Ok(count.put(u32::try_from(near.count()).unwrap_or_default())?);
        }
        lists::write(near, count, array)
    })
}

fn near(driver: &Driver, processor: usize) -> impl Iterator<Item = Handle> + Clone {
    let all = (0..usize::from(u8::MAX)).map_while(|nth| driver.gpus().nth(nth));
    let is_near = move |list: &str| lists::ranges(list).any(|number| number == processor);
    let near = all.filter(move |(_, gpu)| gpu.text("cpu_affinity").is_some_and(is_near));
    near.map(|(place, _)| Handle::new(Kind::Gpu, place, 0))
}

/// Whether two GPUs reach each other's memory: 0 if they do, 5 if no path of that kind exists.
pub(crate) fn peer(one: Handle, other: Handle, way: u32, out: Out<u32>) -> Answer {
    if way > 4 {
        return Err(Code::INVALID_ARGUMENT);
    }
    // Links themselves, and atomic operations, need links.
    let status = pair(one, other, |gpu, other| match way {
        2 | 3 if !linked(word(gpu, other)) => 5,
        _ => 0,
    })?;
    Ok(out.put(status)?)
}

/// The processors near a GPU, one bit each.
pub(crate) fn processors(device: Handle, words: u32, out: Out<usize>) -> Answer {
    affinity("cpu_affinity")(device, words, out, 0)
}

/// The processors or the memories near a GPU, one bit each; the scope makes no difference here.
pub(crate) fn affinity(key: &'static str) -> impl FnOnce(Handle, u32, Out<usize>, u32) -> Answer {
    move |device, words, out, scope| {
        if scope > 1 || words == 0 {
            return Err(Code::INVALID_ARGUMENT);
        }
        device.gpu(|gpu| lists::set(lists::ranges(gpu.text(key)?), words, out))
    }
}

/// How many links a GPU has; an error if this number is not one of them.
fn link(device: Handle, number: u32) -> Result<u32, Code> {
    let links: u32 = device.gpu(|gpu| gpu.number("nvlink.count", Unit::Same))?;
    match links {
        0 => Err(Code::NOT_SUPPORTED),
        _ if number >= LINKS => Err(Code::INVALID_ARGUMENT),
        links if number >= links => Err(Code::INVALID_ARGUMENT),
        links => Ok(links),
    }
}

/// Whether a link is up.
pub(crate) fn state(device: Handle, number: u32, out: Out<u32>) -> Answer {
    link(device, number)?;
    let down = device.gpu(|gpu| {
        let down = gpu.gpu.text("nvlink.inactive").unwrap_or_default();
        Ok(pieces(down, ',').any(|one| one.trim().parse() == Ok(number)))
    })?;
    Ok(out.put(u32::from(!down))?)
}

/// The most GPUs that are linked to each other without a switch.
const WITHOUT_SWITCH: usize = 4;

/// The other end of a link: one of the GPUs that this one is linked to, in turn, or a switch.
enum End {
    Gpu(PciInfo),
    Switch(PciInfo),
}

fn end(device: Handle, number: u32) -> Result<End, Code> {
    link(device, number)?;
    device.gpu(|gpu| {
        let row = gpu.gpu.text("peers").unwrap_or_default();
        let linked = |place: u8| place != gpu.place && linked(word(gpu, place));
        let others = gpu.driver.gpus().filter(|(place, _)| linked(*place));
        let number = usize::try_from(number).unwrap_or_default();
        let count = others.count();
        if count == 0 || pieces(row, ' ').count() > WITHOUT_SWITCH {
            return Ok(End::Switch(PciInfo::of_switch(number)));
        }
        let mut others = gpu.driver.gpus().filter(|(place, _)| linked(*place));
        let (place, other) = others.nth(number.checked_rem(count).unwrap_or_default()).ok_or(Code::NOT_SUPPORTED)?;
        let (first, bus_id) = pci(Device { driver: gpu.driver, gpu: other, place, part: None })?;
        Ok(End::Gpu(PciInfo::new(first, bus_id)))
    })
}

/// The place of the other end of a link on the bus.
pub(crate) fn remote(device: Handle, number: u32, out: Out<PciInfo>) -> Answer {
    let (End::Gpu(info) | End::Switch(info)) = end(device, number)?;
    Ok(out.put(info)?)
}

/// The same in the first form.
pub(crate) fn remote_short(device: Handle, number: u32, out: Out<PciInfoV1>) -> Answer {
    let (End::Gpu(info) | End::Switch(info)) = end(device, number)?;
    Ok(out.put(info.short())?)
}

/// What kind of device the other end of a link is.
pub(crate) fn remote_kind(device: Handle, number: u32, out: Out<u32>) -> Answer {
    Ok(out.put(match end(device, number)? {
        End::Gpu(_) => 0,
        End::Switch(_) => 2,
    })?)
}

/// The version of a link, which follows from the architecture.
pub(crate) fn link_version(device: Handle, number: u32, out: Out<u32>) -> Answer {
    link(device, number)?;
    let version = device.gpu(|gpu| match architecture_of(gpu)? {
        4 => Ok(1),
        5 => Ok(2),
        6 => Ok(3),
        7 | 8 => Ok(4),
        9 => Ok(6),
        10 => Ok(7),
        _ => Err(Code::NOT_SUPPORTED),
    })?;
    Ok(out.put(version)?)
}

/// Whether a link has a capability: every link has all.
pub(crate) fn ability(device: Handle, number: u32, which: u32, out: Out<u32>) -> Answer {
    link(device, number)?;
    if which > 5 { Err(Code::INVALID_ARGUMENT) } else { Ok(out.put(1)?) }
}

/// Errors of a link: none.
pub(crate) fn link_errors(device: Handle, number: u32, which: u32, out: Out<u64>) -> Answer {
    link(device, number)?;
    if which > 4 { Err(Code::INVALID_ARGUMENT) } else { Ok(out.put(0)?) }
}
