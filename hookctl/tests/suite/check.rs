//! `check` on configuration files; fixtures/hookctl/check holds them, cases.rs says how.

use std::collections::BTreeSet;

use super::cases::{Machine, assert_schema, assert_shown, machine, run_area};
use super::schemas;
use hook::contract::keys::ROWS;

fn clean_machine() -> Machine {
    machine("check/clean")
}

#[test]
fn every_file_gets_its_findings() {
    let documents = run_area("check");
    assert_schema(&documents, &schemas::of::<nvidia_hookctl::check::Report>());
    let ids = [
        "unreadable",
        "syntax",
        "type",
        "value",
        "unknown-key",
        "misplaced-key",
        "deprecated",
        "comment",
        "ldconfig-from-container",
        "no-effect",
        "cli-version",
        "compat-mode-hook",
        "mode-not-served",
        "nobody-may-ask",
        "relative-path",
        "missing-path",
        "wrong-kind",
        "writable-by-others",
    ];
    assert_shown(&documents, "findings", &ids);
    for (name, document) in documents {
        let findings = document["findings"].as_array().unwrap();
        let count = |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
        assert_eq!(document["errors"], count("error"), "{name}");
        assert_eq!(document["warnings"], count("warning"), "{name}");
    }
}

#[test]
fn the_default_file_checks_clean_as_it_is_and_with_every_key_set() {
    let machine = clean_machine();
    let printed = machine.run(&["check", "--print-default"]);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    let set: String = printed.stdout.lines().map(|line| format!("{}\n", uncommented(line))).collect();
    for text in [&printed.stdout, &set] {
        std::fs::write(machine.path("/default.toml"), text).unwrap();
        let checked = machine.run(&["check", "--config", "/default.toml", "--strict", "--output", "json"]);
        assert_eq!(checked.status, 0, "{}", checked.stdout);
        let report: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
        let notes: BTreeSet<&str> =
            report["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect();
        assert!(notes.is_empty(), "{notes:?}");
    }
}

/// A key that follows `#` without a blank, as if set; prose as it is.
fn uncommented(line: &str) -> &str {
    match line.strip_prefix('#') {
        Some(rest) if rest.contains(" = ") && !rest.starts_with(' ') => rest,
        _ => line,
    }
}

#[test]
fn the_default_file_has_every_key_once_with_its_default() {
    let printed = clean_machine().run(&["check", "--print-default"]).stdout;
    let set: String = printed.lines().map(|line| format!("{}\n", uncommented(line))).collect();
    let document: toml::Table = set.parse().unwrap();
    for row in ROWS {
        let mut place = toml::Value::Table(document.clone());
        for part in row.name.split('.') {
            place = place[part].clone();
        }
        let want: toml::Table = format!("x = {}", nvidia_hookctl::check::default(row.default)).parse().unwrap();
        assert_eq!(place, want["x"], "{}", row.name);
    }
}

#[test]
fn whatever_a_start_refuses_is_an_error_of_check_too() {
    let machine = clean_machine();
    for text in [
        "a",
        "disable-require = 1",
        "supported-driver-capabilities = \"all,compute\"",
        "nvidia-container-runtime-hook.cli-version = \"x\"",
        "nvidia-container-cli.ldconfig = \"\"",
        "nvidia-container-cli.ldconfig = \"@x\"",
        "nvidia-container-cli.environment = [\"A\"]",
        "nvidia-container-cli.path = \"x\"",
        "nvidia-container-runtime.modes = 1",
        "nvidia-container-runtime.log-level = 1",
    ] {
        std::fs::write(machine.path("/c.toml"), text).unwrap();
        let explained = machine.run(&["explain", "--env", "NVIDIA_VISIBLE_DEVICES=0", "--config", "/c.toml"]);
        assert_eq!(explained.status, 1, "{text}: a start would work");
        let checked = machine.run(&["check", "--config", "/c.toml"]);
        assert_eq!(checked.status, 1, "{text}: {}", checked.stdout);
    }
}
