//! `nvidia-smi mig`: how GPUs are split, and splitting them.

mod change;
mod lists;

use super::options::{self, Options};
use super::scene::{Host, Scene};
use super::{help, ok, told};
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

/// Answers `mig`.
pub(super) fn run(words: &[String], host: &Host) -> Result<Outcome, Outcome> {
    let options = options::read(words, OPTIONS).map_err(|line| told(&line, 2))?;
    if options.is_empty() || options.has("--help") {
        return Ok(ok(help::usage("mig")));
    }
    let scene = host.scene()?;
    let devices = scene.chosen(options.get("--id"))?;
    scene.all_answer(&devices)?;
    // What a GPU could be split into is listed whether its MIG mode is on or off.
    let of_any = ["--list-gpu-instance-profiles", "--list-gpu-instance-possible-placements"];
    let is_of_any = of_any.iter().any(|option| options.has(option));
    let (wanted, none): (&[&str], _) =
        if is_of_any { (&["Enabled", "Disabled"], "supported") } else { (&["Enabled"], "enabled") };
    let split: Vec<&Device> = devices.into_iter().filter(|d| wanted.contains(&d.get("mig.mode.current"))).collect();
    if split.is_empty() {
        return Ok(ok(format!("No MIG-{none} devices found.\n")));
    }
    let run = Run { scene: &scene, host, options: &options, devices: &split };
    run.answer()
}

/// One run.
struct Run<'a> {
    scene: &'a Scene,
    host: &'a Host,
    options: &'a Options,
    /// The GPUs in MIG mode; for the lists of what is possible, all that support it.
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
            Ok(ok(help::usage("mig")))
        }
    }

    /// Whether `-gi` or `-ci` selects an instance; without the option, all are selected.
    fn is_meant(&self, option: &str, id: u32) -> bool {
        self.options.get(option).is_none_or(|ids| ids.split(',').any(|one| one.trim().parse() == Ok(id)))
    }
}
