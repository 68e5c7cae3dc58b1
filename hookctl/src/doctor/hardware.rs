//! NVIDIA hardware as the kernel shows it: PCI functions and the drivers that hold them, NVSwitches, and GPUs split by
//! MIG. Must not know libraries or containers.

use hook::contract::keys::Key;

use super::examination::Examination;
use super::packages;
use super::states::{FABRIC_MANAGER, GPU_HELD, MIG_INSTANCE_EMPTY, MIG_NODE_MISSING};
use crate::finding::{Finding, Severity};
use crate::inspect::Inspect;
use crate::tree::Tree;

const PCI: &str = "/sys/bus/pci/devices";
const VENDOR: &str = "0x10de";
const CAPABILITIES: &str = "/proc/driver/nvidia/capabilities";
const SWITCHES: &str = "/proc/driver/nvidia-nvswitch/devices";
/// The fabric manager's PID file, in both spellings of /run.
const FABRIC_MANAGER_PIDS: [&str; 2] =
    ["/run/nvidia-fabricmanager/nv-fabricmanager.pid", "/var/run/nvidia-fabricmanager/nv-fabricmanager.pid"];

/// An NVIDIA display function on the PCI bus.
struct Function {
    bus: String,
    /// The kernel driver that holds it, if any.
    driver: Option<String>,
}

/// The checks; they mean nothing without a loaded module.
pub fn check(examination: &mut Examination<'_>, module: &str) {
    held(examination);
    fabric_manager(examination, module);
    split(examination);
}

/// The functions that could be GPUs: NVIDIA's functions of class 03.
fn functions(host: &Tree) -> Vec<Function> {
    let is = |bus: &str, file: &str, start: &str| {
        host.text(&format!("{PCI}/{bus}/{file}")).is_some_and(|text| text.trim().starts_with(start))
    };
    let names = host.names(PCI).into_iter();
    let is_display = |bus: &str| is(bus, "class", "0x03") || !host.has(&format!("{PCI}/{bus}/class"));
    let displays = names.filter(|bus| is(bus, "vendor", VENDOR) && is_display(bus));
    displays
        .map(|bus| {
            let link = host.target(std::path::Path::new(&format!("{PCI}/{bus}/driver")));
            let driver = link.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
            Function { bus, driver }
        })
        .collect()
}

/// Whether the bus can be seen and nothing on it is NVIDIA's.
#[must_use]
pub fn is_without_gpu(host: &Tree) -> bool {
    let names = host.names(PCI);
    let of_nvidia = |bus: &String| host.text(&format!("{PCI}/{bus}/vendor")).is_some_and(|text| text.trim() == VENDOR);
    let seen = names.iter().any(|bus| host.has(&format!("{PCI}/{bus}/vendor")));
    seen && !names.iter().any(of_nvidia)
}

/// The drivers that hold GPUs in place of NVIDIA's module, as an addition to a message.
#[must_use]
pub fn holders(host: &Tree) -> String {
    let held: Vec<String> = functions(host)
        .into_iter()
        .filter_map(|function| Some((function.bus, function.driver?)))
        .filter(|(_, driver)| driver != "nvidia")
        .map(|(bus, driver)| format!("{bus} is held by {driver}"))
        .collect();
    held.join(", ")
}

/// Reports GPUs that another driver holds while NVIDIA's drives the rest.
fn held(examination: &mut Examination<'_>) {
    let held = holders(examination.host);
    if !held.is_empty() && !examination.gpus.list.is_empty() {
        examination.found(&GPU_HELD, format!("{held}, so no container gets it"));
    }
}

/// Machines with NVSwitches need the fabric manager, of the driver's version, before CUDA works.
fn fabric_manager(examination: &mut Examination<'_>, module: &str) {
    let host = examination.host;
    let has_switches = !host.names(SWITCHES).is_empty() || host.has("/dev/nvidia-nvswitchctl");
    if !has_switches {
        return;
    }
    let branch = module.split('.').next().unwrap_or_default();
    let names = [
        format!("nvidia-fabricmanager-{branch}"),
        "nvidia-fabricmanager".to_owned(),
        "nvidia-fabric-manager".to_owned(),
    ];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = match packages::version(host, &names) {
        Some(installed) if installed != module => {
            format!("the fabric manager {installed} is installed, and the kernel module is {module}: it does not start")
        }
        _ if FABRIC_MANAGER_PIDS.iter().any(|path| host.has(path)) => {
            examination.ok("fabric-manager", "it runs, as NVSwitches need it");
            return;
        }
        _ => "this machine has NVSwitches, and the fabric manager does not run (\"system not yet initialized\")"
            .to_owned(),
    };
    examination.found(&FABRIC_MANAGER, message);
}

/// Checks GPUs split by MIG: an instance without compute instances is of no use, and each instance needs its node. No
/// file shows whether MIG mode is on: the driver creates a GPU's `mig` directory in either case (seen on an H200,
/// driver 580).
fn split(examination: &mut Examination<'_>) {
    let host = examination.host;
    let instances = |gpu: &str| {
        let names = host.names(&format!("{CAPABILITIES}/{gpu}/mig"));
        names.into_iter().filter(|name| name.starts_with("gi")).collect::<Vec<_>>()
    };
    let gpus: Vec<String> = host.names(CAPABILITIES).into_iter().filter(|name| name.starts_with("gpu")).collect();
    let is_empty = |gpu: &str, instance: &str| {
        !host.names(&format!("{CAPABILITIES}/{gpu}/mig/{instance}")).iter().any(|name| name.starts_with("ci"))
    };
    let numbers = |gpu: &String| {
        let of = gpu.trim_start_matches("gpu").to_owned();
        let empty = instances(gpu).into_iter().filter(|instance| is_empty(gpu, instance));
        empty.map(|instance| format!("{} of GPU {of}", instance.trim_start_matches("gi"))).collect::<Vec<_>>()
    };
    let empty: Vec<String> = gpus.iter().flat_map(numbers).collect();
    if !empty.is_empty() {
        let (instances, have) = if empty.len() == 1 { ("GPU instance", "has") } else { ("GPU instances", "have") };
        let message =
            format!("{instances} {} {have} no compute instance, so CUDA finds no device there", empty.join(", "));
        examination.found(&MIG_INSTANCE_EMPTY, message);
    }
    unsplit(examination);
    let nodes: Vec<String> = gpus.iter().flat_map(|gpu| instance_nodes(host, gpu)).collect();
    let missing: Vec<&str> = nodes.iter().map(String::as_str).filter(|node| !host.has(node)).collect();
    if missing.is_empty() {
        if !nodes.is_empty() {
            examination.ok("mig-nodes", format!("the nodes of MIG instances are there: {}", nodes.len()));
        }
        return;
    }
    let (count, first) = (missing.len(), missing.first().copied().unwrap_or_default());
    let message =
        format!("{first} does not exist, which a MIG instance needs ({count} of {} are missing)", nodes.len());
    match examination.config.flag(Key::CliLoadKmods) {
        true => {
            let remedy = format!("{}; load-kmods makes it at the first start of a container", MIG_NODE_MISSING.remedy);
            examination.found_as(Severity::Warning, &MIG_NODE_MISSING, message, remedy);
        }
        false => examination.found(&MIG_NODE_MISSING, message),
    }
}

/// Notes what cannot be seen of GPUs that could be split and show no instance: in MIG mode they would be of no use.
fn unsplit(examination: &mut Examination<'_>) {
    let gpus = examination.gpus.list.iter().filter(|gpu| gpu.mig_capable && gpu.mig.is_empty());
    let gpus: Vec<String> = gpus.map(|gpu| gpu.minor.to_string()).collect();
    if gpus.is_empty() || !examination.gpus.shows_parts {
        return;
    }
    let (verb, pronoun) = if gpus.len() == 1 { ("shows", "it is") } else { ("show", "they are") };
    let message = format!(
        "GPU {} {verb} no instance; no file tells whether {pronoun} in mode MIG, in which CUDA would find no device there",
        gpus.join(", ")
    );
    let remedy = "nvidia-smi --query-gpu=index,mig.mode.current --format=csv tells";
    examination.findings.push(Finding::new(Severity::Note, "mig-mode", message, remedy));
}

/// The nodes of a GPU's instances, by the minor numbers that the driver assigns.
fn instance_nodes(host: &Tree, gpu: &str) -> Vec<String> {
    let node = |path: &str| {
        let text = host.text(path)?;
        let minor = text.lines().find_map(|line| line.strip_prefix("DeviceFileMinor:"))?;
        Some(format!("/dev/nvidia-caps/nvidia-cap{}", minor.trim().parse::<u32>().ok()?))
    };
    let mut nodes = Vec::new();
    for instance in host.names(&format!("{CAPABILITIES}/{gpu}/mig")).iter().filter(|name| name.starts_with("gi")) {
        let directory = format!("{CAPABILITIES}/{gpu}/mig/{instance}");
        nodes.extend(node(&format!("{directory}/access")));
        let parts = host.names(&directory).into_iter().filter(|name| name.starts_with("ci"));
        nodes.extend(parts.filter_map(|part| node(&format!("{directory}/{part}/access"))));
    }
    nodes
}
