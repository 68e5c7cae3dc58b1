//! A test of a program that calls nvidia-container-cli, on eight simulated GPUs; here, a call that asks for one of them.

use std::process::Command;

#[test]
fn one_gpu_is_asked_for() {
    let scratch = std::env::var("TEST_TMPDIR").unwrap();
    let record = format!("{scratch}/record.jsonl");
    let mut program = Command::new(std::env::var("CLI").unwrap());
    program.env("FAKE_NVIDIA_TOPOLOGY", "h100").env("FAKE_NVIDIA_RECORD", &record);
    program.args(["configure", "--device=1", "--utility", "--pid=1", &scratch]);
    assert!(program.status().unwrap().success());
    assert!(std::fs::read_to_string(record).unwrap().contains(r#""devices":"1""#));
}
