//! `nvidia-hookctl capture` in front of the hook, as engines start it: as a prestart hook of runc, and as a hooks.d
//! program under Podman. The outcome does not change; a failing start leaves a case folder, and its `replay` has the
//! same exit status, message and command line. Needs root, runc, podman, a static busybox and both other programs, all
//! of which `.ci/run` installs and builds; without them it fails instead of skipping.
//!
//! `cargo build --package nvidia-hookctl --package fake-nvidia-container-cli`, then
//! `cargo test --features engines --test engines_capture`
#![allow(clippy::disallowed_methods, reason = "tests make the world that the hook reads")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const ECHO: [&str; 3] = ["/bin/busybox", "echo", "the container ran"];
/// A variable of the container that no start reads.
const CANARY: &str = "TOKEN=s3cret-c4nary";
const REFUSED: &str = "nvidia-container-cli: initialization error: nvml error: driver not loaded";

/// A container, its configuration, and a directory for cases.
struct World {
    top: TempDir,
}

impl World {
    /// A world whose hook reads `config`; `{FAKE}` in it is the simulator.
    fn new(config: &str) -> Self {
        let world = World { top: TempDir::new().unwrap() };
        fs::set_permissions(world.top.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["bundle/rootfs/bin", "hooks", "cases"] {
            fs::create_dir_all(world.path(folder)).unwrap();
        }
        fs::copy("/bin/busybox", world.path("bundle/rootfs/bin/busybox")).unwrap();
        symlink(built("FAKE_NVIDIA_CONTAINER_CLI", "fake-nvidia-container-cli"), world.path("nvidia-container-cli"))
            .unwrap();
        let program = world.path("nvidia-container-cli").display().to_string();
        fs::write(world.path("config.toml"), config.replace("{FAKE}", &program)).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    /// The hook as an engine is told to start it: with capture in front of it, or plain.
    fn entry(&self, is_captured: bool) -> Value {
        let hook = env!("CARGO_BIN_EXE_nvidia-container-runtime-hook");
        let config = self.path("config.toml").display().to_string();
        let cases = self.path("cases").display().to_string();
        let (path, args) = match is_captured {
            false => (hook.to_owned(), json!(["nvidia-container-runtime-hook", "-config", config, "prestart"])),
            true => {
                let args =
                    json!(["nvidia-hookctl", "capture", "--to", cases, "--", hook, "-config", config, "prestart"]);
                (built("HOOKCTL_BIN", "nvidia-hookctl").display().to_string(), args)
            }
        };
        json!({ "path": path, "args": args, "env": ["PATH=/usr/bin:/bin"] })
    }

    fn under_runc(&self, is_captured: bool) -> Output {
        let bundle = self.path("bundle");
        let _ = fs::remove_file(bundle.join("config.json"));
        assert!(Command::new("runc").arg("spec").current_dir(&bundle).status().unwrap().success());
        let mut spec: Value = serde_json::from_slice(&fs::read(bundle.join("config.json")).unwrap()).unwrap();
        spec["process"]["terminal"] = json!(false);
        spec["process"]["args"] = json!(ECHO);
        spec["process"]["env"] = json!(["PATH=/bin", CANARY, "NVIDIA_VISIBLE_DEVICES=0"]);
        spec["hooks"] = json!({ "prestart": [self.entry(is_captured)] });
        fs::write(bundle.join("config.json"), spec.to_string()).unwrap();
        let id = format!("capture-{}", self.top.path().file_name().unwrap().to_str().unwrap().trim_start_matches('.'));
        Command::new("runc").args(["run", "--bundle"]).arg(&bundle).arg(id).output().unwrap()
    }

    fn under_podman(&self, is_captured: bool) -> Output {
        let file = json!({ "version": "1.0.0", "when": {"always": true}, "stages": ["prestart"], "hook": self.entry(is_captured) });
        fs::write(self.path("hooks/nvidia.json"), file.to_string()).unwrap();
        // Podman mounts its store onto itself and leaves the mount, so it gets a namespace that ends with it.
        let mut command = Command::new("unshare");
        command.args(["--mount", "podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]);
        for (flag, name) in [("--hooks-dir", "hooks"), ("--root", "storage"), ("--runroot", "run")] {
            command.arg(flag).arg(self.path(name));
        }
        // The limits are explicit, because a machine may not allow those that Podman sets by default.
        command.args([
            "run",
            "--rm",
            "--network",
            "none",
            "--ulimit",
            "nofile=1024:1024",
            "--ulimit",
            "nproc=1024:1024",
        ]);
        command
            .args(["--env", CANARY, "--env", "NVIDIA_VISIBLE_DEVICES=0", "--rootfs"])
            .arg(self.path("bundle/rootfs"));
        command.args(ECHO).output().expect("podman")
    }

    /// The case folders. Their files must not contain the canary, and only their owner may access them.
    fn cases(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> =
            fs::read_dir(self.path("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        for folder in &folders {
            for file in files(folder) {
                assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
                assert!(!fs::read_to_string(&file).unwrap().contains("c4nary"), "{}", file.display());
            }
        }
        folders
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A program that cargo built beside this test, or the one that a variable names.
fn built(variable: &str, name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let beside = own.ancestors().nth(2).unwrap().join(name);
    let program = std::env::var_os(variable).map_or(beside, Into::into);
    assert!(program.is_file(), "{} is not built: cargo build --package {name}", program.display());
    program
}

fn replayed(case: &Path) -> Value {
    let mut command = Command::new(built("HOOKCTL_BIN", "nvidia-hookctl"));
    let output = command.args(["replay", "--output", "json"]).arg(case).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {output:?}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

type Engine = fn(&World, bool) -> Output;
const ENGINES: [Engine; 2] = [World::under_runc, World::under_podman];

/// A start that the hook itself ends.
#[test]
fn a_start_that_the_hook_refuses_becomes_a_case_and_ends_as_it_would() {
    for engine in ENGINES {
        let world = World::new("disable-require = \"yes\"\n");
        let (plain, captured) = (engine(&world, false), engine(&world, true));
        let message = "disable-require must be a boolean";
        for output in [&plain, &captured] {
            assert!(!output.status.success() && text(&output.stderr).contains(message), "{output:?}");
        }
        assert_eq!(plain.status.code(), captured.status.code());
        let cases = world.cases();
        let [case] = &cases[..] else { panic!("{cases:?}") };
        let report = replayed(case);
        assert_eq!((&report["exit"], &report["argv"]), (&json!(1), &Value::Null), "{report}");
        assert!(report["stderr"].to_string().contains(message), "{report}");
    }
}

/// A start that nvidia-container-cli refuses, after the hook has become that program.
#[test]
fn a_start_that_the_program_refuses_becomes_a_case_with_its_command_line() {
    let config = format!(
        "[nvidia-container-cli]\npath = \"{{FAKE}}\"\nenvironment = [\"FAKE_NVIDIA_FAIL=exit=1,stderr={REFUSED}\"]\n"
    );
    for engine in ENGINES {
        let world = World::new(&config);
        let (plain, captured) = (engine(&world, false), engine(&world, true));
        for output in [&plain, &captured] {
            assert!(!output.status.success() && text(&output.stderr).contains(REFUSED), "{output:?}");
        }
        assert_eq!(plain.status.code(), captured.status.code());
        let cases = world.cases();
        let [case] = &cases[..] else { panic!("{cases:?}") };
        let argv = replayed(case)["argv"].clone();
        let words: Vec<&str> = argv.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert!(words.contains(&"configure") && words.contains(&"--device=0"), "{words:?}");
    }
}

#[test]
fn a_start_that_succeeds_leaves_nothing() {
    for engine in ENGINES {
        let world = World::new("[nvidia-container-cli]\npath = \"{FAKE}\"\n");
        for is_captured in [false, true] {
            let output = engine(&world, is_captured);
            assert_eq!(text(&output.stdout), "the container ran\n", "{output:?}");
        }
        assert_eq!(world.cases(), Vec::<PathBuf>::new());
    }
}
