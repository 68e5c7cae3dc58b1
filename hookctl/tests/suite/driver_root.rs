//! A simulated machine as the simulator lays it out: `doctor` finds no fault in it, and `explain` predicts what the
//! simulator does on the same machine. Must not know how the machine is laid out.

use std::process::Command;

use fake_nvidia_container_cli::cli::{self, Context, Version};
use fake_nvidia_container_cli::driver_root::{Nodes, lay};
use fake_nvidia_container_cli::failure::Pending;
use fake_nvidia_container_cli::simulate::{self, Look, Setting, Work};
use nvidia_simulated_machine::text::Text;
use nvidia_simulated_machine::topology::{self, Topology};
use serde_json::Value;

use super::cases::hookctl;

/// A machine, both laid out on disk and as the simulator has it.
struct Host {
    folder: tempfile::TempDir,
    machine: Topology,
}

impl Host {
    fn of(name: &str) -> Self {
        let host = Host { folder: tempfile::tempdir().unwrap(), machine: topology::load(Some(name)).unwrap() };
        lay(host.folder.path(), &host.machine, Nodes::Files, b"#!/bin/sh\n").unwrap();
        host
    }

    fn report(&self, words: &[&str]) -> Value {
        let mut command = Command::new(hookctl());
        command.args(words).arg("--host-root").arg(self.folder.path()).args(["--output", "json"]).env_clear();
        let output = command.output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{words:?}: {why}: {output:?}"))
    }

    /// The line with which the simulator refuses a command line, if it does.
    fn refusal(&self, argv: &[String]) -> Option<String> {
        let context =
            Context { argv0: argv[0].clone(), version: Version::NEWEST, posixly_correct: false, ppid: 1, euid: (0, 0) };
        let reading = cli::parse(&context, argv[1..].iter().map(|word| Text::from(word.clone())).collect());
        let setting = Setting {
            machine: &self.machine,
            version: Version::NEWEST,
            path: Some("/usr/bin"),
            mps: None,
            pending: &Pending::default(),
            program: &reading.program,
            look: Look::Nowhere,
        };
        let parsed = reading.parsed.unwrap();
        let stop = simulate::run(setting, &parsed, &mut Work::default()).err()?;
        Some(stop.outcome(&reading.program).stderr.trim_end().to_owned())
    }
}

/// The command line that a report shows, for a process and a root: without a bundle there is neither.
fn argv(report: &Value) -> Vec<String> {
    let plain = |word: &str| if word.starts_with("--pid=") { "--pid=1" } else { word }.to_owned();
    let words = report["argv"].as_array().unwrap().iter();
    let mut argv: Vec<String> = words.map(|word| plain(word["text"].as_str().unwrap())).collect();
    *argv.last_mut().unwrap() = "/container".to_owned();
    argv
}

#[test]
fn doctor_finds_no_fault() {
    for (name, faults) in [
        ("t4", &[][..]),
        ("h100", &[]),
        ("a100-mig", &[]),
        ("gb200", &[]),
        ("mixed", &[]),
        ("none", &[]),
        ("empty", &["no-gpu"]),
    ] {
        let report = Host::of(name).report(&["doctor"]);
        let checks = report["checks"].as_array().unwrap();
        let found: Vec<&str> = checks
            .iter()
            .filter(|check| !["ok", "note"].contains(&check["severity"].as_str().unwrap()))
            .map(|check| check["id"].as_str().unwrap())
            .collect();
        assert_eq!(found, faults, "{name}: {report:#}");
    }
}

#[test]
fn explain_foretells_what_the_simulator_does() {
    let mut refused = 0;
    for name in ["t4", "h100", "a100-mig", "mixed", "gb200"] {
        let host = Host::of(name);
        let uuid = &host.machine.gpus[0].uuid;
        for devices in ["all", "0", "1", "3", "9", "0:0", "0:9", "0,2", "none", "void", uuid, "GPU-no-such"] {
            for require in ["cuda>=11.0", "cuda>=99", "brand=tesla driver>=999", "arch>=8.0"] {
                let variables = [
                    format!("NVIDIA_VISIBLE_DEVICES={devices}"),
                    format!("NVIDIA_REQUIRE_CUDA={require}"),
                    "NVIDIA_DRIVER_CAPABILITIES=compute,utility".to_owned(),
                ];
                let words: Vec<&str> = ["explain"]
                    .into_iter()
                    .chain(variables.iter().flat_map(|variable| ["--env", variable.as_str()]))
                    .collect();
                let report = host.report(&words);
                if !matches!(report["verdict"].as_str(), Some("execute" | "refused")) {
                    continue;
                }
                let argv = argv(&report);
                let foretold = report["refusal"]["line"].as_str().map(str::to_owned);
                assert_eq!(foretold, host.refusal(&argv), "{name}: {variables:?}: {argv:?}");
                refused += usize::from(foretold.is_some());
            }
        }
    }
    assert!(refused > 100, "{refused} refusals");
}

#[test]
fn explain_foretells_the_order_of_the_simulators_steps() {
    for (name, variables) in [
        ("a100-mig", &["VISIBLE_DEVICES=0:0", "MIG_CONFIG_DEVICES=all"][..]),
        ("a100-mig", &["VISIBLE_DEVICES=0:0", "MIG_MONITOR_DEVICES=all"]),
        ("a100-mig", &["VISIBLE_DEVICES=all", "MIG_CONFIG_DEVICES=all"]),
        ("a100-mig", &["VISIBLE_DEVICES=all", "MIG_CONFIG_DEVICES=0"]),
        ("a100-mig", &["VISIBLE_DEVICES=0:0", "MIG_CONFIG_DEVICES=all", "MIG_MONITOR_DEVICES=0"]),
        ("mixed", &["VISIBLE_DEVICES=all", "REQUIRE_A=arch<=7.6", "REQUIRE_B=arch>=7.6"]),
        ("mixed", &["VISIBLE_DEVICES=all", "REQUIRE_A=arch>=7.6", "REQUIRE_B=arch<=7.6"]),
        ("none", &["VISIBLE_DEVICES=all", "IMEX_CHANNELS=9999999"]),
        ("t4", &["VISIBLE_DEVICES=0000:00:1e.0", "IMEX_CHANNELS=1048575"]),
    ] {
        let host = Host::of(name);
        let variables: Vec<String> = variables.iter().map(|variable| format!("NVIDIA_{variable}")).collect();
        let mut words = vec!["explain", "--privileged"];
        words.extend(variables.iter().flat_map(|variable| ["--env", variable.as_str()]));
        let report = host.report(&words);
        let foretold = report["refusal"]["line"].as_str().map(str::to_owned);
        assert_eq!(foretold, host.refusal(&argv(&report)), "{name}: {variables:?}");
    }
}
