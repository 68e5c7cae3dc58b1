//! `doctor` on a machine for each state that it knows; fixtures/hookctl/doctor holds them, cases.rs says how.

use super::cases::{assert_schema, machine, programs, run_area};
use super::schemas;
use nvidia_hookctl::doctor::states;

#[test]
fn every_machine_is_seen_as_it_is() {
    let documents = run_area("doctor");
    assert_schema(&documents, &schemas::of::<nvidia_hookctl::doctor::Report>());
    for (name, document) in &documents {
        for check in document["checks"].as_array().unwrap() {
            let is_ok = check["severity"] == "ok";
            assert_eq!(is_ok, check["remedy"].is_null(), "{name}: a remedy goes with what is not ok: {check}");
        }
        let count = |severity: &str| {
            document["checks"].as_array().unwrap().iter().filter(|check| check["severity"] == severity).count()
        };
        assert_eq!(document["errors"], count("error"), "{name}");
        assert_eq!(document["warnings"], count("warning"), "{name}");
        assert!(document["known_states"].as_u64().unwrap() > 60);
    }
    let found = |name: &str, id: &str| {
        let (_, document) = documents.iter().find(|(known, _)| known == name).unwrap();
        document["checks"].as_array().unwrap().iter().any(|check| check["id"] == id)
    };
    // Each state shows on some host, and does not show on that host without the fault.
    for state in states::all() {
        let with: Vec<&str> =
            documents.iter().map(|(name, _)| name.as_str()).filter(|name| found(name, state.id)).collect();
        assert!(!with.is_empty(), "no case shows {}", state.id);
        let has_counterpart = |name: &&str| base_of(name).is_some_and(|base| !found(&base, state.id));
        assert!(with.iter().any(has_counterpart), "no case shows {} beside its base without it", state.id);
    }
}

/// The case that a case differs from.
fn base_of(name: &str) -> Option<String> {
    let file = programs::fixtures().join("hookctl/doctor").join(name).join("expected.toml");
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().find_map(|line| line.strip_prefix("base = ")).map(|base| base.trim_matches('"').to_owned())
}

#[test]
fn a_report_holds_nothing_of_the_environment_but_what_was_asked_for() {
    let machine = machine("doctor/docker-without-the-hook");
    let said = machine.run_with(&["doctor"], b"", &[("TOKEN", "s3cret-token")]);
    assert!(!said.stdout.contains("s3cret"), "{}", said.stdout);
    assert!(!said.stderr.contains("s3cret"), "{}", said.stderr);
}

#[test]
fn the_root_has_two_names() {
    let machine = machine("doctor/healthy");
    let root = machine.root().display().to_string();
    let first = machine.run(&["doctor"]);
    assert_eq!(machine.run(&["doctor", "--root", root.as_str()]).stdout, first.stdout);
}
