//! `nvlink`: the links of GPUs, and what is at their other ends. It knows no path over the bus.

use super::options::{self, Options};
use super::scene::{Host, Scene};
use super::table;
use super::text::lines;
use super::{help, ok, told};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::Device;
use nvidia_simulated_machine::state::connections::links;

const NVLINK: &[(&str, &[&str], bool)] = &[
    ("--status", &["-s"], false),
    ("--capabilities", &["-c"], false),
    ("--errorcounters", &["-e"], false),
    ("--crcerrorcounters", &["-ec"], false),
    ("--pcibusid", &["-p"], false),
    ("--remotelinkinfo", &["-R"], false),
    ("--getthroughput", &["-gt"], true),
    ("--info", &["-info"], false),
    ("--setcontrol", &["-sc"], true),
    ("--getcontrol", &["-gc"], false),
    ("--getcounters", &["-g"], true),
    ("--resetcounters", &["-r"], true),
    ("--reseterrorcounters", &["-re"], false),
    ("--setLowPowerThreshold", &["-sLowPwrThres"], true),
    ("--getLowPowerInfo", &["-gLowPwrInfo"], false),
    ("--setBandwidthMode", &["-sBwMode"], true),
    ("--getBandwidthMode", &["-gBwMode"], false),
    ("--checkBridge", &["-cBridge"], false),
    ("--setLinkWidth", &["-sLWidth"], true),
    ("--getLinkWidth", &["-gLWidth"], false),
    ("--link", &["-l"], true),
    ("--id", &["-i"], true),
    ("--help", &["-h"], false),
];

/// The answers to deprecated options.
const DEPRECATED: [(&str, &str); 4] = [
    ("--setcontrol", "Setting counter control is deprecated!"),
    ("--getcontrol", "Getting counter control is deprecated!"),
    (
        "--getcounters",
        "Getting counters using option -g is deprecated.\nPlease use option -gt/--getthroughput instead.",
    ),
    ("--resetcounters", "Resetting counters is deprecated!"),
];

/// Answers `nvlink`.
pub(super) fn nvlink(words: &[String], host: &Host) -> Result<Outcome, Outcome> {
    let options = options::read(words, NVLINK).map_err(|line| told(&line, 2))?;
    if options.is_empty() || options.has("--help") {
        return Ok(ok(help::usage("nvlink")));
    }
    if let Some((_, line)) = DEPRECATED.into_iter().find(|(option, _)| options.has(option)) {
        return Ok(ok(format!("{line}\n")));
    }
    let scene = host.scene()?;
    let devices = scene.chosen(options.get("--id"))?;
    scene.all_answer(&devices)?;
    let mut out = String::new();
    for device in devices {
        let told = if device.get("mig.mode.current") == "Enabled" {
            lines(scene.layout.lines("nvlink.mig"), &|_| None)
        } else if device.number("nvlink.count").unwrap_or_default() == 0 {
            lines(scene.layout.lines("nvlink.none"), &|_| None)
        } else if options.has("--status") && links(device).all(|(_, is_up)| !is_up) {
            lines(scene.layout.lines("nvlink.inactive"), &|_| None)
        } else {
            told_of_links(&scene, device, &options)
        };
        if !told.is_empty() {
            out.push_str(&table::head(device));
            out.push_str(&told);
        }
    }
    Ok(ok(out))
}

fn told_of_links(scene: &Scene, device: &Device, options: &Options) -> String {
    let speed = device.get("nvlink.speed");
    let wanted = options.get("--link").and_then(|link| link.parse::<i64>().ok());
    let mut out = String::new();
    for (link, is_up) in links(device).filter(|(link, _)| wanted.is_none_or(|wanted| wanted == *link)) {
        let mut tell = |what: &str| out.push_str(&format!("\t Link {link}{what}\n"));
        if options.has("--status") {
            tell(&if is_up { format!(": {speed} GB/s") } else { ": <inactive>".to_owned() });
            continue;
        }
        if !is_up {
            continue;
        }
        if options.has("--capabilities") {
            for (what, is) in CAPABILITIES {
                tell(&format!(", {what}: {is}"));
            }
        }
        if options.has("--errorcounters") {
            for what in ["Replay", "Recovery", "CRC"] {
                tell(&format!(": {what} Errors: 0"));
            }
        }
        if let Some(kind) = options.get("--getthroughput") {
            let what = if kind.contains('r') { "Raw" } else { "Data" };
            tell(&format!(": {what} Tx: 0 KiB"));
            tell(&format!(": {what} Rx: 0 KiB"));
        }
        let Some(peer) = peer(scene, device, link) else { continue };
        if options.has("--pcibusid") {
            tell(&format!(": {peer}"));
        }
        if options.has("--remotelinkinfo") {
            tell(&format!(": Remote Device {peer}: Link {link}"));
        }
    }
    out
}

const CAPABILITIES: [(&str, bool); 6] = [
    ("P2P is supported", true),
    ("Access to system memory supported", true),
    ("P2P atomics supported", true),
    ("System memory atomics supported", true),
    ("SLI is supported", false),
    ("Link is supported", true),
];

/// The bus of the GPU that a link leads to: links are distributed among all other GPUs that have links.
fn peer<'s>(scene: &'s Scene, device: &Device, link: i64) -> Option<&'s str> {
    let others = |other: &&Device| other.place != device.place && other.number("nvlink.count").is_some_and(|n| n > 0);
    let all: Vec<&Device> = scene.devices.iter().filter(others).collect();
    let at = usize::try_from(link).ok()?.checked_rem(all.len())?;
    all.get(at).map(|other| other.get("pci.bus_id"))
}
