//! The files in the tree of a scene, to show what the hook left there. Must not know what it may leave.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::run::Seat;

/// The entries that the stand-in makes at the top of a tree.
const OF_THE_STAND_IN: [&str; 1] = [".record"];
/// The entries that the stand-in and the launcher make at the top of a private root.
const OF_A_PRIVATE_ROOT: [&str; 4] = [".record", "proc", ".proc", "dev"];

/// Each path below a root, and what shows that it is unchanged.
#[derive(Debug, Default)]
pub struct Snapshot(BTreeMap<String, Seen>);

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    mode: u32,
    /// Size and time of the last change; none for a folder, whose entries are listed themselves.
    content: Option<(u64, i64, i64)>,
}

impl Snapshot {
    /// The files below a root now. A folder that cannot be read or searched counts as empty, before and after.
    pub fn of(root: &Path, seat: Seat) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let not_the_hook: &[&str] = match seat {
            Seat::HostRoot => &OF_THE_STAND_IN,
            Seat::PrivateRoot => &OF_A_PRIVATE_ROOT,
        };
        snapshot.add(root, "", not_the_hook);
        snapshot
    }

    fn add(&mut self, folder: &Path, inside: &str, not_the_hook: &[&str]) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if inside.is_empty() && not_the_hook.contains(&name.as_str()) {
                continue;
            }
            let Ok(metadata) = entry.path().symlink_metadata() else { continue };
            let path = format!("{inside}/{name}");
            let content = (!metadata.is_dir()).then(|| (metadata.size(), metadata.mtime(), metadata.mtime_nsec()));
            self.0.insert(path.clone(), Seen { mode: metadata.mode() & 0o7777, content });
            if metadata.is_dir() {
                self.add(&entry.path(), &path, not_the_hook);
            }
        }
    }

    /// What changed in a later snapshot, in the words of [`crate::outcome::Outcome::leaves`].
    pub fn changes(&self, later: &Snapshot) -> Vec<String> {
        let gone = self.0.keys().filter(|path| !later.0.contains_key(*path)).map(|path| format!("{path} gone"));
        let others = later.0.iter().filter_map(|(path, seen)| match self.0.get(path) {
            None => Some(format!("{path} ({:04o})", seen.mode)),
            Some(before) if before != seen => Some(format!("{path} changed")),
            Some(_) => None,
        });
        let mut changes: Vec<String> = gone.chain(others).collect();
        changes.sort();
        changes
    }
}
