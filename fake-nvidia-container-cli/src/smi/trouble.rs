//! What nvidia-smi says and how it ends when the driver does not answer: the texts and codes of public reports, by the
//! message that nvidia-container-cli has for the same trouble.

use nvidia_simulated_machine::driver_files::branch;
use serde::{Deserialize, Serialize};

/// A trouble of the driver or of a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What stands on standard output.
    pub text: String,
    /// The exit code, which is NVML's own for most troubles.
    pub exit: i32,
}

const NO_DRIVER: &str = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. \
    Make sure that the latest NVIDIA driver is installed and running.\n";
const NO_LIBRARY: &str = "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA \
    Display Driver is properly installed and present in your system.\nPlease also try adding directory that contains \
    libnvidia-ml.so to your system PATH.";

impl Trouble {
    /// The trouble of a message such as `nvml error: gpu is lost`, for a driver and the bus of its first GPU.
    #[must_use]
    pub fn of(message: &str, driver: &str, bus: &str) -> Self {
        let says = |text: &str| message.to_ascii_lowercase().contains(text);
        let start = |what: &str, exit| Self { text: format!("Failed to initialize NVML: {what}"), exit };
        let device = |what: &str, exit| {
            let gap = if branch(driver) < 535 { " " } else { "" };
            let bus = bus.get(4..).unwrap_or(bus);
            Self { text: format!("Unable to determine the device handle for GPU{gap}{bus}: {what}"), exit }
        };
        if says("version mismatch") {
            let mut trouble = start("Driver/library version mismatch", 18);
            if branch(driver) >= 535 {
                let version: Vec<&str> = driver.split('.').take(2).collect();
                trouble.text.push_str(&format!("\nNVML library version: {}", version.join(".")));
            }
            trouble
        } else if says("insufficient permissions") {
            start("Insufficient Permissions", 4)
        } else if says("gpu is lost") {
            device("GPU is lost.  Reboot the system to recover this GPU", 15)
        } else if says("requires reset") {
            device("GPU requires reset", 16)
        } else if says("unknown error") {
            start("Unknown Error", 255)
        } else if says("load library failed") {
            Self { text: NO_LIBRARY.to_owned(), exit: 12 }
        } else {
            Self { text: NO_DRIVER.to_owned(), exit: 9 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_are_told_as_in_public_reports() {
        let of = |message: &str, driver: &str| {
            let trouble = Trouble::of(message, driver, "00000000:3B:00.0");
            (trouble.text, trouble.exit)
        };
        let lost = "Unable to determine the device handle for GPU 0000:3B:00.0: GPU is lost.  Reboot the system to recover this GPU";
        assert_eq!(of("nvml error: gpu is lost", "470.256.02"), (lost.to_owned(), 15));
        assert!(of("nvml error: gpu is lost", "550.54.15").0.contains("for GPU0000:3B:00.0: GPU"));
        let mismatch = "Failed to initialize NVML: Driver/library version mismatch";
        assert_eq!(of("nvml error: driver/library version mismatch", "470.256.02"), (mismatch.to_owned(), 18));
        let newer = format!("{mismatch}\nNVML library version: 535.161");
        assert_eq!(of("nvml error: driver/library version mismatch", "535.161.07"), (newer, 18));
        assert_eq!(of("nvml error: driver not loaded", "550.54.15").1, 9);
        assert_eq!(of("load library failed: libnvidia-ml.so.1", "550.54.15").1, 12);
    }
}
