//! Facts by number: what a caller asks for many at a time.

use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::sensors::{draw, energy_of};
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
const UNSIGNED: u32 = 1;
const UNSIGNED_LONG: u32 = 3;

/// Fields that are a number of the file: id, key, unit and form. Temperatures beside a limit are told as they stand.
const ROWS: [(u32, &str, Unit, u32); 26] = [
    (3, "ecc.errors.corrected.volatile.total", Unit::Same, UNSIGNED_LONG),
    (4, "ecc.errors.uncorrected.volatile.total", Unit::Same, UNSIGNED_LONG),
    (5, "ecc.errors.corrected.aggregate.total", Unit::Same, UNSIGNED_LONG),
    (6, "ecc.errors.uncorrected.aggregate.total", Unit::Same, UNSIGNED_LONG),
    (29, "retired_pages.single_bit_ecc.count", Unit::Same, UNSIGNED),
    (30, "retired_pages.double_bit.count", Unit::Same, UNSIGNED),
    (82, "temperature.memory", Unit::Same, UNSIGNED),
    (91, "nvlink.count", Unit::Same, UNSIGNED),
    (94, "pcie.replays", Unit::Same, UNSIGNED),
    (95, "pcie.rollovers", Unit::Same, UNSIGNED),
    (142, "remapped_rows.correctable", Unit::Same, UNSIGNED),
    (143, "remapped_rows.uncorrectable", Unit::Same, UNSIGNED),
    (146, "clocks.max.graphics", Unit::Same, UNSIGNED),
    (147, "clocks.max.sm", Unit::Same, UNSIGNED),
    (148, "clocks.max.memory", Unit::Same, UNSIGNED),
    (185, "power.draw.average", Unit::Thousandth, UNSIGNED),
    (186, "power.draw.instant", Unit::Thousandth, UNSIGNED),
    (187, "power.min_limit", Unit::Thousandth, UNSIGNED),
    (188, "power.max_limit", Unit::Thousandth, UNSIGNED),
    (189, "power.default_limit", Unit::Thousandth, UNSIGNED),
    (190, "enforced.power.limit", Unit::Thousandth, UNSIGNED),
    (192, "power.limit", Unit::Thousandth, UNSIGNED),
    (193, "temperature.shutdown", Unit::Same, UNSIGNED),
    (194, "temperature.slowdown", Unit::Same, UNSIGNED),
    (195, "temperature.memory.max", Unit::Same, UNSIGNED),
    (196, "temperature.max", Unit::Same, UNSIGNED),
];

/// Fields that say yes or no: id and key.
const SWITCHES: [(u32, &str); 5] = [
    (1, "ecc.mode.current"),
    (2, "ecc.mode.pending"),
    (31, "retired_pages.pending"),
    (144, "remapped_rows.pending"),
    (145, "remapped_rows.failure"),
];

const ENERGY: u32 = 83;
const POWER: u32 = 185;

/// Answers each of the caller's fields, with a code for each.
pub(crate) fn values(device: Handle, count: i32, fields: Out<Field>) -> Answer {
    let count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Code::INVALID_ARGUMENT)?;
    fields.get()?;
    device.gpu(|gpu| {
        for at in 0..count {
            let mut field = fields.get_at(at)?;
            let (value, code) = match value(gpu, field.id) {
                Ok((form, value)) => {
                    field.form = form;
                    (value, 0)
                }
                Err(code) => (0, code.0),
            };
            field.value = value;
            field.code = code;
            field.time = i64::try_from(gpu.driver.now()).unwrap_or_default().saturating_mul(1000);
            field.latency = 0;
            fields.put_at(at, field)?;
        }
        Ok(())
    })
}

fn value(gpu: Device<'_>, id: u32) -> Result<(u32, u64), Code> {
    if let Some((_, key)) = SWITCHES.iter().find(|(known, _)| *known == id) {
        return Ok((UNSIGNED, gpu.switch(key)?.into()));
    }
    match id {
        ENERGY => return Ok((UNSIGNED_LONG, energy_of(gpu)?)),
        POWER => return Ok((UNSIGNED, draw(gpu)?)),
        _ => {}
    }
    let (_, key, unit, form) = ROWS.iter().find(|(known, ..)| *known == id).ok_or(Code::NOT_SUPPORTED)?;
    if (193..=196).contains(&id) && gpu.text("temperature.form") != Ok("tlimit") {
        return Err(Code::NOT_SUPPORTED);
    }
    // A number below zero is told by its bits, as an `int` of the same size.
    let number: i64 = gpu.number(key, *unit)?;
    let value = if number < 0 {
        u64::from(i32::try_from(number).unwrap_or(i32::MIN).cast_unsigned())
    } else {
        number.unsigned_abs()
    };
    Ok((*form, value))
}
