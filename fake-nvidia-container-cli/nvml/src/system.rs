//! Facts that belong to no device: versions, how many devices there are, and how they are found.

use crate::bus::Bus;
use crate::code::{Answer, Code};
use crate::device::fact;
use crate::driver::ask;
use crate::handle::{Handle, Kind};
use crate::identity::UuidV1;
use crate::layout::version;
use nvidia_simulated_shim::c::{Out, Words};

/// A text of the machine.
pub(crate) fn text(key: &'static str) -> impl FnOnce(Out<u8>, u32) -> Answer {
    move |out, length| ask(|driver| Ok(out.text(length, fact(driver.machine(), key)?)?))
}

/// The version of the library: the first part is the interface's.
pub(crate) fn library(out: Out<u8>, length: u32) -> Answer {
    ask(|driver| {
        let machine = driver.machine();
        let version = fact(machine, "nvml").or_else(|_| fact(machine, "driver"))?;
        Ok(out.text(length, version)?)
    })
}

/// `13000` for CUDA 13.0.
pub(crate) fn cuda(out: Out<i32>) -> Answer {
    let version = ask(|driver| driver.machine().id("cuda").ok_or(Code::NOT_SUPPORTED))?;
    Ok(out.put(i32::try_from(version).map_err(|_| Code::UNKNOWN)?)?)
}

/// Branches that drivers were seen to report: they do not follow from the version.
const BRANCHES: [(&str, &str); 1] = [("580.159.04", "r582_49")];

/// The driver's branch: `r570_00` for `570.172.08`, unless another one is known.
pub(crate) fn branch(out: Out<[u8; 84]>, length: u32) -> Answer {
    version(out, 1)?;
    ask(|driver| {
        let own = fact(driver.machine(), "driver")?;
        let major = own.split_once('.').map_or("", |(major, _)| major);
        let known = BRANCHES.iter().find(|(driver, _)| *driver == own);
        let pieces = known.map_or(["r", major, "_00"], |(_, branch)| [branch, "", ""]);
        let mut info = out.get()?;
        let room = info.get_mut(4..).unwrap_or_default();
        let needed = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        if usize::try_from(length).unwrap_or_default() <= needed {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        room.fill(0);
        room.iter_mut().zip(pieces.iter().flat_map(|piece| piece.bytes())).for_each(|(place, byte)| *place = byte);
        Ok(out.put(info)?)
    })
}

/// The versions of virtual GPUs that the driver knows, and those that are set: known for driver 580 only.
pub(crate) fn virtual_versions(supported: Out<[u32; 2]>, current: Out<[u32; 2]>) -> Answer {
    let versions = ask(|driver| match fact(driver.machine(), "driver")?.split_once('.') {
        Some(("580", _)) => Ok([0x12_0001, 0x1a_0001]),
        _ => Err(Code::NOT_SUPPORTED),
    })?;
    supported.put(versions)?;
    Ok(current.put(versions)?)
}

/// How many GPUs were given.
pub(crate) fn count(out: Out<u32>) -> Answer {
    let count = ask(|driver| Ok(u32::try_from(driver.gpus().count()).unwrap_or(u32::MAX)))?;
    Ok(out.put(count)?)
}

/// The count of something that a simulated machine does not have.
pub(crate) fn none(out: Out<u32>) -> Answer {
    Ok(out.put(0)?)
}

/// A GPU by its number among those given.
pub(crate) fn by_index(index: u32, out: Out<Handle>) -> Answer {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    found(
        out,
        move |driver| driver.gpus().nth(index).map(|(place, _)| Handle::new(Kind::Gpu, place, 0)),
        Code::INVALID_ARGUMENT,
    )
}

/// A GPU by its serial number.
pub(crate) fn by_serial(serial: Words, out: Out<Handle>) -> Answer {
    let mut buffer = [0; 32];
    let serial = serial.read(&mut buffer)?;
    found(out, |driver| gpu_with(driver, "serial", serial), Code::NOT_FOUND)
}

/// A GPU by its bus address, in any of the forms in use.
pub(crate) fn by_bus(bus: Words, out: Out<Handle>) -> Answer {
    let mut buffer = [0; 40];
    let bus = Bus::read(bus.read(&mut buffer)?).ok_or(Code::INVALID_ARGUMENT)?;
    let is = |gpu: nvidia_simulated_given::Section<'_>| gpu.text("pci.bus_id").and_then(Bus::read) == Some(bus);
    let find = |driver: &crate::driver::Driver| {
        driver.gpus().find(|(_, gpu)| is(*gpu)).map(|(place, _)| Handle::new(Kind::Gpu, place, 0))
    };
    found(out, find, Code::NOT_FOUND)
}

/// A GPU or a part of one by its UUID.
pub(crate) fn by_uuid(uuid: Words, out: Out<Handle>) -> Answer {
    let mut buffer = [0; 97];
    let uuid = uuid.read(&mut buffer)?;
    found(out, |driver| with_uuid(driver, uuid), Code::NOT_FOUND)
}

/// The same, for a UUID in a structure.
pub(crate) fn by_uuid_structure(uuid: Out<UuidV1>, out: Out<Handle>) -> Answer {
    version(uuid, 1)?;
    let uuid = uuid.get()?;
    let mut buffer = [0; 41];
    let uuid = uuid.text(&mut buffer).ok_or(Code::INVALID_ARGUMENT)?;
    found(out, |driver| with_uuid(driver, uuid), Code::NOT_FOUND)
}

fn with_uuid(driver: &crate::driver::Driver, uuid: &str) -> Option<Handle> {
    let part = |place: u8, gpu| {
        let mut parts = driver.parts(gpu);
        let is = |name: Option<&str>| name.is_some_and(|own| own.eq_ignore_ascii_case(uuid));
        let found = parts.find(|(_, part)| is(part.text("uuid")) || is(part.text("early")));
        found.map(|(part, _)| Handle::new(Kind::Part, place, part))
    };
    gpu_with(driver, "uuid", uuid).or_else(|| driver.gpus().find_map(|(place, gpu)| part(place, gpu)))
}

fn gpu_with(driver: &crate::driver::Driver, key: &str, value: &str) -> Option<Handle> {
    let mut gpus = driver.gpus();
    let found = gpus.find(|(_, gpu)| gpu.text(key).is_some_and(|own| own.eq_ignore_ascii_case(value)));
    found.map(|(place, _)| Handle::new(Kind::Gpu, place, 0))
}

/// Writes the handle that was found. A GPU that does not answer is already an error here.
fn found(out: Out<Handle>, find: impl FnOnce(&crate::driver::Driver) -> Option<Handle>, missing: Code) -> Answer {
    let handle = ask(|driver| find(driver).ok_or(missing))?;
    handle.device(|_| Ok(()))?;
    Ok(out.put(handle)?)
}

/// The name of a process that uses a GPU.
pub(crate) fn process_name(pid: u32, out: Out<u8>, length: u32) -> Answer {
    ask(|driver| {
        let mut processes = driver.gpus().flat_map(|(_, gpu)| gpu.sections("process"));
        let process = processes.find(|process| process.id("pid") == Some(pid)).ok_or(Code::NOT_FOUND)?;
        let name = fact(process, "name").map_err(|_| Code::NOT_FOUND)?;
        Ok(out.text(length, name)?)
    })
}
