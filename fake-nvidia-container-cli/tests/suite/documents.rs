//! The documents that come from code: the topology schema and the table of failures. `BLESS=1` rewrites them.

use super::programs;
use fake_nvidia_container_cli::verbs::{failure_table, schema_text};
use std::fs;
use std::path::PathBuf;

fn document(name: &str) -> PathBuf {
    programs::source("../docs").join(name)
}

fn same(name: &str, expected: &str) {
    let path = document(name);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "docs/{name} is not what the code says; BLESS=1 cargo test rewrites it");
}

#[test]
fn the_schema_is_that_of_the_types() {
    same("topology.schema.json", &schema_text());
}

#[test]
fn the_manual_has_the_table_of_failures() {
    let manual = fs::read_to_string(document("fake-cli.md")).unwrap();
    let (before, rest) = manual.split_once("<!-- failures -->\n").expect("a place for the table");
    let (_, after) = rest.split_once("<!-- /failures -->").expect("the end of the table");
    let expected = format!("{before}<!-- failures -->\n{}<!-- /failures -->{after}", failure_table());
    same("fake-cli.md", &expected);
}
