//! `cargo demo`: the hook's main job on the example in fixtures/demo, in a few lines: what came in, what was decided,
//! what was executed. Run as a test, it compares the story with `story.txt`, so what newcomers see is true.

use std::ffi::{CStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hook_test_support::programs;
use libtest_mimic::Trial;
use nvidia_container_runtime_hook::invocation::Environ;
use serde_json::Value;
use tempfile::TempDir;

use crate::test;

/// The `PATH` that an engine sets.
const PATH: &CStr = c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The tests.
pub fn tests() -> Vec<Trial> {
    vec![test("demo: it tells the story that is kept", || {
        let (kept, story) = (programs::fixtures().join("demo/story.txt"), story());
        if programs::bless() {
            fs::write(&kept, &story).unwrap();
        }
        let same = fs::read_to_string(&kept).unwrap_or_default() == story;
        assert!(same, "{} is not what the demo tells; BLESS=1 rewrites it:\n{story}", kept.display());
    })]
}

/// Runs the example and tells its story.
pub fn story() -> String {
    let root = machine();
    let explained = explain(root.path());
    let executed = execute(root.path());
    let mut story = String::new();
    let mut section = |title: &str, body: &str| write!(story, "{title}\n\n{}\n", indented(body)).unwrap();
    section(
        "CAME IN: a container engine starts the hook, with the container's state on standard input",
        &format!("{}\n{}", state().trim_end(), chosen_lines()),
    );
    section("DECIDED: from the output of nvidia-hookctl explain --bundle /bundle", &gist(&explained));
    section(
        "EXECUTED: the hook has become nvidia-container-cli, here the fake one with eight simulated GPUs",
        &executed,
    );
    story.push_str("Next: README.md, and `cargo test`.\n");
    story
}

/// The answer and the command line with its reasons, out of the output of explain.
fn gist(explained: &str) -> String {
    let sections: Vec<&str> = explained.split("\n\n").collect();
    let command_line = sections.iter().find(|section| section.starts_with("Command line")).unwrap();
    format!("{}\n\n{command_line}", sections[0])
}

/// The parts of `config.json` that matter here.
fn chosen_lines() -> String {
    let spec: Value =
        serde_json::from_slice(&fs::read(programs::fixtures().join("demo/bundle/config.json")).unwrap()).unwrap();
    let variables = spec["process"]["env"].as_array().unwrap().iter().filter_map(Value::as_str);
    let nvidia: Vec<&str> = variables.filter(|variable| variable.starts_with("NVIDIA_")).collect();
    format!("/bundle/config.json: {}", nvidia.join("  "))
}

fn state() -> String {
    fs::read_to_string(programs::fixtures().join("demo/state.json")).unwrap()
}

/// A separate machine: the configuration, the bundle, and the fake in place of the real program.
fn machine() -> TempDir {
    let root = TempDir::new().unwrap();
    let put = |from: &str, to: &str| {
        let to = root.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(programs::fixtures().join("demo").join(from), to).unwrap();
    };
    put("config.toml", "etc/nvidia-container-runtime/config.toml");
    put("bundle/config.json", "bundle/config.json");
    fs::create_dir_all(root.path().join("usr/bin")).unwrap();
    fs::create_dir_all(root.path().join("bundle/rootfs")).unwrap();
    crate::put_cli(&root.path().join("usr/bin/nvidia-container-cli"));
    root
}

/// Runs prestart and reads what the fake recorded.
fn execute(root: &Path) -> String {
    prestart(root);
    let record = fs::read_to_string(root.join("record.jsonl")).unwrap();
    let record: Value = serde_json::from_str(record.trim_end()).unwrap();
    let argv: Vec<&str> = record["argv"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let plan = record["plan"].as_array().unwrap();
    let binds: Vec<&str> =
        plan.iter().filter(|step| step["op"] == "bind").filter_map(|step| step["src"].as_str()).collect();
    let (devices, files): (Vec<&str>, Vec<&str>) = binds.into_iter().partition(|path| path.starts_with("/dev/"));
    format!(
        "{}\n\nexit status {}; into the container's root filesystem it would put\n  {}\n  and {} files of the driver, such as {}",
        argv.join(" \\\n    "),
        record["outcome"]["exit"],
        devices.join(" "),
        files.len(),
        files.iter().find(|file| file.contains("libcuda.so")).unwrap()
    )
}

/// What nvidia-hookctl says about the bundle.
fn explain(root: &Path) -> String {
    let root = root.to_str().unwrap();
    let words = ["nvidia-hookctl", "explain", "--host-root", root, "--bundle", "/bundle"].map(OsString::from);
    let answer = nvidia_hookctl::run(&words, Environ(&[PATH]));
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    answer.out
}

/// Runs the hook below a root, with the environment that an engine gives.
fn prestart(root: &Path) {
    let (name, value) = PATH.to_str().unwrap().split_once('=').unwrap();
    let mut child = Command::new(crate::hook())
        .arg("-host-root")
        .arg(root)
        .arg("prestart")
        .env_clear()
        .env(name, value)
        .env("FAKE_NVIDIA_RECORD", root.join("record.jsonl"))
        // The bundle's root exists only below this directory, which the hook takes for the machine.
        .env("FAKE_NVIDIA_APPLY", "imagine")
        .env("FAKE_NVIDIA_TOPOLOGY", "h100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(state().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |all, line| all + format!("    {line}").trim_end() + "\n")
}
