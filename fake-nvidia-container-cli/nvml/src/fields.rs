//! Facts by number: a caller can ask for many at a time.

use crate::code::{Answer, Code};
use crate::counted;
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::identity::is_since_hopper;
use crate::sensors::{self, energy_of};
use nvidia_simulated_shim::c::Out;

/// A fact: what was asked, when and how it was answered.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Field {
    id: u32,
    scope: u32,
    time: i64,
    latency: i64,
    form: u32,
    code: u32,
    value: u64,
}

const _: () = assert!(size_of::<Field>() == 40);

/// Forms of a value.
const DOUBLE: u32 = 0;
const UNSIGNED: u32 = 1;
const LONG: u32 = 3;
const SIGNED: u32 = 5;
const SHORT: u32 = 6;

/// Where the value of a field is found.
#[derive(Clone, Copy)]
enum Source {
    /// No simulated GPU has it.
    Nowhere,
    /// A number of the file.
    Number(&'static str, Unit),
    /// A word that says yes or no.
    Switch(&'static str),
    /// Microseconds in the file, reported in nanoseconds.
    Time(&'static str),
    /// Errors in a part of the chip that GPUs before Turing count.
    Errors(&'static str),
    /// The same for every GPU: nothing has happened.
    Zero,
    /// Something else, computed by this function.
    Worked(fn(Device<'_>) -> Result<i64, Code>),
}

use Source::{Errors, Nowhere, Number, Switch, Time, Worked, Zero};

/// A field or several consecutive ones: the first, the last, the form, and where the value is found. The form is
/// reported whether there is a value or not.
type Row = (u32, u32, u32, Source);

/// The fields of driver 580; it does not know the numbers between them.
const ROWS: [Row; 109] = [
    (1, 1, LONG, Switch("ecc.mode.current")),
    (2, 2, LONG, Switch("ecc.mode.pending")),
    (3, 3, LONG, Number("ecc.errors.corrected.volatile.total", Unit::Same)),
    (4, 4, LONG, Number("ecc.errors.uncorrected.volatile.total", Unit::Same)),
    (5, 5, LONG, Number("ecc.errors.corrected.aggregate.total", Unit::Same)),
    (6, 6, LONG, Number("ecc.errors.uncorrected.aggregate.total", Unit::Same)),
    (7, 7, LONG, Errors("ecc.errors.corrected.volatile.l1_cache")),
    (8, 8, LONG, Errors("ecc.errors.uncorrected.volatile.l1_cache")),
    (9, 9, LONG, Errors("ecc.errors.corrected.volatile.l2_cache")),
    (10, 10, LONG, Errors("ecc.errors.uncorrected.volatile.l2_cache")),
    (11, 11, LONG, Errors("ecc.errors.corrected.volatile.device_memory")),
    (12, 12, LONG, Errors("ecc.errors.uncorrected.volatile.device_memory")),
    (13, 13, LONG, Errors("ecc.errors.corrected.volatile.register_file")),
    (14, 14, LONG, Errors("ecc.errors.uncorrected.volatile.register_file")),
    (15, 15, LONG, Errors("ecc.errors.corrected.volatile.texture_memory")),
    (16, 16, LONG, Errors("ecc.errors.uncorrected.volatile.texture_memory")),
    (17, 17, LONG, Errors("ecc.errors.uncorrected.volatile.cbu")),
    (18, 18, LONG, Errors("ecc.errors.corrected.aggregate.l1_cache")),
    (19, 19, LONG, Errors("ecc.errors.uncorrected.aggregate.l1_cache")),
    (20, 20, LONG, Errors("ecc.errors.corrected.aggregate.l2_cache")),
    (21, 21, LONG, Errors("ecc.errors.uncorrected.aggregate.l2_cache")),
    (22, 22, LONG, Errors("ecc.errors.corrected.aggregate.device_memory")),
    (23, 23, LONG, Errors("ecc.errors.uncorrected.aggregate.device_memory")),
    (24, 24, LONG, Errors("ecc.errors.corrected.aggregate.register_file")),
    (25, 25, LONG, Errors("ecc.errors.uncorrected.aggregate.register_file")),
    (26, 26, LONG, Errors("ecc.errors.corrected.aggregate.texture_memory")),
    (27, 27, LONG, Errors("ecc.errors.uncorrected.aggregate.texture_memory")),
    (28, 28, LONG, Errors("ecc.errors.uncorrected.aggregate.cbu")),
    (29, 29, LONG, Number("retired_pages.single_bit_ecc.count", Unit::Same)),
    (30, 30, LONG, Number("retired_pages.double_bit.count", Unit::Same)),
    (31, 31, LONG, Switch("retired_pages.pending")),
    // What links count, and how fast they are.
    (32, 73, DOUBLE, Nowhere),
    (74, 74, LONG, Time("clocks_event_reasons_counters.sw_power_cap")),
    (75, 75, LONG, Time("clocks_event_reasons_counters.sw_thermal_slowdown")),
    (76, 76, LONG, Time("clocks_event_reasons_counters.sync_boost")),
    (77, 77, LONG, Zero),
    (78, 78, LONG, Worked(unused)),
    (79, 79, LONG, Zero),
    (80, 81, LONG, Worked(unused)),
    (82, 82, UNSIGNED, Number("temperature.memory", Unit::Same)),
    (83, 83, LONG, Worked(energy)),
    (84, 90, DOUBLE, Nowhere),
    (91, 91, UNSIGNED, Worked(links)),
    (92, 93, LONG, Nowhere),
    (94, 94, UNSIGNED, Number("pcie.replays", Unit::Same)),
    (95, 95, UNSIGNED, Number("pcie.rollovers", Unit::Same)),
    (96, 137, DOUBLE, Nowhere),
    (138, 141, LONG, Nowhere),
    (142, 142, LONG, Number("remapped_rows.correctable", Unit::Same)),
    (143, 143, LONG, Number("remapped_rows.uncorrectable", Unit::Same)),
    (144, 144, LONG, Switch("remapped_rows.pending")),
    (145, 145, LONG, Switch("remapped_rows.failure")),
    (146, 146, UNSIGNED, Nowhere),
    (147, 147, DOUBLE, Worked(switched)),
    (148, 160, DOUBLE, Nowhere),
    (161, 163, LONG, Nowhere),
    (164, 168, UNSIGNED, Nowhere),
    // What the bus has counted.
    (169, 169, UNSIGNED, Number("pcie.errors.l0_to_recovery", Unit::Same)),
    (170, 172, UNSIGNED, Nowhere),
    (173, 173, UNSIGNED, Number("pcie.errors.correctable", Unit::Same)),
    (174, 174, UNSIGNED, Number("pcie.errors.naks_received", Unit::Same)),
    (175, 175, UNSIGNED, Number("pcie.errors.receiver", Unit::Same)),
    (176, 176, UNSIGNED, Number("pcie.errors.bad_tlp", Unit::Same)),
    (177, 177, UNSIGNED, Number("pcie.errors.naks_sent", Unit::Same)),
    (178, 178, UNSIGNED, Number("pcie.errors.bad_dllp", Unit::Same)),
    (179, 179, UNSIGNED, Number("pcie.errors.non_fatal", Unit::Same)),
    (180, 180, UNSIGNED, Number("pcie.errors.fatal", Unit::Same)),
    (181, 181, UNSIGNED, Number("pcie.errors.unsupported_request", Unit::Same)),
    (182, 182, UNSIGNED, Number("pcie.errors.lcrc", Unit::Same)),
    (183, 183, UNSIGNED, Zero),
    (184, 184, UNSIGNED, Worked(splits_at_once)),
    (185, 185, UNSIGNED, Worked(draw)),
    (186, 186, UNSIGNED, Number("power.draw.instant", Unit::Thousandth)),
    (187, 187, UNSIGNED, Number("power.min_limit", Unit::Thousandth)),
    (188, 188, UNSIGNED, Number("power.max_limit", Unit::Thousandth)),
    (189, 189, UNSIGNED, Number("power.default_limit", Unit::Thousandth)),
    (190, 190, UNSIGNED, Number("enforced.power.limit", Unit::Thousandth)),
    (191, 191, LONG, Worked(energy)),
    (192, 192, UNSIGNED, Number("power.limit", Unit::Thousandth)),
    (193, 193, SIGNED, Worked(|gpu| margin(gpu, "temperature.shutdown"))),
    (194, 194, SIGNED, Worked(|gpu| margin(gpu, "temperature.slowdown"))),
    (195, 195, SIGNED, Worked(|gpu| margin(gpu, "temperature.memory.max"))),
    (196, 196, SIGNED, Worked(|gpu| margin(gpu, "temperature.max"))),
    (197, 197, UNSIGNED, Worked(|gpu| moved(gpu, "pcie.tx.bytes"))),
    (198, 198, UNSIGNED, Worked(|gpu| moved(gpu, "pcie.rx.bytes"))),
    (199, 199, UNSIGNED, Worked(splits_at_once)),
    (200, 200, UNSIGNED, Nowhere),
    (201, 222, DOUBLE, Nowhere),
    (223, 225, UNSIGNED, Nowhere),
    (226, 226, UNSIGNED, Switch("reset_required")),
    (227, 227, UNSIGNED, Switch("drain_and_reset_recommended")),
    (228, 228, UNSIGNED, Worked(|gpu| mask(gpu, "atomic_caps.outbound"))),
    (229, 229, UNSIGNED, Worked(|gpu| mask(gpu, "atomic_caps.inbound"))),
    (230, 230, UNSIGNED, Worked(recovery)),
    (231, 234, UNSIGNED, Nowhere),
    (235, 250, DOUBLE, Nowhere),
    // Power smoothing.
    (251, 253, UNSIGNED, Nowhere),
    (254, 258, DOUBLE, Nowhere),
    (259, 259, UNSIGNED, Nowhere),
    (260, 262, DOUBLE, Nowhere),
    (263, 264, UNSIGNED, Nowhere),
    (265, 267, DOUBLE, Nowhere),
    (268, 268, UNSIGNED, Nowhere),
    (269, 269, LONG, Time("clocks_event_reasons_counters.sw_thermal_slowdown")),
    (270, 270, LONG, Time("clocks_event_reasons_counters.hw_thermal_slowdown")),
    (271, 271, LONG, Time("clocks_event_reasons_counters.hw_power_brake_slowdown")),
    (272, 273, LONG, Nowhere),
    (301, 301, LONG, Number("remapped_rows.correctable_inactive", Unit::Same)),
    (302, 302, LONG, Number("remapped_rows.uncorrectable_inactive", Unit::Same)),
];

/// The form of a field that came later: of power smoothing, or of a link's retries.
fn later(id: u32) -> Option<u32> {
    match id {
        275..=278 | 281 | 284 | 285 | 288 | 294 | 295 => Some(DOUBLE),
        279 | 282 | 283 | 286 | 287 => Some(SHORT),
        280 => Some(UNSIGNED),
        _ => None,
    }
}

/// Answers each of the caller's fields, with a code for each.
pub(crate) fn values(device: Handle, count: i32, fields: Out<Field>) -> Answer {
    let count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Code::INVALID_ARGUMENT)?;
    fields.get()?;
    device.gpu(|gpu| {
        for at in 0..count {
            let mut field = fields.get_at(at)?;
            let (form, value) = value(gpu, field.id);
            field.form = form.unwrap_or(field.form);
            // A negative number is returned as its bits, like an `int` of the same size.
            let bits = |number: i64| u64::try_from(number).unwrap_or_else(|_| u64::from(number as u32));
            (field.value, field.code) = value.map_or_else(|code| (0, code.0), |number| (bits(number), 0));
            field.time = i64::try_from(gpu.driver.now()).unwrap_or_default().saturating_mul(1000);
            field.latency = 0;
            fields.put_at(at, field)?;
        }
        Ok(())
    })
}

/// The first number after the fields, which grew with the driver's releases.
fn end(gpu: Device<'_>) -> u32 {
    match gpu.driver.release() {
        0..550 => 197,
        550..560 => 228,
        560..570 => 230,
        570..575 => 269,
        575..580 => 274,
        _ => u32::MAX,
    }
}

/// The form and the value of a field. A field without a value still has a form; a number without a field has none.
fn value(gpu: Device<'_>, id: u32) -> (Option<u32>, Result<i64, Code>) {
    let row = ROWS.iter().find(|(first, last, ..)| (*first..=*last).contains(&id));
    let Some((.., form, source)) = row.filter(|_| id < end(gpu)) else {
        let form = later(id).filter(|_| id < end(gpu));
        return (form, Err(if form.is_some() { Code::NOT_SUPPORTED } else { Code::INVALID_ARGUMENT }));
    };
    let value = match *source {
        Nowhere => Err(Code::NOT_SUPPORTED),
        Zero => Ok(0),
        Number(key, unit) => gpu.number(key, unit),
        Switch(key) => gpu.switch(key).map(i64::from),
        Time(key) => gpu.number(key, Unit::Same).map(|micros: i64| micros.saturating_mul(1000)),
        Errors(key) if gpu.text("ecc.form") == Ok("bits") => gpu.number(key, Unit::Same),
        Errors(_) => Err(Code::NOT_SUPPORTED),
        Worked(work) => work(gpu),
    };
    (Some(*form), value)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unused(gpu: Device<'_>) -> Result<i64, Code> {
    Ok(signed(counted::unused(gpu)))
}

fn energy(gpu: Device<'_>) -> Result<i64, Code> {
    energy_of(gpu).map(signed)
}

/// The draw of the last second, or another one if that is missing.
fn draw(gpu: Device<'_>) -> Result<i64, Code> {
    gpu.number("power.draw.average", Unit::Thousandth).or_else(|_| sensors::draw(gpu))
}

/// How many links there are.
fn links(gpu: Device<'_>) -> Result<i64, Code> {
    gpu.number("nvlink.count", Unit::Same)
        .and_then(|links| if links > 0 { Ok(links) } else { Err(Code::NOT_SUPPORTED) })
}

/// How many links go to a switch: not known if there are links.
fn switched(gpu: Device<'_>) -> Result<i64, Code> {
    if links(gpu).is_ok() { Err(Code::NOT_SUPPORTED) } else { Ok(0) }
}

/// Whether a GPU is split without a reset, and lists its profiles beforehand: since Hopper.
fn splits_at_once(gpu: Device<'_>) -> Result<i64, Code> {
    Ok(i64::from(gpu.text("mig.mode.current").is_ok() && is_since_hopper(gpu)))
}

/// How far below the highest temperature something happens, if the model reports that.
fn margin(gpu: Device<'_>, key: &str) -> Result<i64, Code> {
    if gpu.text("temperature.form") == Ok("tlimit") { gpu.number(key, Unit::Same) } else { Err(Code::NOT_SUPPORTED) }
}

/// The bytes that went over the bus, in a 32-bit counter.
fn moved(gpu: Device<'_>, key: &str) -> Result<i64, Code> {
    Ok(gpu.number::<i64>(key, Unit::Same)? & i64::from(u32::MAX))
}

/// The atomic operations of the bus, as bits; none unless the file states them.
fn mask(gpu: Device<'_>, key: &str) -> Result<i64, Code> {
    Ok(gpu.number(key, Unit::Same).unwrap_or(0))
}

/// What must be done to a GPU that does not work.
fn recovery(gpu: Device<'_>) -> Result<i64, Code> {
    const ACTIONS: [&str; 5] = ["None", "Reset", "Reboot", "Drain P2P", "Drain and Reset"];
    let action = gpu.text("gpu_recovery_action")?;
    ACTIONS.iter().position(|known| *known == action).and_then(|at| i64::try_from(at).ok()).ok_or(Code::UNKNOWN)
}
