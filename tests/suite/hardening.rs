//! Hooks that break one requirement of security each, and otherwise are the real one: the cases of that requirement must say
//! so, and those of no other. Must not know what is right; the cases do.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, umask};
use nvidia_hook_conformance::judge::{Check, Contract, Verdict};
use nvidia_hook_conformance::requirement::AREA;
use serde_json::Value;

use super::wrong_hooks::{CONFIG_JSON, CONFIG_TOML, Start, runner, suite};
use crate::test;

/// A hook that breaks a requirement.
struct Breaks {
    /// The requirement.
    id: &'static str,
    /// What the hook does, as a sentence.
    does: &'static str,
    /// Other requirements whose cases show it.
    also: &'static [&'static str],
    act: fn(&mut Start),
}

/// S3 and S20 are about files, which no conduct of a hook can break.
const BREAKS: [Breaks; 18] = [
    Breaks { id: "S1", does: "hands on what the image sets", also: &[], act: image_environment },
    Breaks {
        id: "S2",
        does: "never drops a variable",
        also: &[],
        act: |start| {
            start.replace(CONFIG_TOML, "sanitize-environment = true", "sanitize-environment = false");
        },
    },
    Breaks { id: "S4", does: "looks programs up in the working directory", also: &[], act: absolute_path },
    Breaks {
        id: "S5",
        does: "takes a relative program for one of the root filesystem",
        also: &[],
        act: |start| {
            start.replace(CONFIG_TOML, "path = \"bin/", "path = \"/bundle/rootfs/bin/");
        },
    },
    Breaks {
        id: "S6",
        does: "lets ldconfig come from the container",
        also: &[],
        act: |start| {
            start.replace(CONFIG_TOML, "ldconfig = \"/", "ldconfig = \"@/");
        },
    },
    Breaks { id: "S7", does: "lets the image choose whose CUDA libraries are used", also: &[], act: compatibility },
    Breaks {
        id: "S8",
        does: "takes any capability for one in the bounding set",
        also: &[],
        act: |start| {
            for set in ["effective", "permitted", "inheritable", "ambient"] {
                start.replace(CONFIG_JSON, "\"CAP_CHOWN\"", "\"CAP_SYS_ADMIN\"");
                start.replace(CONFIG_JSON, &format!("\"{set}\""), "\"another\"");
            }
        },
    },
    Breaks {
        id: "S9",
        does: "passes over what looks like an option, and drops control characters",
        also: &[],
        act: |start| {
            start.replace(CONFIG_JSON, "--root=/,", "");
            start.replace(CONFIG_JSON, "\\n[31m", "");
            start.replace(CONFIG_JSON, "\u{1b}[31m", "");
            start.replace(CONFIG_JSON, "\\u001b[31m", "");
        },
    },
    Breaks {
        id: "S10",
        does: "compares folders as texts",
        also: &[],
        act: |start| {
            start.replace(CONFIG_JSON, "/nvidia-container-devices-x", "/nvidia-container-devices");
        },
    },
    Breaks { id: "S11", does: "takes what it cannot read for a container that asks for all", also: &[], act: any_size },
    Breaks { id: "S12", does: "waits for the end of the state", also: &[], act: whole_state },
    Breaks {
        id: "S13",
        does: "has a mask of its own",
        also: &[],
        act: |_| {
            let inherited = umask(Mode::empty());
            if inherited.bits() != 0o077 {
                umask(inherited);
            }
        },
    },
    Breaks {
        id: "S14",
        does: "passes over a configuration that it cannot read",
        also: &["S11", "S19"],
        act: |start| {
            if start.text(CONFIG_TOML).is_some_and(|text| text.parse::<toml_edit::DocumentMut>().is_err()) {
                fs::remove_file(start.root.join(CONFIG_TOML)).unwrap();
            }
        },
    },
    Breaks {
        id: "S15",
        does: "prints the specification where something is wrong",
        also: &[],
        act: |start| {
            let text = start.text(CONFIG_JSON).filter(|text| text.contains("TOKEN"));
            std::io::stderr().write_all(text.unwrap_or_default().as_bytes()).unwrap();
        },
    },
    Breaks {
        id: "S16",
        does: "writes its log wherever a link leads",
        also: &[],
        act: |start| {
            let flags = OFlag::O_NONBLOCK.bits();
            let log = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .custom_flags(flags)
                .open(start.root.join("var/log/hook.log"));
            let _ = log.and_then(|mut log| log.write_all(b"x\n"));
        },
    },
    Breaks { id: "S17", does: "lets the image name the configuration", also: &["S1"], act: image_configuration },
    Breaks {
        id: "S18",
        does: "gives requirements in an order of chance",
        also: &[],
        act: |start| {
            let chance = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
            if chance.as_bytes()[0].is_multiple_of(2) {
                start.replace(CONFIG_JSON, "REQUIRE_Q=q", "REQUIRE_Q=a");
            }
        },
    },
    Breaks {
        id: "S19",
        does: "aborts on bytes that are not text",
        also: &[],
        act: |start| {
            let place = start.root.join(CONFIG_JSON);
            let is_short = fs::metadata(&place).is_ok_and(|metadata| metadata.is_file() && metadata.len() < 1024);
            if is_short && String::from_utf8(fs::read(place).unwrap()).is_err() {
                std::process::abort();
            }
        },
    },
];

/// The tests.
pub fn tests() -> Vec<Trial> {
    let title = |breaks: &Breaks| format!("a hook that breaks {}: it {}", breaks.id, breaks.does);
    BREAKS.iter().map(|breaks| test(title(breaks), || fails_where_it_should(breaks))).collect()
}

/// What the hook that breaks a requirement does.
pub fn act_of(id: &str) -> Option<fn(&mut Start)> {
    BREAKS.iter().find(|breaks| breaks.id == id).map(|breaks| breaks.act)
}

fn fails_where_it_should(breaks: &Breaks) {
    // One that waits for ever is found out sooner than one that is only slow.
    let runner = runner(breaks.id).with_patience(Duration::from_secs(5));
    let mut failed: Vec<(String, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    for case in suite().cases.iter().filter(|case| case.area() == AREA) {
        let id = case.expected().unwrap().requirement.unwrap();
        // Of the other requirements the first case each.
        if !seen.insert(id.clone()) && id != breaks.id {
            continue;
        }
        let check = Check::Folder(case);
        let scene = check.scene().unwrap();
        let passes = runner
            .run(&scene)
            .is_ok_and(|outcome| !matches!(check.judge(&scene, &outcome, Contract::Ours).unwrap(), Verdict::Fails(_)));
        if !passes {
            failed.push((id, check.name()));
        }
    }
    assert!(failed.iter().any(|(id, _)| id == breaks.id), "no case of {} says so: {failed:?}", breaks.id);
    let is_expected = |id: &str| id == breaks.id || breaks.also.contains(&id);
    failed.retain(|(id, _)| !is_expected(id));
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The variables of the image.
fn variables(start: &Start) -> Vec<String> {
    let spec: Value = start.text(CONFIG_JSON).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let env = spec.pointer("/process/env").and_then(Value::as_array).cloned().unwrap_or_default();
    env.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
}

fn image_environment(start: &mut Start) {
    let canaries = variables(start).into_iter().filter(|entry| entry.starts_with("X="));
    start.environ.extend(canaries.map(String::into_bytes).collect::<Vec<_>>());
}

fn image_configuration(start: &mut Start) {
    let named = variables(start).into_iter().filter(|entry| entry.starts_with("NVIDIA_CTK_CONFIG_FILE_PATH="));
    start.environ.extend(named.map(String::into_bytes).collect::<Vec<_>>());
}

/// Makes what is relative in PATH absolute, as seen from the working directory.
fn absolute_path(start: &mut Start) {
    let real = fs::canonicalize(&start.root).unwrap();
    let cwd = std::env::current_dir().unwrap();
    let inside = Path::new("/").join(cwd.strip_prefix(real).unwrap_or(Path::new("")));
    for entry in &mut start.environ {
        let Some(path) = entry.strip_prefix(b"PATH=").and_then(|path| std::str::from_utf8(path).ok()) else { continue };
        let elements = path.split(':').map(|element| inside.join(element).to_str().unwrap().to_owned());
        *entry = format!("PATH={}", elements.collect::<Vec<_>>().join(":")).into_bytes();
    }
}

fn compatibility(start: &mut Start) {
    if variables(start).iter().any(|entry| entry == "CUDA_COMPAT_MODE=mount") {
        start.replace(CONFIG_TOML, "\"disabled\"", "\"mount\"");
    }
}

fn any_size(start: &mut Start) {
    let path = start.root.join(CONFIG_JSON);
    if path.exists() && start.text(CONFIG_JSON).is_none() && fs::metadata(&path).unwrap().len() != 512 {
        let text =
            r#"{"ociVersion": "1.0.2", "process": {"env": ["NVIDIA_VISIBLE_DEVICES=all"]}, "root": {"path": "/r"}}"#;
        fs::remove_file(&path).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn whole_state(start: &mut Start) {
    let mut state = Vec::new();
    std::io::stdin().read_to_end(&mut state).unwrap();
    let mut file = tempfile::tempfile_in(&start.root).unwrap();
    file.write_all(&state).unwrap();
    file.rewind().unwrap();
    nix::unistd::dup2_stdin(file).unwrap();
}
