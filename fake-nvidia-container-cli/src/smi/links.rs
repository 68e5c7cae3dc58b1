//! `topo` and `nvlink`: how GPUs and network cards are connected.

use super::scene::{Host, Scene};
use super::table;
use super::text::{fill, lines, pairs};
use super::{ok, options, told};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::{Device, NONE};

const TOPO: &[(&str, &[&str], bool)] = &[
    ("--matrix", &["-m"], false),
    ("--matrix_pci", &["-mp"], false),
    ("--p2pstatus", &["-p2p"], true),
    ("--id", &["-i"], true),
    ("--help", &["-h"], false),
];
const NVLINK: &[(&str, &[&str], bool)] = &[
    ("--status", &["-s"], false),
    ("--capabilities", &["-c"], false),
    ("--errorcounters", &["-e"], false),
    ("--id", &["-i"], true),
    ("--help", &["-h"], false),
];

/// Answers `topo`.
pub(super) fn topo(words: &[String], host: &Host) -> Result<Outcome, Outcome> {
    let options = options::read(words, TOPO).map_err(|line| told(&line, 2))?;
    let scene = host.scene()?;
    let devices = scene.chosen(options.get("--id"))?;
    scene.all_answer(&devices)?;
    if options.has("--matrix") || options.has("--matrix_pci") {
        return Ok(ok(matrix(&scene, &devices, options.has("--matrix"))));
    }
    if options.has("--p2pstatus") {
        return Ok(ok(peers(&scene, &devices)));
    }
    let usage = "\n    Usage: nvidia-smi topo -m | -mp | -p2p r|w|n|a|p [-i ids]\n";
    if options.has("--help") { Ok(ok(usage.to_owned())) } else { Err(told(usage, 2)) }
}

/// The matrix, with its legend. Its rows and columns are GPUs, then network cards.
fn matrix(scene: &Scene, devices: &[&Device], has_links: bool) -> String {
    let layout = &scene.layout;
    let nics: Vec<(usize, &String)> = scene.machine.nics.iter().enumerate().collect();
    let nic = |(place, name): &(usize, &String)| {
        fill(layout.line("topo.nic.name"), &pairs(&[("place", place.to_string()), ("name", (*name).clone())]))
    };
    let gpus = devices.iter().map(|device| (format!("GPU{}", device.place), device.place));
    let all = scene.devices.len();
    let ends: Vec<(String, usize)> = gpus.chain(nics.iter().map(|n| (nic(n), all + n.0))).collect();
    let heads: String = ends.iter().map(|(name, _)| format!("\t{name}")).collect();
    let mut out = format!("{heads}\t{}\n", layout.line("topo.tail"));
    for (row, (name, from)) in ends.iter().enumerate() {
        let cells: String = ends.iter().map(|(_, to)| format!("\t{}", cell(scene, *from, *to, has_links))).collect();
        let tail = devices.get(row).map_or_else(|| layout.line("topo.nic").to_owned(), |gpu| affinity(scene, gpu));
        out.push_str(&format!("{name}{cells}\t{tail}\n"));
    }
    out.push_str(include_str!("data/legend.txt"));
    if !nics.is_empty() {
        out.push_str("\nNIC Legend:\n\n");
        out.extend(nics.iter().map(|(place, name)| format!("  NIC{place}: {name}\n")));
        out.push('\n');
    }
    out
}

/// How two ends are connected: as the topology says, else by NVLink and by the halves of the machine.
fn cell(scene: &Scene, from: usize, to: usize, has_links: bool) -> String {
    if from == to {
        return " X ".to_owned();
    }
    let said = scene.machine.matrix.get(from).and_then(|row| row.split_whitespace().nth(to));
    if let Some(word) = said {
        return word.to_owned();
    }
    let links = |at: usize| scene.devices.get(at).and_then(|device| device.number("nvlink.count")).unwrap_or_default();
    let count = links(from).min(links(to));
    if count > 0 && has_links {
        return format!("NV{count}");
    }
    if half(scene, from) == half(scene, to) { "NODE".to_owned() } else { "SYS".to_owned() }
}

/// The NUMA node of an end, where nothing is said: a machine of four GPUs or more has two.
fn half(scene: &Scene, end: usize) -> usize {
    let gpus = scene.devices.len();
    let (place, count) = if end < gpus { (end, gpus) } else { (end - gpus, scene.machine.nics.len()) };
    if gpus >= 4 && place * 2 >= count { 1 } else { 0 }
}

fn affinity(scene: &Scene, device: &Device) -> String {
    let node = half(scene, device.place);
    let or = |key: &str, default: String| match device.get(key) {
        NONE => default,
        said => said.to_owned(),
    };
    let cpu = or("cpu_affinity", if node == 0 { "0-63" } else { "64-127" }.to_owned());
    let told =
        [("cpu", cpu), ("numa", or("numa_affinity", node.to_string())), ("id", device.get("gpu_numa_id").to_owned())];
    fill(scene.layout.line("topo.affinity"), &pairs(&told))
}

/// Which GPUs reach each other's memory: those that are linked.
fn peers(scene: &Scene, devices: &[&Device]) -> String {
    let heads: String = devices.iter().map(|device| format!("\tGPU{}", device.place)).collect();
    let mut out = format!(" {heads}\t\n");
    for from in devices {
        let word = |to: &&&Device| match cell(scene, from.place, to.place, true).as_str() {
            " X " => "X",
            link if link.starts_with("NV") => "OK",
            _ => "NS",
        };
        let cells: String = devices.iter().map(|to| format!("\t{}", word(&to))).collect();
        out.push_str(&format!(" GPU{}{cells}\t\n", from.place));
    }
    out + "\nLegend:\n\n  X    = Self\n  OK   = Status Ok\n  CNS  = Chipset not supported\n  GNS  = GPU not supported\n  \
        TNS  = Topology not supported\n  NS   = Not supported\n  U    = Unknown\n"
}

/// Answers `nvlink`.
pub(super) fn nvlink(words: &[String], host: &Host) -> Result<Outcome, Outcome> {
    let options = options::read(words, NVLINK).map_err(|line| told(&line, 2))?;
    let scene = host.scene()?;
    let devices = scene.chosen(options.get("--id"))?;
    scene.all_answer(&devices)?;
    let kinds = ["--status", "--capabilities", "--errorcounters"];
    let Some(kind) = kinds.into_iter().find(|kind| options.has(kind)) else {
        let usage = "\n    Usage: nvidia-smi nvlink -s | -c | -e [-i ids]\n";
        return if options.has("--help") { Ok(ok(usage.to_owned())) } else { Err(told(usage, 2)) };
    };
    let mut out = String::new();
    for device in devices {
        let is_split = device.get("mig.mode.current") == "Enabled";
        let said = scene.layout.lines("nvlink.mig");
        if !is_split {
            out.push_str(&table::head(device));
            let lines = links(device, kind);
            let none = scene.layout.lines("nvlink.none");
            out.push_str(&if lines.is_empty() { super::text::lines(none, &|_| None) } else { lines });
        } else if !said.is_empty() {
            out.push_str(&table::head(device));
            out.push_str(&lines(said, &|_| None));
        }
    }
    Ok(ok(out))
}

fn links(device: &Device, kind: &str) -> String {
    let inactive: Vec<&str> = device.get("nvlink.inactive").split(',').map(str::trim).collect();
    let speed = device.get("nvlink.speed");
    let mut out = String::new();
    for link in 0..device.number("nvlink.count").unwrap_or_default() {
        let is_inactive = inactive.contains(&link.to_string().as_str());
        match kind {
            "--status" if is_inactive => out.push_str(&format!("\t Link {link}: <inactive>\n")),
            "--status" => out.push_str(&format!("\t Link {link}: {speed} GB/s\n")),
            "--capabilities" => out.extend(
                [
                    ("P2P is supported", true),
                    ("Access to system memory supported", true),
                    ("P2P atomics supported", true),
                    ("System memory atomics supported", true),
                    ("SLI is supported", false),
                    ("Link is supported", true),
                ]
                .map(|(what, is)| format!("\t Link {link}, {what}: {is}\n")),
            ),
            _ => out.extend(["Replay", "Recovery", "CRC"].map(|what| format!("\t Link {link}: {what} Errors: 0\n"))),
        }
    }
    out
}
