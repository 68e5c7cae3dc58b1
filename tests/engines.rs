//! Real containers: a bundle made by `runc spec` with the hook in `hooks.prestart`, started by the real `runc`, with the
//! fake `nvidia-container-cli` in the place of the real one. Needs root, `runc` and a static `busybox`; `.ci/run` installs both and
//! runs this suite (feature `engines`). Must not look into the hook: only at what an engine and a container see.

#![allow(clippy::disallowed_methods, reason = "tests make the world that the hook reads")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A bundle, a configuration and a record, each test's own.
struct Container {
    directory: TempDir,
    id: String,
}

impl Container {
    /// A container whose environment has `variables`, configured by `config`.
    fn new(variables: &[&str], config: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let id = format!("hook-{}", directory.path().file_name().unwrap().to_str().unwrap().trim_start_matches('.'));
        let container = Container { directory, id };
        let bundle = container.path("bundle");
        fs::create_dir_all(bundle.join("rootfs/bin")).unwrap();
        fs::copy(busybox(), bundle.join("rootfs/bin/busybox")).unwrap();
        fs::write(container.path("config.toml"), config).unwrap();
        symlink(fake(), container.path("nvidia-container-cli")).unwrap();
        assert!(runc().arg("spec").current_dir(&bundle).status().unwrap().success());
        container.edit_spec(variables);
        container
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What an engine does to the specification: it adds the hook and the container's variables.
    fn edit_spec(&self, variables: &[&str]) {
        let path = self.path("bundle/config.json");
        let mut spec: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        spec["process"]["terminal"] = json!(false);
        spec["process"]["args"] = json!(["/bin/busybox", "echo", "the container ran"]);
        spec["process"]["env"] = json!([&["PATH=/bin"], variables].concat());
        spec["hooks"] = json!({ "prestart": [{
            "path": hook(),
            "args": ["nvidia-container-runtime-hook", "-config", self.path("config.toml"), "prestart"],
            "env": [
                format!("PATH={}:/usr/bin:/bin", self.directory.path().display()),
                format!("FAKE_NVIDIA_RECORD={}", self.path("record.jsonl").display()),
            ],
        }]});
        fs::write(path, spec.to_string()).unwrap();
    }

    fn run(&self) -> Output {
        runc().args(["run", "--bundle"]).arg(self.path("bundle")).arg(&self.id).output().unwrap()
    }

    /// The calls of `nvidia-container-cli`.
    fn calls(&self) -> Vec<Value> {
        let record = fs::read_to_string(self.path("record.jsonl")).unwrap_or_default();
        record.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn runc() -> Command {
    Command::new("runc")
}

fn busybox() -> &'static Path {
    Path::new("/bin/busybox")
}

fn hook() -> PathBuf {
    from_environment("HOOK_BIN", env!("CARGO_BIN_EXE_nvidia-container-runtime-hook"))
}

fn fake() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.ancestors().nth(2).unwrap().join("fake-nvidia-container-cli");
    let program = from_environment("FAKE_NVIDIA_CONTAINER_CLI", built.to_str().unwrap());
    assert!(program.is_file(), "{} is not built: cargo build --package fake-nvidia-container-cli", program.display());
    program
}

fn from_environment(name: &str, built: &str) -> PathBuf {
    std::env::var_os(name).map_or_else(|| built.into(), Into::into)
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn arguments(call: &Value) -> Vec<&str> {
    call["argv"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()).collect()
}

#[test]
fn a_gpu_container_starts_and_the_cli_is_called_once_for_its_live_process() {
    let container = Container::new(&["NVIDIA_VISIBLE_DEVICES=0"], "[nvidia-container-cli]\nload-kmods = false\n");
    let output = container.run();
    assert_eq!(stdout(&output), "the container ran\n", "{output:?}");
    let [call] = &container.calls()[..] else { panic!("{:?}", container.calls()) };
    let pid = call["parsed"]["pid"].as_i64().unwrap();
    let rootfs = container.path("bundle/rootfs");
    assert_eq!(
        arguments(call),
        [
            container.path("nvidia-container-cli").to_str().unwrap(),
            "configure",
            "--cuda-compat-mode=ldconfig",
            "--ldconfig=@/sbin/ldconfig",
            "--device=0",
            "--compute",
            "--utility",
            &format!("--pid={pid}"),
            rootfs.to_str().unwrap(),
        ]
    );
    assert_eq!(call["rootfs"], json!({ "path": rootfs, "exists": true }));
    // The container's process was alive, in a mount namespace of its own.
    let mount_namespace = &call["target"]["namespaces"]["mnt"];
    assert!(mount_namespace.is_string(), "{}", call["target"]);
    assert_ne!(*mount_namespace, call["namespaces"]["mnt"]);
}

#[test]
fn a_container_that_asks_for_no_gpu_starts_without_the_cli() {
    let container = Container::new(&["NVIDIA_VISIBLE_DEVICES=void"], "disable-require = false\n");
    let output = container.run();
    assert_eq!(stdout(&output), "the container ran\n", "{output:?}");
    assert_eq!(container.calls(), Vec::<Value>::new());
}

#[test]
fn a_failing_cli_keeps_the_container_from_starting_and_its_message_reaches_the_user() {
    let container = Container::new(
        &["NVIDIA_VISIBLE_DEVICES=0"],
        "[nvidia-container-cli]\nenvironment = [\"FAKE_NVIDIA_FAIL=exit=1,stderr=nvidia-container-cli: initialization error: nvml error: driver not loaded\"]\n",
    );
    let output = container.run();
    assert!(!output.status.success());
    assert_eq!(stdout(&output), "");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("nvml error: driver not loaded"), "{message}");
}

#[test]
fn a_broken_configuration_keeps_the_container_from_starting_and_the_place_reaches_the_user() {
    let container = Container::new(&["NVIDIA_VISIBLE_DEVICES=0"], "disable-require = \"yes\"\n");
    let output = container.run();
    assert!(!output.status.success());
    assert_eq!((stdout(&output), container.calls()), ("", Vec::new()));
    let message = String::from_utf8_lossy(&output.stderr);
    let place = format!("{}:1:19", container.path("config.toml").display());
    assert!(message.contains(&place) && message.contains("disable-require must be a boolean"), "{message}");
}
