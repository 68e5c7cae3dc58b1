//! Device attributes by number. Values that depend on the compute capability follow the technical specifications in the
//! CUDA C++ Programming Guide.

use crate::code::{Answer, Code};
use crate::devices::capability_of;
use crate::driver::{Device, device};
use nvidia_simulated_shim::c::Out;

/// Attributes that are the same for every GPU since Pascal: number and value.
const FIXED: [(u32, i32); 78] = [
    (1, 1024), // threads per block
    (2, 1024), // block dimensions
    (3, 1024),
    (4, 64),
    (5, i32::MAX), // grid dimensions
    (6, 65_535),
    (7, 65_535),
    (8, 49_152),    // shared memory per block
    (9, 65_536),    // constant memory
    (10, 32),       // threads per warp
    (11, i32::MAX), // pitch
    (12, 65_536),   // registers per block
    (14, 512),      // texture alignment
    (15, 1),        // copies overlap kernels
    (17, 0),        // kernel time limit
    (18, 0),        // integrated GPU
    (19, 1),        // host memory can be mapped
    (21, 131_072),  // textures: one, two, three dimensions
    (22, 131_072),
    (23, 65_536),
    (24, 16_384),
    (25, 16_384),
    (26, 16_384),
    (27, 32_768), // layered
    (28, 32_768),
    (29, 2_048),
    (30, 512), // surface alignment
    (31, 1),   // concurrent kernels
    (35, 0),   // a Windows driver model
    (41, 1),   // unified addressing
    (42, 32_768),
    (43, 2_048),
    (44, 1),      // texture gather
    (45, 32_768), // gathered textures
    (46, 32_768),
    (47, 8_192), // three dimensions, alternate shape
    (48, 8_192),
    (49, 32_768),
    (51, 32), // texture pitch alignment
    (52, 32_768),
    (53, 32_768),
    (54, 2_046),
    (55, 32_768), // surfaces, as for textures
    (56, 131_072),
    (57, 65_536),
    (58, 16_384),
    (59, 16_384),
    (60, 16_384),
    (61, 32_768),
    (62, 2_048),
    (63, 32_768),
    (64, 32_768),
    (65, 2_048),
    (66, 32_768),
    (67, 32_768),
    (68, 2_046),
    (70, 131_072),
    (71, 65_000),
    (72, 2_097_120),
    (73, 32_768),
    (74, 32_768),
    (77, 32_768),
    (78, 1), // stream priorities
    (79, 1), // L1 caches
    (80, 1),
    (82, 65_536), // registers per multiprocessor
    (83, 1),      // managed memory
    (84, 0),      // multi-GPU board
    (89, 1),      // concurrent access to managed memory
    (90, 1),      // kernels can be preempted
    (91, 1),      // host memory by its own address
    (95, 1),      // cooperative kernels
    (96, 1),
    (99, 1),   // host memory can be registered
    (102, 1),  // virtual memory
    (103, 1),  // shared by file descriptor
    (115, 1),  // memory pools
    (131, -1), // no NUMA node
];

/// Attributes that are numbers in the given file: attribute number, key and factor.
const TOLD: [(u32, &str, i64); 8] = [
    (13, "clocks.max.sm", 1000),
    (16, "sm", 1),
    (36, "clocks.max.memory", 1000),
    (37, "memory.bus", 1),
    (38, "cache.l2", 1),
    (134, "numa_affinity", 1),
    (139, "pci.device_id", 1),
    (140, "pci.sub_device_id", 1),
];

/// What GPUs of a compute capability have.
struct Kind {
    /// The first capability of this kind.
    since: (i32, i32),
    threads: i32,
    blocks: i32,
    /// Shared memory in KiB per multiprocessor, and per block that asks for it.
    shared: (i32, i32),
    /// How many times slower double precision is.
    double: i32,
}

const fn kind(since: (i32, i32), threads: i32, blocks: i32, shared: (i32, i32), double: i32) -> Kind {
    Kind { since, threads, blocks, shared, double }
}

/// Newest first.
const KINDS: [Kind; 9] = [
    kind((12, 0), 1536, 24, (100, 99), 64),
    kind((10, 3), 2048, 32, (228, 227), 64),
    kind((9, 0), 2048, 32, (228, 227), 2),
    kind((8, 9), 1536, 24, (100, 99), 64),
    kind((8, 6), 1536, 16, (100, 99), 32),
    kind((8, 0), 2048, 32, (164, 163), 2),
    kind((7, 5), 1024, 16, (64, 64), 32),
    kind((7, 0), 2048, 32, (96, 96), 2),
    kind((0, 0), 2048, 32, (64, 48), 2),
];

/// The value of an attribute; 0 if the file does not have it.
pub(crate) fn get(out: Out<i32>, which: u32, number: i32) -> Answer {
    let value = device(number, |device| value(device, number, which))?;
    Ok(out.put(value)?)
}

fn value(device: Device<'_>, number: i32, which: u32) -> Result<i32, Code> {
    if let Some((_, value)) = FIXED.iter().find(|(known, _)| *known == which) {
        return Ok(*value);
    }
    if let Some((_, key, times)) = TOLD.iter().find(|(known, ..)| *known == which) {
        let own = device.part.and_then(|part| part.id(key)).map(i64::from);
        let told = own.or_else(|| device.number(key)).unwrap_or_default().saturating_mul(*times);
        return Ok(i32::try_from(told).unwrap_or(i32::MAX));
    }
    let place = |at: usize| device.place().and_then(|place| place.get(at).copied()).and_then(|n| i32::try_from(n).ok());
    let is = |key: &str, word: &str| device.gpu.text(key) == Some(word);
    match which {
        20 => Ok(compute_mode(device)),
        32 => Ok(is("ecc.mode.current", "Enabled").into()),
        33 => place(1).ok_or(Code::UNKNOWN),
        34 => place(2).ok_or(Code::UNKNOWN),
        50 => place(0).ok_or(Code::UNKNOWN),
        85 => Ok(number),
        86 | 100 => Ok(is("addressing_mode", "ATS").into()),
        88 => Ok((is("addressing_mode", "ATS") || is("addressing_mode", "HMM")).into()),
        108 => Ok(persisting(device)),
        _ if which >= end(device) => Err(Code::INVALID_VALUE),
        1..=150 => Ok(by_capability(capability_of(device).ok_or(Code::UNKNOWN)?, which)),
        _ => Err(Code::INVALID_VALUE),
    }
}

/// The first number that is not an attribute; known only for CUDA 13.0.
fn end(device: Device<'_>) -> u32 {
    if device.version == 13_000 { 148 } else { 151 }
}

/// How much of the L2 cache programs can keep: five eighths since Hopper.
fn persisting(device: Device<'_>) -> i32 {
    let cache = device.number("cache.l2").filter(|_| capability_of(device) >= Some((9, 0))).unwrap_or_default();
    i32::try_from(cache / 8 * 5).unwrap_or(i32::MAX)
}

fn compute_mode(device: Device<'_>) -> i32 {
    match device.gpu.text("compute_mode") {
        Some("Prohibited") => 2,
        Some("Exclusive_Process") => 3,
        _ => 0,
    }
}

/// Attributes that are the same for all GPUs of a compute capability; 0 for any other.
fn by_capability(capability: (i32, i32), which: u32) -> i32 {
    let since = |first: (i32, i32)| i32::from(capability >= first);
    let of = |part: fn(&Kind) -> i32| KINDS.iter().find(|kind| capability >= kind.since).map_or(0, part);
    match which {
        // Copy engines.
        40 => match capability {
            (7, 5) | (8, 0) | (9, 0) => 3,
            _ => 2,
        },
        39 => of(|kind| kind.threads),
        75 => capability.0,
        76 => capability.1,
        81 => of(|kind| kind.shared.0 << 10),
        87 => of(|kind| kind.double),
        123 => since((7, 0)),
        97 => of(|kind| kind.shared.1 << 10),
        106 => of(|kind| kind.blocks),
        // Shared memory per block that the driver reserves.
        111 => since((8, 0)) << 10,
        // A texture's width in linear memory, and the window of an access policy.
        69 => since((9, 0)) << 28,
        109 => since((9, 0)) << 27,
        // Compressed memory; memory shared with third-party devices, user programs and other processes; sparse arrays;
        // clusters; host pages in pools and by virtual address. Older GPUs were not seen.
        107 | 110 | 112..=114 | 116 | 117 | 120..=122 | 124 | 125 | 127..=129 | 141 | 142 | 144 | 145 => since((9, 0)),
        // Who sees GPUDirect RDMA writes to a device in order: the device itself.
        118 => since((9, 0)) * 100,
        // Pools are shared by file descriptor and, since Hopper, by fabric.
        119 => 1 | since((9, 0)) << 3,
        126 => {
            if capability >= (9, 0) {
                4
            } else {
                1
            }
        }
        _ => 0,
    }
}

/// `CUdevprop`: ten attributes, two of them with three numbers.
pub(crate) fn properties(out: Out<i32>, number: i32) -> Answer {
    for (at, which) in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].into_iter().enumerate() {
        let value = device(number, |device| value(device, number, which))?;
        out.put_at(at, value)?;
    }
    Ok(())
}

/// Whether a device reaches another's memory: every whole GPU does.
pub(crate) fn peer(out: Out<i32>, one: i32, other: i32) -> Answer {
    let whole = |number| device(number, |device| Ok(device.part.is_none()));
    let (one_is, other_is) = (whole(one)?, whole(other)?);
    Ok(out.put((one_is && other_is && one != other).into())?)
}

/// Properties of a pair of devices: rank, access, atomic operations over NVLink, access to arrays.
pub(crate) fn pair(out: Out<i32>, which: u32, one: i32, other: i32) -> Answer {
    let has_links = |number| device(number, |device| Ok(device.number("nvlink.count").unwrap_or_default() > 0));
    let other_has = has_links(other)?;
    if one == other {
        return Err(Code::INVALID_DEVICE);
    }
    let linked = has_links(one)? && other_has;
    let value = match which {
        1 => 0,
        2 | 4 => 1,
        3 => linked.into(),
        _ => return Err(Code::INVALID_VALUE),
    };
    Ok(out.put(value)?)
}

/// The state of a device's context, which no program can have made: its flags and whether it is active.
pub(crate) fn context(number: i32, flags: Out<u32>, active: Out<i32>) -> Answer {
    device(number, |_| Ok(()))?;
    flags.put(0)?;
    Ok(active.put(0)?)
}
