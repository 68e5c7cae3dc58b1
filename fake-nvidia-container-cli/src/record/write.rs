//! Appending one line to a file that other runs append to at the same time.

use nix::fcntl::{Flock, FlockArg};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Appends a line in one write under a lock: O_APPEND keeps lines apart, the lock keeps a long one whole.
pub fn append(path: &Path, mut line: Vec<u8>) -> Result<(), String> {
    let fail = |why: &dyn std::fmt::Display| format!("record {}: {why}", path.display());
    line.push(b'\n');
    let file = OpenOptions::new().append(true).create(true).open(path).map_err(|why| fail(&why))?;
    // A pipe or a terminal cannot be locked and needs no lock for a line this short; a full disk shows in the write.
    let mut locked = match Flock::lock(file, FlockArg::LockExclusive) {
        Ok(locked) => locked,
        Err((mut file, _)) => return file.write_all(&line).map_err(|why| fail(&why)),
    };
    match locked.write(&line) {
        Ok(length) if length == line.len() => Ok(()),
        Ok(length) => Err(fail(&format_args!("only {length} of {} bytes were written", line.len()))),
        Err(why) => Err(fail(&why)),
    }
}
