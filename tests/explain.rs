//! `explain`, the hint and the note as a person meets them: the program itself on a machine on disk. fixtures/hookctl/explain
//! holds the cases, tests/own/mod.rs says how; that explanations agree with starts is shown by tests/conformance.rs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod own;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;

use own::{Machine, programs, run_area, schema};
use serde_json::Value;

const STATE: &[u8] = br#"{"ociVersion":"1.0.2","id":"c1","pid":4242,"bundle":"/run/bundle"}"#;

fn machine(case: &str) -> Machine {
    Machine::of_case(&programs::fixtures().join("hookctl/explain").join(case))
}

#[test]
fn every_case_is_explained_as_expected_and_by_the_schema() {
    let text = fs::read_to_string(programs::source("docs/explain.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let documents = run_area("explain");
    for (name, document) in &documents {
        assert_eq!(schema::faults(&schema, document), Vec::<String>::new(), "{name}");
    }
    // Every word of the schema's lists is the answer to some case.
    for (pointer, list) in [
        ("/configuration/searched/*/outcome", "/$defs/searched/properties/outcome/enum"),
        ("/devices/candidates/*/outcome", "/$defs/candidate/properties/outcome/enum"),
        ("/requirements/items/*/met", "/$defs/requirement/properties/met/enum"),
        ("/verdict", "/properties/verdict/enum"),
        ("/container/source", "/$defs/container/properties/source/enum"),
    ] {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (_, document) in &documents {
            gather(document, pointer, &mut seen);
            gather(document, &pointer.replace("/configuration/", "/program/"), &mut seen);
        }
        for word in schema.pointer(list).unwrap().as_array().unwrap() {
            assert!(seen.contains(word.as_str().unwrap()), "no case shows {word} at {pointer}");
        }
    }
    let warnings: BTreeSet<String> = documents.iter().fold(BTreeSet::new(), |mut seen, (_, document)| {
        gather(document, "/warnings/*/id", &mut seen);
        seen
    });
    for id in [
        "all-ignored",
        "duplicate-device",
        "boolean",
        "path",
        "old-mig-name",
        "unknown-device",
        "void",
        "void-in-list",
        "word-in-list",
        "imex-channel",
        "imex-all",
        "capabilities-all",
        "capabilities-blank",
        "unmeetable-requirement",
    ] {
        assert!(warnings.contains(id), "no case shows the warning {id}");
    }
}

/// The texts at a pointer in which `*` is every item of a list.
fn gather(document: &Value, pointer: &str, seen: &mut BTreeSet<String>) {
    match pointer.split_once("/*") {
        None => seen.extend(document.pointer(pointer).and_then(Value::as_str).map(str::to_owned)),
        Some((list, rest)) => {
            for item in document.pointer(list).and_then(Value::as_array).into_iter().flatten() {
                gather(item, rest, seen);
            }
        }
    }
}

#[test]
fn nothing_of_the_container_is_shown_but_what_the_contract_defines() {
    let machine = machine("bundle");
    for form in ["text", "json"] {
        let said =
            machine.run_with(&["explain", "--bundle", "/run/bundle", "--output", form], b"", &[("SECRET", "h1dden")]);
        assert!(!said.stdout.contains("s3cret") && !said.stdout.contains("h1dden"), "{}", said.stdout);
    }
}

#[test]
fn options_are_taken_with_one_dash_too_and_behind_the_command() {
    let machine = machine("config-named");
    let words = |words: &[&str]| machine.run(words).stdout;
    let want = words(&["-config", "/opt/c.toml", "explain", "--env", "NVIDIA_VISIBLE_DEVICES=0"]);
    assert_eq!(words(&["explain", "-env", "NVIDIA_VISIBLE_DEVICES=0", "-config", "/opt/c.toml"]), want);
    assert_eq!(words(&["explain", "--env", "NVIDIA_VISIBLE_DEVICES=0", "--config=/opt/c.toml"]), want);
}

#[test]
fn wrong_usage_is_status_2_and_help_is_an_answer() {
    let machine = machine("plain");
    for words in
        [&["explain"][..], &["explain", "--bundle", "/a", "--state", "-"], &["explain", "--env", "A"], &["check", "-x"]]
    {
        let said = machine.run(words);
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{words:?}");
        assert!(said.stderr.contains("--help"), "{}", said.stderr);
    }
    for command in ["explain", "check", "doctor", "oci-hook"] {
        let said = machine.run(&[command, "--help"]);
        assert_eq!((said.status, said.stderr.as_str()), (0, ""), "{command}");
        assert!(said.stdout.contains("Examples:"), "{command}");
        let short = machine.run(&[command, "-h"]);
        for line in said.stdout.lines().chain(short.stdout.lines()) {
            assert!(line.chars().count() <= 100, "{command}: {line}");
        }
    }
}

#[test]
fn an_error_ends_with_the_command_that_explains_it_where_the_bundle_is_known() {
    let machine = machine("bundle");
    fs::write(machine.path("/run/bundle/config.json"), "{}").unwrap();
    let said = machine.run_with(&["prestart"], STATE, &[]);
    assert_eq!(said.status, 1);
    let hint = said.stderr.lines().last().unwrap();
    assert_eq!(hint, "see: nvidia-container-runtime-hook explain --bundle /run/bundle");
    fs::write(machine.path("/c.toml"), "").unwrap();
    let said = machine.run_with(&["-config", "/c.toml", "prestart"], STATE, &[]);
    let hint = said.stderr.lines().last().unwrap();
    assert_eq!(hint, "see: nvidia-container-runtime-hook explain --bundle /run/bundle --config /c.toml");
    let words: Vec<&str> = hint.split(' ').skip(2).collect();
    let explained = machine.run(&words);
    assert!(explained.stdout.replace("\n", " ").contains(said.stderr.lines().next().unwrap()), "{}", explained.stdout);
    let said = machine.run_with(&["prestart"], b"{", &[]);
    assert!(!said.stderr.contains("see:"), "{}", said.stderr);
}

#[test]
fn a_note_is_one_line_of_json_in_a_private_file() {
    let machine = machine("bundle");
    let log = machine.path("/var/log/hook.log");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    let start =
        |state: &[u8]| machine.run_with(&["prestart"], state, &[("NVIDIA_CONTAINER_HOOK_LOG", "/var/log/hook.log")]);
    assert_eq!(start(STATE).status, 0);
    assert_eq!(start(br#"{"pid":1,"bundle":"/nowhere"}"#).status, 1);
    let bundle = machine.path("/run/bundle/config.json");
    fs::write(bundle, r#"{"ociVersion":"1.0.2","process":{"env":["TOKEN=s3cret"]},"root":{"path":"x"}}"#).unwrap();
    assert_eq!(start(STATE).status, 0);
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&log).unwrap();
    assert!(!text.contains("s3cret"));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<&str> = lines.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["execute", "error", "nothing"]);
    assert_eq!(lines[0]["devices_by"][0], "NVIDIA_VISIBLE_DEVICES");
    assert_eq!(lines[0]["argv"][0], "/usr/bin/nvidia-container-cli");
    assert!(lines[1]["why"].as_str().unwrap().contains("/nowhere/config.json"));
    assert!(lines.iter().all(|line| line["time"].as_str().unwrap().ends_with('Z')));
}

#[test]
fn a_key_of_the_configuration_asks_for_notes_and_the_variable_overrides_it() {
    let machine = machine("bundle");
    fs::write(machine.path("/c.toml"), "[nvidia-container-runtime-hook]\nlog = \"/key.log\"\n").unwrap();
    machine.run_with(&["-config", "/c.toml", "prestart"], STATE, &[]);
    assert_eq!(fs::read_to_string(machine.path("/key.log")).unwrap().lines().count(), 1);
    for value in ["", "/variable.log"] {
        machine.run_with(&["-config", "/c.toml", "prestart"], STATE, &[("NVIDIA_CONTAINER_HOOK_LOG", value)]);
    }
    assert_eq!(fs::read_to_string(machine.path("/key.log")).unwrap().lines().count(), 1);
    assert_eq!(fs::read_to_string(machine.path("/variable.log")).unwrap().lines().count(), 1);
}

#[test]
fn a_note_that_cannot_be_written_fails_no_start_and_follows_no_link() {
    let machine = machine("bundle");
    fs::write(machine.path("/victim"), "").unwrap();
    fs::write(machine.path("/linked"), "").unwrap();
    symlink("linked", machine.path("/link")).unwrap();
    fs::hard_link(machine.path("/victim"), machine.path("/second-name")).unwrap();
    fs::create_dir(machine.path("/directory")).unwrap();
    nix::unistd::mkfifo(&machine.path("/fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for target in ["/link", "/second-name", "/directory", "/fifo", "/nowhere/log", "relative", "syslog", "journald"] {
        let said = machine.run_with(&["prestart"], STATE, &[("NVIDIA_CONTAINER_HOOK_LOG", target)]);
        assert_eq!((said.status, said.stderr.as_str()), (0, ""), "{target}");
        let said = machine.run_with(&["-debug", "prestart"], STATE, &[("NVIDIA_CONTAINER_HOOK_LOG", target)]);
        assert_eq!(said.stderr.contains("could not be written"), target != "relative", "{target}: {}", said.stderr);
    }
    for file in ["/victim", "/linked"] {
        assert_eq!(fs::read_to_string(machine.path(file)).unwrap(), "", "{file}");
    }
}

#[test]
fn a_log_does_not_grow_without_bound_and_neither_does_a_line() {
    let machine = machine("bundle");
    let log = machine.path("/hook.log");
    fs::write(&log, vec![b'x'; (1 << 20) - 10]).unwrap();
    let many: Vec<String> = (0..5000).map(|index| format!("\"NVIDIA_REQUIRE_{index}=cuda>=1\"")).collect();
    let spec = format!(
        r#"{{"ociVersion":"1.0.2","process":{{"env":["NVIDIA_VISIBLE_DEVICES=0",{}]}},"root":{{"path":"x"}}}}"#,
        many.join(",")
    );
    fs::write(machine.path("/run/bundle/config.json"), spec).unwrap();
    machine.run_with(&["prestart"], STATE, &[("NVIDIA_CONTAINER_HOOK_LOG", "/hook.log")]);
    let line = fs::read_to_string(&log).unwrap();
    assert!(line.len() < 9000 && line.lines().count() == 1, "{}", line.len());
    assert_eq!(fs::metadata(machine.path("/hook.log.old")).unwrap().len(), (1 << 20) - 10);
}

#[test]
fn notes_reach_log_daemons_in_their_own_words() {
    for (value, socket, start) in [
        ("syslog", "/dev/log", "<29>nvidia-container-runtime-hook["),
        (
            "journald",
            "/run/systemd/journal/socket",
            "PRIORITY=5\nSYSLOG_IDENTIFIER=nvidia-container-runtime-hook\nMESSAGE={",
        ),
    ] {
        let machine = machine("bundle");
        let path = machine.path(socket);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let daemon = UnixDatagram::bind(&path).unwrap();
        daemon.set_nonblocking(true).unwrap();
        machine.run_with(&["prestart"], STATE, &[("NVIDIA_CONTAINER_HOOK_LOG", value)]);
        let mut buffer = [0; 1 << 16];
        let length = daemon.recv(&mut buffer).unwrap();
        let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("\"verdict\":\"execute\""), "{text}");
    }
}
