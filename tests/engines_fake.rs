//! Real containers on simulated GPUs: `runc` starts a busybox, a prestart hook of three lines calls the fake in the
//! mode `mounts`, and the container looks around. Needs root, runc, a static busybox and a Debian root in
//! target/debian, all of which `.ci/run` prepares; without them it fails instead of skipping.
//!
//! `cargo test --features engines --test engines_fake`
#![allow(clippy::disallowed_methods, reason = "a test makes and reads files and starts programs")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test"
)]

use hook_test_support::programs::static_simulator;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// The user ID on the host of a remapped container's root.
const REMAPPED: u32 = 300_000;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A bundle whose hook gives the container what `arguments` ask for.
struct Bundle {
    top: tempfile::TempDir,
    name: String,
}

impl Bundle {
    fn new(topology: &str, arguments: &str, script: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let bundle = Self { top: tempfile::tempdir().unwrap(), name: format!("fake-{}-{number}", std::process::id()) };
        bundle.image();
        bundle.hook(arguments);
        bundle.config(topology, script);
        bundle
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    fn image(&self) {
        let rootfs = self.path("rootfs");
        for folder in ["bin", "dev", "proc", "sys", "tmp", "etc", "usr/bin"] {
            fs::create_dir_all(rootfs.join(folder)).unwrap();
        }
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|p| Path::new(p).exists());
        fs::copy(busybox.expect("a static busybox"), rootfs.join("bin/busybox")).unwrap();
        for applet in ["sh", "ls", "cat", "grep", "readlink", "sleep", "sort", "test"] {
            symlink("busybox", rootfs.join("bin").join(applet)).unwrap();
        }
    }

    /// The state comes on standard input; only its pid is needed.
    fn hook(&self, arguments: &str) {
        fs::copy(static_simulator(), self.path("nvidia-container-cli")).unwrap();
        let script = format!(
            "#!/bin/sh\npid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/')\nexec {} configure {arguments} --pid=$pid {}\n",
            self.path("nvidia-container-cli").display(),
            self.path("rootfs").display()
        );
        fs::write(self.path("hook"), script).unwrap();
        fs::set_permissions(self.path("hook"), Permissions::from_mode(0o755)).unwrap();
    }

    fn config(&self, topology: &str, script: &str) {
        // runc does not overwrite a specification.
        let _ = fs::remove_file(self.path("config.json"));
        let made = Command::new("runc").arg("spec").current_dir(self.top.path()).output().expect("runc");
        assert!(made.status.success());
        let mut config: Value = serde_json::from_slice(&fs::read(self.path("config.json")).unwrap()).unwrap();
        let env = ["PATH=/usr/bin:/bin", "FAKE_NVIDIA_CONFIG=/dev/null", "FAKE_NVIDIA_APPLY=mounts"];
        let mut env: Vec<String> = env.map(str::to_owned).to_vec();
        env.push(format!("FAKE_NVIDIA_TOPOLOGY={topology}"));
        env.push(format!("FAKE_NVIDIA_RECORD={}", self.path("record").display()));
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(["/bin/sh", "-c", script]);
        config["hooks"] = json!({ "prestart": [{ "path": self.path("hook"), "env": env }] });
        fs::write(self.path("config.json"), config.to_string()).unwrap();
    }

    /// Leaves out what needs a real root, as an engine in a user namespace does.
    fn without_root(self) -> Self {
        let mut config: Value = serde_json::from_slice(&fs::read(self.path("config.json")).unwrap()).unwrap();
        fs::remove_file(self.path("config.json")).unwrap();
        let made = Command::new("runc").args(["spec", "--rootless"]).current_dir(self.top.path()).output().unwrap();
        assert!(made.status.success());
        let mut rootless: Value = serde_json::from_slice(&fs::read(self.path("config.json")).unwrap()).unwrap();
        for member in ["process", "hooks"] {
            rootless[member] = config[member].take();
        }
        for mapping in ["uidMappings", "gidMappings"] {
            rootless["linux"].as_object_mut().unwrap().remove(mapping);
        }
        rootless["linux"]["namespaces"].as_array_mut().unwrap().retain(|namespace| namespace["type"] != "user");
        fs::write(self.path("config.json"), rootless.to_string()).unwrap();
        self
    }

    /// Gives the container a user namespace with other user IDs on the host, as `userns-remap` and `--uidmap` do.
    fn remapped(self) -> Self {
        fs::set_permissions(self.top.path(), Permissions::from_mode(0o755)).unwrap();
        let owner = format!("{REMAPPED}:{REMAPPED}");
        assert!(Command::new("chown").args(["-R", &owner]).arg(self.path("rootfs")).status().unwrap().success());
        let mut config: Value = serde_json::from_slice(&fs::read(self.path("config.json")).unwrap()).unwrap();
        for mapping in ["uidMappings", "gidMappings"] {
            config["linux"][mapping] = json!([{ "containerID": 0, "hostID": REMAPPED, "size": 65536 }]);
        }
        config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
        fs::write(self.path("config.json"), config.to_string()).unwrap();
        self
    }

    /// Replaces the busybox with a copy of the Debian root that `.ci/run` prepares.
    fn debian(self) -> Self {
        let prepared = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/debian");
        assert!(prepared.join("etc/debian_version").exists(), "{}: .ci/run prepares it", prepared.display());
        fs::remove_dir_all(self.path("rootfs")).unwrap();
        let copied = Command::new("cp").arg("-a").arg(prepared).arg(self.path("rootfs")).status().unwrap();
        assert!(copied.success());
        self
    }

    fn run(&self) -> Output {
        self.run_by(&["runc"])
    }

    /// Starts the container with `runc`, or with a program that starts `runc`.
    fn run_by(&self, starter: &[&str]) -> Output {
        let mut command = Command::new(starter[0]);
        command.args(&starter[1..]).arg("--root").arg(self.path("state"));
        let output = command.args(["run", "-b"]).arg(self.top.path()).arg(&self.name).output().unwrap();
        assert_eq!(mounts_below(self.top.path()), Vec::<String>::new(), "something is left mounted on the host");
        output
    }
}

fn mounts_below(folder: &Path) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mounts").unwrap();
    table.lines().filter(|line| line.contains(folder.to_str().unwrap())).map(str::to_owned).collect()
}

/// The output of a container that must succeed.
fn says(topology: &str, arguments: &str, script: &str) -> String {
    let output = Bundle::new(topology, arguments, script).run();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const NODES: &str = "cd /dev && ls -d nvidia* | sort";

#[test]
fn a_container_has_the_nodes_of_its_gpus_and_no_others() {
    let nodes = says("a100", "--device=1,3 --utility", NODES);
    assert_eq!(nodes.lines().collect::<Vec<_>>(), ["nvidia1", "nvidia3", "nvidiactl"]);
    let nodes = says("mixed", "--device=0 --compute", NODES);
    assert_eq!(nodes.lines().collect::<Vec<_>>(), ["nvidia-uvm", "nvidia-uvm-tools", "nvidia2", "nvidiactl"]);
}

#[test]
fn nvidia_smi_lists_exactly_the_gpus_that_were_given() {
    let listed = says("a100", "--device=6,2 --utility", "nvidia-smi -L");
    let whole = Command::new(static_simulator())
        .args(["topologies", "a100"])
        .env("FAKE_NVIDIA_CONFIG", "/dev/null")
        .output()
        .unwrap();
    let whole: Value = serde_json::from_slice(&whole.stdout).unwrap();
    let uuid = |at: usize| whole.pointer(&format!("/gpus/{at}/uuid")).unwrap().as_str().unwrap().to_owned();
    let line = |shown: usize, at: usize| format!("GPU {shown}: NVIDIA A100-SXM4-40GB (UUID: {})\n", uuid(at));
    assert_eq!(listed, line(0, 2) + &line(1, 6));
}

#[test]
fn nvidia_smi_answers_queries_inside() {
    let script = "nvidia-smi --query-gpu=index,name,driver_version --format=csv,noheader; nvidia-smi";
    let said = says("h100", "--device=5 --utility", script);
    let lines: Vec<&str> = said.lines().collect();
    // The query, then the table, which begins with the time.
    assert_eq!(lines[0], "0, NVIDIA H100 80GB HBM3, 570.172.08");
    assert!(lines[2].starts_with("+---") && said.matches("NVIDIA H100 80GB HBM3 ").count() == 1, "{said}");
}

#[test]
fn a_mig_container_has_its_part_and_no_other() {
    let script = format!(
        "nvidia-smi -L; {NODES}; ls /dev/nvidia-caps; cd /proc/driver/nvidia/capabilities && ls -d gpu*/mig/gi*/ci*"
    );
    let said = says("h100-mig", "--device=0:1 --utility", &script);
    assert_eq!(said.matches("GPU ").count(), 1, "{said}");
    assert_eq!(said.matches("  MIG 3g.40gb").count(), 1, "{said}");
    assert!(said.contains("nvidia0\n") && !said.contains("nvidia1\n"), "{said}");
    assert!(said.ends_with("nvidia-cap12\nnvidia-cap13\ngpu0/mig/gi1/ci0\n"), "{said}");
}

#[test]
fn imex_channels_appear_by_number() {
    let said = says("gb200", "--device=all --utility --imex-channel=0,3", "ls /dev/nvidia-caps-imex-channels");
    assert_eq!(said, "channel0\nchannel3\n");
}

#[test]
fn the_driver_is_there_by_version_and_by_the_names_that_programs_ask_for() {
    let script = "cat /proc/driver/nvidia/version /proc/driver/nvidia/gpus/*/information; \
                  readlink /usr/lib64/libcuda.so; readlink /usr/lib64/libcuda.so.1";
    let said = says("t4", "--device=0 --compute --utility", script);
    assert!(said.starts_with("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15\n"), "{said}");
    assert!(said.contains("Model: \t\t Tesla T4\n"), "{said}");
    assert!(said.ends_with("libcuda.so.1\nlibcuda.so.550.54.15\n"), "{said}");
}

#[test]
fn a_requirement_that_fails_stops_the_container_with_the_real_message() {
    let bundle = Bundle::new("t4", "--device=0 --utility '--require=cuda>=99'", "echo it runs");
    let output = bundle.run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(!String::from_utf8_lossy(&output.stdout).contains("it runs"));
    let message = "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=99, please update your driver";
    assert!(stderr.contains(message), "{stderr}");
    let record = fs::read_to_string(bundle.path("record")).unwrap();
    assert!(record.contains("requirement error"), "{record}");
}

#[test]
fn in_a_user_namespace_plain_files_stand_for_nodes() {
    let script = "nvidia-smi -L; test -f /dev/nvidia1 && test ! -e /dev/nvidia0 && echo files";
    let bundle = Bundle::new("a100", "--device=1 --utility", script).without_root();
    let output = bundle.run_by(&["unshare", "--user", "--map-root-user", "--mount", "runc"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.starts_with("GPU 0: NVIDIA A100-SXM4-40GB") && stdout.ends_with("files\n"), "{stdout}");
}

#[test]
fn in_a_remapped_container_everything_belongs_to_its_root() {
    let script = "nvidia-smi -L; ls -ln /dev/nvidia1; ls -ldn /usr/lib64 /usr/lib64/libcuda.so";
    let bundle = Bundle::new("a100", "--device=1 --utility --compute", script).remapped();
    let output = bundle.run();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.starts_with("GPU 0: NVIDIA A100-SXM4-40GB"), "{stdout}");
    assert!(stdout.contains("\ncrw-rw-rw-") && stdout.contains("195,   1"), "{stdout}");
    // The folder and the link were made in the container; both IDs are its root's.
    assert_eq!(stdout.lines().filter(|line| line.contains(" 0        0 ")).count(), 2, "{stdout}");
}

#[test]
fn a_node_without_hardware_says_so() {
    let bundle = Bundle::new("t4", "--device=0 --utility", "cat /dev/nvidia0");
    let said = String::from_utf8_lossy(&bundle.run().stderr).into_owned();
    let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap();
    // The device cgroup of version 2 stays as the engine made it.
    let expected = if cgroups.contains(":devices:") { "No such device or address" } else { "Operation not permitted" };
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_change_on_the_host_is_seen_in_a_container_that_runs() {
    let query = "nvidia-smi --query-gpu=temperature.gpu --format=csv,noheader";
    let script = format!(
        "{query}; while test ! -e /proc/driver/.fake-nvidia/live; do sleep 1; done; {query}; \
         cat /proc/driver/.fake-nvidia/live | grep -c '^temperature.gpu 93$'; ls /proc/driver/.fake-nvidia/devices"
    );
    let bundle = Bundle::new("h100", "--device=2 --utility", &script);
    let state = format!("FAKE_NVIDIA_STATE={}", bundle.path("changes/state.json").display());
    let mut config: Value = serde_json::from_slice(&fs::read(bundle.path("config.json")).unwrap()).unwrap();
    config["hooks"]["prestart"][0]["env"].as_array_mut().unwrap().push(json!(state));
    fs::write(bundle.path("config.json"), config.to_string()).unwrap();
    let changes = bundle.path("changes");
    let output = std::thread::scope(|scope| {
        let run = scope.spawn(|| bundle.run());
        // The container has the folder as soon as the hook has made it, and waits for the change.
        while !changes.join("live").exists() && !run.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let set = ["set", "2", "temperature.gpu=93", "--topology", "h100"];
        let mut set_command = Command::new(static_simulator());
        set_command.args(set).env("FAKE_NVIDIA_CONFIG", "/dev/null");
        assert!(set_command.env("FAKE_NVIDIA_STATE", changes.join("state.json")).status().unwrap().success());
        run.join().unwrap()
    });
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[1..3], ["93", "1"], "{said}");
    assert!(lines.len() == 4 && lines[3].starts_with("GPU-"), "{said}");
}

#[test]
fn a_debian_container_finds_the_driver_by_the_linkers_cache() {
    let script =
        "ldconfig -p | grep -c 'libcuda.so.1 '; perl -e 'print readlink(\"/usr/lib/x86_64-linux-gnu/libcuda.so.1\")'";
    let bundle = Bundle::new("t4", "--device=0 --utility --compute --ldconfig=@/sbin/ldconfig", script).debian();
    for (topology, driver) in [("t4", "550.54.15"), ("h100", "570.172.08")] {
        // The same container again with another driver: links and cache follow.
        bundle.config(topology, script);
        let output = bundle.run();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("1\nlibcuda.so.{driver}"));
    }
}

#[test]
fn a_record_is_written_outside_of_the_container() {
    let bundle = Bundle::new("t4", "--device=0 --utility", "ls /");
    assert!(bundle.run().status.success());
    let record: Value = serde_json::from_str(fs::read_to_string(bundle.path("record")).unwrap().trim()).unwrap();
    let namespace = |who: &str| record.pointer(&format!("{who}/namespaces/mnt")).cloned();
    assert!(namespace("/target").is_some() && namespace("/target") != namespace(""), "{record}");
}
