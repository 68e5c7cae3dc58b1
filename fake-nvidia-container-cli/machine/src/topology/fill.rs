//! Turns a topology as written into a whole one: what is left out follows from the model, the place and the driver.

use super::check::Complaint;
use super::file::{FaultFile, GpuFile, Gpus, HostFile, MigEntry, MigFile, NvCapsWord, TopologyFile};
use super::live::Readings;
use super::{Fault, Gpu, Host, Mig, NvCaps, Topology};
use crate::driver_files;
use crate::models;
use crate::state::mig;
use crate::step::Step;

/// Completes a topology; the error is a complaint about what cannot be completed.
pub(super) fn fill(file: TopologyFile, default_name: &str) -> Result<Topology, Complaint> {
    let driver = file.driver.unwrap_or_else(|| "570.172.08".to_owned());
    let name = file.name.unwrap_or_else(|| default_name.to_owned());
    let model = file.model.as_deref();
    let common = file.state.unwrap_or_default();
    let gpus = match file.gpus {
        Some(Gpus::List(list)) => list,
        Some(Gpus::Count(count)) => vec![GpuFile::default(); usize::try_from(count).unwrap_or_default()],
        None => vec![GpuFile::default()],
    };
    let gpus: Vec<Gpu> = gpus
        .into_iter()
        .zip(0..)
        .map(|(g, at)| gpu(g, at, model, (&name, &driver, &common)))
        .collect::<Result<_, _>>()?;
    let splittable = gpus.iter().any(|g| g.mig_capable) && driver_files::branch(&driver) >= driver_files::MIG_SINCE;
    Ok(Topology {
        host: host(file.host.unwrap_or_default(), &driver),
        cuda: told_by_the_driver(file.cuda.unwrap_or_else(|| "12.8".to_owned())),
        nvcaps: match file.nvcaps {
            Some(NvCapsWord::None) => NvCaps::None,
            Some(NvCapsWord::Proc) => NvCaps::Proc,
            Some(NvCapsWord::Dev) => NvCaps::Dev,
            None if splittable => NvCaps::Dev,
            None => NvCaps::None,
        },
        imex_channels_present: file.imex_channels_present.unwrap_or_default(),
        nopid: file.nopid.unwrap_or_default(),
        fail: file.fail.map(fault).transpose()?,
        nics: file.nics.unwrap_or_default(),
        matrix: file.matrix.unwrap_or_default(),
        clock: file.clock,
        name,
        driver,
        gpus,
    })
}

/// A machine has no part in how a run starts and ends.
fn fault(file: FaultFile) -> Result<Fault, Complaint> {
    let at = Step::named(&file.at).filter(|step| ![Step::Start, Step::End].contains(step));
    let at = at.ok_or_else(|| Complaint::new("fail.at", &file.at, "is not a step that a machine can make fail"))?;
    Ok(Fault { at, message: file.message })
}

fn gpu(
    file: GpuFile,
    place: u32,
    default_model: Option<&str>,
    (seed, driver, common): (&str, &str, &Readings),
) -> Result<Gpu, Complaint> {
    let named = file.model.as_deref().or(default_model).unwrap_or("T4");
    let known = models::find(named);
    let need = |what: &str| {
        Complaint::missing(format!("gpus[{place}].{what}"), format!("missing, and `{named}` is not a known model"))
    };
    let model = known.map_or_else(|| named.to_owned(), |m| m.name.to_owned());
    let entries = file.mig.unwrap_or_default();
    let capable = file.mig_capable.unwrap_or_else(|| known.is_some_and(|m| m.mig_capable) || !entries.is_empty());
    let enabled = file.mig_enabled.unwrap_or(!entries.is_empty());
    Ok(Gpu {
        index: file.index.unwrap_or(place),
        minor: file.minor.unwrap_or(place),
        uuid: file.uuid.unwrap_or_else(|| uuid("GPU", &format!("{seed}/{named}/{place}"))),
        busid: file.busid.map_or_else(|| busid(place), |busid| busid.to_ascii_lowercase()),
        arch: file.arch.or_else(|| known.map(|m| m.arch.to_owned())).ok_or_else(|| need("arch"))?,
        brand: file.brand.or_else(|| known.map(|m| m.brand.to_owned())).ok_or_else(|| need("brand"))?,
        memory: file.memory.or_else(|| known.map(|m| m.memory_of(driver))).unwrap_or(16_384),
        mig_capable: capable,
        mig_enabled: enabled,
        // The driver looks for parts only if splitting is on.
        mig: if enabled { parts(entries, &format!("{seed}/{named}/{place}"), &model) } else { Vec::new() },
        model,
        state: over(common, file.state.unwrap_or_default()),
        processes: file.processes.unwrap_or_default(),
        accounted: file.accounted.unwrap_or_default(),
    })
}

/// The readings of all GPUs, overridden by those of one.
fn over(common: &Readings, own: Readings) -> Readings {
    let mut all = common.clone();
    all.0.extend(own.0);
    all
}

/// All parts. Unless its entry says more, a part is one compute instance in its own GPU instance, numbered as the
/// driver does if the parts are made in this order.
fn parts(entries: Vec<MigEntry>, seed: &str, model: &str) -> Vec<Mig> {
    let mut parts: Vec<Mig> = Vec::new();
    let split = |mig: &[Mig]| Gpu { model: model.to_owned(), mig: mig.to_vec(), ..Gpu::default() };
    let family = mig::family(&split(&[])).ok().flatten();
    for (entry, place) in entries.into_iter().zip(0_u32..) {
        let file = match entry {
            MigEntry::Table(file) => file,
            MigEntry::Profile(profile) => MigFile { profile: Some(profile), ..MigFile::default() },
        };
        let profile = file.profile.unwrap_or_else(|| smallest_profile(model));
        let free = |gi: &u32| parts.iter().all(|p| p.gi != *gi);
        let driver = || {
            let there = mig::instances(&split(&parts)).ok()?;
            family?.next(family?.named(mig::instance_profile(&profile))?, file.start, &there)
        };
        let any = || (first_instance(&profile)..).find(free).unwrap_or_default();
        let gi = file.gi.or_else(driver).unwrap_or_else(any);
        let uuid = file.uuid.unwrap_or_else(|| uuid("MIG", &format!("{seed}/{place}")));
        let state = file.state.unwrap_or_default();
        parts.push(Mig { uuid, gi, ci: file.ci.unwrap_or_default(), profile, start: file.start, state });
    }
    parts
}

/// The profile of the smallest MIG device of a model.
fn smallest_profile(model: &str) -> String {
    let family = mig::family(&Gpu { model: model.to_owned(), ..Gpu::default() });
    let profiles = family.ok().flatten().map(|family| family.profiles.as_slice()).unwrap_or_default();
    let smallest = profiles.iter().filter(|profile| !profile.name.contains('+')).min_by_key(|profile| profile.size);
    smallest.map_or_else(|| "1g.5gb".to_owned(), |profile| profile.name.clone())
}

/// Where the numbers of a profile that is not known, or has no room, begin: the driver numbers the instances of each
/// size from a different number.
fn first_instance(profile: &str) -> u32 {
    let slices = profile.split('.').find_map(|part| part.strip_suffix('g'));
    match slices {
        Some("7") => 0,
        Some("4" | "3") => 1,
        Some("2") => 3,
        _ => 7,
    }
}

/// Bus addresses as on a server board: every eighth bus, then the next domain.
fn busid(place: u32) -> String {
    format!("{:08x}:{:02x}:00.0", place / 30, 0x0b + place % 30 * 8)
}

/// A text that looks like a UUID and is the same in every run.
fn uuid(prefix: &str, seed: &str) -> String {
    let (a, b) = (scramble(seed, 1), scramble(seed, 2));
    format!(
        "{prefix}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    )
}

/// FNV-1a with a final mix: not random, only different for different seeds.
fn scramble(seed: &str, salt: u64) -> u64 {
    let hash = seed
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64 ^ salt, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

/// Each list that is left out becomes what a full driver of this version installs on Debian.
fn host(file: HostFile, driver: &str) -> Host {
    let owned = |paths: &[&str]| -> Vec<String> { paths.iter().map(|p| (*p).to_owned()).collect() };
    let in_folder = |folder: &str, name: &str| format!("{folder}/{name}.so.{driver}");
    let libs64 = || driver_files::usual_libs(driver).map(|name| in_folder("/usr/lib/x86_64-linux-gnu", name));
    let libs32 = || driver_files::usual_libs32(driver).map(|name| in_folder("/usr/lib/i386-linux-gnu", name));
    let firmwares =
        || driver_files::usual_firmware(driver).iter().map(|name| format!("/lib/firmware/nvidia/{driver}/{name}"));
    Host {
        bins: file.bins.unwrap_or_else(|| driver_files::bins().map(|name| format!("/usr/bin/{name}")).collect()),
        libs64: file.libs64.unwrap_or_else(|| libs64().collect()),
        libs32: file.libs32.unwrap_or_else(|| libs32().collect()),
        devs: file.devs.unwrap_or_else(|| owned(&["/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"])),
        ipcs: file.ipcs.unwrap_or_else(|| owned(driver_files::usual_ipcs(driver))),
        firmwares: file.firmwares.unwrap_or_else(|| firmwares().collect()),
    }
}

/// A CUDA version as the driver can report it: as one number, a thousand for each major and ten for each minor. The
/// reader takes only the last digit of the minor, so 12.10 is reported as 12.0, and a third component is lost. `0` alone is
/// a machine without a user-mode driver.
fn told_by_the_driver(cuda: String) -> String {
    let mut parts = cuda.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => format!("{major}.{}", minor % 10),
        (Some(Ok(major @ 1..)), None) => format!("{major}.0"),
        _ => cuda,
    }
}
