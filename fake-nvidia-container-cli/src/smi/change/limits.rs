//! Limits that are set: power, clocks, temperature.

use super::Answer::{self, Done, Stop, Warn};
use super::{bus, invalid, not_clocks, unsupported};
use crate::smi::clocks;
use crate::smi::tree::decimals;
use nvidia_simulated_machine::state::Device;
use nvidia_simulated_machine::state::figures::thousandths;

/// How the clocks of options are written.
const GPU_FORM: &str = "'gpuClkMin,gpuClkMax' or 'gpuClkVal' e.g. '--lock-gpu-clocks=1500,1500', \
     '--lock-gpu-clocks=1500', or '--lock-gpu-clocks=tdp,unlimited'";
const MEMORY_FORM: &str = "'memClkMin,memClkMax' or 'memClkVal' e.g. '--lock-memory-clocks=5100,5100', or \
     '--lock-memory-clocks=5100'";

pub(super) fn power(device: &Device, value: &str) -> Answer {
    let Some(asked) = thousandths(value) else { return invalid("power limit", value) };
    let limit = |key: &str| thousandths(device.get(key));
    let (low, high) = (limit("power.min_limit"), limit("power.max_limit"));
    let (Some(low), Some(high)) = (low, high) else { return unsupported("Changing power management limit", device) };
    let watts = |number: i64| decimals(number, 2);
    if !(low..=high).contains(&asked) {
        let range = format!("between {} W and {} W", watts(low), watts(high));
        let line =
            format!("Provided power limit {} W is not a valid power limit which should be {range}", watts(asked));
        return Stop(format!("{line} for GPU {}", bus(device)), 2);
    }
    let from = watts(limit("power.limit").unwrap_or_default());
    let line = format!("Power limit for GPU {} was set to {} W from {from} W.\n", bus(device), watts(asked));
    Done(line, vec![("power.limit", value.to_owned()), ("enforced.power.limit", value.to_owned())])
}

/// Two clocks: one number is both.
fn pair(value: &str) -> Option<(i64, i64)> {
    let (first, second) = value.split_once(',').unwrap_or((value, value));
    let clock = |text: &str| text.trim().parse::<u32>().ok().map(i64::from);
    Some((clock(first)?, clock(second)?))
}

/// A range of clocks, which begins with the lower one.
fn range(value: &str) -> Option<(i64, i64)> {
    pair(value).filter(|(low, high)| low <= high)
}

/// The clock at which a GPU runs whose clock is locked below this one: at most its highest.
fn locked(device: &Device, highest: &str, high: i64) -> String {
    high.min(device.number(highest).unwrap_or(high)).to_string()
}

/// Clocks can be locked since Volta.
fn cannot_lock(device: &Device, what: &str) -> Option<Answer> {
    let early = ["Kepler", "Maxwell", "Pascal"].contains(&device.get("product_architecture"));
    let told = format!("Setting locked {what} clocks is not supported for GPU {}.\n", bus(device));
    early.then(|| Warn(told + "Treating as warning and moving on.\n"))
}

pub(super) fn lock_gpu(device: &Device, value: &str) -> Answer {
    if let Some(answer) = cannot_lock(device, "GPU") {
        return answer;
    }
    let words: Vec<&str> = value.split(',').map(str::trim).collect();
    let clock = |word: &str| match word {
        "tdp" | "base" | "unlimited" => device.number("clocks.max.graphics"),
        number => number.parse::<u32>().ok().map(i64::from),
    };
    let first = words.first().copied().unwrap_or_default();
    let last = words.last().copied().unwrap_or_default();
    let range = clock(first).zip(clock(last)).filter(|(low, high)| low <= high && words.len() <= 2);
    let Some((_, high)) = range else { return not_clocks(value, GPU_FORM) };
    let line = format!("GPU clocks set to \"(gpuClkMin {first}, gpuClkMax {last})\" for GPU {}\n", bus(device));
    let high = locked(device, "clocks.max.graphics", high);
    Done(line, vec![("clocks.current.graphics", high.clone()), ("clocks.current.sm", high)])
}

pub(super) fn unlock_gpu(_: &Device, _: &str) -> Answer {
    Done(String::new(), vec![("clocks.current.graphics", String::new()), ("clocks.current.sm", String::new())])
}

pub(super) fn lock_memory(device: &Device, value: &str) -> Answer {
    if let Some(answer) = cannot_lock(device, "Memory") {
        return answer;
    }
    let Some((low, high)) = range(value) else { return not_clocks(value, MEMORY_FORM) };
    let line = format!("Memory clocks set to \"(memClkMin {low}, memClkMax {high})\" for GPU {}\n", bus(device));
    Done(line, vec![("clocks.current.memory", locked(device, "clocks.max.memory", high))])
}

pub(super) fn unlock_memory(_: &Device, _: &str) -> Answer {
    Done(String::new(), vec![("clocks.current.memory", String::new())])
}

pub(super) fn defer_memory(device: &Device, value: &str) -> Answer {
    if let Some(answer) = cannot_lock(device, "Memory") {
        return answer;
    }
    match value.parse::<u32>() {
        Ok(clock) => {
            let line = format!("Deferred memory clocks set to \"memClk {clock}\" for GPU {}\n", bus(device));
            Done(line, vec![("clocks.deferred.memory", clock.to_string())])
        }
        Err(_) => not_clocks(value, MEMORY_FORM),
    }
}

pub(super) fn undefer_memory(_: &Device, _: &str) -> Answer {
    Done(String::new(), vec![("clocks.deferred.memory", String::new())])
}

pub(super) fn applications(device: &Device, value: &str) -> Answer {
    let bus = bus(device);
    let Some((memory, graphics)) = pair(value).filter(|_| value.contains(',')) else {
        return not_clocks(value, "'mem,graphics' e.g. '--applications-clocks=2000,800'");
    };
    if thousandths(device.get("clocks.applications.graphics")).is_none() {
        return Warn(format!(
            "Setting applications clocks is not supported for GPU {bus}.\nTreating as warning and moving on.\n"
        ));
    }
    if !clocks::supported(device).iter().any(|(m, all)| *m == memory && all.contains(&graphics)) {
        let pair =
            format!("Specified clock combination \"(MEM {memory}, SM {graphics})\" is not supported for GPU {bus}.");
        let hint = "Run 'nvidia-smi -q -d SUPPORTED_CLOCKS' to see list of supported clock combinations";
        return Warn(format!("{pair} {hint}\nTreating as warning and moving on.\n"));
    }
    let line = format!("Applications clocks set to \"(MEM {memory}, SM {graphics})\" for GPU {bus}\n");
    let changes = [("clocks.applications.memory", memory), ("clocks.applications.graphics", graphics)]
        .map(|(k, v)| (k, v.to_string()));
    Done(line, changes.to_vec())
}

pub(super) fn unset_applications(_: &Device, _: &str) -> Answer {
    let keys = ["clocks.applications.memory", "clocks.applications.graphics"];
    Done(String::new(), keys.map(|key| (key, String::new())).to_vec())
}

pub(super) fn target(device: &Device, value: &str) -> Answer {
    let limit = |key: &str| device.number(key);
    let (Some(low), Some(high)) = (limit("temperature.target.min"), limit("temperature.target.max")) else {
        let line = format!("GPU Target Temperature Threshold not supported for GPU {}.", bus(device));
        return Warn(line + "\nTreating as warning and moving on.\n");
    };
    match value.parse::<i64>() {
        Ok(asked) if (low..=high).contains(&asked) => {
            let line = format!("Set GPU target temperature to {asked} C for GPU {}.\n", bus(device));
            Done(line, vec![("temperature.target", asked.to_string())])
        }
        _ => invalid("target temperature", value),
    }
}
