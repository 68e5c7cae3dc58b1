//! What the loaded driver shows apart from single devices on the bus: /proc, the modules, the device nodes.

use super::{Entry, What};
use crate::driver::{self, CAPS_MAJOR, IMEX_MAJOR, NVIDIA_MAJOR, caps, proc};
use nvidia_simulated_machine::driver_files;
use nvidia_simulated_machine::topology::{Gpu, NvCaps, Topology};

/// The first branch with channels to other machines.
const FABRIC_SINCE: u32 = 550;

/// The folder of the channels to other machines.
const CHANNELS: &str = "/dev/nvidia-caps-imex-channels";

/// /proc, and the modules below /sys.
pub(super) fn all(machine: &Topology) -> Vec<Entry> {
    let file = |path: String, text: String| (path, What::from(text));
    let mut all = vec![
        file(format!("{}/version", proc::FOLDER), proc::version(&machine.driver)),
        file(format!("{}/params", proc::FOLDER), proc::params(machine)),
        file(format!("{}/registry", proc::FOLDER), "Binary: \"\"\n".to_owned()),
        (format!("{}/gpus", proc::FOLDER), What::Folder),
        file("/proc/devices".to_owned(), proc::devices()),
        file("/proc/modules".to_owned(), proc::modules(machine)),
        file("/sys/module/nvidia/version".to_owned(), format!("{}\n", machine.driver)),
    ];
    for (name, used, _) in proc::loaded(machine) {
        all.push(file(format!("/sys/module/{name}/initstate"), "live\n".to_owned()));
        all.push(file(format!("/sys/module/{name}/refcnt"), format!("{used}\n")));
    }
    for gpu in &machine.gpus {
        all.push(file(
            format!("{}/gpus/{}/information", proc::FOLDER, proc::bus(gpu)),
            proc::information(machine, gpu),
        ));
        let of_gpu = |name: &str| format!("{}/gpus/{}/{name}", proc::FOLDER, proc::bus(gpu));
        all.push(file(of_gpu("power"), proc::POWER.to_owned()));
        all.push(file(of_gpu("registry"), "Binary: \"\"\n".to_owned()));
    }
    if machine.nvcaps != NvCaps::None {
        all.push(file(proc::MINORS.to_owned(), proc::minors()));
        // A GPU that can be split has its folder before it is split.
        let folder = |gpu: &Gpu| (format!("{}/mig", caps::gpu_folder(gpu)), What::Folder);
        all.extend(machine.gpus.iter().filter(|gpu| gpu.mig_capable).map(folder));
        all.extend(caps::existing(machine).into_iter().map(|right| file(right.proc, proc::access(right.minor))));
        if driver_files::branch(&machine.driver) >= FABRIC_SINCE {
            all.push(file(format!("{}/fabric-imex-mgmt", caps::PROC), proc::access(caps::FABRIC)));
            all.push(file(
                "/proc/driver/nvidia-caps/sys-minors".to_owned(),
                format!("fabric-imex-mgmt {}\n", caps::FABRIC),
            ));
            all.push(file("/proc/driver/nvidia-caps/nvlink-minors".to_owned(), "fabric-mgmt 0\n".to_owned()));
        }
    }
    all
}

/// The device nodes, with systemd's links to them by number.
pub(super) fn nodes(machine: &Topology) -> Vec<Entry> {
    let mut nodes: Vec<(String, u32, u32)> =
        driver::nodes(&machine.host.devs).into_iter().map(|node| (node.path, node.major, node.minor)).collect();
    nodes.extend(machine.gpus.iter().map(|gpu| (format!("/dev/nvidia{}", gpu.minor), NVIDIA_MAJOR, gpu.minor)));
    if machine.dev_caps() {
        nodes.extend(caps::existing(machine).iter().map(|right| (right.dev(), CAPS_MAJOR, right.minor)));
    }
    nodes.extend((0..machine.imex_channels_present).map(|at| (format!("{CHANNELS}/channel{at}"), IMEX_MAJOR, at)));
    let mut all = Vec::new();
    for (path, major, minor) in nodes {
        let to = format!("..{}", path.strip_prefix("/dev").unwrap_or_default());
        all.push((format!("/dev/char/{major}:{minor}"), What::Link(to)));
        let mode = if major == CAPS_MAJOR { caps::mode(minor) } else { 0o666 };
        all.push((path, What::Node { major, minor, mode }));
    }
    all
}
