//! What root may change: modes, limits, clocks, resets. Each change is answered as by the real program, and kept.

mod limits;
mod modes;

use super::scene::{Host, Scene};
use super::words::Words;
use super::{Lost, internal};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::{Device, NONE};

/// The result of one action on one device.
enum Answer {
    /// A line, and the values that change; it needs rights only if a value changes.
    Done(String, Vec<(&'static str, String)>),
    /// The same, but the driver is called whether or not a value changes.
    Act(String, Vec<(&'static str, String)>),
    /// A line; nothing changes, and the run goes on.
    Warn(String),
    /// A line and the exit code; the run ends.
    Stop(String, i32),
}

use Answer::{Act, Done, Stop, Warn};
use limits::{
    applications, defer_memory, lock_gpu, lock_memory, power, target, undefer_memory, unlock_gpu, unlock_memory,
    unset_applications,
};
use modes::{accounting, clear, compute, ecc, ecc_errors, hostname, mig, persistence, zeroed};

/// An action: the option, what the real program says if the user lacks the rights, and what the action does.
type Action = (&'static str, &'static str, fn(&Device, &str) -> Answer);

const ACTIONS: [Action; 26] = [
    ("--persistence-mode", "Unable to set persistence mode for GPU {}: Insufficient Permissions", persistence),
    ("--ecc-config", "Unable to set ECC mode for GPU {}: Insufficient Permissions", ecc),
    ("--reset-ecc-errors", "Unable to clear ECC errors for GPU {}: Insufficient Permissions", ecc_errors),
    ("--compute-mode", "Unable to set the compute mode for GPU {}: Insufficient Permissions", compute),
    ("--power-limit", "Failed to set power management limit for GPU {}: Insufficient Permissions", power),
    ("--multi-instance-gpu", "Unable to enable MIG Mode for GPU {}: Insufficient Permissions", mig),
    ("--accounting-mode", "Unable to set Accounting Mode for GPU {}: Insufficient Permissions", accounting),
    ("--lock-gpu-clocks", CLOCKS, lock_gpu),
    ("--reset-gpu-clocks", CLOCKS, unlock_gpu),
    ("--lock-memory-clocks", CLOCKS, lock_memory),
    ("--reset-memory-clocks", CLOCKS, unlock_memory),
    ("--applications-clocks", CLOCKS, applications),
    ("--reset-applications-clocks", CLOCKS, unset_applications),
    ("--gpu-target-temp", "Unable to set target temperature for GPU {}: Insufficient Permissions", target),
    ("--clear-accounted-apps", "Unable to clear Accounted PIDs for GPU {}: Insufficient Permissions", clear),
    ("--set-hostname", "Insufficient permissions to set hostname.", hostname),
    ("--lock-memory-clocks-deferred", CLOCKS, defer_memory),
    ("--reset-memory-clocks-deferred", CLOCKS, undefer_memory),
    // Features that no simulated GPU has, whoever asks.
    ("--gom", "", |device, _| {
        Warn(format!("GOM mode cannot be changed on GPU {}.\nTreating as warning and moving on.\n", bus(device)))
    }),
    ("--virt-mode", "", |device, _| unsupported("Changing GPU virtualization mode", device)),
    ("--cuda-clocks", "", |device, _| unsupported("Changing CUDA clocks", device)),
    ("--auto-boost-default", "", |device, _| unsupported("Changing default auto boost policy", device)),
    ("--auto-boost-permission", "", |device, _| unsupported("Changing auto boost permission", device)),
    ("--dram-encryption", "", |device, _| unsupported("Changing DRAM encryption mode", device)),
    ("--driver-model", "", driver_model),
    ("--force-driver-model", "", driver_model),
];

const CLOCKS: &str = "The current user does not have permission to change clocks for GPU {}.";

/// Whether words ask for a change.
pub(super) fn is_asked_for(words: &Words) -> bool {
    words.has("--gpu-reset") || ACTIONS.iter().any(|(option, _, _)| words.has(option))
}

/// Does what the words ask for, in the order of the table, on each device that they name.
pub(super) fn run(words: &Words, scene: &Scene, host: &Host) -> Result<Outcome, Outcome> {
    let devices = scene.chosen(words.get("--id"))?;
    if words.has("--gpu-reset") {
        scene.none_is_lost(&devices)?;
        return Ok(reset(scene, host, &devices));
    }
    scene.all_answer(&devices)?;
    let (mut out, mut warned, mut reboot) = (String::new(), false, false);
    for (option, denied, act) in ACTIONS.iter().filter(|(option, _, _)| words.has(option)) {
        let value = words.get(option).unwrap_or_default();
        for device in &devices {
            let bus = device.get("pci.bus_id");
            match act(device, value) {
                Done(line, changes) if changes.is_empty() => out.push_str(&line),
                Done(line, changes) | Act(line, changes) => match keep(host, scene, device, &changes) {
                    Ok(()) => {
                        reboot |= *option == "--ecc-config";
                        out.push_str(&line);
                    }
                    Err(Lost::Denied) => return Ok(ended(&out, &refusal(denied, value).replace("{}", bus), 4)),
                    Err(Lost::Fault(why)) => return Err(internal(why)),
                },
                Warn(line) => {
                    warned = true;
                    out.push_str(&line);
                }
                Stop(line, code) => return Ok(ended(&out, &line, code)),
            }
        }
    }
    out.push_str("All done.\n");
    if reboot && !warned {
        out.push_str("Reboot required.\n");
    }
    let exit = if warned && words.has("--error-on-warning") { 3 } else { 0 };
    Ok(Outcome { stdout: out, exit, ..Outcome::default() })
}

/// What is said if rights are missing: the words for a switch that is turned off differ.
fn refusal(denied: &str, value: &str) -> String {
    if switch(value) == Some(false) { denied.replace("to enable MIG", "to disable MIG") } else { denied.to_owned() }
}

fn ended(before: &str, line: &str, exit: i32) -> Outcome {
    let stdout = format!("{before}{line}\nTerminating early due to previous errors.\n");
    Outcome { stdout, exit, ..Outcome::default() }
}

fn keep(host: &Host, scene: &Scene, device: &Device, changes: &[(&'static str, String)]) -> Result<(), Lost> {
    host.store.change(&host.given.machine, |state| {
        changes.iter().try_for_each(|(key, value)| state.set(device.get("uuid"), key, value, scene.now.ms))
    })
}

/// The bus of a device.
fn bus(device: &Device) -> &str {
    device.get("pci.bus_id")
}

/// A switch: `0` and `1`, `DISABLED` and `ENABLED`.
fn switch(value: &str) -> Option<bool> {
    match value.to_ascii_uppercase().as_str() {
        "1" | "ENABLED" => Some(true),
        "0" | "DISABLED" => Some(false),
        _ => None,
    }
}

fn word(is_on: bool) -> &'static str {
    if is_on { "Enabled" } else { "Disabled" }
}

/// The answer to a value that means nothing.
fn invalid(what: &str, value: &str) -> Answer {
    Stop(format!("Invalid {what}: {value}"), 2)
}

/// Refuses what is not a clock, and says how clocks are written.
fn not_clocks(value: &str, form: &str) -> Answer {
    Stop(format!("Specified clocks \"{value}\" are not valid. Please format input as {form}"), 2)
}

/// Only Windows has driver models.
fn driver_model(device: &Device, value: &str) -> Answer {
    match value.parse::<u32>() {
        Ok(3..) => invalid("driver model specified", value),
        _ => unsupported("Changing driver model", device),
    }
}

fn unsupported(what: &str, device: &Device) -> Answer {
    Warn(format!("{what} is not supported for GPU: {}.\nTreating as warning and moving on.\n", bus(device)))
}

/// What prevents a reset, if anything.
fn busy(device: &Device) -> Option<String> {
    let said = device.get("busy");
    if said != NONE {
        return Some(said.to_owned());
    }
    (!device.processes.is_empty()).then(|| "In use by another client".to_owned())
}

/// `-r`: changes that wait for a reset take effect, and volatile counters start again. Nothing is reset if one GPU is
/// in use.
fn reset(scene: &Scene, host: &Host, devices: &[&Device]) -> Outcome {
    let refused: Vec<(&str, String)> =
        devices.iter().filter_map(|device| busy(device).map(|why| (bus(device), why))).collect();
    if !refused.is_empty() {
        let list: String = refused.iter().map(|(bus, why)| format!("  GPU {bus}: {why}\n")).collect();
        let (who, these) = match refused.len() {
            1 => ("1 device is".to_owned(), "this device"),
            count => (format!("{count} devices are"), "these devices"),
        };
        let stdout = format!(
            "The following GPUs could not be reset:\n{list}\n{who} currently being used by one or more other processes \
             (e.g., Fabric Manager, CUDA application, graphics application such as an X server, or a monitoring application \
             such as another instance of nvidia-smi). Please first kill all processes using {these} and all compute \
             applications running in the system.\n"
        );
        return Outcome { stdout, exit: 255, ..Outcome::default() };
    }
    let mut out = String::new();
    for device in devices {
        let mut changes = match zeroed(device, "volatile") {
            Ok(changes) => changes,
            Err(why) => return internal(why),
        };
        for (now, then) in [("mig.mode.current", "mig.mode.pending"), ("ecc.mode.current", "ecc.mode.pending")] {
            if device.get(now) != device.get(then) {
                changes.push((now, device.get(then).to_owned()));
            }
        }
        changes.extend(
            ["reset_needed", "sick"].into_iter().filter(|key| device.is(key)).map(|key| (key, "false".to_owned())),
        );
        match keep(host, scene, device, &changes) {
            Ok(()) => out.push_str(&format!("GPU {} was successfully reset.\n", bus(device))),
            Err(Lost::Denied) => {
                // A reset begins by turning persistence mode off.
                let what = match device.get("persistence_mode") {
                    "Enabled" => format!("Unable to disable persistence mode for GPU {}", bus(device)),
                    _ => format!("GPU {} could not be reset", bus(device)),
                };
                return Outcome {
                    stdout: format!("{out}{what}: Insufficient Permissions\n"),
                    exit: 4,
                    ..Outcome::default()
                };
            }
            Err(Lost::Fault(why)) => return internal(why),
        }
    }
    Outcome { stdout: out + "All done.\n", ..Outcome::default() }
}
