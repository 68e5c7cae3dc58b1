//! Hooks that are wrong on purpose: each breaks one rule, and the cases of exactly those areas that need the rule must
//! say so. A wrong hook is the real one with input that differs from the case. If that input is the case's own scene
//! after all, the start is the real hook's, which the conformance test judges. Must not know what is right; the cases
//! do.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, OnceLock};

use hook_test_support::programs;
use libtest_mimic::Trial;
use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::judge::{Check, Contract, Suite, Verdict};
use nvidia_hook_conformance::outcome::Outcome;
use nvidia_hook_conformance::requirement;
use nvidia_hook_conformance::run::{Runner, Seat};
use nvidia_hook_conformance::scene::{Node, Scene};

use crate::test;

/// A wrong hook.
struct Wrong {
    /// What it does, as a sentence.
    does: &'static str,
    /// The area that must say so.
    area: &'static str,
    /// The areas whose cases need the same rule.
    also: &'static [&'static str],
    /// Changes what the real hook is given.
    act: fn(&mut Scene),
}

/// Where the specification of a container is.
pub const CONFIG_JSON: &str = "/bundle/config.json";
/// Where the configuration is.
pub const CONFIG_TOML: &str = "/etc/nvidia-container-runtime/config.toml";

const WRONG: [Wrong; 15] = [
    Wrong {
        does: "takes any command for prestart",
        area: "command-line",
        also: &[],
        act: |scene| match scene.args.last_mut() {
            Some(last) if !last.starts_with(b"-") => *last = b"prestart".to_vec(),
            _ => {}
        },
    },
    Wrong {
        does: "does not look where it is told for a configuration",
        area: "config-file",
        also: &[],
        act: |scene| {
            scene.environ.retain(|entry| !entry.starts_with(b"XDG_") && !entry.starts_with(b"NVIDIA_CTK_"));
        },
    },
    Wrong {
        does: "does not know the state of old runtimes",
        area: "state",
        also: &[],
        act: |scene| {
            replace_text(&mut scene.stdin.content, "bundlePath", "bundleTrail");
        },
    },
    Wrong {
        does: "sees no capability of the process",
        area: "privileged",
        also: &["arguments", "devices", "environment", "imex", "kept", "mig"],
        act: |scene| replace(scene, CONFIG_JSON, "CAP_SYS_ADMIN", "CAP_SYS_NOBODY"),
    },
    Wrong {
        does: "gives all devices for one",
        area: "devices",
        also: &["arguments", "differences", "environment", "kept", "requirements"],
        act: |scene| replace(scene, CONFIG_JSON, "NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_VISIBLE_DEVICES=all,0"),
    },
    Wrong {
        does: "sees no mounts that name devices",
        area: "mounts",
        also: &["arguments", "differences", "imex", "kept"],
        act: |scene| replace(scene, CONFIG_JSON, "/nvidia-container-devices", "/other-container-devices"),
    },
    Wrong {
        does: "does not know MIG",
        area: "mig",
        also: &["arguments", "environment", "kept", "privileged"],
        act: |scene| replace(scene, CONFIG_JSON, "NVIDIA_MIG_", "NVIDIA_MAG_"),
    },
    Wrong {
        does: "does not know IMEX channels",
        area: "imex",
        also: &["arguments", "environment"],
        act: |scene| replace(scene, CONFIG_JSON, "NVIDIA_IMEX_", "NVIDIA_OMEX_"),
    },
    Wrong {
        does: "passes over driver capabilities",
        area: "capabilities",
        also: &["arguments", "environment", "kept"],
        act: |scene| replace(scene, CONFIG_JSON, "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_DRIVER_FACILITIES"),
    },
    Wrong {
        does: "passes over requirements",
        area: "requirements",
        also: &["arguments", "differences", "environment", "kept"],
        act: |scene| replace(scene, CONFIG_JSON, "NVIDIA_REQUIRE_", "NVIDIA_DESIRE_"),
    },
    Wrong {
        does: "does not read the mode",
        area: "mode",
        also: &["differences", "mounts"],
        act: |scene| replace(scene, CONFIG_TOML, "runtime.mode = ", "runtime.made = "),
    },
    Wrong {
        does: "takes files for programs that are not",
        area: "lookup",
        also: &[],
        act: |scene| {
            for (path, node) in &mut scene.files {
                if let (true, Node::File { mode, .. } | Node::Cli { mode }) =
                    (path.ends_with("/nvidia-container-cli"), node)
                {
                    *mode = 0o755;
                }
            }
        },
    },
    Wrong {
        does: "takes every nvidia-container-cli for the newest",
        area: "arguments",
        also: &["rootless"],
        act: |scene| replace(scene, CONFIG_TOML, "cli-version = ", "cli-virsion = "),
    },
    Wrong {
        does: "takes every start for that of the host's root",
        area: "rootless",
        also: &[],
        act: |scene| replace(scene, CONFIG_TOML, "rootless = ", "rootlass = "),
    },
    Wrong {
        does: "hands on no environment of the configuration",
        area: "environment-handed-on",
        also: &["config-keys", "differences"],
        act: |scene| replace(scene, CONFIG_TOML, "environment = ", "envirinment = "),
    },
];

/// Replaces words in a file of the machine, if it is there.
pub fn replace(scene: &mut Scene, file: &str, from: &str, to: &str) {
    for (path, node) in &mut scene.files {
        if let Node::File { content, .. } = node
            && path == file
        {
            replace_text(content, from, to);
        }
    }
}

fn replace_text(content: &mut Vec<u8>, from: &str, to: &str) {
    if let Ok(text) = std::str::from_utf8(content) {
        *content = text.replace(from, to).into_bytes();
    }
}

/// The tests.
pub fn tests() -> Vec<Trial> {
    let title = |wrong: &Wrong| format!("a wrong hook, {}: it {}", wrong.area, wrong.does);
    // One for all tests, made by the first, so the programs are copied once.
    let runner = Arc::new(OnceLock::new());
    let trial = |wrong: &'static Wrong| {
        let runner = Arc::clone(&runner);
        test(title(wrong), move || fails_where_it_should(wrong, runner.get_or_init(real)))
    };
    WRONG.iter().map(trial).collect()
}

/// Runs the real hook.
pub fn real() -> Runner {
    Runner::new(&crate::hook(), programs::fake().as_deref(), Seat::HostRoot).unwrap()
}

fn fails_where_it_should(wrong: &Wrong, runner: &Runner) {
    let fails = |check: &Check<'_>| !passes(check, wrong.act, runner).unwrap();
    let folders = suite().cases.iter().map(Check::Folder);
    // A case of a requirement can need any rule; the hooks that break requirements are tested with these.
    let others = folders.filter(|check| check.area() != requirement::AREA);
    let failed: Vec<String> = others.filter(fails).map(|check| check.name()).collect();
    let areas: BTreeSet<&str> = failed.iter().map(|name| name.split('/').next().unwrap()).collect();
    let expected: BTreeSet<&str> = wrong.also.iter().copied().chain([wrong.area]).collect();
    assert_eq!(areas, expected, "{failed:#?}");
}

/// Whether a case has no objection to the real hook with changed input.
pub fn passes(check: &Check<'_>, act: fn(&mut Scene), runner: &Runner) -> Result<bool, Box<dyn Error>> {
    let scene = check.scene()?;
    let mut given = scene.clone();
    act(&mut given);
    if scene.fails() || given == scene {
        return Ok(true);
    }
    is_right(check, &scene, &runner.run(&given)?)
}

/// Whether a case has no objection to the outcome of a start.
pub fn is_right(check: &Check<'_>, scene: &Scene, outcome: &Outcome) -> Result<bool, Box<dyn Error>> {
    Ok(!matches!(check.judge(scene, outcome, Contract::Ours)?, Verdict::Fails(_)))
}

/// All cases.
pub fn suite() -> &'static Suite {
    static SUITE: OnceLock<Suite> = OnceLock::new();
    SUITE.get_or_init(|| Suite::read(&Fixtures::read(&programs::fixtures()).unwrap()).unwrap())
}
