//! One start in a root where the packages are installed: the hook, by its configuration, becomes the simulator.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::root::Root;

/// The arguments that the installed hook passed to the installed simulator.
pub fn start(root: &Root) -> Vec<String> {
    fs::create_dir_all(root.at("/tmp/bundle/rootfs")).unwrap();
    let spec = r#"{"ociVersion":"1.0.2","process":{"env":["NVIDIA_VISIBLE_DEVICES=0"]},"root":{"path":"rootfs"}}"#;
    fs::write(root.at("/tmp/bundle/config.json"), spec).unwrap();
    // By the link with the old name, which engines still call.
    let mut child = root
        .command(&["/usr/bin/nvidia-container-toolkit", "prestart"])
        .env("FAKE_NVIDIA_RECORD", "/tmp/record.jsonl")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(br#"{"id":"x","pid":1,"bundle":"/tmp/bundle"}"#).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let record: Value = serde_json::from_str(root.text("/tmp/record.jsonl").lines().last().unwrap()).unwrap();
    record["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}
