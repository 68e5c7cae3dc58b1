//! Faults of single values that would fail a start, as findings. Must not judge or word them itself: the hook does.

use super::document::Document;
use crate::finding::{Finding, Severity};
use hook::config::{Config, ConfigFile};
use hook::error::Error;

/// The faults of a file that is valid TOML.
pub fn faults(file: &ConfigFile, document: &Document<'_>) -> Vec<Finding> {
    Config::faults(file).iter().map(|error| finding(error, document)).collect()
}

fn finding(error: &Error, document: &Document<'_>) -> Finding {
    let fault = error.value_fault().unwrap_or_default();
    let Some(key) = fault.key else {
        // A start would fail with this error, so it is reported even though it names no key.
        return Finding::new(Severity::Error, "value", error.to_string(), "a start would fail with this message");
    };
    let name = key.row().name;
    let message = if fault.what.starts_with(name) { fault.what } else { format!("{name}: {}", fault.what) };
    let mut finding = Finding::new(Severity::Error, "value", message, fault.remedy);
    finding.key = Some(name.to_owned());
    finding.place = document.place(key);
    finding
}
