//! A root directory to install into: made for a test, checked as a whole, gone after it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hook_test_support::programs;
use tempfile::TempDir;

/// What every installation leaves: the package manager's own records.
const NOTES: [&str; 6] = ["var/lib/dpkg", "var/lib/apt", "var/log", "var/cache", "var/lib/rpm", "tmp"];

/// The root.
pub struct Root {
    folder: TempDir,
}

impl Root {
    /// A separate Debian system that shares no file.
    pub fn debian() -> Self {
        let root = Self { folder: TempDir::new().unwrap() };
        let base = programs::source("target/debian");
        let words = ["--archive", "--reflink=auto", "--no-target-directory"];
        said("cp", &[&words[..], &[text(&base), text(root.path())]].concat(), None);
        root
    }

    /// A root with a shell, rpm's database, and the folders of Fedora's `filesystem` package: the least that packages
    /// need.
    pub fn rpm() -> Self {
        let root = Self { folder: TempDir::new().unwrap() };
        for folder in [
            "usr/bin",
            "usr/share/licenses",
            "usr/share/man/man1",
            "usr/share/man/man8",
            "etc",
            "tmp",
            "dev",
            "var/lib/rpm",
            "var/tmp",
        ] {
            fs::create_dir_all(root.at(folder)).unwrap();
        }
        std::os::unix::fs::symlink("usr/bin", root.at("bin")).unwrap();
        fs::write(root.at("dev/null"), "").unwrap();
        fs::copy("/bin/busybox", root.at("usr/bin/busybox")).unwrap();
        for name in ["sh", "cat", "cp", "ln", "mkdir", "rm", "rmdir"] {
            std::os::unix::fs::symlink("busybox", root.at("usr/bin").join(name)).unwrap();
        }
        root
    }

    /// Its place on this machine.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in it, on this machine.
    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    /// The text of a file in it.
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    /// Copies a file of this machine into the root, and returns its path there.
    pub fn take(&self, file: &Path) -> String {
        let path = format!("/tmp/{}", file.file_name().unwrap().to_str().unwrap());
        fs::copy(file, self.at(&path)).unwrap();
        path
    }

    /// A command in the root.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.path()).args(words).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
        command
    }

    /// Runs a command in the root, which must succeed, and returns its output.
    pub fn run(&self, words: &[&str]) -> String {
        printed(words, &self.command(words).output().unwrap())
    }

    /// Whether a command in the root succeeds.
    pub fn succeeds(&self, words: &[&str]) -> bool {
        self.command(words).output().unwrap().status.success()
    }

    /// Every path below it, without the notes of package managers.
    pub fn paths(&self) -> BTreeSet<PathBuf> {
        let mut paths = BTreeSet::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let inside = path.strip_prefix(self.path()).unwrap().to_owned();
                if NOTES.iter().any(|note| inside == Path::new(note)) {
                    continue;
                }
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                }
                paths.insert(inside);
            }
        }
        paths
    }
}

/// Runs a program of this machine, which must succeed, and returns its output.
pub fn said(program: &str, words: &[&str], folder: Option<&Path>) -> String {
    let mut command = Command::new(program);
    command.args(words);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    printed(&[&[program], words].concat(), &command.output().unwrap_or_else(|why| panic!("{program}: {why}")))
}

/// The output of a command, which must have succeeded.
pub fn printed(words: &[&str], output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words:?}: {}\n{out}{}", output.status, String::from_utf8_lossy(&output.stderr));
    out
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
