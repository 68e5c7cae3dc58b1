//! The documents generated from code: the topology schema and the table of failures. `BLESS=1` rewrites them.

use super::programs;
use super::sandbox::Sandbox;
use fake_nvidia_container_cli::verbs::{VERBS, failure_table, schema_text};
use std::collections::BTreeSet;
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

/// `--help`, the man page and the manual name every command of the simulator's own; the last two name every setting.
#[test]
fn commands_and_settings_are_in_the_help_the_man_page_and_the_manual() {
    let help = Sandbox::new().named("fake-nvidia-container-cli", &["--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let page = fs::read_to_string(document("fake-nvidia-container-cli.1")).unwrap().replace("\\-", "-");
    let manual = fs::read_to_string(document("fake-cli.md")).unwrap();
    for verb in VERBS {
        for (name, text) in [("--help", &help), ("the man page", &page), ("docs/fake-cli.md", &manual)] {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
            assert!(words.into_iter().any(|word| word == verb), "{name} does not name {verb}");
        }
    }
    let settings = fs::read_to_string(programs::source("src/settings.rs")).unwrap();
    let variables: BTreeSet<&str> =
        settings.split('"').skip(1).step_by(2).filter(|text| text.starts_with("FAKE_NVIDIA_")).collect();
    assert!(variables.len() >= 9, "{variables:?}");
    for variable in variables {
        assert!(page.contains(&format!(".B {variable}\n")), "the man page does not explain {variable}");
        assert!(manual.contains(&format!("| `{variable}` |")), "docs/fake-cli.md does not explain {variable}");
    }
}
