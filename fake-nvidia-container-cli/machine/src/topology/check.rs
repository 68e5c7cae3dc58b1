//! What a topology must satisfy to be a machine. Each complaint names the member and, in a file, its line.

use super::live::Readings;
use super::{Gpu, Host, Topology};
use crate::state;
use crate::state::mig::{self, Profile};
use std::collections::{BTreeMap, BTreeSet};

/// A complaint: the member, and what is wrong.
#[derive(Debug)]
pub(super) struct Complaint {
    /// The member, e.g. `gpus[1].uuid`.
    pub member: String,
    /// What is wrong with it.
    pub what: String,
    /// The key of a reading, if the member is a table of them.
    key: Option<String>,
}

impl Complaint {
    /// A complaint about a value of a member.
    pub(super) fn new(member: impl Into<String>, value: &str, what: &str) -> Self {
        let plain = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        let value: String = value.chars().map(plain).collect();
        Self { member: member.into(), what: format!("`{value}` {what}"), key: None }
    }

    /// A complaint about a member that is missing.
    pub(super) fn missing(member: String, what: String) -> Self {
        Self { member, what, key: None }
    }

    /// The members to look for in the file; a reading may be one of all GPUs.
    pub(super) fn places(&self) -> Vec<String> {
        match &self.key {
            Some(key) => vec![format!("{}.{key}", self.member), format!("state.{key}")],
            None => vec![self.member.clone()],
        }
    }
}

/// The last minor number of a GPU: 254 and 255 are nodes of the driver.
pub(super) const LAST_MINOR: u32 = 253;
/// How many minor numbers one major number has.
const MINORS: u32 = 1 << 20;

/// Checks a topology; the error is the first complaint.
pub(super) fn check(topology: &Topology) -> Result<(), Complaint> {
    for (member, value) in [("driver", &topology.driver), ("cuda", &topology.cuda)] {
        if !dotted(value) {
            return Err(Complaint::new(member, value, "is not a version"));
        }
    }
    let channels = topology.imex_channels_present;
    if channels > MINORS {
        let what = "is more than the 1048576 minor numbers that there are";
        return Err(Complaint::new("imex_channels_present", &channels.to_string(), what));
    }
    if let Some(clock) = topology.clock.as_deref().filter(|clock| !is_time(clock)) {
        return Err(Complaint::new("clock", clock, "is not a time like 2026-09-01 20:42:06.675"));
    }
    check_host(&topology.host)?;
    for (gpu, place) in topology.gpus.iter().zip(0_u32..) {
        check_gpu(gpu, &format!("gpus[{place}]"), place)?;
        check_split(gpu, &format!("gpus[{place}]"))?;
    }
    unique(topology)
}

/// The driver's files are in the machine, and a record shows each on one line.
fn check_host(host: &Host) -> Result<(), Complaint> {
    let lists = [
        ("bins", &host.bins),
        ("libs64", &host.libs64),
        ("libs32", &host.libs32),
        ("devs", &host.devs),
        ("ipcs", &host.ipcs),
        ("firmwares", &host.firmwares),
    ];
    for (name, list) in lists {
        if let Some((place, path)) = list.iter().enumerate().find(|(_, path)| !is_file_path(path)) {
            let what = "is not an absolute path of a file, without `..` and control characters";
            return Err(Complaint::new(format!("host.{name}[{place}]"), path, what));
        }
    }
    Ok(())
}

fn check_gpu(gpu: &Gpu, name: &str, place: u32) -> Result<(), Complaint> {
    let wrong = |member: &str, value: &str, what| Err(Complaint::new(format!("{name}.{member}"), value, what));
    if gpu.index != place {
        return wrong("index", &gpu.index.to_string(), "is not its place in the list");
    }
    if gpu.minor > LAST_MINOR {
        return wrong("minor", &gpu.minor.to_string(), "is above 253, which belong to the driver");
    }
    if !uuid(&gpu.uuid, "GPU-") {
        return wrong("uuid", &gpu.uuid, "is not GPU- and a UUID");
    }
    if !busid(&gpu.busid) {
        return wrong("busid", &gpu.busid, "is not like 00000000:1b:00.0");
    }
    if !dotted(&gpu.arch) {
        return wrong("arch", &gpu.arch, "is not like 9.0");
    }
    check_readings(&gpu.state, &format!("{name}.state"), &[])?;
    for (mig, part) in gpu.mig.iter().zip(0_u32..) {
        let member = |name: &str| format!("mig[{part}].{name}");
        if !uuid(&mig.uuid, "MIG-") {
            return wrong(&member("uuid"), &mig.uuid, "is not MIG- and a UUID");
        }
        if mig.gi > 14 {
            return wrong(&member("gi"), &mig.gi.to_string(), "is above 14, the last GPU instance");
        }
        if mig.ci > 7 {
            return wrong(&member("ci"), &mig.ci.to_string(), "is above 7, the last compute instance");
        }
        check_readings(&mig.state, &format!("{name}.{}", member("state")), &PART_KEYS)?;
    }
    Ok(())
}

/// The MIG devices of a model whose profiles are known must be able to exist together.
fn check_split(gpu: &Gpu, name: &str) -> Result<(), Complaint> {
    let wrong = |part: usize, member: &str, value: &str, what: &str| {
        Err(Complaint::new(format!("{name}.mig[{part}].{member}"), value, what))
    };
    let mut seen = BTreeSet::new();
    for (part, mig) in gpu.mig.iter().enumerate() {
        if !seen.insert((mig.gi, mig.ci)) {
            return wrong(part, "ci", &mig.ci.to_string(), &format!("is taken in GPU instance {}", mig.gi));
        }
    }
    let Ok(Some(family)) = mig::family(gpu) else { return Ok(()) };
    let most = |of: fn(&Profile) -> u32| family.profiles.iter().map(of).max().unwrap_or_default();
    let (memory, compute) = (most(|profile| profile.size), most(|profile| profile.slices));
    let (mut size, mut slices, mut instances) = (0, 0, BTreeMap::new());
    for (part, device) in gpu.mig.iter().enumerate() {
        let profile = family.named(mig::instance_profile(&device.profile));
        let fits = |profile: &&Profile| mig::compute_slices(&device.profile, profile.slices) <= profile.slices;
        let Some(profile) = profile.filter(fits) else {
            return wrong(part, "profile", &device.profile, &format!("is not a profile of {}", gpu.model));
        };
        // Compute instances share their GPU instance.
        if instances.insert(device.gi, profile.id).is_some() {
            continue;
        }
        (size, slices) = (size + profile.size, slices + profile.slices);
        let alike = instances.values().filter(|id| **id == profile.id).count();
        if size > memory || slices > compute || u32::try_from(alike).is_ok_and(|alike| alike > profile.total) {
            return wrong(part, "profile", &device.profile, "does not fit beside the other MIG devices");
        }
    }
    Ok(())
}

/// The keys of a part besides those of a GPU.
const PART_KEYS: [&str; 6] = ["sm", "ce", "enc", "dec", "ofa", "jpg"];

/// Each key must be known, and each reading must be readable. Without readings the vocabulary is not loaded.
fn check_readings(readings: &Readings, member: &str, more: &[&str]) -> Result<(), Complaint> {
    for (key, text) in readings.0.iter().filter(|(key, _)| !more.contains(&key.as_str())) {
        let wrong = |what: String| Complaint { member: member.to_owned(), what, key: Some(key.clone()) };
        state::check(key, text).map_err(wrong)?;
    }
    Ok(())
}

/// No two devices may have the same name.
fn unique(topology: &Topology) -> Result<(), Complaint> {
    let mut seen = BTreeSet::new();
    for (gpu, place) in topology.gpus.iter().zip(0_u32..) {
        let own = [("minor", gpu.minor.to_string()), ("uuid", gpu.uuid.clone()), ("busid", gpu.busid.clone())];
        let own = own.map(|(member, name)| (member.to_owned(), name));
        let parts = gpu.mig.iter().enumerate().map(|(part, mig)| (format!("mig[{part}].uuid"), mig.uuid.clone()));
        for (member, name) in own.into_iter().chain(parts) {
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(Complaint::new(format!("gpus[{place}].{member}"), &name, "is taken by another device"));
            }
        }
    }
    Ok(())
}

/// Whether a text is the absolute path of a file that stays below the root and fits on a line.
fn is_file_path(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    path.starts_with('/')
        && !["", "."].contains(&last)
        && !path.split('/').any(|name| name == "..")
        && !path.chars().any(char::is_control)
}

/// Whether a text is a date, and a time of day if it goes on, in the time that a clock can show.
fn is_time(text: &str) -> bool {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let number = |part: &str, length: usize| {
        let is_number = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| is_number)
    };
    let date: Vec<&str> = date.split('-').collect();
    let [year, month, day] = date[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let time: Vec<Option<u32>> = time.split(':').map(|part| number(part, 2)).collect();
    let is_time = match time[..] {
        [Some(hour), Some(minute)] => hour < 24 && minute < 60,
        [Some(hour), Some(minute), Some(second)] => hour < 24 && minute < 60 && second < 60,
        _ => false,
    };
    let is_fraction = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    (1970..9999).contains(&year) && (1..=12).contains(&month) && (1..=days).contains(&day) && is_time && is_fraction
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
