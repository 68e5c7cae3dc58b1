//! Simulated GPUs on the nodes of a cluster: what deploy/image/node does with the program, on a folder that stands for
//! a node. Device nodes, which need root, are left out. Must not know manifests.

use super::programs;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

const CDI: [(&str, &str); 2] = [
    ("/var/run/cdi/fake-nvidia-device-plugin.json", "k8s.device-plugin.nvidia.com/gpu"),
    ("/var/run/cdi/fake-nvidia.json", "nvidia.com/gpu"),
];
const DRIVER: &str = "/opt/fake-nvidia/driver";

/// A node, and next to it the programs of an image.
struct Node(tempfile::TempDir);

impl Node {
    fn new() -> Self {
        let node = Node(tempfile::tempdir().unwrap());
        fs::create_dir(node.0.path().join("node")).unwrap();
        fs::create_dir(node.0.path().join("programs")).unwrap();
        symlink(programs::fake(), node.0.path().join("programs/fake-nvidia-container-cli")).unwrap();
        node
    }

    fn on(&self, path: &str) -> PathBuf {
        self.0.path().join("node").join(path.trim_start_matches('/'))
    }

    fn put(&self, path: &str, text: &str) {
        fs::create_dir_all(self.on(path).parent().unwrap()).unwrap();
        fs::write(self.on(path), text).unwrap();
    }

    fn run(&self, verb: &str, topology: &str) -> Output {
        let mut shell = Command::new("/bin/sh");
        shell.arg(programs::source("../deploy/image/node")).args([verb, "gpus"]);
        shell.env("PROGRAMS", self.0.path().join("programs")).env("TOPOLOGY", topology).env("NODES", "no");
        shell.env("ROOT", self.0.path().join("node")).output().unwrap()
    }

    fn succeeds(&self, verb: &str, topology: &str) -> String {
        let output = self.run(verb, topology);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, verb: &str, topology: &str) -> String {
        let output = self.run(verb, topology);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }

    /// The kind that a CDI file states, and the names of its devices.
    fn devices(&self, path: &str) -> (String, Vec<String>) {
        let spec: Value = serde_json::from_str(&fs::read_to_string(self.on(path)).unwrap()).unwrap();
        let name = |device: &Value| device["name"].as_str().unwrap().to_owned();
        let names = spec["devices"].as_array().unwrap().iter().map(name).collect();
        (spec["kind"].as_str().unwrap().to_owned(), names)
    }

    /// The UUIDs that nvidia-smi shows in the machine that was laid out.
    fn uuids(&self) -> Vec<String> {
        let mut smi = Command::new(self.on(&format!("{DRIVER}/usr/bin/nvidia-smi")));
        smi.args(["--query-gpu=uuid", "--format=csv,noheader"]).env_clear();
        let output = smi.env("FAKE_NVIDIA_CONFIG", self.on(&format!("{DRIVER}/etc/fake-nvidia/config.toml"))).output();
        String::from_utf8(output.unwrap().stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

#[test]
fn the_engine_finds_each_gpu_under_both_kinds_by_the_uuid_that_nvml_says() {
    let node = Node::new();
    node.succeeds("install", "h100");
    let uuids = node.uuids();
    assert_eq!(uuids.len(), 8);
    for (path, kind) in CDI {
        let (said, names) = node.devices(path);
        assert_eq!(said, kind);
        assert!(uuids.iter().all(|uuid| names.contains(uuid)), "{names:?}");
    }
}

#[test]
fn every_file_that_a_container_gets_is_on_the_node() {
    let node = Node::new();
    node.succeeds("install", "t4");
    let text = fs::read_to_string(node.on(CDI[0].0)).unwrap();
    let paths: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("\"hostPath\": \"")).collect();
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        let path = path.trim_end_matches([',', '"']);
        assert!(fs::symlink_metadata(path).is_ok(), "{path}");
    }
}

#[test]
fn what_is_there_is_not_laid_again_and_an_upgrade_is() {
    let node = Node::new();
    let first = node.succeeds("install", "t4");
    assert!(first.contains("node-files: laid /opt/fake-nvidia/driver\n"), "{first}");
    assert_eq!(node.succeeds("install", "t4"), "");
    let second = node.succeeds("install", "a100");
    assert!(second.contains("node-files: laid /opt/fake-nvidia/driver\n"), "{second}");
    assert_eq!(node.uuids().len(), 8);
    assert_eq!(node.devices(CDI[1].0).1.len(), 17, "by index, by UUID, and all");
}

#[test]
fn a_topology_that_cannot_be_leaves_the_engine_what_it_had() {
    let node = Node::new();
    node.succeeds("install", "t4");
    let before = fs::read(node.on(CDI[0].0)).unwrap();
    let said = node.fails("install", "no-such-machine");
    assert!(said.ends_with("node-files: the topology no-such-machine could not be laid out, see above\n"), "{said}");
    assert_eq!(fs::read(node.on(CDI[0].0)).unwrap(), before);
    assert_eq!(node.uuids().len(), 1);
    assert!(node.fails("install", "").starts_with("node-files: TOPOLOGY is not set"));
}

#[test]
fn a_node_with_a_real_driver_is_left_alone() {
    let node = Node::new();
    node.put("/proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14\n");
    assert!(node.fails("install", "t4").starts_with("node-files: /proc/driver/nvidia/version exists"));
    assert!(!node.on("/opt").exists() && !node.on("/var").exists());
}

#[test]
fn files_of_others_stay() {
    let node = Node::new();
    node.put(CDI[1].0, "{\"kind\": \"nvidia.com/gpu\"}");
    for verb in ["install", "remove"] {
        let said = node.fails(verb, "t4");
        assert!(said.starts_with("node-files: /var/run/cdi/fake-nvidia.json is not of these"), "{said}");
    }
    let node = Node::new();
    node.put("/opt/fake-nvidia/driver/precious", "");
    for (verb, end) in [("install", "it was left as it is"), ("remove", "it is not this one's to remove")] {
        let said = node.fails(verb, "t4");
        assert_eq!(said, format!("node-files: {DRIVER} is not a machine of the simulator; {end}\n"));
    }
    assert!(node.on("/opt/fake-nvidia/driver/precious").exists());
}

/// In the pod, a link of the node leads nowhere.
#[test]
fn links_of_others_stay() {
    for path in [CDI[0].0, CDI[1].0, DRIVER] {
        let node = Node::new();
        fs::create_dir_all(node.on(path).parent().unwrap()).unwrap();
        symlink("/no/such/place", node.on(path)).unwrap();
        for verb in ["install", "remove"] {
            let said = node.fails(verb, "t4");
            assert!(said.starts_with(&format!("node-files: {path} is not ")), "{said}");
        }
        assert!(node.on(path).is_symlink());
    }
}

#[test]
fn an_interrupted_run_is_finished_by_the_next() {
    // Each takes away what a run that ended there would not have written yet, or have removed already.
    let at_the_first_file = |node: &Node| {
        fs::remove_dir_all(node.on(DRIVER)).unwrap();
        node.put(&format!("{DRIVER}/etc/fake-nvidia/machine.json"), "");
        fs::remove_file(node.on("/opt/fake-nvidia/recipe")).unwrap();
        node.put("/opt/fake-nvidia/new", "");
    };
    let without_the_mark = |node: &Node| {
        fs::remove_dir_all(node.on(&format!("{DRIVER}/etc"))).unwrap();
        node.put("/opt/fake-nvidia/new", "");
    };
    let before_the_recipe = |node: &Node| {
        node.put("/opt/fake-nvidia/new", "");
        node.put("/opt/fake-nvidia/new.cdi", "");
        node.put(&format!("{}.new", CDI[0].0), "");
    };
    let no_driver = |node: &Node| fs::remove_dir_all(node.on(DRIVER)).unwrap();
    let interruptions: [&dyn Fn(&Node); 4] = [&at_the_first_file, &without_the_mark, &before_the_recipe, &no_driver];
    for interrupt in interruptions {
        let node = Node::new();
        node.succeeds("install", "t4");
        interrupt(&node);
        node.succeeds("install", "t4");
        assert_eq!(node.uuids().len(), 1);
        interrupt(&node);
        node.succeeds("remove", "");
        assert!(!node.on("/opt/fake-nvidia").exists());
        assert_eq!(fs::read_dir(node.on("/var/run/cdi")).unwrap().count(), 0);
    }
}

#[test]
fn a_machine_that_was_half_replaced_is_laid_again() {
    let node = Node::new();
    node.succeeds("install", "t4");
    let program = node.0.path().join("programs/fake-nvidia-container-cli");
    fs::remove_file(&program).unwrap();
    let script = format!("#!/bin/sh\n\"{}\" \"$@\"\nkill -9 $PPID\n", programs::fake().display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(node.run("install", "a100").status.code(), None);
    fs::remove_file(&program).unwrap();
    symlink(programs::fake(), &program).unwrap();
    node.succeeds("install", "t4");
    assert_eq!(node.uuids().len(), 1);
}

#[test]
fn what_install_made_is_removed_the_engine_s_files_first() {
    let node = Node::new();
    node.succeeds("install", "a100-mig");
    let removed = node.succeeds("remove", "");
    let order: Vec<&str> = removed.lines().map(|line| line.trim_start_matches("node-files: removed ")).collect();
    assert_eq!(order[..3], ["/var/run/cdi/fake-nvidia.json", "/var/run/cdi/fake-nvidia-device-plugin.json", DRIVER]);
    assert!(!node.on("/opt/fake-nvidia").exists());
    assert_eq!(node.succeeds("remove", ""), "");
}
