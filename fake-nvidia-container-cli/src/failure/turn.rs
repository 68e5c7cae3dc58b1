//! Whether a failure's turn has come: a file counts the runs, so that a failure can come in every nth run.

use crate::record::open_private;
use std::io::{Seek, Write};
use std::path::Path;

/// Counts this run, and says whether the failure is due in it.
pub fn turn(counter: Option<&Path>, every: u64) -> Result<bool, String> {
    if every <= 1 {
        return Ok(true);
    }
    let Some(path) = counter else {
        return Err("fail: every=N needs FAKE_NVIDIA_COUNTER or FAKE_NVIDIA_RECORD to count runs".to_owned());
    };
    count(path).map(|runs| runs.is_multiple_of(every)).map_err(|why| format!("counter {}: {why}", path.display()))
}

/// Each run appends one byte; the offset at which that byte ends is the number of the run. The kernel lets no two
/// appends end at the same offset, so no lock is needed, which others could hold to keep a run waiting.
fn count(path: &Path) -> Result<u64, String> {
    let mut file = open_private(path)?;
    file.write_all(b".").and_then(|()| file.stream_position()).map_err(|why| why.to_string())
}
