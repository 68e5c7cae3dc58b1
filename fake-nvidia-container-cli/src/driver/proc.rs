//! What the kernel module shows below /proc: the driver's version and settings, its GPUs, the rights to their parts.
//!
//! It knows texts, not where they are put.

use super::caps;
use nvidia_simulated_machine::driver_files;
use nvidia_simulated_machine::state::{self, NONE, State, figures};
use nvidia_simulated_machine::topology::{Gpu, Topology};

/// The module's folder.
pub const FOLDER: &str = "/proc/driver/nvidia";
/// The first branch whose `information` shows the firmware.
const FIRMWARE_SINCE: u32 = 510;
/// The list of all possible rights, each with the minor number of its node.
pub const MINORS: &str = "/proc/driver/nvidia-caps/mig-minors";

/// `version`: of the module, and of the compiler that it was built with.
#[must_use]
pub fn version(driver: &str) -> String {
    let machine = std::env::consts::ARCH;
    format!(
        "NVRM version: NVIDIA UNIX {machine} Kernel Module  {driver}  Mon Jan  1 00:00:00 UTC 2024\n\
         GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
    )
}

/// `params`: the settings of a module that was loaded without any; for drivers before 580, those that container tools
/// read. If the topology says that a GPU has no links, they were switched off.
#[must_use]
pub fn params(machine: &Topology) -> String {
    if driver_files::branch(&machine.driver) >= 580 {
        let is_off = machine.gpus.iter().any(|gpu| gpu.state.0.get("nvlink.count").is_some_and(|count| count == "0"));
        return if is_off { PARAMS.replace("NvLinkDisable: 0", "NvLinkDisable: 1") } else { PARAMS.to_owned() };
    }
    let settings = [
        ("ResmanDebugLevel", "4294967295"),
        ("ModifyDeviceFiles", "1"),
        ("DeviceFileUID", "0"),
        ("DeviceFileGID", "0"),
        ("DeviceFileMode", "438"),
        ("EnableMSI", "1"),
        ("RegistryDwords", "\"\""),
        ("GpuBlacklist", "\"\""),
    ];
    settings.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

/// The settings of driver 580.
const PARAMS: &str = include_str!("params.txt");

/// `information` of a GPU.
#[must_use]
pub fn information(machine: &Topology, gpu: &Gpu) -> String {
    let place = machine.gpus.iter().position(|other| other.uuid == gpu.uuid).unwrap_or_default();
    let device = state::device(machine, place, &State::default(), 0).ok();
    let told = |key: &str| device.as_ref().map(|device| device.get(key).to_owned()).filter(|value| value != NONE);
    let bios = told("vbios_version").unwrap_or_else(|| "??.??.??.??.??".to_owned()).to_ascii_lowercase();
    let bits = if ["Hopper", "Blackwell"].contains(&figures::architecture(&gpu.arch)) { 52 } else { 47 };
    let firmware = told("gsp.firmware").filter(|_| driver_files::branch(&machine.driver) >= FIRMWARE_SINCE);
    let mut lines = vec![
        ("Model: \t\t ", gpu.model.clone()),
        ("IRQ:   \t\t ", state::irq(gpu)),
        ("GPU UUID: \t ", gpu.uuid.clone()),
        ("Video BIOS: \t ", bios),
        ("Bus Type: \t ", "PCIe".to_owned()),
        ("DMA Size: \t ", format!("{bits} bits")),
        ("DMA Mask: \t ", format!("{:#x}", (1_u64 << bits) - 1)),
        ("Bus Location: \t ", bus(gpu).to_owned()),
        ("Device Minor: \t ", gpu.minor.to_string()),
    ];
    lines.extend(firmware.map(|version| ("GPU Firmware: \t ", version)));
    lines.push(("GPU Excluded:\t ", "No".to_owned()));
    lines.iter().map(|(label, value)| format!("{label}{value}\n")).collect()
}

/// A GPU's power settings, as a server card has them.
pub const POWER: &str = "Runtime D3 status:          Disabled by default\nVideo Memory:               Active\n\n\
    GPU Hardware Support:\n Video Memory Self Refresh: Not Supported\n Video Memory Off:          Not Supported\n\n\
    S0ix Power Management:\n Platform Support:          Not Supported\n Status:                    Disabled\n\n\
    Notebook Dynamic Boost:     Not Supported\n";

/// The name of a GPU's folder: with the sixteen domain bits that most machines have, or with all bits if there are
/// more.
#[must_use]
pub fn bus(gpu: &Gpu) -> &str {
    gpu.busid.strip_prefix("0000").unwrap_or(&gpu.busid)
}

/// `access`: the node of a right.
#[must_use]
pub fn access(minor: u32) -> String {
    format!("DeviceFileMinor: {minor}\nDeviceFileMode: {}\nDeviceFileModify: 1\n", caps::mode(minor))
}

/// `mig-minors`: the node of each possible right, on as many GPUs as the kernel keeps nodes for.
#[must_use]
pub fn minors() -> String {
    let mut text = format!("config {}\nmonitor {}\n", caps::CONFIG, caps::MONITOR);
    for minor in 0..caps::GPUS {
        let gpu = Gpu { minor, ..Gpu::default() };
        for (gi, node) in (0..).zip(caps::all(&gpu).step_by(9)) {
            text.push_str(&format!("gpu{minor}/gi{gi}/access {node}\n"));
            for ci in 0..8 {
                text.push_str(&format!("gpu{minor}/gi{gi}/ci{ci}/access {}\n", node + 1 + ci));
            }
        }
    }
    text
}

/// `/proc/devices`: the major numbers of the driver.
#[must_use]
pub fn devices() -> String {
    let families = [
        (super::NVIDIA_MAJOR, "nvidia"),
        (super::NVIDIA_MAJOR, "nvidia-modeset"),
        (super::NVIDIA_MAJOR, "nvidiactl"),
        (super::UVM_MAJOR, "nvidia-uvm"),
        (super::CAPS_MAJOR, "nvidia-caps"),
        (super::IMEX_MAJOR, "nvidia-caps-imex-channels"),
    ];
    let lines: String = families.iter().map(|(major, name)| format!("{major:>3} {name}\n")).collect();
    format!("Character devices:\n{lines}\nBlock devices:\n")
}

/// The modules of the driver, as the kernel lists them: the name, how often it is used, and by which modules.
#[must_use]
pub fn loaded(machine: &Topology) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut modules = vec![
        ("nvidia_uvm", "0", "-"),
        ("nvidia_drm", "0", "-"),
        ("nvidia_modeset", "1", "nvidia_drm,"),
        ("nvidia", "2", "nvidia_uvm,nvidia_modeset,"),
    ];
    let has = |name: &str| name != "nvidia_uvm" || machine.host.devs.iter().any(|dev| dev == "/dev/nvidia-uvm");
    modules.retain(|(name, ..)| has(name));
    modules
}

/// `/proc/modules`.
#[must_use]
pub fn modules(machine: &Topology) -> String {
    let line = |(name, used, by)| format!("{name} 1048576 {used} {by} Live 0x0000000000000000 (POE)\n");
    loaded(machine).into_iter().map(line).collect()
}
