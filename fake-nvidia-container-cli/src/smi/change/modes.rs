//! Modes that are switched: persistence, ECC, computing, MIG, accounting.

use super::Answer::{self, Act, Done, Stop};
use super::{bus, busy, invalid, switch, unsupported, word};
use nvidia_simulated_machine::state::figures::vocabulary;
use nvidia_simulated_machine::state::{Device, NONE};

pub(super) fn persistence(device: &Device, value: &str) -> Answer {
    let Some(is_on) = switch(value) else { return invalid("persistence mode", value) };
    let word = word(is_on);
    if device.get("persistence_mode") == word {
        return Done(format!("Persistence mode is already {word} for GPU {}.\n", bus(device)), Vec::new());
    }
    let line = format!("{word} persistence mode for GPU {}.\n", bus(device));
    Done(line, vec![("persistence_mode", word.to_owned())])
}

pub(super) fn ecc(device: &Device, value: &str) -> Answer {
    let Some(is_on) = switch(value) else { return invalid("ECC configuration code", value) };
    if device.get("ecc.mode.current") == NONE {
        return unsupported("Changing ECC support", device);
    }
    let word = word(is_on);
    if device.get("ecc.mode.pending") == word {
        return Done(format!("ECC support is already {word} for GPU {}.\n", bus(device)), Vec::new());
    }
    let line = format!("{word} ECC support for GPU {}.\n", bus(device));
    Done(line, vec![("ecc.mode.pending", word.to_owned())])
}

pub(super) fn ecc_errors(device: &Device, value: &str) -> Answer {
    let kind = match value.to_ascii_uppercase().as_str() {
        "0" | "VOLATILE" => "volatile",
        "1" | "AGGREGATE" => "aggregate",
        _ => return invalid("ECC type", value),
    };
    if device.get("ecc.mode.current") == NONE {
        return unsupported("Resetting ECC errors", device);
    }
    match zeroed(device, kind) {
        Ok(changes) => Act(format!("Reset {kind} ECC errors to zero for GPU {}.\n", bus(device)), changes),
        Err(why) => Stop(why, 3),
    }
}

/// All counters of a kind, set to zero; what only follows from a count is set back too.
pub(super) fn zeroed(device: &Device, kind: &str) -> Result<Vec<(&'static str, String)>, String> {
    let is_of_kind = |key: &&str| key.starts_with("ecc.errors.") && key.split('.').any(|word| word == kind);
    let zero = |key: &'static str| match device.get(key) {
        "Yes" => Some((key, "No".to_owned())),
        _ => device.number(key).filter(|count| *count > 0).map(|_| (key, "0".to_owned())),
    };
    Ok(vocabulary()?.keys().map(String::as_str).filter(is_of_kind).filter_map(zero).collect())
}

pub(super) fn compute(device: &Device, value: &str) -> Answer {
    let (text, kept) = match value.to_ascii_uppercase().as_str() {
        "0" | "DEFAULT" => ("DEFAULT", "Default"),
        // The thread-exclusive mode is long gone; the driver treats it as the other exclusive mode.
        "1" | "EXCLUSIVE_THREAD" | "3" | "EXCLUSIVE_PROCESS" => ("EXCLUSIVE_PROCESS", "Exclusive_Process"),
        "2" | "PROHIBITED" => ("PROHIBITED", "Prohibited"),
        _ => return invalid("compute mode", value),
    };
    if device.get("compute_mode") == kept {
        return Done(format!("Compute mode is already set to {text} for GPU {}.\n", bus(device)), Vec::new());
    }
    Done(format!("Set compute mode to {text} for GPU {}.\n", bus(device)), vec![("compute_mode", kept.to_owned())])
}

pub(super) fn mig(device: &Device, value: &str) -> Answer {
    let Some(is_on) = switch(value) else { return invalid("MIG Mode", value) };
    let (mode, bus) = (word(is_on), bus(device));
    let verb = if is_on { "enable" } else { "disable" };
    if device.get("mig.mode.current") == NONE {
        return Stop(format!("Unable to {verb} MIG Mode for GPU {bus}: Not Supported"), 3);
    }
    if !is_on && !device.instances.is_empty() {
        return Stop(format!("Unable to disable MIG Mode for GPU {bus}: In use by another client"), 19);
    }
    // Since Hopper the mode changes at once; before, the GPU must be reset for it.
    let needs_reset = device.get("product_architecture") == "Ampere" && device.get("mig.mode.current") != mode;
    if let Some(why) = busy(device).filter(|_| needs_reset) {
        let line = format!(
            "Warning: MIG mode is in pending {verb} state for GPU {bus}:{why}\nReboot the system or try nvidia-smi \
             --gpu-reset to make MIG mode effective on GPU {bus}\n"
        );
        return Done(line, vec![("mig.mode.pending", mode.to_owned())]);
    }
    let changes = vec![("mig.mode.current", mode.to_owned()), ("mig.mode.pending", mode.to_owned())];
    let mut line = format!("{mode} MIG Mode for GPU {bus}\n");
    if is_on && device.get("persistence_mode") == "Disabled" {
        line.push_str(&format!(
            "\nWarning: persistence mode is disabled on device {bus}. See the Known Issues section of the nvidia-smi(1) man \
             page for more information. Run with [--help | -h] switch to get more information on how to enable persistence \
             mode.\n"
        ));
    }
    Done(line, changes)
}

pub(super) fn accounting(device: &Device, value: &str) -> Answer {
    let Some(is_on) = switch(value) else { return invalid("accounting mode", value) };
    let word = word(is_on);
    let line = format!("{word} Accounting Mode for GPU {}.\n", bus(device));
    Done(line, vec![("accounting.mode", word.to_owned())])
}

pub(super) fn clear(device: &Device, _: &str) -> Answer {
    Act(format!("Cleared Accounted PIDs for GPU {}.\n", bus(device)), Vec::new())
}

pub(super) fn hostname(device: &Device, value: &str) -> Answer {
    Done(format!("Set hostname to {value} for GPU {}.\n", bus(device)), vec![("hostname", value.to_owned())])
}
