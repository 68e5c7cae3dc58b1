//! The host that one engine runs on: a folder with the hook, its configuration, the simulator, the image and the simulator's
//! record. Knows what is left on the machine after a container; must not know expectations.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hook_test_support::programs::{self, static_simulator};
use serde_json::Value;
use tempfile::TempDir;

use super::engine::Engine;
use super::scenario::Scenario;

/// The user on the host who is root in a remapped container.
pub const REMAPPED: u32 = 300_000;

/// The simulator's record, which its user owns.
const RECORD: &str = "record/calls.jsonl";

/// A host.
pub struct Host {
    top: TempDir,
    /// From the engine: additional keys, and the user that nvidia-container-cli runs as.
    settings: &'static str,
    user: u32,
    environment: Mutex<Environment>,
}

/// Variables of the simulator.
pub type Environment = Vec<(&'static str, String)>;

impl Host {
    /// A host with an image, before any scenario.
    pub fn new(image: &Path, engine: &dyn Engine) -> Host {
        let top = TempDir::new().unwrap();
        let host = Host { top, settings: engine.settings(), user: engine.user(), environment: Mutex::default() };
        for folder in ["bin", "home", "tmp", "containers", "hooks.d", "record"] {
            fs::create_dir_all(host.path(folder)).unwrap();
            // Rootless engines run here too.
            fs::set_permissions(host.path(folder), Permissions::from_mode(0o1777)).unwrap();
        }
        fs::set_permissions(host.top.path(), Permissions::from_mode(0o755)).unwrap();
        for folder in ["home", "record"] {
            fs::set_permissions(host.path(folder), Permissions::from_mode(0o755)).unwrap();
            host.give(&host.path(folder), host.user);
        }
        fs::copy(static_simulator(), host.path("bin/nvidia-container-cli")).unwrap();
        let hook = programs::hook(env!("CARGO_BIN_EXE_nvidia-container-runtime-hook"));
        fs::copy(hook, host.path("bin/nvidia-container-runtime-hook")).unwrap();
        symlink(image, host.path("image")).unwrap();
        host
    }

    /// A path of the host.
    pub fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    /// The hook.
    pub fn hook(&self) -> PathBuf {
        self.path("bin/nvidia-container-runtime-hook")
    }

    /// Writes the configuration that the engine's hook finds, and sets the simulator's environment.
    pub fn prepare(&self, scenario: &Scenario, topology: &str) {
        *self.environment.lock().unwrap() = self.simulator(scenario, topology);
        let text = match &scenario.broken_config {
            Some(text) => text.clone(),
            None => self.config(scenario),
        };
        // Atomically: a container may be starting.
        fs::write(self.path("config.new"), text).unwrap();
        fs::rename(self.path("config.new"), self.path("config.toml")).unwrap();
    }

    /// Empties the record.
    pub fn forget(&self) {
        let _ = fs::remove_file(self.path(RECORD));
    }

    fn config(&self, scenario: &Scenario) -> String {
        let program = if scenario.cli_missing { "bin/there-is-none" } else { "bin/nvidia-container-cli" };
        let environment: Vec<String> =
            self.environment().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (keys, settings, path) = (&scenario.config, self.settings, self.path(program));
        format!("{keys}\n[nvidia-container-cli]\npath = {path:?}\nenvironment = {environment:?}\n{settings}")
    }

    /// The environment of the simulator, as prepared, for engines that call it themselves.
    pub fn environment(&self) -> Environment {
        self.environment.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn simulator(&self, scenario: &Scenario, topology: &str) -> Environment {
        let mut environment = vec![
            ("FAKE_NVIDIA_CONFIG", "/dev/null".to_owned()),
            ("FAKE_NVIDIA_APPLY", "mounts".to_owned()),
            ("FAKE_NVIDIA_TOPOLOGY", topology.to_owned()),
            ("FAKE_NVIDIA_RECORD", self.path(RECORD).to_str().unwrap().to_owned()),
            ("FAKE_NVIDIA_STATE", self.path("tmp/none/state.json").to_str().unwrap().to_owned()),
        ];
        environment.extend(scenario.cli_fails.clone().map(|how| ("FAKE_NVIDIA_FAIL", how)));
        environment
    }

    /// The calls of nvidia-container-cli.
    pub fn calls(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path(RECORD)).unwrap_or_default();
        let calls = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        calls.filter(|call| call["parsed"]["command"].is_string()).collect()
    }

    /// A fresh copy of the image.
    pub fn rootfs(&self, place: &Path) {
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let copied = Command::new("cp").arg("-a").arg(self.path("image/.")).arg(place).status().unwrap();
        assert!(copied.success());
    }

    /// Gives a tree to a user: the root of a remapped container, or the user who runs an engine.
    pub fn give(&self, tree: &Path, user: u32) {
        let owner = format!("{user}:{user}");
        assert!(Command::new("chown").args(["-hR", &owner]).arg(tree).status().unwrap().success());
    }

    /// The mounts and processes of this host.
    pub fn traces(&self) -> BTreeSet<String> {
        let top = self.top.path().to_str().unwrap();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let mounts = mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|place| place.contains(top));
        let mut traces: BTreeSet<String> = mounts.map(|place| format!("mounted: {place}")).collect();
        for process in fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path()) {
            let Ok(words) = fs::read(process.join("cmdline")) else { continue };
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            if words.contains(top) {
                traces.insert(format!("runs: {} {words}", process.display()));
            }
        }
        traces
    }

    /// What a container left. Some of it ends a moment later, so this waits.
    pub fn left_since(&self, before: &BTreeSet<String>) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let left: Vec<String> = self.traces().difference(before).cloned().collect();
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
