//! `topo`: how GPUs and network cards are connected. It knows no link by number.

use super::options::{self, Options};
use super::scene::{Host, Scene};
use super::text::{fill, pairs};
use super::{help, ok, told};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::Device;
use nvidia_simulated_machine::state::connections::{Connections, Reach};

const TOPO: &[(&str, &[&str], bool)] = &[
    ("--matrix", &["-m"], false),
    ("--matrix_pci", &["-mp"], false),
    ("--matrix_nvme", &["-nvme"], false),
    ("--p2pstatus", &["-p2p"], true),
    ("--cpu", &["-c"], true),
    ("--nearest_gpus", &["-n"], true),
    ("--gpu_path", &["-p"], false),
    ("--get-numa-id-of-nearby-cpu", &["-C"], false),
    ("--get-numa-id-of-nearby-mem", &["-M"], false),
    ("--gpu-numa-id", &["-gnid"], false),
    ("--id", &["-i"], true),
    ("--help", &["-h"], false),
];

/// What is between two GPUs, from near to far: the matrix's word, and the sentence's.
const WAYS: [(&str, &str); 6] = [
    ("", "an single on-board PCIe switch"),
    ("PIX", "a single PCIe switch"),
    ("PXB", "multiple PCIe switches"),
    ("PHB", "a PCIe host bridge"),
    ("NODE", "an on-CPU interconnect link between PCIe host bridges"),
    ("SYS", "an SMP interconnect link between NUMA nodes"),
];

/// What underlines text on a terminal; the program does not check whether it writes to one.
const UNDERLINED: (&str, &str) = ("\u{1b}[4m", "\u{1b}[0m");

/// Answers `topo`.
pub(super) fn topo(words: &[String], host: &Host) -> Result<Outcome, Outcome> {
    let options = options::read(words, TOPO).map_err(|line| told(&line, 2))?;
    if options.is_empty() || options.has("--help") {
        return Ok(ok(help::usage("topo")));
    }
    let scene = host.scene()?;
    let devices = scene.chosen(options.get("--id"))?;
    scene.all_answer(&devices)?;
    if options.has("--matrix") || options.has("--matrix_pci") || options.has("--matrix_nvme") {
        return Ok(ok(matrix(&scene, &devices, !options.has("--matrix_pci"))));
    }
    if let Some(letter) = options.get("--p2pstatus") {
        return peers(&scene, &devices, letter).map(ok);
    }
    if let Some(cpu) = options.get("--cpu") {
        return near_cpu(&scene, &devices, cpu).map(ok);
    }
    of_devices(&options, &scene, &devices).map(ok)
}

/// Answers questions about the one or two GPUs that `-i` names.
fn of_devices(options: &Options, scene: &Scene, devices: &[&Device]) -> Result<String, Outcome> {
    let one = |what: &str| match devices {
        [device] if options.has("--id") => Ok(*device),
        _ => Err(told(&format!("{what} must be used in conjunction with the -i argument {SINGLE}"), 2)),
    };
    if let Some(level) = options.get("--nearest_gpus") {
        return nearest(scene, one("Nearest command line flag")?, level);
    }
    if options.has("--gpu_path") {
        let [from, to] = devices else {
            let line = "Path command line flag must be used in conjection with the -i argument which must be two GPU \
                        identifiers.\n";
            return Err(told(line, 2));
        };
        let way = way(scene, from.place, to.place).map_or("", |(_, way)| way);
        return Ok(format!("Device {} is connected to device {} by way of {way}.\n", from.place, to.place));
    }
    for (option, name, line) in [
        ("--get-numa-id-of-nearby-cpu", "CPU NUMA ID command", "NUMA IDs of closest CPU"),
        ("--get-numa-id-of-nearby-mem", "Memory NUMA ID command", "NUMA IDs of closest memory"),
        ("--gpu-numa-id", "GPU NUMA ID command", "NUMA ID of GPU"),
    ] {
        if options.has(option) {
            let device = one(name)?;
            let node = if option == "--gpu-numa-id" {
                device.get("gpu_numa_id").to_owned()
            } else {
                connections(scene).node(device)
            };
            return Ok(format!("{line}: {node}\n"));
        }
    }
    Ok(help::usage("topo"))
}

const SINGLE: &str = "which must be a single identifier.\n";

/// The GPUs that are near a processor.
fn near_cpu(scene: &Scene, devices: &[&Device], cpu: &str) -> Result<String, Outcome> {
    let wanted: u32 = cpu.parse().map_err(|_| told(&format!("Invalid CPU number: {cpu}\n"), 2))?;
    let holds = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        first.parse().is_ok_and(|first: u32| first <= wanted) && last.parse().is_ok_and(|last: u32| wanted <= last)
    };
    let near = devices.iter().filter(|device| connections(scene).processors(device).split(',').any(holds));
    let list: Vec<String> = near.map(|device| device.place.to_string()).collect();
    Ok(format!("The GPUs that have an affinity with CPU {cpu} are:\n{}\n\n", list.join(", ")))
}

/// The GPUs at a given distance from one GPU.
fn nearest(scene: &Scene, device: &Device, level: &str) -> Result<String, Outcome> {
    let number: usize = level.parse().unwrap_or(usize::MAX);
    let Some((_, name)) = WAYS.get(number) else {
        return Err(told(&format!("Invalid traversal path: {level}\n"), 2));
    };
    let from = device.place;
    let is_there = |to: &usize| *to != from && way(scene, from, *to).is_some_and(|(at, _)| at == number);
    let list: Vec<String> = (0..scene.devices.len()).filter(is_there).map(|to| to.to_string()).collect();
    Ok(if list.is_empty() {
        format!("Device {from} is not connected to other devices by way of {name}.\n\n")
    } else {
        format!("Device {from} is connected by way of {name} to device(s): {}\n", list.join(", "))
    })
}

/// What is between two GPUs on the bus, and their distance.
fn way(scene: &Scene, from: usize, to: usize) -> Option<(usize, &'static str)> {
    let word = cell(scene, from, to, false);
    WAYS.iter().enumerate().find(|(_, (short, _))| *short == word).map(|(at, (_, way))| (at, *way))
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
    let (on, off) = UNDERLINED;
    let heads = heads.strip_prefix('\t').unwrap_or(&heads);
    let mut out = format!("\t{on}{heads}\t{}{off}\n", layout.line("topo.tail"));
    for (row, (name, from)) in ends.iter().enumerate() {
        let cells: String = ends.iter().map(|(_, to)| format!("\t{}", cell(scene, *from, *to, has_links))).collect();
        let tail = devices.get(row).map_or_else(|| layout.line("topo.nic").to_owned(), |gpu| affinity(scene, gpu));
        out.push_str(&format!("{name}{cells}\t{tail}\n"));
    }
    let legend = include_str!("data/legend.txt");
    out.extend(legend.lines().filter(|line| has_links || !line.contains("NV#")).map(|line| format!("{line}\n")));
    if !nics.is_empty() {
        out.push_str("\nNIC Legend:\n\n");
        out.extend(nics.iter().map(|(place, name)| format!("  NIC{place}: {name}\n")));
        out.push('\n');
    }
    out
}

/// How two ends are connected, as the matrix writes it.
fn cell(scene: &Scene, from: usize, to: usize, has_links: bool) -> String {
    if from == to { " X ".to_owned() } else { connections(scene).word(from, to, has_links) }
}

fn connections(scene: &Scene) -> Connections<'_> {
    Connections::of(&scene.machine, &scene.devices)
}

fn affinity(scene: &Scene, device: &Device) -> String {
    let (cpu, numa) = (connections(scene).processors(device), connections(scene).node(device));
    let told = [("cpu", cpu), ("numa", numa), ("id", device.get("gpu_numa_id").to_owned())];
    fill(scene.layout.line("topo.affinity"), &pairs(&told))
}

/// Which GPUs reach each other's memory, in the way that a letter stands for.
fn peers(scene: &Scene, devices: &[&Device], letter: &str) -> Result<String, Outcome> {
    let reach = match letter {
        "r" | "w" | "p" => Reach::Anyhow,
        "n" | "a" => Reach::ByLinks,
        _ => return Err(told(&format!("Invalid P2P capability: {letter}\n"), 2)),
    };
    let heads: String = devices.iter().map(|device| format!("GPU{}\t", device.place)).collect();
    let (on, off) = UNDERLINED;
    let mut out = format!(" \t{on}{heads}{off}\n");
    for from in devices {
        let word = |to: &&&Device| match connections(scene).reaches(from.place, to.place, reach) {
            _ if from.place == to.place => "X",
            true => "OK",
            false => "NS",
        };
        let cells: String = devices.iter().map(|to| format!("\t{}", word(&to))).collect();
        out.push_str(&format!(" GPU{}{cells}\t\n", from.place));
    }
    Ok(out
        + "\nLegend:\n\n  X    = Self\n  OK   = Status Ok\n  CNS  = Chipset not supported\n  GNS  = GPU not supported\n  \
        TNS  = Topology not supported\n  NS   = Not supported\n  U    = Unknown\n")
}
