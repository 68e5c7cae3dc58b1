//! Hooks that each break one security requirement and are otherwise the real one: the cases of that requirement must
//! say so, and those of no other. Must not know what is right; the cases do.

use std::collections::BTreeSet;
use std::ffi::{CString, OsString};
use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use hook_test_support::programs;
use libtest_mimic::Trial;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, umask};
use nvidia_hook_conformance::entry::copy_as;
use nvidia_hook_conformance::judge::Check;
use nvidia_hook_conformance::requirement::AREA;
use nvidia_hook_conformance::run::{Runner, Seat};
use nvidia_hook_conformance::scene::{Node, Scene};
use nvidia_hook_conformance::tree::below;
use serde_json::Value;

use super::wrong_hooks::{CONFIG_JSON, CONFIG_TOML, is_right, passes, real, replace, suite};
use crate::test;

/// A hook that breaks a requirement.
struct Breaks {
    /// The requirement.
    id: &'static str,
    /// What the hook does, as a sentence.
    does: &'static str,
    /// Other requirements whose cases show it.
    also: &'static [&'static str],
    act: Act,
}

/// How a hook is wrong.
#[derive(Clone, Copy)]
enum Act {
    /// It mistakes its input: the real hook runs with a changed scene. An unchanged scene shows nothing.
    Takes(fn(&mut Scene)),
    /// It does something on the machine below a root before it becomes the real hook: a copy of this program.
    Does(fn(&Path)),
}

/// No hook should read a file larger than this.
const LARGE: u64 = 1 << 20;

/// S3 and S20 are about files, which a hook's behaviour cannot break.
const BREAKS: [Breaks; 18] = [
    Breaks { id: "S1", does: "hands on what the image sets", also: &[], act: Act::Takes(image_environment) },
    Breaks {
        id: "S2",
        does: "never drops a variable",
        also: &[],
        act: Act::Takes(|scene| {
            replace(scene, CONFIG_TOML, "sanitize-environment = true", "sanitize-environment = false");
        }),
    },
    Breaks { id: "S4", does: "looks programs up in the working directory", also: &[], act: Act::Takes(absolute_path) },
    Breaks {
        id: "S5",
        does: "takes a relative program for one of the root filesystem",
        also: &[],
        act: Act::Takes(|scene| {
            replace(scene, CONFIG_TOML, "path = \"bin/", "path = \"/bundle/rootfs/bin/");
        }),
    },
    Breaks {
        id: "S6",
        does: "lets ldconfig come from the container",
        also: &[],
        act: Act::Takes(|scene| {
            replace(scene, CONFIG_TOML, "ldconfig = \"/", "ldconfig = \"@/");
        }),
    },
    Breaks {
        id: "S7",
        does: "lets the image choose whose CUDA libraries are used",
        also: &[],
        act: Act::Takes(compatibility),
    },
    Breaks {
        id: "S8",
        does: "takes any capability for one in the bounding set",
        also: &[],
        act: Act::Takes(|scene| {
            for set in ["effective", "permitted", "inheritable", "ambient"] {
                replace(scene, CONFIG_JSON, "\"CAP_CHOWN\"", "\"CAP_SYS_ADMIN\"");
                replace(scene, CONFIG_JSON, &format!("\"{set}\""), "\"another\"");
            }
        }),
    },
    Breaks {
        id: "S9",
        does: "passes over what looks like an option, and drops control characters",
        also: &[],
        act: Act::Takes(|scene| {
            replace(scene, CONFIG_JSON, "--root=/,", "");
            replace(scene, CONFIG_JSON, "\\n[31m", "");
            replace(scene, CONFIG_JSON, "\u{1b}[31m", "");
            replace(scene, CONFIG_JSON, "\\u001b[31m", "");
        }),
    },
    Breaks {
        id: "S10",
        does: "compares folders as texts",
        also: &[],
        act: Act::Takes(|scene| {
            replace(scene, CONFIG_JSON, "/nvidia-container-devices-x", "/nvidia-container-devices");
        }),
    },
    Breaks {
        id: "S11",
        does: "takes what it cannot read for a container that asks for all",
        also: &[],
        act: Act::Takes(any_size),
    },
    Breaks { id: "S12", does: "waits for the end of the state", also: &[], act: Act::Does(whole_state) },
    Breaks {
        id: "S13",
        does: "has a mask of its own",
        also: &[],
        act: Act::Does(|_| {
            let inherited = umask(Mode::empty());
            if inherited.bits() != 0o077 {
                umask(inherited);
            }
        }),
    },
    Breaks {
        id: "S14",
        does: "passes over a configuration that it cannot read",
        also: &["S11", "S19"],
        act: Act::Takes(|scene| {
            if text(scene, CONFIG_TOML).is_some_and(|text| text.parse::<toml_edit::DocumentMut>().is_err()) {
                scene.remove(CONFIG_TOML);
            }
        }),
    },
    Breaks {
        id: "S15",
        does: "prints the specification where something is wrong",
        also: &[],
        act: Act::Does(|root| {
            let text = text_below(root, CONFIG_JSON).filter(|text| text.contains("TOKEN"));
            std::io::stderr().write_all(text.unwrap_or_default().as_bytes()).unwrap();
        }),
    },
    Breaks {
        id: "S16",
        does: "writes its log wherever a link leads",
        also: &[],
        act: Act::Does(|root| {
            let flags = OFlag::O_NONBLOCK.bits();
            let log = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .custom_flags(flags)
                .open(root.join("var/log/hook.log"));
            let _ = log.and_then(|mut log| log.write_all(b"x\n"));
        }),
    },
    Breaks {
        id: "S17",
        does: "lets the image name the configuration",
        also: &["S1"],
        act: Act::Takes(image_configuration),
    },
    Breaks {
        id: "S18",
        does: "gives requirements in an order of chance",
        also: &[],
        act: Act::Does(|root| {
            let chance = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
            if let (true, Some(text)) = (chance.as_bytes()[0].is_multiple_of(2), text_below(root, CONFIG_JSON)) {
                let another = text.replace("REQUIRE_Q=q", "REQUIRE_Q=a");
                // Nothing is written if nothing changes, because the disk is part of an outcome.
                if another != text {
                    fs::write(below(root, CONFIG_JSON), another).unwrap();
                }
            }
        }),
    },
    Breaks {
        id: "S19",
        does: "aborts on bytes that are not text",
        also: &[],
        act: Act::Does(|root| {
            let place = below(root, CONFIG_JSON);
            let is_short = fs::metadata(&place).is_ok_and(|metadata| metadata.is_file() && metadata.len() < 1024);
            if is_short && String::from_utf8(fs::read(place).unwrap()).is_err() {
                std::process::abort();
            }
        }),
    },
];

/// The tests.
pub fn tests() -> Vec<Trial> {
    let title = |breaks: &Breaks| format!("a hook that breaks {}: it {}", breaks.id, breaks.does);
    BREAKS.iter().map(|breaks| test(title(breaks), || fails_where_it_should(breaks))).collect()
}

fn fails_where_it_should(breaks: &Breaks) {
    // A short limit, so a hook that waits for ever is found sooner.
    let runner = match breaks.act {
        Act::Takes(_) => real(),
        Act::Does(_) => doing(breaks.id),
    };
    let runner = runner.with_patience(Duration::from_secs(5));
    let mut failed: Vec<(String, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    for case in suite().cases.iter().filter(|case| case.area() == AREA) {
        let id = case.expected().unwrap().requirement.unwrap();
        // Only the first case of each other requirement, and cases of its own until one says so.
        let is_said = failed.iter().any(|(of, _)| *of == id);
        if !seen.insert(id.clone()) && (id != breaks.id || is_said) {
            continue;
        }
        let check = Check::Folder(case);
        let scene = check.scene().unwrap();
        let passes = match breaks.act {
            Act::Takes(act) => passes(&check, act, &runner),
            Act::Does(_) => {
                runner.run(&scene).map_err(Into::into).and_then(|outcome| is_right(&check, &scene, &outcome))
            }
        };
        if !passes.is_ok_and(|passes| passes) {
            failed.push((id, check.name()));
        }
    }
    assert!(failed.iter().any(|(id, _)| id == breaks.id), "no case of {} says so: {failed:?}", breaks.id);
    let is_expected = |id: &str| id == breaks.id || breaks.also.contains(&id);
    failed.retain(|(id, _)| !is_expected(id));
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Runs a hook that does what breaks a requirement.
fn doing(id: &str) -> Runner {
    let folder = tempfile::tempdir().unwrap();
    let hook = folder.path().join("wrong-hook");
    copy_as(&format!("{}\n{id}", crate::hook().display()), &hook).unwrap();
    Runner::new(&hook, programs::fake().as_deref(), Seat::HostRoot).unwrap()
}

/// Acts as a hook that does something: the role names the real hook and a requirement.
pub fn act(role: &str, words: Vec<OsString>) -> u8 {
    let (hook, id) = role.split_once('\n').unwrap();
    let root = words.iter().skip_while(|word| *word != "-host-root").nth(1).map(Path::new).unwrap();
    match BREAKS.iter().find(|breaks| breaks.id == id).map(|breaks| breaks.act) {
        Some(Act::Does(does)) => does(root),
        _ => panic!("{id} is nothing that a hook does"),
    }
    let environ = fs::read("/proc/self/environ").unwrap();
    let environ = environ.split_inclusive(|byte| *byte == 0).map(|entry| CString::from_vec_with_nul(entry.to_vec()));
    let words = words.into_iter().map(|word| CString::new(word.into_vec()));
    let program = CString::new(hook).unwrap();
    let Err(why) = nix::unistd::execve(
        &program,
        &words.collect::<Result<Vec<_>, _>>().unwrap(),
        &environ.collect::<Result<Vec<_>, _>>().unwrap(),
    );
    panic!("{hook}: {why}");
}

/// The text of a file of the machine, if there is one.
fn text<'s>(scene: &'s Scene, file: &str) -> Option<&'s str> {
    scene.files.iter().find(|(path, _)| path == file).and_then(|(_, node)| match node {
        Node::File { content, .. } => std::str::from_utf8(content).ok(),
        _ => None,
    })
}

/// The text of a file of the machine below a root, if there is one.
fn text_below(root: &Path, file: &str) -> Option<String> {
    let path = below(root, file);
    let is_small = fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() < LARGE);
    is_small.then(|| fs::read_to_string(&path).ok()).flatten()
}

/// The variables of the image.
fn variables(scene: &Scene) -> Vec<String> {
    let spec: Value = text(scene, CONFIG_JSON).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let env = spec.pointer("/process/env").and_then(Value::as_array).cloned().unwrap_or_default();
    env.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
}

fn image_environment(scene: &mut Scene) {
    let canaries = variables(scene).into_iter().filter(|entry| entry.starts_with("X="));
    scene.environ.extend(canaries.map(String::into_bytes).collect::<Vec<_>>());
}

fn image_configuration(scene: &mut Scene) {
    let named = variables(scene).into_iter().filter(|entry| entry.starts_with("NVIDIA_CTK_CONFIG_FILE_PATH="));
    scene.environ.extend(named.map(String::into_bytes).collect::<Vec<_>>());
}

/// Makes relative elements of PATH absolute, as seen from the working directory.
fn absolute_path(scene: &mut Scene) {
    let cwd = Path::new(&scene.cwd);
    for entry in &mut scene.environ {
        let Some(path) = entry.strip_prefix(b"PATH=").and_then(|path| std::str::from_utf8(path).ok()) else { continue };
        let elements = path.split(':').map(|element| cwd.join(element).to_str().unwrap().to_owned());
        *entry = format!("PATH={}", elements.collect::<Vec<_>>().join(":")).into_bytes();
    }
}

fn compatibility(scene: &mut Scene) {
    if variables(scene).iter().any(|entry| entry == "CUDA_COMPAT_MODE=mount") {
        replace(scene, CONFIG_TOML, "\"disabled\"", "\"mount\"");
    }
}

fn any_size(scene: &mut Scene) {
    for (path, node) in &mut scene.files {
        if path == CONFIG_JSON && matches!(node, Node::Zeros(_) | Node::Fifo) {
            *node = Node::text(
                r#"{"ociVersion": "1.0.2", "process": {"env": ["NVIDIA_VISIBLE_DEVICES=all"]}, "root": {"path": "/r"}}"#,
            );
        }
    }
}

fn whole_state(root: &Path) {
    let mut state = Vec::new();
    std::io::stdin().read_to_end(&mut state).unwrap();
    let mut file = tempfile::tempfile_in(root).unwrap();
    file.write_all(&state).unwrap();
    file.rewind().unwrap();
    nix::unistd::dup2_stdin(file).unwrap();
}
