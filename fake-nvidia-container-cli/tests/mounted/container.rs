//! A container as an engine leaves it when the hook runs, and what can be seen of one. Knows nothing about what is
//! mounted in it.

use crate::suite::sandbox::Sandbox;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A process in its own mount namespace.
pub(crate) struct Container(Child);

impl Container {
    /// A container that root runs.
    pub(crate) fn start() -> Self {
        Self::of_user(0, 0)
    }

    /// A container whose process belongs to another user, as in a remapped container.
    pub(crate) fn of_user(user: u32, group: u32) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]);
        if (user, group) != (0, 0) {
            let (user, group) = (format!("--reuid={user}"), format!("--regid={group}"));
            command.args(["setpriv", &user, &group, "--clear-groups"]);
        }
        command.args(["sh", "-c", "echo; exec cat"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It has its namespace by the time it prints something.
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        Self(child)
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.0.id()
    }

    /// The mount points in it.
    pub(crate) fn mounts(&self) -> Vec<String> {
        points(&self.0.id().to_string())
    }

    /// A path as the container sees it.
    pub(crate) fn sees(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.0.id()))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines of a process's mount table.
pub(crate) fn table(process: &str) -> Vec<String> {
    let table = fs::read_to_string(format!("/proc/{process}/mountinfo")).unwrap();
    table.lines().map(str::to_owned).collect()
}

fn points(process: &str) -> Vec<String> {
    table(process).iter().map(|line| line.split(' ').nth(4).unwrap().to_owned()).collect()
}

/// What a run that goes wrong could have mounted in this test's own namespace.
pub(crate) fn left_here(sandbox: &Sandbox) -> Vec<String> {
    let ours = |point: &String| point.contains("nvidia") || Path::new(point).starts_with(sandbox.path(""));
    points("self").into_iter().filter(ours).collect()
}

/// A `configure` with real mounts.
pub(crate) fn command(sandbox: &Sandbox, container: &Container, words: &[&str], topology: &str) -> Command {
    let (pid, rootfs) = (format!("--pid={}", container.0.id()), sandbox.rootfs());
    let mut all = vec!["configure", &pid, "--no-cgroups"];
    all.extend(words);
    all.push(&rootfs);
    let mut command = sandbox.cli(&all);
    command.env("FAKE_NVIDIA_APPLY", "mounts").env("FAKE_NVIDIA_TOPOLOGY", topology);
    command
}

/// The same, run to its end.
pub(crate) fn configure(sandbox: &Sandbox, container: &Container, words: &[&str], topology: &str) -> Output {
    sandbox.patiently(command(sandbox, container, words, topology))
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Everything below a folder, with links as they are.
pub(crate) fn tree(top: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            found.insert(entry.path());
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

/// A root like that of the smallest images, with the folders that an engine adds.
pub(crate) fn image(sandbox: &Sandbox) {
    for folder in ["etc", "proc", "sys", "dev", "sbin"] {
        fs::create_dir(sandbox.path("rootfs").join(folder)).unwrap();
    }
}

/// A static busybox.
pub(crate) fn busybox() -> PathBuf {
    ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from).into_iter().find(|it| it.exists()).unwrap()
}
