//! `doctor` on a machine for each state that it knows; fixtures/hookctl/doctor holds them, cases.rs says how.

use std::collections::BTreeSet;

use super::cases::{assert_schema, machine, run_area};
use super::schemas;

#[test]
fn every_machine_is_seen_as_it_is() {
    let documents = run_area("doctor");
    assert_schema(&documents, &schemas::of::<nvidia_hookctl::doctor::Report>());
    let mut seen = BTreeSet::new();
    for (name, document) in &documents {
        for check in document["checks"].as_array().unwrap() {
            let state = check["severity"].as_str().unwrap();
            assert_eq!(state == "ok", check["remedy"].is_null(), "{name}: a remedy goes with what is not ok: {check}");
            seen.insert((check["id"].as_str().unwrap().to_owned(), state.to_owned()));
        }
        let count =
            |state: &str| document["checks"].as_array().unwrap().iter().filter(|c| c["severity"] == state).count();
        assert_eq!(document["errors"], count("error"), "{name}");
        assert_eq!(document["warnings"], count("warning"), "{name}");
    }
    // Every state that a check can be in has a machine that shows it, but for those that no machine below a directory has.
    let ids: BTreeSet<&String> = seen.iter().map(|(id, _)| id).collect();
    for id in ids {
        assert!(seen.contains(&(id.clone(), "ok".to_owned())) || id == "driver-root", "{id} is never ok");
        assert!(seen.iter().any(|(it, state)| it == id && state != "ok"), "{id} is always ok");
    }
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
