//! The output of `list`: one path per line, in a fixed order whatever the order of the options.

use super::Choice;
use crate::cli::Parsed;
use crate::driver::{Driver, caps};
use nvidia_simulated_machine::topology::Topology;

/// What a listing is made from.
#[derive(Debug)]
pub struct Listing<'a> {
    /// The machine that is listed.
    pub machine: &'a Topology,
    /// Its driver's files and nodes.
    pub driver: &'a Driver,
    /// The devices that the command line chose.
    pub choice: &'a Choice,
    /// The chosen IMEX channels.
    pub channels: &'a [u32],
}

/// What `list` prints, for the options of the command line.
pub(super) fn print(listing: &Listing<'_>, parsed: &Parsed) -> String {
    let mut lines = Vec::new();
    if listing.choice.listed {
        devices(listing, &mut lines);
    }
    lines.extend(listing.channels.iter().map(|c| format!("/dev/nvidia-caps-imex-channels/channel{c}")));
    rights(listing, &listing.choice.config, "config", caps::CONFIG, &mut lines);
    rights(listing, &listing.choice.monitor, "monitor", caps::MONITOR, &mut lines);
    let driver = listing.driver;
    let lists = [
        (parsed.list_bins, &driver.bins),
        (parsed.list_libs, &driver.libs),
        (parsed.list_libs && parsed.compat32, &driver.libs32),
        (parsed.list_ipcs, &driver.ipcs),
        (parsed.list_firmwares, &driver.firmwares),
    ];
    lists.into_iter().filter(|(wanted, _)| *wanted).for_each(|(_, files)| lines.extend(files.iter().cloned()));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The driver's nodes, the GPUs' nodes, and the rights to each part.
fn devices(listing: &Listing<'_>, lines: &mut Vec<String>) {
    lines.extend(listing.driver.nodes.iter().map(|n| n.path.clone()));
    let gpus = &listing.machine.gpus;
    let chosen = &listing.choice.devices;
    lines.extend(chosen.gpus.iter().filter_map(|at| gpus.get(*at)).map(|g| format!("/dev/nvidia{}", g.minor)));
    if listing.choice.global {
        return;
    }
    for (gpu, mig) in &chosen.migs {
        let Some(gpu) = gpus.get(*gpu) else { continue };
        let Some(mig) = gpu.mig.get(*mig) else { continue };
        let accesses = caps::accesses(gpu, mig);
        lines.extend(accesses.iter().map(|a| a.proc.clone()));
        if listing.machine.dev_caps() {
            lines.extend(accesses.iter().map(caps::Access::dev));
        }
    }
}

/// A global right, and everything that it opens on the GPUs.
fn rights(listing: &Listing<'_>, gpus: &[usize], word: &str, minor: u32, lines: &mut Vec<String>) {
    if gpus.is_empty() {
        return;
    }
    let dev = listing.machine.dev_caps();
    lines.push(format!("{}/mig/{word}", caps::PROC));
    if dev {
        lines.push(caps::dev(minor));
    }
    for gpu in gpus.iter().filter_map(|at| listing.machine.gpus.get(*at)) {
        lines.push(caps::gpu_folder(gpu));
        if dev {
            lines.push(caps::DEV.to_owned());
            lines.extend(caps::all(gpu).map(caps::dev));
        }
    }
}
