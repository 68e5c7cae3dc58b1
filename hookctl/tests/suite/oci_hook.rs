//! `oci-hook`: the file for Podman and CRI-O, written and validated.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::cases::{self, Machine};
use serde_json::{Value, json};

const HOOK: &str = "/usr/bin/nvidia-container-runtime-hook";
const FILE: &str = "/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json";

fn machine() -> Machine {
    let machine = cases::machine("doctor/healthy");
    fs::create_dir_all(machine.path(FILE).parent().unwrap()).unwrap();
    machine
}

#[test]
fn the_printed_file_is_the_written_one_and_is_valid() {
    let machine = machine();
    let printed = machine.run(&["oci-hook"]);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    assert_eq!(machine.run(&["oci-hook", "--stdout"]).stdout, printed.stdout);
    let document: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(
        document,
        json!({
            "version": "1.0.0",
            "hook": {
                "path": "/usr/bin/nvidia-container-runtime-hook",
                "args": ["nvidia-container-runtime-hook", "prestart"],
                "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            },
            "when": {"always": true, "commands": [".*"]},
            "stages": ["prestart"],
        })
    );
    let written = machine.run(&["oci-hook", "--hooks-dir", "/usr/share/containers/oci/hooks.d"]);
    assert_eq!(written.stdout, format!("wrote {FILE}\n"));
    assert_eq!(fs::read_to_string(machine.path(FILE)).unwrap(), printed.stdout);
    let validated = machine.run(&["oci-hook", "--validate", FILE]);
    assert_eq!(validated.status, 0, "{}", validated.stdout);
}

#[test]
fn a_path_with_quotes_stays_one_text() {
    let said = machine().run(&["oci-hook", "--path", "/opt/a\"b/nvidia-container-toolkit"]);
    let document: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(document["hook"]["path"], "/opt/a\"b/nvidia-container-toolkit");
    assert_eq!(document["hook"]["args"][0], "nvidia-container-toolkit");
}

#[test]
fn the_folder_of_the_hook_is_searched_last_where_it_is_not_a_usual_one() {
    let search_path = |path: &str| {
        let said = machine().run(&["oci-hook", "--path", path]);
        serde_json::from_str::<Value>(&said.stdout).unwrap()["hook"]["env"][0].clone()
    };
    let usual = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(search_path("/usr/local/bin/nvidia-container-runtime-hook"), usual);
    let own = "/usr/local/nvidia/toolkit";
    assert_eq!(search_path(&format!("{own}/nvidia-container-runtime-hook")), format!("{usual}:{own}"));
}

#[test]
fn writing_replaces_a_link_and_leaves_nothing_behind() {
    let machine = machine();
    fs::write(machine.path("/victim"), "kept").unwrap();
    symlink(machine.path("/victim"), machine.path(FILE)).unwrap();
    machine.run(&["oci-hook", "--hooks-dir", "/usr/share/containers/oci/hooks.d"]);
    assert_eq!(fs::read_to_string(machine.path("/victim")).unwrap(), "kept");
    assert_eq!(fs::read_dir(machine.path(FILE).parent().unwrap()).unwrap().count(), 1);
    let said = machine.run(&["oci-hook", "--hooks-dir", "/nowhere"]);
    assert_eq!((said.status, said.stdout.as_str()), (1, ""));
    assert!(said.stderr.contains("does the directory exist?"), "{}", said.stderr);
    assert_eq!(machine.run(&["oci-hook", "--path", "hook"]).status, 1);
    assert_eq!(machine.run(&["oci-hook", "--stdout", "--hooks-dir", "/"]).status, 2);
}

/// The usual file, with a member changed.
fn with(pointer: &str, value: Value) -> String {
    let mut document = serde_json::from_str::<Value>(&machine().run(&["oci-hook"]).stdout).unwrap();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[member] = value;
    document.to_string()
}

/// Checks files, each with the status of its validation and words that it prints.
fn are_found(files: &[(String, i32, &str)]) {
    for (text, status, words) in files {
        let machine = machine();
        fs::write(machine.path(FILE), text).unwrap();
        let said = machine.run(&["oci-hook", "--validate", FILE]);
        assert_eq!(said.status, *status, "{text}: {}", said.stdout);
        assert!(said.stdout.replace("\n                  ", " ").contains(*words), "{words}: {}", said.stdout);
        let json = machine.run(&["oci-hook", "--validate", FILE, "--output", "json"]);
        assert_eq!(json.status, *status);
        assert!(serde_json::from_str::<Value>(&json.stdout).unwrap()["faults"].is_array());
    }
}

#[test]
fn each_fault_of_a_file_is_found() {
    are_found(&[
        ("{".to_owned(), 1, "not JSON"),
        (with("/version", json!("0.1.0")), 1, "\"version\" is not"),
        (with("/hook", json!({})), 1, "has no \"path\""),
        (with("/hook/path", json!("nvidia-container-toolkit")), 1, "is relative"),
        (with("/hook/path", json!("/opt/nvidia-container-toolkit")), 1, "is not there"),
        (with("/hook/path", json!("/usr/bin/dockerd")), 0, "is not called"),
        (with("/hook/args", json!(["nvidia-container-toolkit"])), 1, "does not say prestart"),
        (with("/hook/args", json!(["prestart"])), 1, "does not say prestart"),
        (with("/when", json!({})), 1, "\"when\" is empty"),
        (with("/when", json!(null)), 1, "\"when\" is missing"),
        (with("/when", json!({"always": false})), 1, "\"always\" is false"),
        (with("/stages", json!([])), 1, "\"stages\" is missing or empty"),
        (with("/stages", json!(["poststart"])), 1, "\"stages\" has neither"),
        (with("/stages", json!(["prestart", "poststop"])), 1, "more than once"),
        (with("/stages", json!(["createRuntime"])), 0, "will start the hook"),
        (with("/stages", json!(null)), 1, "\"stages\" is missing"),
        (with("/stages", json!(["before"])), 1, "which is not a stage"),
        (with("/when", json!({"always": false, "commands": [".*"]})), 1, "joined by AND"),
        (with("/when", json!({"always": "true"})), 1, "must be true or false"),
        (with("/when", json!({"hasBindMounts": false})), 1, "\"hasBindMounts\" is false"),
        (with("/when", json!({"hasBindMounts": true})), 0, "that have bind mounts"),
        (with("/when", json!({"always": true, "commands": ["smi$"]})), 0, "whose command matches \"smi$\""),
        (with("/when", json!({"always": true, "commands": ["("]})), 1, "not a regular expression"),
        (with("/when", json!({"annotations": {"^gpu$": "true"}})), 0, "with an annotation"),
        (with("/hook/env", json!(["NVIDIA_VISIBLE_DEVICES=0", "PATH=/bin"])), 0, "process.env in config.json"),
        (with("/hook/env", json!(["NVIDIA_CONTAINER_HOOK_LOG=syslog"])), 0, "will start the hook"),
        (with("/hook/env", json!(["PATH"])), 0, "has no '='"),
        (with("/version", json!("2.0.0")), 1, "no engine knows"),
        (json!({"hooks": {"prestart": []}}).to_string(), 1, "oci-add-hooks"),
        (
            json!({"hook": HOOK, "arguments": ["prestart"], "cmds": [".*"], "stage": ["prestart"]}).to_string(),
            0,
            "old form 0.1.0",
        ),
        (
            json!({"hook": HOOK, "arguments": ["prestart"], "stages": ["prestart"]}).to_string(),
            1,
            "no container matches",
        ),
        (json!({"hook": {"path": HOOK}, "stages": ["prestart"]}).to_string(), 1, "\"version\" is missing"),
        ("[]".to_owned(), 1, "not a JSON object"),
    ]);
}

/// `capture` in front of the hook.
fn with_capture(words: &[&str]) -> String {
    let mut document = serde_json::from_str::<Value>(&with("/hook/path", json!("/usr/bin/nvidia-hookctl"))).unwrap();
    document["hook"]["args"] = json!([&["nvidia-hookctl", "capture"], words].concat());
    document.to_string()
}

#[test]
fn arguments_are_read_as_the_programs_read_them() {
    let hook = "nvidia-container-runtime-hook";
    are_found(&[
        (with("/hook/args", json!([hook, "-debug", "-config", "/c.toml", "prestart"])), 0, "will start the hook"),
        (with("/hook/args", json!([hook, "-config", "prestart"])), 1, "does not say prestart"),
        (with("/hook/args", json!([hook, "--x", "prestart"])), 1, "flag provided but not defined: -x"),
        (with("/hook/args", json!([hook, "poststart", "prestart"])), 1, "does nothing"),
        (with("/hook/args", json!([hook, "-version", "prestart"])), 1, "print a text"),
        (with("/hook/args", json!([hook, "-h", "prestart"])), 1, "print a text"),
    ]);
    let machine_with = |words: &[&str], status: i32, text: &str| {
        let machine = machine();
        fs::write(machine.path("/usr/bin/nvidia-hookctl"), "").unwrap();
        fs::set_permissions(machine.path("/usr/bin/nvidia-hookctl"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(machine.path(FILE), with_capture(words)).unwrap();
        let said = machine.run(&["oci-hook", "--validate", FILE]);
        assert_eq!(said.status, status, "{words:?}: {}", said.stdout);
        assert!(said.stdout.replace("\n                  ", " ").contains(text), "{text}: {}", said.stdout);
    };
    machine_with(&["--to", "/c", "--", HOOK, "prestart"], 0, "will start the hook");
    machine_with(&["--to", "/c", HOOK, "prestart"], 1, "refuses \"args\"");
    machine_with(&["--", HOOK, "prestart"], 1, "refuses \"args\"");
    machine_with(&["--to", "prestart"], 1, "names no hook");
    machine_with(&["--to", "/c", "--", HOOK], 1, "does not say prestart");
    machine_with(&["--to", "/c", "--", "/nowhere/nvidia-container-toolkit", "prestart"], 1, "is not there");
}

#[test]
fn types_and_names_of_members_are_gos() {
    are_found(&[
        (with("/stages", json!("prestart")), 1, "\"stages\" must be a list"),
        (with("/hook/args", json!("prestart")), 1, "\"args\" must be a list"),
        (with("/hook/env", json!({"PATH": "/bin"})), 1, "\"env\" must be a list"),
        (with("/hook/timeout", json!("30")), 1, "\"timeout\" must be a whole number"),
        (with("/hook/timeout", json!(0)), 1, "kill the hook at once"),
        (with("/hook/timeout", json!(5)), 0, "may take 10 seconds"),
        (with("/hook/timeout", json!(30)), 0, "will start the hook"),
        (with("/comment", json!("x")), 0, "\"comment\" is read by no engine"),
        (with("/when/cmds", json!([".*"])), 0, "it is called \"commands\""),
        (with("/version", json!(1.0)), 1, "\"version\" must be a string"),
        (json!({"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu"}).to_string(), 1, "a CDI specification"),
        (json!({"runtimes": {}}).to_string(), 1, "daemon.json"),
        (json!({"prestart": [{"path": HOOK}]}).to_string(), 1, "oci-add-hooks"),
        (with("/stages", json!(["prestart"])).replace("\"stages\"", "\"Stages\""), 0, "will start the hook"),
    ]);
}
