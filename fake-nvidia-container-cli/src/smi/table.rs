//! The texts of `nvidia-smi`, `nvidia-smi -L` and `nvidia-smi mig -lgi`.

use super::given::{Given, GivenGpu, GivenMig};

/// One line a device.
pub(super) fn list(given: &Given) -> String {
    let mut out = String::new();
    for (index, gpu) in given.gpus.iter().enumerate() {
        out.push_str(&format!("GPU {index}: {} (UUID: {})\n", gpu.name, gpu.uuid));
        for (place, mig) in gpu.mig.iter().enumerate() {
            out.push_str(&format!("  MIG {:<11} Device {place:>2}: (UUID: {})\n", mig.profile, mig.uuid));
        }
    }
    out
}

/// The table without options.
pub(super) fn overview(given: &Given) -> String {
    let rule = format!("+{}+\n", "-".repeat(77));
    let versions =
        format!("NVIDIA-SMI {:<14} Driver Version: {:<14} CUDA Version: {}", given.driver, given.driver, given.cuda);
    let mut out = format!("{rule}{}{rule}", boxed(&versions));
    out.push_str(&boxed("GPU  Name                      Bus-Id            Memory-Usage       MIG M."));
    out.push_str(&format!("|{}|\n", "=".repeat(77)));
    for (index, gpu) in given.gpus.iter().enumerate() {
        let mode = gpu.mig_mode.map_or("N/A", |on| if on { "Enabled" } else { "Disabled" });
        let memory = format!("0MiB / {}MiB", gpu.memory);
        out.push_str(&boxed(&format!("{index:>3}  {:<25} {:<17} {memory:<18} {mode}", gpu.name, gpu.bus)));
        for mig in &gpu.mig {
            out.push_str(&boxed(&format!("       MIG {:<12} GI {:>2}  CI {:>2}", mig.profile, mig.gi, mig.ci)));
        }
    }
    if given.gpus.is_empty() {
        out.push_str(&boxed("No devices were found"));
    }
    out + &rule
}

fn boxed(text: &str) -> String {
    format!("| {text:<75} |\n")
}

/// The GPU instances: parts that share one are one line.
pub(super) fn instances(given: &Given) -> String {
    let rule = format!("+{}+\n", "-".repeat(55));
    let mut out = format!("{rule}| GPU instances:{}|\n", " ".repeat(40));
    out.push_str("| GPU   Name             Profile  Instance   Placement  |\n");
    out.push_str("|                          ID       ID       Start:Size |\n");
    out.push_str(&format!("|{}|\n", "=".repeat(55)));
    for (index, gpu) in given.gpus.iter().enumerate() {
        for mig in one_each(gpu) {
            let (profile, size) = placement(&mig.profile, gpu.memory);
            let name = instance_profile(&mig.profile);
            let start = start(mig.gi, profile, size);
            out.push_str(&format!("| {index:>3}  MIG {name:<15} {profile:>3} {:>8} {start:>10}:{size:<5} |\n", mig.gi));
            out.push_str(&rule);
        }
    }
    out
}

/// Where an instance starts: the driver numbers instances of each size from its own first number.
fn start(instance: u32, profile: u32, size: u32) -> u32 {
    match size {
        2 if profile == 15 => instance.saturating_sub(7) * 2 % 8,
        1 => instance.saturating_sub(7),
        2 => instance.saturating_sub(3) * 2,
        4 => instance.saturating_sub(1) * 4,
        _ => 0,
    }
}

fn one_each(gpu: &GivenGpu) -> Vec<&GivenMig> {
    let mut seen: Vec<&GivenMig> = Vec::new();
    for mig in &gpu.mig {
        if !seen.iter().any(|m| m.gi == mig.gi) {
            seen.push(mig);
        }
    }
    seen
}

/// `1c.3g.20gb` is a compute instance in a `3g.20gb`.
fn instance_profile(profile: &str) -> &str {
    let within = profile.split_once('.').filter(|(first, _)| first.ends_with('c'));
    within.map_or(profile, |(_, instance)| instance)
}

/// The driver's number for a profile, and how many of the eight slices of memory it takes. One compute slice comes with
/// one slice of memory or, in the profile with double memory, with two.
fn placement(profile: &str, memory: u64) -> (u32, u32) {
    let profile = instance_profile(profile);
    match profile.split('g').next() {
        Some("7") => (0, 8),
        Some("4") => (5, 4),
        Some("3") => (9, 4),
        Some("2") => (14, 2),
        _ if profile.contains("+me") => (20, 1),
        _ if has_double_memory(profile, memory) => (15, 2),
        _ => (19, 1),
    }
}

/// Whether a profile such as `1g.20gb` has clearly more than an eighth of a GPU's memory, which is in MiB.
fn has_double_memory(profile: &str, memory: u64) -> bool {
    let gigabytes = profile.split_once("g.").and_then(|(_, rest)| rest.split_once("gb"));
    let gigabytes = gigabytes.and_then(|(number, _)| number.parse::<u64>().ok()).unwrap_or_default();
    gigabytes * 1024 * 8 * 2 > memory * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_have_the_drivers_numbers() {
        let (a100, h100, h200, b200) = (40_960, 81_559, 143_771, 183_359);
        for (profile, memory, expected) in [
            ("1g.5gb", a100, (19, 1)),
            ("1g.10gb", a100, (15, 2)),
            ("1g.10gb", h100, (19, 1)),
            ("1g.10gb+me", h100, (20, 1)),
            ("1g.20gb", h100, (15, 2)),
            ("1g.18gb", h200, (19, 1)),
            ("1g.35gb", h200, (15, 2)),
            ("1g.23gb", b200, (19, 1)),
            ("1g.45gb", b200, (15, 2)),
            ("1c.3g.40gb", h100, (9, 4)),
            ("7g.80gb", h100, (0, 8)),
        ] {
            assert_eq!(placement(profile, memory), expected, "{profile}");
        }
    }
}
