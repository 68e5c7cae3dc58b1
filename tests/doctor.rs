//! `doctor` on a machine for each state that it knows; fixtures/hookctl/doctor holds them, tests/own/mod.rs says how.
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

use own::{Machine, follow, programs, run_area};

#[test]
fn every_machine_is_seen_as_it_is() {
    let documents = run_area("doctor");
    follow(&documents, "docs/doctor.schema.json", "checks", "/$defs/check/properties/id/enum");
    let mut seen = BTreeSet::new();
    for (name, document) in &documents {
        for check in document["checks"].as_array().unwrap() {
            let state = check["state"].as_str().unwrap();
            assert_eq!(state == "ok", check["remedy"].is_null(), "{name}: a remedy goes with what is not ok: {check}");
            seen.insert((check["id"].as_str().unwrap().to_owned(), state.to_owned()));
        }
        let count = |state: &str| document["checks"].as_array().unwrap().iter().filter(|c| c["state"] == state).count();
        assert_eq!(document["problems"], count("problem"), "{name}");
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
    let machine = Machine::of_case(&programs::fixtures().join("hookctl/doctor/docker-without-the-hook"));
    let said = machine.run_with(&["doctor"], b"", &[("TOKEN", "s3cret-token")]);
    assert!(!said.stdout.contains("s3cret"), "{}", said.stdout);
    assert!(!said.stderr.contains("s3cret"), "{}", said.stderr);
}

#[test]
fn the_root_can_be_named_before_and_behind_the_command() {
    let machine = Machine::of_case(&programs::fixtures().join("hookctl/doctor/healthy"));
    let root = machine.path("/").display().to_string();
    let before = machine.run(&["doctor"]);
    for words in [["doctor", "--root", root.as_str()], ["doctor", "-host-root", root.as_str()]] {
        assert_eq!(machine.run(&words).stdout, before.stdout);
    }
}
