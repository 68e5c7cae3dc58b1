//! The JSON schemas of the reports, made from their types: docs/*.schema.json must match them. `BLESS=1` writes them.

use std::fs;

use super::cases::programs;
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

fn kept<R: JsonSchema>(name: &str) {
    let schema = serde_json::to_string_pretty(&schema_for!(R)).unwrap() + "\n";
    let file = programs::source("docs").join(format!("{name}.schema.json"));
    if programs::bless() {
        fs::write(&file, schema).unwrap();
    } else {
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(found == schema, "{}: BLESS=1 writes what the types say:\n{schema}", file.display());
    }
}

/// The schema of a report, made from its type.
pub fn of<R: JsonSchema>() -> Value {
    serde_json::to_value(schema_for!(R)).unwrap()
}

#[test]
fn the_documents_are_what_the_types_say() {
    kept::<nvidia_hookctl::explain::report::Report>("explain");
    kept::<nvidia_hookctl::check::Report>("check");
    kept::<nvidia_hookctl::doctor::Report>("doctor");
    kept::<nvidia_hookctl::oci_hook::Report>("oci-hook");
    kept::<nvidia_hookctl::why::Report>("why");
    kept::<nvidia_hookctl::replay::Report>("replay");
}
