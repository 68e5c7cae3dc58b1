//! What goes wrong before nvidia-smi can answer: a driver that does not answer, a missing library, and the failures
//! that FAKE_NVIDIA_FAIL asks for.

use super::Given;
use super::layout::Layout;
use super::text::{lines, pairs};
use crate::failure::Spec;
use crate::outcome::Outcome;
use nvidia_simulated_machine::step::Step;

/// NVML's words in the message of a failure, the layout's text for it, and the exit code.
const KINDS: [(&str, &str, i32); 9] = [
    ("load library failed", "error.library", 12),
    ("version mismatch", "error.mismatch", 18),
    ("insufficient permissions", "error.permissions", 4),
    ("gpu is lost", "error.lost", 15),
    ("gpu requires reset", "error.reset", 16),
    ("unknown error", "error.sick", 255),
    ("timed out", "error.unknown", 255),
    ("driver not loaded", "error.driver", 9),
    ("", "error.driver", 9),
];

/// The outcome of a run on a machine whose driver does not answer; `None` if it does.
pub(super) fn machine(given: &Given) -> Option<Outcome> {
    let fault = given.machine.fail.as_ref().filter(|fault| is_seen(fault.at))?;
    Some(told(given, &fault.message))
}

/// What a message of nvidia-container-cli says if the driver itself is at fault: any program that asks it fails then.
const OF_THE_DRIVER: [&str; 5] =
    ["nvml error:", "load library failed:", "driver rpc error:", "driver error:", "no adapters were found"];

/// The outcome that a failure asks for; `None` for a failure at a step that nvidia-smi does not take, and for a named
/// one of nvidia-container-cli alone. A failure's own text goes to standard output, where nvidia-smi reports its errors.
#[must_use]
pub fn asked(spec: &Spec, given: &Given) -> Option<Outcome> {
    if !is_seen(spec.step) {
        return None;
    }
    let message = spec.stderr.as_deref().unwrap_or_default().to_ascii_lowercase();
    if spec.name.is_some() && !OF_THE_DRIVER.iter().any(|words| message.contains(words)) {
        return None;
    }
    std::thread::sleep(std::time::Duration::from_millis(spec.delay_ms));
    let ending = spec.ending("nvidia-smi", "")?;
    if spec.name.is_some() {
        let told = told(given, &message);
        return Some(Outcome { signal: ending.signal, hang: ending.hang, ..told });
    }
    Some(Outcome { stdout: ending.stderr, stderr: String::new(), ..ending })
}

/// Whether a program that asks the driver for its devices notices a failure at this step.
fn is_seen(step: Step) -> bool {
    [Step::Start, Step::Init, Step::DriverInfo, Step::DeviceInfo].contains(&step)
}

fn told(given: &Given, message: &str) -> Outcome {
    let (_, name, exit) =
        KINDS.into_iter().find(|(words, _, _)| message.contains(words)).unwrap_or(("", "error.driver", 9));
    let layout = match Layout::of(&given.machine.driver) {
        Ok(layout) => layout,
        Err(why) => return super::internal(why),
    };
    let nvml = given.machine.driver.split('.').take(2).collect::<Vec<_>>().join(".");
    // The GPU that is lost or must be reset is the first.
    let bus = given.machine.gpus.first().map_or("0000:01:00.0", |gpu| gpu.busid.get(4..).unwrap_or_default());
    let told = [("nvml", nvml), ("legacy", bus.to_ascii_uppercase())];
    Outcome { stdout: lines(layout.lines(name), &pairs(&told)), exit, ..Outcome::default() }
}
