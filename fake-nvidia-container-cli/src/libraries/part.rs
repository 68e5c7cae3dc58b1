//! How a GPU is split, in a given file: the profiles that it could have, and the parts that exist.

use super::text::{File, moving};
use crate::driver::caps;
use nvidia_simulated_machine::select::early_name;
use nvidia_simulated_machine::state::mig::{self, Instance, Profile};
use nvidia_simulated_machine::state::{Device, State};
use nvidia_simulated_machine::topology::live::Readings;
use nvidia_simulated_machine::topology::{Gpu, Mig, Topology};

/// NVML's number for a profile, which is not the listed one: it follows from the slices and from what is special.
fn number(profile: &Profile) -> Option<u32> {
    let special = profile.name.split_once('+').map(|(_, special)| special);
    Some(match (profile.slices, special) {
        (1, None) if profile.size > 1 => 9,
        (1, None) => 0,
        (2, None) => 1,
        (3, None) => 2,
        (4, None) => 3,
        (7, None) => 4,
        (8, None) => 5,
        (6, None) => 6,
        (1, Some("me")) => 7,
        (2, Some("me")) => 8,
        (1, Some("gfx")) => 10,
        (2, Some("gfx")) => 11,
        (4, Some("gfx")) => 12,
        (1, Some("me.all")) => 15,
        (2, Some("me.all")) => 16,
        _ => return None,
    })
}

/// The profiles of a GPU that its driver knows.
pub(super) fn profiles(file: &mut File, machine: &Topology, gpu: &Gpu, device: &Device) -> Result<(), String> {
    let Some(family) = mig::family(gpu)?.filter(|_| gpu.mig_capable) else { return Ok(()) };
    file.number("mig.slices", family.profiles.iter().map(|profile| profile.size).max());
    file.number("mig.max", family.profiles.iter().map(|profile| profile.total).max());
    for profile in family.of_driver(&machine.driver) {
        let Some(number) = number(profile) else { continue };
        file.section("profile");
        file.fact("name", &profile.name);
        let facts = [
            ("number", number),
            ("id", profile.id),
            ("total", profile.total),
            ("slices", profile.slices),
            ("size", profile.size),
            ("sm", profile.sm),
            ("ce", profile.ce),
            ("dec", profile.dec),
            ("enc", profile.enc),
            ("jpeg", profile.jpeg),
            ("ofa", profile.ofa),
        ];
        facts.into_iter().for_each(|(key, value)| file.number(key, Some(value)));
        file.number("memory", Some(profile.memory(&machine.driver)));
        file.number("free", Some(family.free(profile, &device.instances)));
        // Number, slices and multiprocessors of each compute profile within it.
        let sm = |part: u32| if part == profile.slices { profile.sm } else { part * family.slice_sm };
        let computes = mig::compute_profiles(profile.slices).map(|(id, part)| format!("{id}:{part}:{}", sm(part)));
        file.fact("computes", &computes.collect::<Vec<_>>().join(","));
        file.fact("starts", &profile.starts.iter().map(u32::to_string).collect::<Vec<_>>().join(","));
    }
    Ok(())
}

/// The GPU instances that have a part that the place sees, or all of them.
pub(super) fn instances(
    file: &mut File,
    gpu: &Gpu,
    device: &Device,
    seen: impl Fn(&Instance) -> bool,
) -> Result<(), String> {
    let family = mig::family(gpu)?;
    for instance in device.instances.iter().filter(|instance| seen(instance)) {
        file.section("instance");
        file.number("gi", Some(instance.gi));
        let known = family.and_then(|family| family.named(&instance.profile));
        file.number("gi.profile", known.map(|profile| profile.id));
        file.number("start", Some(instance.start));
        file.number("size", Some(instance.size));
    }
    Ok(())
}

/// A part of a GPU. If the figures do not have its profile, it has only its instances and its memory.
pub(super) fn part(file: &mut File, gpu: &Gpu, device: &Device, at: usize, state: &State) -> Result<(), String> {
    let Some(part) = device.parts.get(at) else { return Ok(()) };
    let known = mig::family(gpu)?.and_then(|family| family.named(mig::instance_profile(&part.profile)));
    let instance = device.instances.iter().find(|instance| instance.gi == part.gi);
    file.section("mig");
    file.fact("uuid", &part.uuid);
    file.fact("early", &early_name(&gpu.uuid, part.gi, part.ci));
    file.fact("profile", &part.profile);
    file.number("gi", Some(part.gi));
    file.number("ci", Some(part.ci));
    let said = gpu.mig.iter().find(|said| said.uuid == part.uuid).map(|said| said.state.0.clone()).unwrap_or_default();
    let moving = moving(&part.uuid, &said, state);
    for (key, value) in &part.values.0 {
        let value = moving.iter().find(|(moved, _)| moved == key).map_or(value, |(_, value)| value);
        // NVML's name for the engine.
        file.fact(if key == "jpg" { "jpeg" } else { key }, value);
    }
    let numbered = Mig {
        uuid: part.uuid.clone(),
        gi: part.gi,
        ci: part.ci,
        profile: part.profile.clone(),
        start: None,
        state: Readings::default(),
    };
    let nodes = caps::accesses(gpu, &numbered).map(|access| access.dev());
    file.fact("node", &nodes.each_ref().map(|node| node.trim_start_matches("/dev/")).join(" "));
    file.number("start", instance.map(|instance| instance.start));
    file.number("size", instance.map(|instance| instance.size));
    let Some(known) = known else { return Ok(()) };
    let slices = mig::compute_slices(&part.profile, known.slices);
    file.number("gi.profile", Some(known.id));
    file.number("slices.gpu", Some(known.slices));
    file.number("slices.compute", Some(slices));
    let compute = mig::compute_profiles(known.slices).find(|(_, part)| *part == slices);
    file.number("ci.profile", compute.map(|(number, _)| number));
    // Compute instances follow one another.
    let before = device.parts.iter().take(at).filter(|other| other.gi == part.gi);
    file.number("ci.start", Some(before.map(|other| mig::compute_slices(&other.profile, known.slices)).sum::<u32>()));
    Ok(())
}
