//! Hooks that are wrong on purpose: each breaks one rule, and the cases of that area, and of none that does not need the
//! rule, must say so. A wrong hook is a copy of this program that changes what it was given and becomes the real hook.
//! Must not know what is right; the cases do.

use std::collections::BTreeSet;
use std::ffi::{CString, OsString};
use std::fs;
use std::io::{Seek, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hook_test_support::programs;
use libtest_mimic::Trial;
use nvidia_hook_conformance::entry::copy_as;
use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::judge::{Check, Contract, Suite, Verdict};
use nvidia_hook_conformance::requirement;
use nvidia_hook_conformance::run::{Runner, Seat};

use super::hardening;
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
    act: fn(&mut Start),
}

/// What a hook is given.
pub struct Start {
    /// Its words with its name in front.
    pub words: Vec<Vec<u8>>,
    /// Its environment.
    pub environ: Vec<Vec<u8>>,
    /// The root of the machine.
    pub root: PathBuf,
}

/// Where the specification of a container is, below the root.
pub const CONFIG_JSON: &str = "bundle/config.json";
/// Where the configuration is.
pub const CONFIG_TOML: &str = "etc/nvidia-container-runtime/config.toml";
/// A file above this is one of those that no hook should read.
const LARGE: u64 = 1 << 20;

const WRONG: [Wrong; 15] = [
    Wrong {
        does: "takes any command for prestart",
        area: "command-line",
        also: &[],
        act: |start| match start.words.last_mut() {
            Some(last) if !last.starts_with(b"-") => *last = b"prestart".to_vec(),
            _ => {}
        },
    },
    Wrong {
        does: "does not look where it is told for a configuration",
        area: "config-file",
        also: &[],
        act: |start| {
            start.environ.retain(|entry| !entry.starts_with(b"XDG_") && !entry.starts_with(b"NVIDIA_CTK_"));
        },
    },
    Wrong {
        does: "does not know the state of old runtimes",
        area: "state",
        also: &[],
        act: |start| {
            // As much as a pipe holds: a runtime may keep its end open.
            let mut state = vec![0; 1 << 16];
            let read = nix::unistd::read(std::io::stdin(), &mut state).unwrap();
            let text = String::from_utf8_lossy(&state[..read]).replace("bundlePath", "bundleTrail");
            let mut file = tempfile::tempfile_in(&start.root).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.rewind().unwrap();
            nix::unistd::dup2_stdin(file).unwrap();
        },
    },
    Wrong {
        does: "sees no capability of the process",
        area: "privileged",
        also: &["arguments", "devices", "environment", "imex", "kept", "mig"],
        act: |start| start.replace(CONFIG_JSON, "CAP_SYS_ADMIN", "CAP_SYS_NOBODY"),
    },
    Wrong {
        does: "gives all devices for one",
        area: "devices",
        also: &["arguments", "differences", "environment", "kept", "requirements"],
        act: |start| start.replace(CONFIG_JSON, "NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_VISIBLE_DEVICES=all,0"),
    },
    Wrong {
        does: "sees no mounts that name devices",
        area: "mounts",
        also: &["arguments", "differences", "imex", "kept"],
        act: |start| start.replace(CONFIG_JSON, "/nvidia-container-devices", "/other-container-devices"),
    },
    Wrong {
        does: "does not know MIG",
        area: "mig",
        also: &["arguments", "environment", "kept", "privileged"],
        act: |start| start.replace(CONFIG_JSON, "NVIDIA_MIG_", "NVIDIA_MAG_"),
    },
    Wrong {
        does: "does not know IMEX channels",
        area: "imex",
        also: &["arguments", "environment", "kept"],
        act: |start| start.replace(CONFIG_JSON, "NVIDIA_IMEX_", "NVIDIA_OMEX_"),
    },
    Wrong {
        does: "passes over driver capabilities",
        area: "capabilities",
        also: &["arguments", "environment", "kept"],
        act: |start| start.replace(CONFIG_JSON, "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_DRIVER_FACILITIES"),
    },
    Wrong {
        does: "passes over requirements",
        area: "requirements",
        also: &["arguments", "differences", "environment", "kept"],
        act: |start| start.replace(CONFIG_JSON, "NVIDIA_REQUIRE_", "NVIDIA_DESIRE_"),
    },
    Wrong {
        does: "does not read the mode",
        area: "mode",
        also: &["differences", "mounts"],
        act: |start| start.replace(CONFIG_TOML, "runtime.mode = ", "runtime.made = "),
    },
    Wrong {
        does: "takes files for programs that are not",
        area: "lookup",
        also: &[],
        act: |start| {
            for folder in fs::read_dir(&start.root).into_iter().flatten().flatten() {
                let file = folder.path().join("nvidia-container-cli");
                let _ = fs::set_permissions(file, fs::Permissions::from_mode(0o755));
            }
        },
    },
    Wrong {
        does: "takes every nvidia-container-cli for the newest",
        area: "arguments",
        also: &["rootless"],
        act: |start| start.replace(CONFIG_TOML, "cli-version = ", "cli-virsion = "),
    },
    Wrong {
        does: "takes every start for that of the host's root",
        area: "rootless",
        also: &[],
        act: |start| start.replace(CONFIG_TOML, "rootless = ", "rootlass = "),
    },
    Wrong {
        does: "hands on no environment of the configuration",
        area: "environment-handed-on",
        also: &["config-keys", "differences"],
        act: |start| start.replace(CONFIG_TOML, "environment = ", "envirinment = "),
    },
];

impl Start {
    /// The text of a file of the machine, if there is one.
    pub fn text(&self, file: &str) -> Option<String> {
        let path = self.root.join(file);
        let is_small = fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() < LARGE);
        is_small.then(|| fs::read_to_string(&path).ok()).flatten()
    }

    /// Replaces words in a file of the machine, if it is there.
    pub fn replace(&mut self, file: &str, from: &str, to: &str) {
        if let Some(text) = self.text(file)
            && text.contains(from)
        {
            fs::write(self.root.join(file), text.replace(from, to)).unwrap();
        }
    }
}

/// The tests.
pub fn tests() -> Vec<Trial> {
    let title = |wrong: &Wrong| format!("a wrong hook, {}: it {}", wrong.area, wrong.does);
    WRONG.iter().map(|wrong| test(title(wrong), || fails_where_it_should(wrong))).collect()
}

fn fails_where_it_should(wrong: &Wrong) {
    let suite = suite();
    let runner = runner(wrong.area);
    let fails = |check: &Check<'_>| {
        let scene = check.scene().unwrap();
        if scene.fails() {
            return false;
        }
        let outcome = runner.run(&scene).unwrap();
        matches!(check.judge(&scene, &outcome, Contract::Ours).unwrap(), Verdict::Fails(_))
    };
    let folders = suite.cases.iter().map(Check::Folder);
    // A case of a requirement may need any rule; the wrong hooks of the requirements are held against these.
    let others = folders.filter(|check| check.area() != requirement::AREA);
    let failed: Vec<String> = others.filter(fails).map(|check| check.name()).collect();
    let areas: BTreeSet<&str> = failed.iter().map(|name| name.split('/').next().unwrap()).collect();
    let expected: BTreeSet<&str> = wrong.also.iter().copied().chain([wrong.area]).collect();
    assert_eq!(areas, expected, "{failed:#?}");
}

/// All cases.
pub fn suite() -> &'static Suite {
    static SUITE: OnceLock<Suite> = OnceLock::new();
    SUITE.get_or_init(|| Suite::read(&Fixtures::read(&programs::fixtures()).unwrap()).unwrap())
}

/// What runs the wrong hook of an area or a requirement.
pub fn runner(area: &str) -> Runner {
    let folder = tempfile::tempdir().unwrap();
    let hook = folder.path().join("wrong-hook");
    copy_as(&format!("{}\n{area}", crate::hook().display()), &hook).unwrap();
    Runner::new(&hook, programs::fake().as_deref(), Seat::HostRoot).unwrap()
}

/// Is a wrong hook: the role names the real one and an area.
pub fn act(role: &str, words: Vec<OsString>) -> u8 {
    let (hook, area) = role.split_once('\n').unwrap();
    let of_area = WRONG.iter().find(|wrong| wrong.area == area).map(|wrong| wrong.act);
    let wrong = of_area.or_else(|| hardening::act_of(area)).unwrap();
    let environ = fs::read("/proc/self/environ").unwrap();
    let root = words.iter().skip_while(|word| *word != "-host-root").nth(1).map(PathBuf::from).unwrap();
    let mut start = Start {
        words: words.into_iter().map(OsString::into_vec).collect(),
        environ: environ
            .split_inclusive(|byte| *byte == 0)
            .map(|entry| entry.strip_suffix(b"\0").unwrap_or(entry).to_vec())
            .collect(),
        root,
    };
    wrong(&mut start);
    let strings = |list: Vec<Vec<u8>>| list.into_iter().map(|text| CString::new(text).unwrap()).collect::<Vec<_>>();
    let program = CString::new(Path::new(hook).as_os_str().as_bytes()).unwrap();
    let Err(why) = nix::unistd::execve(&program, &strings(start.words), &strings(start.environ));
    panic!("{hook}: {why}");
}
