//! A simulated machine as the simulator describes it: the identifiers that a scenario's indexes stand for.

use std::process::Command;

use hook_test_support::programs::static_simulator;
use serde_json::Value;

/// A machine.
pub struct Machine(Value);

impl Machine {
    /// The machine of a name.
    pub fn of(topology: &str) -> Machine {
        let mut command = Command::new(static_simulator());
        let output = command.args(["topologies", topology]).env("FAKE_NVIDIA_CONFIG", "/dev/null").output().unwrap();
        assert!(output.status.success(), "{topology}: {}", String::from_utf8_lossy(&output.stderr));
        Machine(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// How many GPUs it has.
    pub fn gpus(&self) -> usize {
        self.0["gpus"].as_array().unwrap().len()
    }

    /// The version of its driver.
    pub fn driver(&self) -> &str {
        self.0["driver"].as_str().unwrap()
    }

    /// The UUID of `0`, a GPU, or of `0:1`, one of its parts.
    pub fn uuid(&self, device: &str) -> String {
        let pointer = match device.split_once(':') {
            Some((gpu, part)) => format!("/gpus/{gpu}/mig/{part}/uuid"),
            None => format!("/gpus/{device}/uuid"),
        };
        let uuid = self.0.pointer(&pointer).unwrap_or_else(|| panic!("the machine has no {device}"));
        uuid.as_str().unwrap().to_owned()
    }

    /// The node of a device's GPU.
    pub fn node(&self, device: &str) -> String {
        let gpu = device.split(':').next().unwrap();
        format!("nvidia{}", self.0.pointer(&format!("/gpus/{gpu}/minor")).unwrap())
    }

    /// A text with the UUIDs that its placeholders name.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        while let Some((before, rest)) = filled.split_once("{uuid:") {
            let (device, after) = rest.split_once('}').expect("a placeholder ends");
            filled = format!("{before}{}{after}", self.uuid(device));
        }
        filled
    }
}
