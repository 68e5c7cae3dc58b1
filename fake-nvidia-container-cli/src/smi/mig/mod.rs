//! `nvidia-smi mig`: how GPUs are split, and splitting them.

mod change;
mod lists;

use super::options::{self, Options};
use super::scene::{Host, Scene};
use super::{ok, told};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::Device;

const OPTIONS: &[(&str, &[&str], bool)] = &[
    ("--id", &["-i"], true),
    ("--gpu-instance-id", &["-gi"], true),
    ("--compute-instance-id", &["-ci"], true),
    ("--list-gpu-instance-profiles", &["-lgip"], false),
    ("--list-gpu-instance-possible-placements", &["-lgipp"], false),
    ("--default-compute-instance", &["-C"], false),
    ("--create-gpu-instance", &["-cgi"], true),
    ("--destroy-gpu-instance", &["-dgi"], false),
    ("--list-gpu-instances", &["-lgi"], false),
    ("--list-compute-instance-profiles", &["-lcip"], false),
    ("--list-compute-instance-possible-placements", &["-lcipp"], false),
    ("--create-compute-instance", &["-cci"], true),
    ("--destroy-compute-instance", &["-dci"], false),
    ("--list-compute-instances", &["-lci"], false),
    ("--help", &["-h"], false),
];

const USAGE: &str = "\n    Usage: nvidia-smi mig [-i ids] [-gi ids] [-ci ids] ACTION\n\n    \
    -lgip   list GPU instance profiles\n    -lgipp  list where they may be placed\n    \
    -cgi    create GPU instances of a list of profiles; -C with a compute instance in each\n    \
    -lgi    list GPU instances\n    -dgi    destroy GPU instances\n    \
    -lcip   list compute instance profiles\n    -lcipp  list where they may be placed\n    \
    -cci    create compute instances of a list of profiles\n    \
    -lci    list compute instances\n    -dci    destroy compute instances\n";

/// Answers it.
pub(super) fn run(words: &[String], host: &Host) -> Result<Outcome, Outcome> {
    let options = options::read(words, OPTIONS).map_err(|line| told(&line, 2))?;
    if options.has("--help") {
        return Ok(ok(USAGE.to_owned()));
    }
    let scene = host.scene()?;
    let devices = scene.chosen(options.get("--id"))?;
    scene.all_answer(&devices)?;
    let split: Vec<&Device> = devices.into_iter().filter(|d| d.get("mig.mode.current") == "Enabled").collect();
    if split.is_empty() {
        return Err(told("No MIG-enabled devices found.", 6));
    }
    let run = Run { scene: &scene, host, options: &options, devices: &split };
    run.answer()
}

/// One run.
struct Run<'a> {
    scene: &'a Scene,
    host: &'a Host,
    options: &'a Options,
    /// The GPUs in MIG mode.
    devices: &'a [&'a Device],
}

impl Run<'_> {
    fn answer(&self) -> Result<Outcome, Outcome> {
        let asked = |name: &str| self.options.has(name);
        if asked("--list-gpu-instance-profiles") {
            self.profiles().map(ok)
        } else if asked("--list-gpu-instance-possible-placements") {
            self.placements().map(ok)
        } else if asked("--list-gpu-instances") {
            self.instances().map(ok)
        } else if asked("--list-compute-instance-profiles") {
            self.compute_profiles(false).map(ok)
        } else if asked("--list-compute-instance-possible-placements") {
            self.compute_profiles(true).map(ok)
        } else if asked("--list-compute-instances") {
            self.computes().map(ok)
        } else if asked("--create-gpu-instance") {
            self.create()
        } else if asked("--create-compute-instance") {
            self.create_computes()
        } else if asked("--destroy-gpu-instance") {
            self.destroy()
        } else if asked("--destroy-compute-instance") {
            self.destroy_computes()
        } else {
            Err(told(USAGE, 2))
        }
    }

    /// Whether an instance is meant by `-gi` or `-ci`; all are without it.
    fn is_meant(&self, option: &str, id: u32) -> bool {
        self.options.get(option).is_none_or(|ids| ids.split(',').any(|one| one.trim().parse() == Ok(id)))
    }
}
