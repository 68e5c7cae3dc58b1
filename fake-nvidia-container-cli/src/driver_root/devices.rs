//! The GPUs as the kernel shows devices on a bus, below /sys.

use super::{Entry, What};
use crate::driver::proc;
use nvidia_simulated_machine::state::connections::Connections;
use nvidia_simulated_machine::state::{self, Device, NONE, State};
use nvidia_simulated_machine::topology::{Gpu, Topology};

const BUS: &str = "/sys/bus/pci";

pub(super) fn all(machine: &Topology, state: &State, now: u64) -> Result<Vec<Entry>, String> {
    let mut all = vec![(format!("{BUS}/drivers/nvidia"), What::Folder), (format!("{BUS}/devices"), What::Folder)];
    let devices = state::devices(machine, state, now)?;
    let connections = Connections::of(machine, &devices);
    for (gpu, device) in machine.gpus.iter().zip(&devices) {
        all.extend(gpu_on_bus(gpu, device, &connections.node(device)));
    }
    Ok(all)
}

/// A GPU's folder, and the links to and from it.
fn gpu_on_bus(gpu: &Gpu, device: &Device, node: &str) -> Vec<Entry> {
    let bus = proc::bus(gpu);
    // The root of the bus: the address without device and function.
    let root = bus.rsplit_once(':').map_or(bus, |(root, _)| root);
    let folder = format!("/sys/devices/pci{root}/{bus}");
    let link = |path: String, to: String| (path, What::Link(to));
    let mut all = vec![
        link(format!("{folder}/driver"), "../../../bus/pci/drivers/nvidia".to_owned()),
        link(format!("{folder}/subsystem"), "../../../bus/pci".to_owned()),
        link(format!("{BUS}/devices/{bus}"), format!("../../../devices/pci{root}/{bus}")),
        link(format!("{BUS}/drivers/nvidia/{bus}"), format!("../../../../devices/pci{root}/{bus}")),
    ];
    let facts = facts(gpu, device, node);
    all.extend(facts.into_iter().map(|(name, value)| (format!("{folder}/{name}"), format!("{value}\n").into())));
    all
}

/// The files of a device; values that a model's figures do not have are left out.
fn facts(gpu: &Gpu, device: &Device, node: &str) -> Vec<(&'static str, String)> {
    let number = |key: &str| parse(device.get(key));
    let class = number("pci.baseClass").unwrap_or(3) << 16 | number("pci.subClass").unwrap_or(2) << 8;
    let mut facts = vec![
        ("vendor", "0x10de".to_owned()),
        ("class", format!("{class:#08x}")),
        ("revision", "0xa1".to_owned()),
        ("irq", state::irq(gpu)),
        ("enable", "1".to_owned()),
        ("numa_node", node.to_owned()),
        ("uevent", format!("DRIVER=nvidia\nPCI_CLASS={class:X}\nPCI_SLOT_NAME={}", proc::bus(gpu))),
    ];
    // The driver reports device and vendor as one number.
    let pairs = [("pci.device_id", "device", ""), ("pci.sub_device_id", "subsystem_device", "subsystem_vendor")];
    for (key, name, vendor) in pairs {
        let Some(both) = number(key) else { continue };
        facts.push((name, format!("{:#06x}", both >> 16)));
        if !vendor.is_empty() {
            facts.push((vendor, format!("{:#06x}", both & 0xffff)));
        }
    }
    let links = [("pcie.link.width.current", "current_link_width"), ("pcie.link.width.max", "max_link_width")];
    for (key, name) in links {
        if device.get(key) != NONE {
            facts.push((name, device.get(key).to_owned()));
        }
    }
    facts
}

fn parse(hexadecimal: &str) -> Option<u32> {
    u32::from_str_radix(hexadecimal.strip_prefix("0x")?, 16).ok()
}
