//! The note about a start and the hint after an error: lines of the hook that name its decision and the command that
//! explains it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;

use hook_test_support::machine::Machine;
use hook_test_support::programs;
use libtest_mimic::Trial;
use serde_json::Value;

use crate::test;

const STATE: &[u8] = br#"{"ociVersion":"1.0.2","id":"c1","pid":4242,"bundle":"/run/bundle"}"#;

/// The tests.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, fn()); 6] = [
        (
            "hint: an error names the command that explains it",
            an_error_ends_with_the_command_that_explains_it_where_the_bundle_is_known,
        ),
        ("note: one line of JSON in a private file", a_note_is_one_line_of_json_in_a_private_file),
        (
            "note: asked for by a key or by the variable",
            a_key_of_the_configuration_asks_for_notes_and_the_variable_overrides_it,
        ),
        (
            "note: failing to write it fails no start, and no link is followed",
            a_note_that_cannot_be_written_fails_no_start_and_follows_no_link,
        ),
        (
            "note: neither a file nor a line grows without bound",
            a_log_does_not_grow_without_bound_and_neither_does_a_line,
        ),
        ("note: log daemons get it in their own words", notes_reach_log_daemons_in_their_own_words),
    ];
    tests.map(|(name, run)| test(name, run)).into()
}

fn machine() -> Machine {
    Machine::of_case(&programs::fixtures().join("hookctl/explain/bundle"), crate::hook(), "-host-root")
}

fn an_error_ends_with_the_command_that_explains_it_where_the_bundle_is_known() {
    let machine = machine();
    fs::write(machine.path("/run/bundle/config.json"), "{}").unwrap();
    // The file of the search is found again without a word.
    let searched = machine.path("/etc/nvidia-container-runtime");
    fs::create_dir_all(&searched).unwrap();
    fs::write(searched.join("config.toml"), "# the defaults\n").unwrap();
    let said = machine.run_with(&["prestart"], STATE, &[]);
    assert_eq!(said.status, 1);
    let hint = said.stderr.lines().last().unwrap();
    assert_eq!(hint, "see: nvidia-hookctl explain --bundle /run/bundle --host-root [ROOT]");
    fs::write(machine.path("/c.toml"), "# the defaults\n").unwrap();
    let said = machine.run_with(&["-config", "/c.toml", "prestart"], STATE, &[]);
    let hint = said.stderr.lines().last().unwrap();
    assert_eq!(hint, "see: nvidia-hookctl explain --bundle /run/bundle --config /c.toml --host-root [ROOT]");
    let said = machine.run_with(&["prestart"], STATE, &[("NVIDIA_CTK_CONFIG_FILE_PATH", "/c.toml")]);
    let by_variable = said.stderr.lines().last().unwrap();
    assert_eq!(by_variable, hint);
    let said = machine.run_with(&["prestart"], b"{", &[]);
    assert!(!said.stderr.contains("see:"), "{}", said.stderr);
}

fn a_note_is_one_line_of_json_in_a_private_file() {
    let machine = machine();
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
    assert_eq!((&lines[0]["pid"], &lines[0]["bundle"]), (&4242.into(), &"/run/bundle".into()));
    assert_eq!((&lines[0]["privileged"], &lines[0]["config"]), (&false.into(), &Value::Null));
    assert!(lines[1]["why"].as_str().unwrap().contains("/nowhere/config.json"));
    assert!(lines.iter().all(|line| line["time"].as_str().unwrap().ends_with('Z')));
}

fn a_key_of_the_configuration_asks_for_notes_and_the_variable_overrides_it() {
    let machine = machine();
    fs::write(machine.path("/c.toml"), "[nvidia-container-runtime-hook]\nlog = \"/key.log\"\n").unwrap();
    machine.run_with(&["-config", "/c.toml", "prestart"], STATE, &[]);
    let line: Value = serde_json::from_slice(&fs::read(machine.path("/key.log")).unwrap()).unwrap();
    assert_eq!(line["config"], "/c.toml");
    for value in ["", "/variable.log"] {
        machine.run_with(&["-config", "/c.toml", "prestart"], STATE, &[("NVIDIA_CONTAINER_HOOK_LOG", value)]);
    }
    assert_eq!(fs::read_to_string(machine.path("/key.log")).unwrap().lines().count(), 1);
    assert_eq!(fs::read_to_string(machine.path("/variable.log")).unwrap().lines().count(), 1);
}

fn a_note_that_cannot_be_written_fails_no_start_and_follows_no_link() {
    let machine = machine();
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
        assert!(said.stderr.contains("could not be written"), "{target}: {}", said.stderr);
    }
    for file in ["/victim", "/linked"] {
        assert_eq!(fs::read_to_string(machine.path(file)).unwrap(), "", "{file}");
    }
}

fn a_log_does_not_grow_without_bound_and_neither_does_a_line() {
    let machine = machine();
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

fn notes_reach_log_daemons_in_their_own_words() {
    for (value, socket, start) in [
        ("syslog", "/dev/log", "<29>nvidia-container-runtime-hook["),
        (
            "journald",
            "/run/systemd/journal/socket",
            "PRIORITY=5\nSYSLOG_IDENTIFIER=nvidia-container-runtime-hook\nMESSAGE={",
        ),
    ] {
        let machine = machine();
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
