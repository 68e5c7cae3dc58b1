//! Derived values: from the topology of a GPU, and from its other values unless they were stated.

use super::figures::{architecture, within};
use super::{NONE, Values};
use crate::topology::live::Process;
use crate::topology::{Gpu, Topology};

/// The values that the topology states outside its readings.
pub(super) fn facts(values: &mut Values, machine: &Topology, gpu: &Gpu, mig: bool) {
    // Driver 470 added `NVIDIA` to the names of all cards.
    let old = within(&machine.driver, None, Some("470"));
    let name = gpu.model.strip_prefix("NVIDIA ").filter(|_| old).unwrap_or(&gpu.model);
    let busid = gpu.busid.to_ascii_uppercase();
    let (domain, bus, device) = address(&gpu.busid);
    values.put("name", name);
    values.put("uuid", &gpu.uuid);
    values.put("minor_number", gpu.minor.to_string());
    values.put("compute_cap", &gpu.arch);
    values.put("product_architecture", architecture(&gpu.arch));
    values.put("memory.total", gpu.memory.to_string());
    values.put("pci.bus_id", busid);
    values.put("pci.domain", format!("0x{domain:04X}"));
    values.put("pci.bus", format!("0x{bus:02X}"));
    values.put("pci.device", format!("0x{device:02X}"));
    values.put("irq", irq(gpu));
    values.put("board_id", format!("0x{:x}", (bus << 8) | device));
    values.put("pdi", format!("0x{:016x}", number(&gpu.uuid)));
    if values.get("ecc.mode.current") != NONE {
        values.put("serial", format!("1{:012}", number(&gpu.uuid) % 1_000_000_000_000));
    }
    if values.get("gsp.mode.current") == "Enabled" {
        values.put("gsp.firmware", &machine.driver);
    }
    // Before 525, which tells the chip's beside it, the part number was the board's.
    let board = values.get("board_part_number").to_owned();
    if board != NONE && within(&machine.driver, None, Some("525")) {
        values.put("gpu_part_number", board);
    }
    if gpu.mig_capable {
        let mode = if mig { "Enabled" } else { "Disabled" };
        values.put("mig.mode.current", mode);
        values.put("mig.mode.pending", mode);
    }
    if values.get("ecc.mode.current") == "Disabled" {
        no_counters(values);
    }
}

/// The interrupt of a GPU: unless the topology states one, each has its own.
#[must_use]
pub fn irq(gpu: &Gpu) -> String {
    gpu.state.0.get("irq").cloned().unwrap_or_else(|| gpu.index.saturating_add(64).to_string())
}

/// Without ECC nothing is counted.
fn no_counters(values: &mut Values) {
    let counters: Vec<String> = values.0.keys().filter(|key| key.starts_with("ecc.errors.")).cloned().collect();
    for key in counters {
        values.put(&key, NONE);
    }
}

/// The values that follow from other values, unless they were stated.
pub(super) fn rest(values: &mut Values, said: &Values, processes: &[Process]) {
    let unsaid = |key: &str| !said.0.contains_key(key);
    if unsaid("memory.used") {
        let used: u64 = processes.iter().filter_map(|process| process.memory).sum();
        values.put("memory.used", used.to_string());
    }
    for kind in ["memory", "bar1", "protected_memory"] {
        free(values, said, kind);
    }
    if unsaid("enforced.power.limit") {
        values.put("enforced.power.limit", values.get("power.limit").to_owned());
    }
    draw(values, said);
    idle(values, said);
    let has_margin = values.get("temperature.form") == "tlimit" || values.get("temperature.gpu.tlimit") != NONE;
    if unsaid("temperature.gpu.tlimit") && has_margin {
        let left = values.number("temperature.gpu").map_or_else(|| NONE.to_owned(), |now| (87 - now).to_string());
        values.put("temperature.gpu.tlimit", left);
    }
    // Without links a GPU is not in a fabric: a card has none, and one that is passed through alone has lost them.
    if values.number("nvlink.count") == Some(0) {
        let fabric: Vec<String> = values.0.keys().filter(|key| key.starts_with("fabric.")).cloned().collect();
        fabric.iter().filter(|key| unsaid(key)).for_each(|key| values.put(key, NONE));
    }
    if unsaid("mig.mode.pending") && !unsaid("mig.mode.current") {
        values.put("mig.mode.pending", values.get("mig.mode.current").to_owned());
    }
    if unsaid("ecc.mode.pending") && !unsaid("ecc.mode.current") {
        values.put("ecc.mode.pending", values.get("ecc.mode.current").to_owned());
    }
    if unsaid("ecc.mode.default") && values.get("ecc.mode.current") == NONE {
        values.put("ecc.mode.default", NONE);
    }
    if said.get("ecc.mode.current") == "Disabled" {
        let before = values.clone();
        no_counters(values);
        values.0.extend(before.0.into_iter().filter(|(key, _)| !unsaid(key)));
    }
}

/// One power draw stands in for the others. Cards before Ampere have no average, nor has Ampere's first chip.
fn draw(values: &mut Values, said: &Values) {
    let keys = ["power.draw", "power.draw.average", "power.draw.instant"];
    let first = keys.iter().find(|key| said.0.contains_key(**key)).copied().unwrap_or("power.draw.average");
    let known = values.get(first).to_owned();
    let early = ["Kepler", "Maxwell", "Pascal", "Volta", "Turing"].contains(&values.get("product_architecture"))
        || values.get("compute_cap") == "8.0";
    for key in keys.into_iter().filter(|key| !said.0.contains_key(*key)) {
        let value = if key == "power.draw.average" && early { NONE } else { &known };
        values.put(key, value);
    }
}

/// Marks an idle GPU as idle.
fn idle(values: &mut Values, said: &Values) {
    let busy = values.number("utilization.gpu").is_some_and(|percent| percent > 0);
    let reason = "clocks_event_reasons.gpu_idle";
    if !said.0.contains_key(reason) {
        values.put(reason, if busy { "Not Active" } else { "Active" });
    }
    if !said.0.contains_key("clocks_event_reasons.active") {
        values.put("clocks_event_reasons.active", format!("0x{:016X}", mask(values)));
    }
}

/// The reasons as the driver's bits.
fn mask(values: &Values) -> u64 {
    let bits = [
        ("gpu_idle", 0x1),
        ("applications_clocks_setting", 0x2),
        ("sw_power_cap", 0x4),
        ("hw_slowdown", 0x8),
        ("sync_boost", 0x10),
        ("sw_thermal_slowdown", 0x20),
        ("hw_thermal_slowdown", 0x40),
        ("hw_power_brake_slowdown", 0x80),
        ("display_clock_setting", 0x100),
    ];
    let active = |name: &str| values.get(&format!("clocks_event_reasons.{name}")) == "Active";
    bits.into_iter().filter(|(name, _)| active(name)).map(|(_, bit)| bit).sum()
}

/// The free part of a memory: what neither the driver nor a program uses.
pub(super) fn free(values: &mut Values, said: &Values, kind: &str) {
    let key = format!("{kind}.free");
    let number = |name: &str| values.number(&format!("{kind}.{name}"));
    let (Some(total), Some(used)) = (number("total"), number("used")) else { return };
    if !said.0.contains_key(&key) {
        let left = total - used - number("reserved").unwrap_or_default();
        values.put(&key, left.max(0).to_string());
    }
}

/// Domain, bus and device of an address.
fn address(busid: &str) -> (u32, u32, u32) {
    let mut parts = busid.split([':', '.']).map(|part| u32::from_str_radix(part, 16).unwrap_or_default());
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

/// A number that belongs to a device, the same in every run.
fn number(uuid: &str) -> u64 {
    let hex: String = uuid.chars().filter(char::is_ascii_hexdigit).collect();
    let last: String = hex.chars().rev().take(16).collect();
    u64::from_str_radix(&last, 16).unwrap_or_default().wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
