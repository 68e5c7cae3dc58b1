//! Hostile roots, and the host that they attack. Knows how to make both, but not what becomes of them.

use super::programs;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A file in tests/hostile.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What is in the root; see [`Root::make`].
    pub(crate) tree: Vec<String>,
    /// The message after the program's name, if the run fails.
    pub(crate) error: Option<String>,
}

/// All cases, by name.
pub(crate) fn cases() -> BTreeMap<String, Case> {
    let files = fs::read_dir(programs::source("tests/hostile")).unwrap().map(|file| file.unwrap().path());
    let case = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        (file.file_stem().unwrap().to_str().unwrap().to_owned(), toml::from_str(&text).unwrap())
    };
    files.map(case).collect()
}

/// A folder that stands for the host, with a file worth reading and writing.
pub(crate) struct Host(PathBuf);

impl Host {
    pub(crate) fn new(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("victim"), "a secret of the host\n").unwrap();
        fs::create_dir(folder.join("firmware")).unwrap();
        Self(folder.to_owned())
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Everything observable except a file's link count, which the maker of the root can increase.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, (u32, u64, i64, i64, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let status = fs::symlink_metadata(&path).unwrap();
                let content = if status.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
                found.insert(path.clone(), (status.mode(), status.ino(), status.mtime(), status.mtime_nsec(), content));
                if status.is_dir() {
                    folders.push(path);
                }
            }
        }
        found
    }
}

/// A root that somebody else made.
pub(crate) struct Root {
    pub(crate) path: String,
}

impl Root {
    /// Makes what the lines say, unless something is in the way: `dir NAME`, `file NAME`, `fifo NAME`,
    /// `link NAME -> TARGET`, `hard NAME = FILE`, `chain NAME N -> TARGET` for N links one after the other. `{HOST}` is
    /// the host.
    pub(crate) fn make(things: &[String], path: &str, host: &Host) -> Self {
        let root = Self { path: path.to_owned() };
        for thing in things {
            let thing = root.fill(thing, host);
            let words: Vec<&str> = thing.split(' ').collect();
            let at = PathBuf::from(format!("{path}{}", words[1]));
            // An existing link must not lead the maker elsewhere.
            let above = at.parent().unwrap();
            let clear = above.ancestors().take_while(|a| *a != Path::new(path)).all(|a| !a.is_symlink());
            if !clear || fs::create_dir_all(above).is_err() {
                continue;
            }
            let _ = match words[0] {
                "dir" => fs::create_dir_all(&at),
                "file" => fs::File::create_new(&at).map(drop),
                "fifo" => nix::unistd::mkfifo(&at, nix::sys::stat::Mode::S_IRWXU).map_err(Into::into),
                "link" => symlink(words[3], &at),
                "hard" => fs::hard_link(words[3], &at),
                "chain" => chain(&at, words[2].parse().unwrap(), words[4]),
                other => panic!("{other}"),
            };
        }
        root
    }

    /// A text with its placeholders filled in.
    pub(crate) fn fill(&self, text: &str, host: &Host) -> String {
        text.replace("{HOST}", host.name()).replace("{ROOTFS}", &self.path)
    }

    /// Swaps two names in the root until told to stop.
    pub(crate) fn swap(&self, one: &str, other: &str) -> Swapper {
        let stop = Arc::new(AtomicBool::new(false));
        let (one, other) = (PathBuf::from(&self.path).join(one), PathBuf::from(&self.path).join(other));
        let asked = Arc::clone(&stop);
        let swap = move || {
            while !asked.load(Ordering::Relaxed) {
                renameat2(AT_FDCWD, &one, AT_FDCWD, &other, RenameFlags::RENAME_EXCHANGE).unwrap();
            }
        };
        Swapper { stop, thread: std::thread::spawn(swap) }
    }
}

/// Links next to a name, each of which leads to the next.
fn chain(at: &Path, links: u32, target: &str) -> std::io::Result<()> {
    let name = at.file_name().unwrap().to_str().unwrap();
    let link = |number: u32| if number == 1 { at.to_owned() } else { at.with_file_name(format!("{name}.{number}")) };
    for number in 1..links {
        symlink(link(number + 1).file_name().unwrap(), link(number))?;
    }
    symlink(target, link(links))
}

/// What [`Root::swap`] started.
pub(crate) struct Swapper {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Swapper {
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}
