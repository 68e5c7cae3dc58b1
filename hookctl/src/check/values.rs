//! Faults of single values that would fail a start, as findings. Must not judge, nor have words of its own: the hook does.

use super::document::Document;
use crate::finding::{Finding, Severity};
use hook::config::{Config, ConfigFile};
use hook::error::Error;

/// The faults of a file that is right as TOML.
pub fn faults(file: &ConfigFile, document: &Document<'_>) -> Vec<Finding> {
    Config::faults(file).iter().map(|error| finding(error, document)).collect()
}

fn finding(error: &Error, document: &Document<'_>) -> Finding {
    let fault = error.value_fault().unwrap_or_default();
    let Some(key) = fault.key else {
        // A start would end with it, so it is better told in other words than not at all.
        return Finding::new(Severity::Error, "value", error.to_string(), "a start would fail with this message");
    };
    let name = key.row().name;
    let message = if fault.what.starts_with(name) { fault.what } else { format!("{name}: {}", fault.what) };
    let mut finding = Finding::new(Severity::Error, "value", message, fault.remedy);
    finding.key = Some(name.to_owned());
    finding.place = document.place(key);
    finding
}
