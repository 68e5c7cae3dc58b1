//! Programs that use a device, in the forms that NVML has had.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit, number};
use crate::handle::Handle;
use crate::layout::version;
use crate::lists;
use nvidia_simulated_given::Section;
use nvidia_simulated_shim::c::Out;

/// Unknown values.
const UNKNOWN_MEMORY: u64 = u64::MAX;
const NO_INSTANCE: u32 = u32::MAX;

/// A program in the first form.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ProcessV1 {
    pid: [u32; 2],
    memory: u64,
}

/// A program in forms 2 and 3.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Process {
    pid: [u32; 2],
    memory: u64,
    instance: u32,
    compute: u32,
}

/// A program in the list of details.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Detail {
    process: Process,
    protected: u64,
}

/// The list of details.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct DetailList {
    version: u32,
    mode: u32,
    count: u32,
    details: usize,
}

/// What a program used since a time.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pid: [u32; 2],
    time: u64,
    shares: [u32; 4],
}

const _: () = assert!(size_of::<ProcessV1>() == 16 && size_of::<Process>() == 24 && size_of::<Detail>() == 32);
const _: () = assert!(size_of::<Sample>() == 32 && (size_of::<usize>() != 8 || size_of::<DetailList>() == 24));

/// What programs do on a GPU.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// They compute.
    Compute,
    /// They draw.
    Graphics,
    /// They compute through MPS, the server that shares a GPU.
    Shared,
}

/// The programs of a device that do a kind of work, or any.
fn of<'a>(device: Device<'a>, work: Option<Work>) -> impl Iterator<Item = Section<'a>> + Clone {
    let letter = work.map(|work| match work {
        Work::Compute => b'C',
        Work::Graphics => b'G',
        Work::Shared => b'M',
    });
    let part = device.part.map(|(_, part)| (part.id("gi"), part.id("ci")));
    device.gpu.sections("process").filter(move |process| {
        let kind = process.text("type").unwrap_or("C");
        letter.is_none_or(|letter| kind.bytes().any(|byte| byte == letter))
            && part.is_none_or(|part| part == (process.id("gi"), process.id("ci")))
    })
}

fn read(process: Section<'_>, now: u64) -> Process {
    let instance = |key| process.id(key).unwrap_or(NO_INSTANCE);
    Process {
        pid: [process.id("pid").unwrap_or_default(), 0],
        memory: number(process, "memory", Unit::Bytes, now).unwrap_or(UNKNOWN_MEMORY),
        instance: instance("gi"),
        compute: instance("ci"),
    }
}

/// The list in the first form.
pub(crate) fn first(work: Work) -> impl FnOnce(Handle, Out<u32>, Out<ProcessV1>) -> Answer {
    move |device, count, array| {
        device.device(|device| {
            let now = device.driver.now();
            let all = of(device, Some(work)).map(|process| read(process, now));
            lists::write(all.map(|Process { pid, memory, .. }| ProcessV1 { pid, memory }), count, array)
        })
    }
}

/// The list in forms 2 and 3.
pub(crate) fn list(work: Work) -> impl FnOnce(Handle, Out<u32>, Out<Process>) -> Answer {
    move |device, count, array| {
        device.device(|device| {
            let now = device.driver.now();
            lists::write(of(device, Some(work)).map(|process| read(process, now)), count, array)
        })
    }
}

/// The list with details, for a kind of work by its number.
pub(crate) fn details(device: Handle, out: Out<DetailList>) -> Answer {
    let mut asked = out.get()?;
    let work = match asked.mode {
        0 => Work::Compute,
        1 => Work::Graphics,
        2 => Work::Shared,
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    version(out, 1)?;
    device.device(|device| {
        let now = device.driver.now();
        let all = of(device, Some(work));
        let there = u32::try_from(all.clone().count()).unwrap_or(u32::MAX);
        let room = core::mem::replace(&mut asked.count, there);
        out.put(asked)?;
        if there > room {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        // The array's address is in the structure as a pointer would be: an `Out` that the caller passes.
        let array = out.pointer::<Detail>(core::mem::offset_of!(DetailList, details))?;
        for (at, process) in all.enumerate() {
            array.put_at(at, Detail { process: read(process, now), protected: 0 })?;
        }
        Ok(())
    })
}

/// The programs' use of the multiprocessors, the memory, the encoder and the decoder, if newer than a time.
pub(crate) fn utilization(device: Handle, array: Out<Sample>, count: Out<u32>, since: u64) -> Answer {
    device.gpu(|gpu| {
        let now = gpu.driver.now();
        let time = now.saturating_mul(1000);
        let share = move |process: Section<'_>, key| number(process, key, Unit::Same, now).unwrap_or(0);
        let used = of(gpu, None).filter(|process| process.text("sm").is_some() && time > since);
        let samples = used.map(move |process| Sample {
            pid: [process.id("pid").unwrap_or_default(), 0],
            time,
            shares: ["sm", "mem", "enc", "dec"].map(|key| share(process, key)),
        });
        let there = u32::try_from(samples.clone().count()).unwrap_or(u32::MAX);
        if there == 0 {
            count.put(0)?;
            return Err(Code::NOT_FOUND);
        }
        if array.is_null() {
            count.put(there)?;
            return Err(Code::INSUFFICIENT_SIZE);
        }
        lists::write(samples, count, array)
    })
}

/// What a program used of each engine since a time.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Shares {
    time: u64,
    pid: u32,
    shares: [u32; 7],
}

/// A list of such shares: how many there is room for, since when, and where.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SharesList {
    version: u32,
    count: u32,
    since: u64,
    shares: usize,
}

const _: () = assert!(size_of::<Shares>() == 40 && (size_of::<usize>() != 8 || size_of::<SharesList>() == 24));

/// The programs' use of each engine, if newer than a time.
pub(crate) fn shares(device: Handle, out: Out<SharesList>) -> Answer {
    version(out, 1)?;
    let asked = out.get()?;
    device.gpu(|gpu| {
        let now = gpu.driver.now();
        let time = now.saturating_mul(1000);
        let used = of(gpu, None).filter(|process| process.text("sm").is_some() && time > asked.since);
        let there = u32::try_from(used.clone().count()).unwrap_or(u32::MAX);
        if there == 0 {
            return Err(Code::NOT_FOUND);
        }
        out.put(SharesList { count: there, ..asked })?;
        let array = out.pointer::<Shares>(core::mem::offset_of!(SharesList, shares))?;
        if array.is_null() || there > asked.count {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        for (at, process) in used.enumerate() {
            let share = |key: &str| number(process, key, Unit::Same, now).unwrap_or(0);
            let shares = ["sm", "mem", "enc", "dec", "jpg", "ofa", "no"].map(share);
            array.put_at(at, Shares { time, pid: process.id("pid").unwrap_or_default(), shares })?;
        }
        Ok(())
    })
}
