//! What a topology must satisfy to be a machine. Each complaint names the member and, in a file, its line.

use super::live::Readings;
use super::{Gpu, Topology};
use crate::state;

/// A complaint: the member, what is wrong, and the value to look for in the file.
pub(super) struct Complaint {
    /// The member, e.g. `gpus[1].uuid`.
    pub member: String,
    /// What is wrong with it.
    pub what: String,
    /// The value as written in the file.
    pub value: String,
}

/// The last minor number of a GPU: 254 and 255 are nodes of the driver.
pub(super) const LAST_MINOR: u32 = 253;
/// How many minor numbers one major number has.
const MINORS: u32 = 1 << 20;

fn complaint(member: String, value: &str, what: &str) -> Complaint {
    Complaint { member, what: format!("`{value}` {what}"), value: value.to_owned() }
}

/// Checks a topology; the error is the first complaint.
pub(super) fn check(topology: &Topology) -> Result<(), Complaint> {
    for (member, value) in [("driver", &topology.driver), ("cuda", &topology.cuda)] {
        if !dotted(value) {
            return Err(complaint(member.to_owned(), value, "is not a version"));
        }
    }
    let channels = topology.imex_channels_present;
    if channels > MINORS {
        let what = "is more than the 1048576 minor numbers that there are";
        return Err(complaint("imex_channels_present".to_owned(), &channels.to_string(), what));
    }
    for (gpu, place) in topology.gpus.iter().zip(0_u32..) {
        check_gpu(gpu, place)?;
    }
    unique(topology)
}

fn check_gpu(gpu: &Gpu, place: u32) -> Result<(), Complaint> {
    let member = |name: &str| format!("gpus[{place}].{name}");
    if gpu.index != place {
        return Err(complaint(member("index"), &gpu.index.to_string(), "is not its place in the list"));
    }
    if gpu.minor > LAST_MINOR {
        return Err(complaint(member("minor"), &gpu.minor.to_string(), "is above 253, which belong to the driver"));
    }
    if !uuid(&gpu.uuid, "GPU-") {
        return Err(complaint(member("uuid"), &gpu.uuid, "is not GPU- and a UUID"));
    }
    if !busid(&gpu.busid) {
        return Err(complaint(member("busid"), &gpu.busid, "is not like 00000000:1b:00.0"));
    }
    if !dotted(&gpu.arch) {
        return Err(complaint(member("arch"), &gpu.arch, "is not like 9.0"));
    }
    check_readings(&gpu.state, &member("state"), &[])?;
    for (mig, part) in gpu.mig.iter().zip(0_u32..) {
        let member = |name: &str| format!("gpus[{place}].mig[{part}].{name}");
        if !uuid(&mig.uuid, "MIG-") {
            return Err(complaint(member("uuid"), &mig.uuid, "is not MIG- and a UUID"));
        }
        if mig.gi > 14 || mig.ci > 7 {
            return Err(complaint(member("gi"), &mig.gi.to_string(), "is outside of 0..14 (ci 0..7)"));
        }
        check_readings(&mig.state, &member("state"), &PART_KEYS)?;
    }
    Ok(())
}

/// The keys of a part besides those of a GPU.
const PART_KEYS: [&str; 6] = ["sm", "ce", "enc", "dec", "ofa", "jpg"];

/// Each key must be known, and each reading must be readable. Without readings the vocabulary is not loaded.
fn check_readings(readings: &Readings, member: &str, more: &[&str]) -> Result<(), Complaint> {
    for (key, text) in readings.0.iter().filter(|(key, _)| !more.contains(&key.as_str())) {
        let wrong = |what: String| Complaint { member: member.to_owned(), what, value: key.clone() };
        state::check(key, text).map_err(wrong)?;
    }
    Ok(())
}

/// No two devices may have the same name.
fn unique(topology: &Topology) -> Result<(), Complaint> {
    let mut seen = Vec::new();
    for (gpu, place) in topology.gpus.iter().zip(0_u32..) {
        let parts = gpu.mig.iter().map(|m| m.uuid.clone());
        let names = [format!("minor {}", gpu.minor), gpu.uuid.clone(), gpu.busid.clone()];
        for name in names.into_iter().chain(parts).map(|n| n.to_ascii_lowercase()) {
            if seen.contains(&name) {
                return Err(complaint(format!("gpus[{place}]"), &name, "is taken by another device"));
            }
            seen.push(name);
        }
    }
    Ok(())
}

fn dotted(version: &str) -> bool {
    version.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn uuid(text: &str, prefix: &str) -> bool {
    let hex = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
    let Some(rest) = text.strip_prefix(prefix) else { return false };
    let parts: Vec<&str> = rest.split('-').collect();
    parts.len() == 5 && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, length)| hex(part, length))
}

fn busid(text: &str) -> bool {
    let shape = |c: char| if c.is_ascii_hexdigit() { 'x' } else { c };
    text.chars().map(shape).collect::<String>() == "xxxxxxxx:xx:xx.x"
}
