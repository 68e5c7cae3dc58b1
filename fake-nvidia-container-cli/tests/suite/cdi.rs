//! CDI specifications of simulated machines: they conform to the schema, name each device as nvidia-ctk does, and mount
//! nothing that does not exist. The `engines` suites test what engines make of them.

use super::programs;
use super::sandbox::Sandbox;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn specification(sandbox: &Sandbox, topology: &str, words: &[&str]) -> Value {
    let lay = sandbox.named("fake-nvidia-container-cli", &["driver-root", "host", "--topology", topology]).output();
    assert!(lay.unwrap().status.success());
    let words = [&["cdi", "host", "--format", "json"], words].concat();
    let output = sandbox.named("fake-nvidia-container-cli", &words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn names(specification: &Value) -> Vec<&str> {
    specification["devices"].as_array().unwrap().iter().map(|device| device["name"].as_str().unwrap()).collect()
}

/// The paths in a list of edits, from the member `path` of each.
fn paths<'a>(edits: &'a Value, list: &str, path: &str) -> BTreeSet<&'a str> {
    edits[list].as_array().into_iter().flatten().map(|one| one[path].as_str().unwrap()).collect()
}

#[test]
fn a_specification_is_as_the_schema_says_and_all_of_it_is_there() {
    let schema: Value = serde_json::from_slice(&fs::read(programs::source("tests/cdi.schema.json")).unwrap()).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    for topology in ["t4", "a100-mig", "laptop"] {
        let sandbox = Sandbox::new();
        let document = specification(&sandbox, topology, &["--device-name-strategy", "index,type-index,uuid"]);
        let faults: Vec<String> = schema.iter_errors(&document).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "{topology}");
        let edits = document["devices"].as_array().unwrap().iter().map(|device| &device["containerEdits"]);
        for edits in edits.chain([&document["containerEdits"]]) {
            for host in ["deviceNodes", "mounts"].iter().flat_map(|list| paths(edits, list, "hostPath")) {
                assert!(Path::new(host).exists(), "{topology}: {host}");
            }
        }
        let names = names(&document);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{topology}: a name is there twice");
    }
    // The schema rejects wrong specifications.
    for wrong in [
        r#"{"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": []}"#,
        r#"{"cdiVersion": "0.5.0", "kind": "gpu", "devices": [{"name": "0", "containerEdits": {"env": ["A=b"]}}]}"#,
        r#"{"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": [{"name": "0:", "containerEdits": {"env": ["A=b"]}}]}"#,
        r#"{"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": [{"name": "0", "containerEdits": {}}]}"#,
    ] {
        assert!(!schema.is_valid(&serde_json::from_str(wrong).unwrap()), "{wrong}");
    }
}

#[test]
fn devices_have_the_names_of_each_strategy() {
    let sandbox = Sandbox::new();
    let machine = sandbox.named("fake-nvidia-container-cli", &["topologies", "h100-mig"]).output().unwrap();
    let machine: Value = serde_json::from_slice(&machine.stdout).unwrap();
    let gpus = machine["gpus"].as_array().unwrap();
    for (strategy, gpu, part) in [("index", "0", "0:1"), ("type-index", "gpu0", "mig0:1")] {
        let document = specification(&sandbox, "h100-mig", &["--device-name-strategy", strategy]);
        let names = names(&document);
        assert_eq!((names[0], *names.last().unwrap()), (gpu, "all"));
        assert!(names.contains(&part), "{names:?}");
        let parts: usize = gpus.iter().map(|gpu| gpu["mig"].as_array().unwrap().len()).sum();
        assert_eq!(names.len(), gpus.len() + parts + 1);
    }
    let document = specification(&sandbox, "h100-mig", &["--device-name-strategy", "uuid"]);
    let names = names(&document);
    assert!(names.contains(&gpus[0]["uuid"].as_str().unwrap()));
    assert!(names.contains(&gpus[0]["mig"][1]["uuid"].as_str().unwrap()));
}

#[test]
fn a_part_brings_the_node_of_its_gpu_and_its_rights_and_all_brings_all() {
    let sandbox = Sandbox::new();
    let document = specification(&sandbox, "h100-mig", &[]);
    let edits = |name: &str| {
        let devices = document["devices"].as_array().unwrap();
        devices.iter().find(|device| device["name"] == name).unwrap()["containerEdits"].clone()
    };
    // Nodes are files here, so they are mounted.
    let (gpu, part, all) = (edits("0"), edits("0:1"), edits("all"));
    assert_eq!(paths(&gpu, "mounts", "containerPath"), BTreeSet::from(["/dev/nvidia0"]));
    let nodes = ["/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap12", "/dev/nvidia-caps/nvidia-cap13"];
    assert_eq!(paths(&part, "mounts", "containerPath"), BTreeSet::from(nodes));
    assert!(paths(&all, "mounts", "containerPath").is_superset(&BTreeSet::from(nodes)));
}

#[test]
fn programs_find_libraries_by_the_names_that_they_ask_for() {
    let sandbox = Sandbox::new();
    let document = specification(&sandbox, "t4", &["--library-folder", "/usr/lib64"]);
    let mounts = paths(&document["containerEdits"], "mounts", "containerPath");
    for name in ["libcuda.so", "libcuda.so.1", "libcuda.so.550.54.15", "libnvidia-ml.so.1", "libGLX_nvidia.so.0"] {
        assert!(mounts.contains(format!("/usr/lib64/{name}").as_str()), "{name}");
    }
    assert!(mounts.contains("/usr/bin/nvidia-smi") && mounts.contains("/run/fake-nvidia"));
}

#[test]
fn what_is_not_a_machine_is_refused() {
    let sandbox = Sandbox::new();
    let fake = |words: &[&str]| {
        let output = sandbox.named("fake-nvidia-container-cli", words).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = fake(&["cdi", "rootfs"]);
    assert!(code == Some(3) && said.contains("rootfs: not a driver root of this program"), "{said}");
    assert_eq!(fake(&["driver-root", "host", "--topology", "empty"]).0, Some(0));
    let (code, said) = fake(&["cdi", "host"]);
    assert!(code == Some(3) && said.contains("this machine has no GPU"), "{said}");
    assert_eq!(fake(&["driver-root", "host", "--topology", "none"]).0, Some(0));
    let (code, said) = fake(&["cdi", "host"]);
    assert!(code == Some(3) && said.contains("host: the driver of this machine is not loaded"), "{said}");
    assert_eq!(fake(&["driver-root", "host", "--topology", "t4"]).0, Some(0));
    fs::remove_file(sandbox.path("host/dev/nvidia0")).unwrap();
    let (code, said) = fake(&["cdi", "host"]);
    assert!(code == Some(3) && said.contains("host/dev/nvidia0: missing; driver-root host makes it"), "{said}");
    let (_, said) = fake(&["cdi", "host", "--device-name-strategy", "serial"]);
    assert!(said.contains("`serial` is not one of index, type-index, uuid"), "{said}");
}
