//! The table of nvidia-smi without options, and its list of devices.

use super::scene::Scene;
use super::text::{fill, lines, pairs};
use nvidia_simulated_machine::state::figures::thousandths;
use nvidia_simulated_machine::state::{Device, NONE, Part};
use nvidia_simulated_machine::topology::live::Process;

/// One line per device.
pub(super) fn list(scene: &Scene, devices: &[&Device]) -> String {
    let mut out = String::new();
    for device in devices {
        out.push_str(&head(device));
        for (place, part) in device.parts.iter().enumerate() {
            let uuid = scene.part_uuid(device, part);
            let told = [("profile", part.profile.clone()), ("dev", place.to_string()), ("uuid", uuid)];
            out.push_str(&fill(scene.layout.line("list.part"), &pairs(&told)));
            out.push('\n');
        }
    }
    out
}

/// The line that names a GPU.
pub(super) fn head(device: &Device) -> String {
    format!("GPU {}: {} (UUID: {})\n", device.place, device.get("name"), device.get("uuid"))
}

/// The table: the time, the GPUs, the MIG devices if any GPU is split, the processes.
pub(super) fn overview(scene: &Scene, devices: &[&Device]) -> String {
    let layout = &scene.layout;
    let mut out = fill(layout.line("date"), &pairs(&[("date", scene.now.line())])) + "\n";
    out.push_str(&lines(layout.lines("table.head"), &pairs(&scene.versions())));
    for device in devices {
        out.push_str(&gpu(scene, device));
    }
    if devices.iter().any(|device| is_split(device)) {
        out.push_str(&format!("{}\n", layout.line("gap.mig")));
        out.push_str(&parts(scene, devices));
    }
    out.push_str(&format!("{}\n", layout.line("gap.processes")));
    out.push_str(&processes(scene, devices));
    for device in devices.iter().filter(|device| device.is("inforom.corrupted")) {
        let bus = device.get("pci.bus_id");
        out.push_str(&format!("WARNING: infoROM is corrupted at gpu {}\n", bus.get(4..).unwrap_or(bus)));
    }
    out
}

fn is_split(device: &Device) -> bool {
    device.get("mig.mode.current") == "Enabled"
}

/// A number with its unit, or the words in place of a number.
fn with(device: &Device, key: &str, unit: &str) -> String {
    device.number(key).map_or_else(|| device.get(key).to_owned(), |number| format!("{number}{unit}"))
}

/// Whole watts, with the fraction cut off.
fn watts(device: &Device, key: &str) -> String {
    let said = device.get(key);
    thousandths(said).map_or_else(|| said.to_owned(), |number| format!("{}W", number / 1000))
}

fn gpu(scene: &Scene, device: &Device) -> String {
    let told = [
        ("index", device.place.to_string()),
        ("name", device.get("name").to_owned()),
        ("persistence", short(device.get("persistence_mode"))),
        ("bus", device.get("pci.bus_id").to_owned()),
        ("display", short(device.get("display_active"))),
        ("ecc", errors(device)),
        ("fan", with(device, "fan.speed", "%")),
        ("temp", with(device, "temperature.gpu", "C")),
        ("perf", device.get("pstate").to_owned()),
        ("power", watts(device, "power.draw")),
        ("limit", watts(device, "enforced.power.limit")),
        ("memory", memory(scene, device)),
        ("util", with(device, "utilization.gpu", "%")),
        ("compute", mode(device.get("compute_mode"))),
        ("mig", mig(device)),
    ];
    lines(scene.layout.lines("table.gpu"), &pairs(&told))
}

/// A mode in three letters.
fn short(mode: &str) -> String {
    match mode {
        "Enabled" => "On",
        "Disabled" => "Off",
        other => other,
    }
    .to_owned()
}

fn mode(compute: &str) -> String {
    if compute == "Exclusive_Process" { "E. Process".to_owned() } else { compute.to_owned() }
}

/// The column of uncorrected errors, which also says whether they are looked for.
fn errors(device: &Device) -> String {
    if is_split(device) {
        return "On".to_owned();
    }
    match device.get("ecc.mode.current") {
        "Enabled" => device.get("ecc.errors.uncorrected.volatile.total").to_owned(),
        "Disabled" => "Off".to_owned(),
        other => other.to_owned(),
    }
}

fn memory(scene: &Scene, device: &Device) -> String {
    if device.get("memory.total") == NONE {
        return scene.layout.line("table.memory.none").to_owned();
    }
    let told = [("used", with(device, "memory.used", "MiB")), ("total", with(device, "memory.total", "MiB"))];
    fill(scene.layout.line("table.memory"), &pairs(&told))
}

/// The MIG mode; a star means that another mode waits for a reset.
fn mig(device: &Device) -> String {
    let (now, then) = (device.get("mig.mode.current"), device.get("mig.mode.pending"));
    if now == then { now.to_owned() } else { format!("{now}*") }
}

/// The box of MIG devices.
fn parts(scene: &Scene, devices: &[&Device]) -> String {
    let layout = &scene.layout;
    let mut out = lines(layout.lines("mig.head"), &|_| None);
    if devices.iter().all(|device| device.parts.is_empty()) {
        return out + &lines(layout.lines("mig.none"), &|_| None);
    }
    for device in devices {
        for (dev, part) in device.parts.iter().enumerate() {
            let told = part_cells(device, part, dev);
            let is_next = device.parts.get(dev + 1).is_some_and(|next| next.gi == part.gi);
            let is_first = dev == 0 || device.parts.get(dev - 1).is_none_or(|before| before.gi != part.gi);
            if is_first {
                out.push_str(&lines(layout.lines("mig.row"), &pairs(&told)));
            } else {
                out.push_str(&lines(layout.lines("mig.more"), &pairs(&told)));
            }
            if !is_next {
                out.push_str(&lines(layout.lines("mig.border"), &|_| None));
            }
        }
    }
    out
}

fn part_cells(device: &Device, part: &Part, dev: usize) -> [(&'static str, String); 15] {
    let of = |key: &str| part.get(key).to_owned();
    let mib = |key: &str| part.number(key).map_or_else(|| of(key), |number| format!("{number}MiB"));
    [
        ("gpu", device.place.to_string()),
        ("gi", part.gi.to_string()),
        ("ci", part.ci.to_string()),
        ("dev", dev.to_string()),
        ("used", mib("memory.used")),
        ("total", mib("memory.total")),
        ("bar1used", mib("bar1.used")),
        ("bar1total", mib("bar1.total")),
        ("sm", of("sm")),
        ("ecc", of("ecc.errors.uncorrected.volatile.sram")),
        ("ce", of("ce")),
        ("enc", of("enc")),
        ("dec", of("dec")),
        ("ofa", of("ofa")),
        ("jpg", of("jpg")),
    ]
}

/// The box of processes.
fn processes(scene: &Scene, devices: &[&Device]) -> String {
    let layout = &scene.layout;
    let mut out = lines(layout.lines("processes.head"), &|_| None);
    let before = out.len();
    for device in devices {
        for process in &device.processes {
            out.push_str(&lines(layout.lines("processes.row"), &pairs(&process_cells(device, process))));
        }
    }
    if out.len() == before {
        out.push_str(&lines(layout.lines("processes.none"), &|_| None));
    }
    out + &lines(layout.lines("processes.end"), &|_| None)
}

fn process_cells(device: &Device, process: &Process) -> [(&'static str, String); 7] {
    // A number is where the slash of N/A would be.
    let instance = |number: Option<u32>| number.map_or_else(|| NONE.to_owned(), |number| format!("{number:>2} "));
    [
        ("gpu", device.place.to_string()),
        ("gi", instance(process.gi)),
        ("ci", instance(process.ci)),
        ("pid", process.pid.to_string()),
        ("type", process.kind.clone()),
        ("name", process.name.clone()),
        ("memory", process.memory.map_or_else(|| format!("{NONE}     "), |used| format!("{used}MiB"))),
    ]
}
