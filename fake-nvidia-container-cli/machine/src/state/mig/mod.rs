//! How a GPU is split: its family's profiles, by driver, and its instances.
//!
//! Pure: it only computes on lists of instances. Must not know where an instance goes.

mod places;

use crate::state::figures::within;
use crate::topology::live::Readings;
use crate::topology::{Gpu, Mig};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// GPUs that split alike.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    models: Vec<String>,
    /// The multiprocessors of a compute slice.
    pub slice_sm: u32,
    order: Order,
    /// The profiles, as they are listed.
    pub profiles: Vec<Profile>,
}

/// Which half of a GPU is numbered and filled first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Lower,
    Upper,
}

/// A kind of GPU instance.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `3g.40gb`.
    pub name: String,
    /// Its number.
    pub id: u32,
    /// How many fit into a GPU.
    pub total: u32,
    gib: String,
    gib_early: Option<String>,
    gib_late: Option<String>,
    /// The first driver for which `gib_late` holds.
    late: Option<String>,
    /// The memory of its device in MiB.
    memory: u64,
    /// The same with drivers before 510.
    memory_early: Option<u64>,
    /// The BAR1 window to it in MiB.
    pub bar1: u64,
    /// Multiprocessors.
    pub sm: u32,
    /// Decoders.
    pub dec: u32,
    /// Encoders.
    pub enc: u32,
    /// Copy engines.
    pub ce: u32,
    /// JPEG engines.
    pub jpeg: u32,
    /// Optical flow engines.
    pub ofa: u32,
    /// Where it can begin, in memory slices.
    pub starts: Vec<u32>,
    /// How many memory slices it takes.
    pub size: u32,
    /// How many compute slices it has.
    pub slices: u32,
    since: Option<String>,
}

/// A GPU instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Its number.
    pub gi: u32,
    /// The name of its profile.
    pub profile: String,
    /// Where it begins.
    pub start: u32,
    /// How many memory slices it takes.
    pub size: u32,
    /// Its compute instances.
    #[serde(default)]
    pub computes: Vec<Compute>,
}

/// A compute instance: what programs see as a MIG device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Its number in the GPU instance.
    pub ci: u32,
    /// `3g.40gb`, or `1c.3g.40gb` for a part of it.
    pub profile: String,
    /// `MIG-...`.
    pub uuid: String,
    /// What its sensors show.
    #[serde(default)]
    pub state: Readings,
}

/// The families.
fn families() -> Result<&'static [Family], String> {
    #[derive(Deserialize)]
    struct File {
        family: Vec<Family>,
    }
    static FAMILIES: OnceLock<Result<Vec<Family>, String>> = OnceLock::new();
    let read = || {
        let file: Result<File, _> = toml::from_str(include_str!("../figures/mig.toml"));
        file.map(|file| file.family).map_err(|why| format!("built-in MIG profiles: {why}"))
    };
    FAMILIES.get_or_init(read).as_deref().map_err(Clone::clone)
}

/// The family of a GPU, if it is known how its model is split.
pub fn family(gpu: &Gpu) -> Result<Option<&'static Family>, String> {
    let all = families()?;
    Ok(all.iter().find(|family| family.models.iter().any(|model| model.eq_ignore_ascii_case(&gpu.model))))
}

impl Profile {
    /// Its memory in GiB as a driver lists it.
    #[must_use]
    pub fn gib(&self, driver: &str) -> &str {
        let early = self.gib_early.as_deref().filter(|_| within(driver, None, Some("530")));
        let since = self.late.as_deref().unwrap_or("610");
        let late = || self.gib_late.as_deref().filter(|_| within(driver, Some(since), None));
        early.or_else(late).unwrap_or(&self.gib)
    }

    /// The memory of its device in MiB, as a driver reports it.
    #[must_use]
    pub fn memory(&self, driver: &str) -> u64 {
        self.memory_early.filter(|_| within(driver, None, Some("510"))).unwrap_or(self.memory)
    }

    /// Whether only one instance can have these engines.
    fn is_single(&self) -> bool {
        self.name.contains("+me")
    }
}

impl Family {
    /// The profiles that a driver knows.
    pub fn of_driver(&self, driver: &str) -> impl Iterator<Item = &Profile> {
        self.profiles.iter().filter(move |profile| within(driver, profile.since.as_deref(), None))
    }

    /// The profile with a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }
}

/// The name of the GPU instance's profile: `1c.3g.20gb` is a part of a `3g.20gb`.
#[must_use]
pub fn instance_profile(profile: &str) -> &str {
    let within = profile.split_once('.').filter(|(first, _)| first.ends_with('c'));
    within.map_or(profile, |(_, instance)| instance)
}

/// The slices of a compute instance in a GPU instance with `of` slices.
#[must_use]
pub fn compute_slices(profile: &str, of: u32) -> u32 {
    let word = profile.split_once('.').and_then(|(first, _)| first.strip_suffix('c'));
    word.and_then(|number| number.parse().ok()).unwrap_or(of)
}

/// The compute profiles in a GPU instance with this many slices: number and slices of each.
pub fn compute_profiles(slices: u32) -> impl Iterator<Item = (u32, u32)> {
    let all = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 7)];
    // A GPU instance of four slices has no compute profile of three.
    let fits = move |(_, part): &(u32, u32)| *part <= slices && !(slices == 4 && *part == 3);
    all.into_iter().filter(fits)
}

/// The name of a compute profile in a GPU instance.
#[must_use]
pub fn compute_name(instance: &str, slices: u32, part: u32) -> String {
    if part == slices { instance.to_owned() } else { format!("{part}c.{instance}") }
}

/// The UUID of a created compute instance: it follows from the place, so it is the same whenever one is created there.
#[must_use]
pub fn uuid(gpu: &str, gi: u32, ci: u32) -> String {
    let hex: Vec<u8> = gpu.bytes().filter(u8::is_ascii_hexdigit).collect();
    let mix = |salt: u64| {
        let bytes = hex.iter().copied().chain(salt.to_le_bytes()).chain(gi.to_le_bytes()).chain(ci.to_le_bytes());
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        (hash ^ (hash >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let (a, b) = (mix(1), mix(2));
    let (first, second, third) = (a >> 32, (a >> 16) & 0xffff, a & 0xfff);
    // The third group of a name-based UUID starts with 5, the fourth with 8 to b.
    format!(
        "MIG-{first:08x}-{second:04x}-5{third:03x}-{:04x}-{:012x}",
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// The GPU instances of a topology's parts: parts with the same number belong together.
pub fn instances(gpu: &Gpu) -> Result<Vec<Instance>, String> {
    let family = family(gpu)?;
    let mut all: Vec<Instance> = Vec::new();
    for part in &gpu.mig {
        let compute = compute(part);
        if let Some(there) = all.iter_mut().find(|instance| instance.gi == part.gi) {
            there.computes.push(compute);
            continue;
        }
        let profile = instance_profile(&part.profile);
        let known = family.and_then(|family| Some((family, family.named(profile)?)));
        let start = part.start.or_else(|| known.map(|(family, known)| family.start(part.gi, known, &all)));
        let size = known.map_or(1, |(_, known)| known.size);
        let start = start.unwrap_or_default();
        all.push(Instance { gi: part.gi, profile: profile.to_owned(), start, size, computes: vec![compute] });
    }
    Ok(all)
}

fn compute(part: &Mig) -> Compute {
    Compute { ci: part.ci, profile: part.profile.clone(), uuid: part.uuid.clone(), state: part.state.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compute_instance_is_a_part_of_its_gpu_instance() {
        assert_eq!(compute_profiles(3).collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(compute_profiles(4).collect::<Vec<_>>(), [(0, 1), (1, 2), (3, 4)]);
        assert_eq!(
            (compute_name("3g.20gb", 3, 1), compute_name("3g.20gb", 3, 3)),
            ("1c.3g.20gb".into(), "3g.20gb".into())
        );
        assert_eq!((compute_slices("2c.3g.20gb", 3), compute_slices("3g.20gb", 3)), (2, 3));
        let made = uuid("GPU-4dc08a19-16d0-00dc-8399-06e95c254e12", 1, 0);
        assert!(made.len() == 40 && made.split('-').nth(3).unwrap().starts_with('5'), "{made}");
    }
}
