//! Clocks: the current ones, those that are set, those that are possible, and the states that they belong to.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::lists;
use nvidia_simulated_given::pieces;
use nvidia_simulated_shim::c::Out;

const CURRENT: [&str; 4] =
    ["clocks.current.graphics", "clocks.current.sm", "clocks.current.memory", "clocks.current.video"];
const MOST: [&str; 4] = ["clocks.max.graphics", "clocks.max.sm", "clocks.max.memory", "clocks.max.video"];
const SET: [&str; 4] =
    ["clocks.applications.graphics", "clocks.applications.graphics", "clocks.applications.memory", NONE];
const DEFAULT: [&str; 4] = [
    "clocks.default_applications.graphics",
    "clocks.default_applications.graphics",
    "clocks.default_applications.memory",
    NONE,
];
const BOOST: [&str; 4] = ["clocks.boost.graphics", "clocks.boost.graphics", NONE, NONE];
/// The key of a clock that no GPU has.
const NONE: &str = "no";

/// The lowest shader clock if a model's figures do not state it, and the step between two clocks, in MHz.
const LOWEST: u32 = 210;
const STEP: usize = 15;

/// Which clocks a row of the table reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// The current ones.
    Current,
    /// The highest.
    Most,
    /// Those set for applications.
    Set,
    /// Those set for applications by default.
    Default,
    /// The highest that a customer can set.
    Boost,
}

fn keys(clocks: Clocks) -> [&'static str; 4] {
    match clocks {
        Clocks::Current => CURRENT,
        Clocks::Most => MOST,
        Clocks::Set => SET,
        Clocks::Default => DEFAULT,
        Clocks::Boost => BOOST,
    }
}

/// A clock in MHz. For current clocks, the driver looks up the clock before it checks the number.
pub(crate) fn clocks(clocks: Clocks) -> impl FnOnce(Handle, u32, Out<u32>) -> Answer {
    move |device, which, out| {
        let wrong = if clocks == Clocks::Current { Code::NOT_SUPPORTED } else { Code::INVALID_ARGUMENT };
        let key = keys(clocks).get(usize::try_from(which).unwrap_or(usize::MAX)).copied().ok_or(wrong)?;
        Ok(out.put(device.gpu(|gpu| gpu.number(key, Unit::Same))?)?)
    }
}

/// A clock by its kind and its domain.
pub(crate) fn clock_of(device: Handle, which: u32, kind: u32, out: Out<u32>) -> Answer {
    let all = [Clocks::Current, Clocks::Set, Clocks::Default, Clocks::Boost];
    let kind = all.get(usize::try_from(kind).unwrap_or(usize::MAX)).ok_or(Code::INVALID_ARGUMENT)?;
    clocks(*kind)(device, which, out)
}

/// A performance state and the memory's clock in it.
#[derive(Clone, Copy)]
pub(crate) struct State {
    pub(crate) number: u32,
    pub(crate) memory: u32,
}

/// The states that a model's figures name, fastest first: `P0:3201,P2:2201`.
pub(crate) fn states<'a>(gpu: Device<'a>) -> impl Iterator<Item = State> + Clone + use<'a> {
    let row = gpu.text("clocks.pstates").unwrap_or_default();
    pieces(row, ',').filter_map(|state| {
        let (name, memory) = state.trim().split_once(':')?;
        Some(State { number: name.strip_prefix('P')?.parse().ok()?, memory: memory.parse().ok()? })
    })
}

/// The current state.
pub(crate) fn state(gpu: Device<'_>) -> Result<u32, Code> {
    gpu.text("pstate")?.strip_prefix('P').and_then(|state| state.parse().ok()).ok_or(Code::NOT_SUPPORTED)
}

/// The lowest and highest value of a clock in a state, by the clock's number.
pub(crate) fn range(gpu: Device<'_>, which: u32, state: State) -> Result<(u32, u32), Code> {
    let clock = |key| gpu.number::<u32>(key, Unit::Same);
    match which {
        0 => Ok((clock("clocks.min.graphics")?, clock("clocks.max.graphics")?)),
        1 => Ok((clock("clocks.min.graphics")?, clock("clocks.max.sm")?)),
        2 => Ok((state.memory, state.memory)),
        3 => Ok((clock("clocks.min.video")?, clock("clocks.max.video")?)),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

/// The memory clocks that can be set, highest first: as the topology says, from the states, or the highest alone.
fn supported(gpu: Device<'_>) -> Result<Supported<'_>, Code> {
    let most: u32 = gpu.number("clocks.max.memory", Unit::Same)?;
    Ok(Supported { written: gpu.text("clocks.supported").unwrap_or_default(), states: gpu, most })
}

/// Where the memory clocks come from.
#[derive(Clone, Copy)]
struct Supported<'a> {
    written: &'a str,
    states: Device<'a>,
    most: u32,
}

impl<'a> Supported<'a> {
    /// The memory clocks.
    fn memory(self) -> impl Iterator<Item = u32> + Clone + use<'a> {
        let written = pieces(self.written, ';').filter_map(|pair| pair.split_once(':')?.0.trim().parse().ok());
        let told = !self.written.is_empty();
        let of_states = states(self.states).map(|state| state.memory).filter(move |_| !told);
        let alone = !told && states(self.states).next().is_none();
        written.chain(of_states).chain(alone.then_some(self.most))
    }

    /// The graphics clocks that the topology lists for a memory clock.
    fn graphics(self, memory: u32) -> &'a str {
        let pairs = pieces(self.written, ';').filter_map(|pair| pair.split_once(':'));
        let mut of = pairs.filter(|(clock, _)| clock.trim().parse() == Ok(memory));
        of.next().map_or("", |(_, graphics)| graphics)
    }
}

/// The memory clocks that can be set.
pub(crate) fn memory_clocks(device: Handle, count: Out<u32>, array: Out<u32>) -> Answer {
    device.gpu(|gpu| lists::write(supported(gpu)?.memory(), count, array))
}

/// The graphics clocks that can be set with a memory clock: as the topology says, or from the highest down.
pub(crate) fn graphics_clocks(device: Handle, memory: u32, count: Out<u32>, array: Out<u32>) -> Answer {
    if memory == 0 {
        return Err(Code::INVALID_ARGUMENT);
    }
    device.gpu(|gpu| lists::write(graphics_of(gpu, memory)?, count, array))
}

/// The graphics clocks that can be set with a memory clock, highest first.
fn graphics_of<'a>(gpu: Device<'a>, memory: u32) -> Result<impl Iterator<Item = u32> + Clone + use<'a>, Code> {
    let all = supported(gpu)?;
    if all.memory().all(|clock| clock != memory) {
        return Err(Code::NOT_FOUND);
    }
    let written = all.graphics(memory);
    let most: u32 = gpu.number("clocks.max.graphics", Unit::Same)?;
    let least = gpu.number("clocks.min.graphics", Unit::Same).unwrap_or(LOWEST);
    // If clocks are written, the range from 1 to 0 is empty.
    let (least, most) = if written.is_empty() { (least, most.min(10_000)) } else { (1, 0) };
    Ok(pieces(written, ',').flat_map(run).chain((least..=most).rev().step_by(STEP)))
}

/// Whether a graphics clock goes with a memory clock.
pub(crate) fn is_pair(gpu: Device<'_>, memory: u32, graphics: u32) -> bool {
    graphics_of(gpu, memory).is_ok_and(|mut all| all.any(|clock| clock == graphics))
}

/// A clock, or all from one down to another: `1980-345`.
fn run(text: &str) -> impl Iterator<Item = u32> + Clone + use<> {
    let (most, least) = text.split_once('-').unwrap_or((text, text));
    let (most, least) = (most.trim().parse::<u32>(), least.trim().parse::<u32>());
    // The range from 1 to 0 is empty.
    let (most, least) = most.ok().zip(least.ok()).unwrap_or((0, 1));
    (least..=most.min(10_000)).rev().step_by(STEP)
}

/// Why the clocks are not higher: one bit per reason.
pub(crate) fn reasons(device: Handle, out: Out<u64>) -> Answer {
    const IDLE: &str = "clocks_event_reasons.gpu_idle";
    const BITS: [(&str, u64); 9] = [
        (IDLE, 0x1),
        ("clocks_event_reasons.applications_clocks_setting", 0x2),
        ("clocks_event_reasons.sw_power_cap", 0x4),
        ("clocks_event_reasons.hw_slowdown", 0x8),
        ("clocks_event_reasons.sync_boost", 0x10),
        ("clocks_event_reasons.sw_thermal_slowdown", 0x20),
        ("clocks_event_reasons.hw_thermal_slowdown", 0x40),
        ("clocks_event_reasons.hw_power_brake_slowdown", 0x80),
        ("clocks_event_reasons.display_clock_setting", 0x100),
    ];
    let bits = device.gpu(|gpu| {
        if let Ok(told) = gpu.number("clocks_event_reasons.active", Unit::Same) {
            return Ok(told);
        }
        // A GPU whose utilization moves is idle whenever that is zero.
        let active = |key| match gpu.switch(key) {
            Err(_) if key == IDLE => gpu.number("utilization.gpu", Unit::Same) == Ok(0),
            told => told == Ok(1),
        };
        Ok(BITS.iter().filter(|(key, _)| active(key)).fold(0, |bits, (_, bit)| bits | bit))
    })?;
    Ok(out.put(bits)?)
}

/// The performance state: 0 for `P0`.
pub(crate) fn performance(device: Handle, out: Out<u32>) -> Answer {
    Ok(out.put(device.gpu(state)?)?)
}
