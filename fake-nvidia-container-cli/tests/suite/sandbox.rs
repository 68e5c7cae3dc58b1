//! Runs of the simulator in an empty environment and their own folder.

use super::programs;
use serde_json::Value;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A folder with a container's root and a record.
pub(crate) struct Sandbox {
    top: tempfile::TempDir,
}

/// A file that not even root can create: in a file system of the kernel. A sandbox without one has no such place.
pub(crate) fn unwritable() -> Option<PathBuf> {
    Path::new("/sys/kernel").is_dir().then(|| PathBuf::from("/sys/state"))
}

impl Sandbox {
    /// An empty root and no record.
    pub(crate) fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("rootfs")).unwrap();
        Self { top }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    /// The path of the container's root.
    pub(crate) fn rootfs(&self) -> String {
        self.path("rootfs").to_str().unwrap().to_owned()
    }

    /// The program under the real name, with nothing but what a test says.
    pub(crate) fn cli(&self, words: &[&str]) -> Command {
        self.named("nvidia-container-cli", words)
    }

    /// The program under a name, with nothing but what a test says.
    pub(crate) fn named(&self, argv0: &str, words: &[&str]) -> Command {
        let mut command = Command::new(programs::fake());
        command.arg0(argv0).args(words).env_clear().env("PATH", "/usr/bin:/bin");
        command.env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_RECORD", self.path("record"));
        command.env("FAKE_NVIDIA_STATE", self.path("state"));
        command.current_dir(self.top.path()).stdin(Stdio::null());
        command
    }

    /// A `configure` that succeeds unless the words prevent it.
    pub(crate) fn configure(&self, words: &[&str]) -> Command {
        let rootfs = self.rootfs();
        let mut all = vec!["configure", "--pid=1"];
        all.extend(words);
        all.push(&rootfs);
        self.cli(&all)
    }

    /// Runs a command, and fails the test if it waits for something that never comes.
    pub(crate) fn patiently(&self, mut command: Command) -> Output {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        for _ in 0..60_000 {
            if child.try_wait().unwrap().is_some() {
                return child.wait_with_output().unwrap();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        panic!("{command:?} hangs");
    }

    /// All records of the runs so far.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("record")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The record of the last run.
    pub(crate) fn record(&self) -> Value {
        self.records().pop().unwrap()
    }
}
