//! Looking into a container's root from outside: symbolic links are followed as the container would see them.
//!
//! It reads, and knows nothing of drivers.

use nvidia_simulated_machine::text::{Text, path};
use std::collections::VecDeque;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// How many links are followed before it is a loop.
const MAX_LINKS: usize = 40;

/// Two paths with one slash between them: of slashes on both sides one is dropped, as the real program does.
#[must_use]
pub fn join(first: &str, second: &str) -> String {
    match (first.strip_suffix('/'), second.starts_with('/')) {
        (Some(first), true) => format!("{first}{second}"),
        (None, false) if !second.is_empty() => format!("{first}/{second}"),
        _ => format!("{first}{second}"),
    }
}

/// A root to look into.
#[derive(Clone, Debug)]
pub struct Root {
    /// Where the root is for this process.
    seen: String,
    /// Where it is for the container's mount namespace, which is what operations name.
    named: String,
}

impl Root {
    /// A root at `named`, which this process sees below `prefix`.
    #[must_use]
    pub fn new(prefix: &str, named: &str) -> Self {
        Self { seen: format!("{prefix}{named}"), named: named.to_owned() }
    }

    /// The root's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.named
    }

    /// The path below the root that a path inside comes to; parts that do not exist are taken as they are.
    #[must_use]
    pub fn inner(&self, wanted: &str) -> String {
        let split = |p: &str| -> Vec<String> { p.split('/').filter(|c| !c.is_empty()).map(str::to_owned).collect() };
        let mut todo: VecDeque<String> = split(wanted).into();
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            match part.as_str() {
                "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => done.push(part),
            }
            let here = format!("{}/{}", self.seen.trim_end_matches('/'), done.join("/"));
            let Ok(target) = fs::read_link(path(&here)) else { continue };
            links += 1;
            if links > MAX_LINKS {
                break;
            }
            let target = Text::new(target.as_os_str().as_bytes());
            done.pop();
            if target.starts_with('/') {
                done.clear();
            }
            split(&target).into_iter().rev().for_each(|p| todo.push_front(p));
        }
        format!("/{}", done.join("/"))
    }

    /// The path that operations name.
    #[must_use]
    pub fn resolve(&self, wanted: &str) -> String {
        join(&self.named, &self.inner(wanted))
    }

    /// Whether there is something at a path inside.
    #[must_use]
    pub fn exists(&self, wanted: &str) -> bool {
        path(&format!("{}{}", self.seen, self.inner(wanted))).exists()
    }

    /// The names in a folder inside, sorted; none if there is no such folder.
    #[must_use]
    pub fn list(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(path(&format!("{}{}", self.seen, self.inner(folder)))) else {
            return Vec::new();
        };
        let mut names: Vec<String> =
            entries.filter_map(|e| Some(Text::new(e.ok()?.file_name().as_bytes()).to_string())).collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn one_slash_is_between_two_paths() {
        for (first, second, both) in [
            ("/a", "/b", "/a/b"),
            ("/a/", "/b", "/a/b"),
            ("/a", "b", "/a/b"),
            ("/a//", "/b", "/a//b"),
            ("/", "/b", "/b"),
        ] {
            assert_eq!(join(first, second), both);
        }
    }

    #[test]
    fn links_stay_inside() {
        let folder = std::env::temp_dir().join(format!("fake-rootfs-{}", std::process::id()));
        fs::create_dir_all(folder.join("a/b")).unwrap();
        symlink("/a", folder.join("abs")).unwrap();
        symlink("../../..", folder.join("a/up")).unwrap();
        symlink("loop", folder.join("loop")).unwrap();
        let root = Root::new("", folder.to_str().unwrap());
        assert_eq!(root.inner("/abs/b/new"), "/a/b/new");
        assert_eq!(root.inner("a/up/etc/passwd"), "/etc/passwd");
        assert_eq!(root.inner("../../x"), "/x");
        assert!(root.exists("/abs/b") && !root.exists("/abs/c"));
        let _ = root.inner("/loop/x");
        fs::remove_dir_all(folder).unwrap();
    }
}
