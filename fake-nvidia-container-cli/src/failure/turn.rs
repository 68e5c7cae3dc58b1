//! Whose turn it is: a file counts the runs, so that a failure can come at every nth one.

use nix::fcntl::{Flock, FlockArg};
use std::fs::OpenOptions;
use std::io::{Read, Seek, Write};
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

fn count(path: &Path) -> std::io::Result<u64> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, why)| why)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let runs = text.trim().parse::<u64>().unwrap_or_default() + 1;
    file.rewind()?;
    file.set_len(0)?;
    writeln!(file, "{runs}")?;
    Ok(runs)
}
