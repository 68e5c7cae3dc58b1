//! The two usual places of the configuration; a start reads one of them. Must not know what is in the files.

use hook::config::{self, ConfigFile};
use hook::host::Host;

use crate::finding::Finding;

/// A finding that both usual files exist, which one wins, and which one the current toolkit reads. `file` is the one
/// that a start reads.
#[must_use]
pub fn two_files(file: &ConfigFile, host: &dyn Host) -> Option<Finding> {
    let other = config::passed_over(file, host)?.display();
    let used = file.path.display();
    Some(Finding::warning(
        "two-files",
        format!("{used} is used, and {other} is passed over; NVIDIA's hook from 1.18 on would read {other} only"),
        format!("put into {used} what should hold, or remove it to have {other} read"),
    ))
}
