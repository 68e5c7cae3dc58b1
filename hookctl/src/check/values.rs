//! Faults of single values that would fail a start, in the words of a check. Must not judge: `Config` does.

use super::document::Document;
use super::{Finding, Severity};
use hook::config::{Config, ConfigFile};
use hook::contract::capabilities::Capabilities;
use hook::contract::keys::Key;
use hook::error::Error;

/// The faults of a file that is right as TOML.
pub fn faults(file: &ConfigFile, document: &Document<'_>) -> Vec<Finding> {
    Config::faults(file).iter().map(|error| finding(error, document)).collect()
}

fn finding(error: &Error, document: &Document<'_>) -> Finding {
    let (key, message, remedy) = match error {
        Error::UnsupportedConfigCapability { name, .. } => (
            Key::SupportedDriverCapabilities,
            format!("unknown driver capability \"{name}\""),
            format!("write \"all\" alone, or a comma list out of {}", Capabilities::all()),
        ),
        Error::CliVersion { value, .. } => (
            Key::HookCliVersion,
            format!("\"{value}\" is not a version from 1.14.0 on"),
            "write one such as \"1.17.8\", or \"newest\"".to_owned(),
        ),
        Error::LdconfigNotHost { value, .. } => (
            Key::CliLdconfig,
            format!("\"{value}\" would be a program of the container, run as root on the host"),
            format!("write \"@{value}\" for the host's program"),
        ),
        Error::LdconfigNotAbsolute { value, .. } => (
            Key::CliLdconfig,
            format!("\"{value}\" has no absolute path behind the '@'"),
            "write \"@/sbin/ldconfig\"".to_owned(),
        ),
        Error::CliEnvironment { entry, .. } => (
            Key::CliEnvironment,
            format!("\"{}\" is not NAME=VALUE", entry.split('=').next().unwrap_or_default()),
            "give it a name and a '='".to_owned(),
        ),
        other => return unforeseen(other),
    };
    Finding {
        severity: Severity::Error,
        id: "value",
        key: Some(key.row().name.to_owned()),
        place: document.place(key),
        message: format!("{}: {message}", key.row().name),
        remedy,
    }
}

/// A fault that a start would find and the check did not foresee: better in other words than not at all.
fn unforeseen(error: &Error) -> Finding {
    Finding {
        severity: Severity::Error,
        id: "value",
        key: None,
        place: None,
        message: error.to_string(),
        remedy: "a start would fail with this message".to_owned(),
    }
}
