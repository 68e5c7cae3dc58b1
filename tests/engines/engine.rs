//! An engine as the scenarios see it: a program that starts a container with a host's configuration, and shows its user
//! the result. Must not know a scenario's expectation, nor any engine.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::host::Host;
use super::scenario::Scenario;

/// A container, as an engine's user describes it.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name, which no other container of the host has.
    pub name: String,
    /// The value of `docker --gpus` and `ctr --gpus`.
    pub gpus: Option<String>,
    /// Variables, as `NAME=VALUE`.
    pub env: Vec<String>,
    /// Where /dev/null is mounted, which asks for devices by volume mounts.
    pub mounts: Vec<String>,
    /// Whether it is privileged.
    pub privileged: bool,
    /// Whether its root filesystem is read-only.
    pub read_only: bool,
    /// Whether its root is another user on the host.
    pub remapped: bool,
    /// Whether the hook has a time limit of one second.
    pub is_limited: bool,
    /// What its shell runs.
    pub script: String,
}

/// What an engine's user sees of one start.
#[derive(Debug)]
pub struct Seen {
    /// The engine's exit status, or 128 plus the number of the signal that ended it.
    pub exit: i32,
    /// What the container wrote.
    pub stdout: String,
    /// What the engine said, and the container's standard error.
    pub stderr: String,
}

impl Seen {
    /// The result of a command.
    pub fn of(output: &Output) -> Seen {
        use std::os::unix::process::ExitStatusExt as _;
        let status = output.status;
        Seen {
            exit: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A change of the machine between two starts of a container.
pub type Change<'a> = &'a (dyn Fn() + Sync);

/// An engine. One value serves all scenarios, and several containers at once.
pub trait Engine: Send + Sync {
    /// The name of its column, and of its tests.
    fn name(&self) -> &'static str;

    /// Its version, as `MAJOR.MINOR`; if it cannot run here, what is missing.
    fn version(&self) -> Result<String, String>;

    /// Why no user of this engine can do what a scenario says.
    fn cannot(&self, scenario: &Scenario) -> Option<&'static str>;

    /// Whether it calls the hook; otherwise it calls nvidia-container-cli itself.
    fn starts_the_hook(&self) -> bool {
        true
    }

    /// Keys that this engine needs below `nvidia-container-cli`, whatever the scenario.
    fn settings(&self) -> &'static str {
        ""
    }

    /// The user that nvidia-container-cli runs as.
    fn user(&self) -> u32 {
        0
    }

    /// The libraries that it always provides, whatever was asked for.
    fn libraries(&self) -> Option<&'static [&'static str]> {
        None
    }

    /// Prepares what lasts as long as the engine, such as a daemon.
    fn begin(&self, _host: &Host) {}

    /// Ends what an engine's user would leave running for the next container.
    fn end(&self, _host: &Host) {}

    /// Starts a container, and once more after each change of the machine. Leaves nothing of the container.
    fn run(&self, host: &Host, container: &Container, changes: &[Change<'_>]) -> Vec<Seen>;
}

/// Whether a program is installed: at its path, or in a folder where an engine's package puts it.
pub fn installed(program: &str) -> bool {
    std::env::split_paths(SEARCH_PATH).any(|folder| folder.join(program).is_file()) || Path::new(program).is_file()
}

/// Where engines look for programs.
pub const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command with an engine's environment, and nothing from that of the tests.
pub fn command(program: &str, host: &Host) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", SEARCH_PATH).env("HOME", host.path("home")).env("LANG", "C.UTF-8");
    command.env("TMPDIR", host.path("tmp")).stdin(Stdio::null());
    command
}

/// The first `MAJOR.MINOR` that a program prints; if it is not there, what is missing.
pub fn version(program: &str, words: &[&str]) -> Result<String, String> {
    if !installed(program) {
        return Err(format!("{program} is not installed"));
    }
    let output = Command::new(program).args(words).env("PATH", SEARCH_PATH).env("USER", "root").output();
    let said = output.map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    let number = text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let mut parts = word.split('.').filter(|part| !part.is_empty());
        Some(format!("{}.{}", parts.next()?, parts.next()?))
    });
    number.ok_or_else(|| format!("{program} says no version"))
}
