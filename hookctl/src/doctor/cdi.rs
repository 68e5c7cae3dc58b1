//! CDI specifications: whether they can be read, are of this driver, and are there where an engine is set to use them. Must
//! not know their form.

use super::docker;
use super::examination::Examination;
use super::states::{CDI_BROKEN, CDI_CONFLICT, CDI_MISSING, CDI_STALE};
use crate::cdi::{DIRECTORIES, GPU, conflicts, files};
use crate::inspect::Inspect;

/// Names that a message shows of a long list.
const SHOWN: usize = 3;

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    let mut directories = docker::spec_directories(host);
    directories.extend(DIRECTORIES.map(str::to_owned));
    directories.dedup();
    let mut seen = Vec::new();
    directories.retain(|directory| {
        let is_new = !seen.contains(directory);
        seen.push(directory.clone());
        is_new
    });
    let files = files(host, &directories);
    for file in &files {
        match &file.spec {
            Err(fault) => examination.found(&CDI_BROKEN, format!("{}: {fault}", file.path)),
            Ok(spec) if !spec.kind.starts_with("nvidia.com/") => {}
            Ok(spec) => {
                let missing = spec.missing(host);
                if missing.is_empty() {
                    let message = format!("{} defines {} devices of {}", file.path, spec.devices.len(), spec.kind);
                    examination.ok("cdi", message);
                } else {
                    let first = missing.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
                    let rest = missing.len().saturating_sub(SHOWN);
                    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
                    let message = format!("{} names {first}{more}, which is not there", file.path);
                    examination.found(&CDI_STALE, message);
                }
            }
        }
    }
    for (device, first, second) in conflicts(&files) {
        examination.found(&CDI_CONFLICT, format!("{first} and {second} both define {device}"));
    }
    let has_gpus = files.iter().any(|file| file.spec.as_ref().is_ok_and(|spec| spec.kind == GPU));
    let mode = examination.config.text(hook::contract::keys::Key::RuntimeMode) == "cdi";
    if mode && !has_gpus && host.has("/proc/driver/nvidia/version") {
        let message = format!(
            "nvidia-container-runtime.mode is cdi, and no specification in {} defines {GPU}",
            directories.join(", ")
        );
        examination.found(&CDI_MISSING, message);
    }
}
