//! `nvidia-smi --query-gpu=...`: one row a GPU, one column a field.

use super::given::{Given, GivenGpu};
use super::{ok, told};
use crate::outcome::Outcome;

/// A field's value and its unit, if it has one.
type Value = (String, &'static str);

/// Answers `--query-gpu=...`, or says what is wrong with it.
pub(super) fn run(options: &[&str], given: &Given) -> Outcome {
    let Some(fields) = options.iter().find_map(|o| o.strip_prefix("--query-gpu=")) else { return told("", 2) };
    let Some(format) = options.iter().find_map(|o| o.strip_prefix("--format=")) else {
        return told("\"--format=\" switch is missing. Please run 'nvidia-smi -h' for help.", 2);
    };
    let style: Vec<&str> = format.split(',').collect();
    if !style.contains(&"csv") {
        return told("\"--format=\" only supports csv. Please run 'nvidia-smi -h' for help.", 2);
    }
    let fields: Vec<&str> = fields.split(',').map(str::trim).collect();
    let probe = |field: &&&str| unit(field).is_none();
    if let Some(unknown) = fields.iter().find(probe) {
        return told(&format!("Field \"{unknown}\" is not a valid field to query.\n"), 2);
    }
    let chosen = match wanted(options, given) {
        Ok(chosen) => chosen,
        Err(outcome) => return outcome,
    };
    let (header, units) = (!style.contains(&"noheader"), !style.contains(&"nounits"));
    let mut out = String::new();
    if header {
        out.push_str(&row(fields.iter().map(|f| heading(f, units))));
    }
    for (index, gpu) in chosen {
        let cells = fields.iter().filter_map(|f| value(f, index, gpu, given));
        out.push_str(&row(
            cells.map(|(text, unit)| if units && !unit.is_empty() { format!("{text} {unit}") } else { text })
        ));
    }
    ok(out)
}

/// The GPUs of `-i` or `--id=`, by index, UUID or bus; all without it.
fn wanted<'a>(options: &[&str], given: &'a Given) -> Result<Vec<(usize, &'a GivenGpu)>, Outcome> {
    let after = |flag: &str| options.iter().position(|o| *o == flag).and_then(|at| options.get(at + 1)).copied();
    let id = options.iter().find_map(|o| o.strip_prefix("--id=")).or_else(|| after("-i"));
    let all: Vec<(usize, &GivenGpu)> = given.gpus.iter().enumerate().collect();
    if all.is_empty() {
        return Err(told("No devices were found", 6));
    }
    let Some(id) = id else { return Ok(all) };
    let is = |(index, gpu): &(usize, &GivenGpu)| {
        let names = [index.to_string(), gpu.uuid.clone(), gpu.bus.clone()];
        id.split(',').any(|id| names.iter().any(|name| name.eq_ignore_ascii_case(id.trim())))
    };
    let found: Vec<(usize, &GivenGpu)> = all.into_iter().filter(is).collect();
    if found.is_empty() { Err(told("No devices were found", 6)) } else { Ok(found) }
}

fn row(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(", ") + "\n"
}

fn heading(field: &str, units: bool) -> String {
    match unit(field) {
        Some(unit) if units && !unit.is_empty() => format!("{field} [{unit}]"),
        _ => field.to_owned(),
    }
}

/// The unit of a known field, empty if it has none.
fn unit(field: &str) -> Option<&'static str> {
    let blank = GivenGpu {
        name: String::new(),
        uuid: String::new(),
        bus: String::new(),
        arch: String::new(),
        memory: 0,
        mig_mode: None,
        mig: Vec::new(),
    };
    value(field, 0, &blank, &Given::default()).map(|(_, unit)| unit)
}

/// The value of a field; an idle GPU has little to tell.
fn value(field: &str, index: usize, gpu: &GivenGpu, given: &Given) -> Option<Value> {
    let mode = match gpu.mig_mode {
        None => "[N/A]",
        Some(true) => "Enabled",
        Some(false) => "Disabled",
    };
    Some(match field {
        "index" => (index.to_string(), ""),
        "count" => (given.gpus.len().to_string(), ""),
        "name" | "gpu_name" => (gpu.name.clone(), ""),
        "uuid" | "gpu_uuid" => (gpu.uuid.clone(), ""),
        "pci.bus_id" | "gpu_bus_id" => (gpu.bus.clone(), ""),
        "driver_version" => (given.driver.clone(), ""),
        "compute_cap" => (gpu.arch.clone(), ""),
        "memory.total" | "memory.free" => (gpu.memory.to_string(), "MiB"),
        "memory.used" | "memory.reserved" => ("0".to_owned(), "MiB"),
        "utilization.gpu" | "utilization.memory" => ("0".to_owned(), "%"),
        "temperature.gpu" => ("30".to_owned(), ""),
        "power.draw" => ("25.00".to_owned(), "W"),
        "pstate" => ("P8".to_owned(), ""),
        "mig.mode.current" | "mig.mode.pending" => (mode.to_owned(), ""),
        "compute_mode" => ("Default".to_owned(), ""),
        "persistence_mode" => ("Enabled".to_owned(), ""),
        "serial" | "vbios_version" | "fan.speed" | "power.limit" => ("[N/A]".to_owned(), ""),
        _ => return None,
    })
}
