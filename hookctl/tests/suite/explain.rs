//! `explain` as a person uses it: the program on a machine on disk. fixtures/hookctl/explain holds the cases, cases.rs
//! says how. agreement.rs shows that explanations agree with starts.

use std::collections::BTreeSet;

use nvidia_hookctl::explain::report::Report;
use serde_json::Value;

use super::cases::{assert_schema, machine, run_area};
use super::schemas;

#[test]
fn every_case_is_explained_as_expected_and_by_the_schema() {
    let documents = run_area("explain");
    let schema = schemas::of::<Report>();
    assert_schema(&documents, &schema);
    // Every word of the schema's lists is the answer in some case.
    for (pointer, name) in [
        ("/configuration/searched/*/outcome", "Outcome"),
        ("/devices/candidates/*/outcome", "CandidateOutcome"),
        ("/requirements/items/*/met", "Met"),
        ("/verdict", "Verdict"),
        ("/container/source", "Source"),
    ] {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (_, document) in &documents {
            gather(document, pointer, &mut seen);
            gather(document, &pointer.replace("/configuration/", "/program/"), &mut seen);
        }
        let words = schema["$defs"][name]["oneOf"].as_array().unwrap();
        for word in words.iter().map(|word| word["const"].as_str().unwrap()) {
            assert!(seen.contains(word), "no case shows {word} at {pointer}");
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

/// Gathers the texts at a pointer in which `*` stands for every item of a list.
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
    let machine = machine("explain/bundle");
    for form in ["text", "json"] {
        let said =
            machine.run_with(&["explain", "--bundle", "/run/bundle", "--output", form], b"", &[("SECRET", "h1dden")]);
        assert!(!said.stdout.contains("s3cret") && !said.stdout.contains("h1dden"), "{}", said.stdout);
    }
}
