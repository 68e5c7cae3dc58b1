//! A GPU at a moment, from all layers.

use super::mig::{self, Compute, Instance};
use super::{Change, State, Values, When, derive, figures, reading};
use crate::topology::live::{Accounted, Process, Readings};
use crate::topology::{Gpu, Topology};
use std::ops::Deref;

/// A GPU at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its place among the machine's GPUs.
    pub place: usize,
    /// Its values.
    pub values: Values,
    /// Its GPU instances; none if MIG is off.
    pub instances: Vec<Instance>,
    /// Its MIG devices, in the driver's order.
    pub parts: Vec<Part>,
    /// The programs that use it.
    pub processes: Vec<Process>,
    /// The programs that were accounted.
    pub accounted: Vec<Accounted>,
}

/// A MIG device at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `MIG-...`.
    pub uuid: String,
    /// Its profile.
    pub profile: String,
    /// Its GPU instance.
    pub gi: u32,
    /// Its compute instance.
    pub ci: u32,
    /// `memory.` and `bar1.` as for a GPU, `ecc.errors.uncorrected.volatile.sram`, and the counts of its engines: `sm`,
    /// `ce`, `enc`, `dec`, `ofa`, `jpg`.
    pub values: Values,
}

impl Deref for Device {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

impl Deref for Part {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

/// All GPUs of a machine at a moment; a plain number is the time in ms since 1970.
pub fn devices(machine: &Topology, state: &State, when: impl Into<When>) -> Result<Vec<Device>, String> {
    let when = when.into();
    (0..machine.gpus.len()).map(|place| device(machine, place, state, when)).collect()
}

/// One GPU of a machine at a moment. The error names what cannot be read.
pub fn device(machine: &Topology, place: usize, state: &State, when: impl Into<When>) -> Result<Device, String> {
    let when = when.into();
    let Some(gpu) = machine.gpus.get(place) else { return Err(format!("GPU {place} does not exist")) };
    let change = state.of(&gpu.uuid);
    let of_part = |compute: &Compute| said(&compute.state, state, &compute.uuid, when);
    let said = said(&gpu.state, state, &gpu.uuid, when).map_err(|why| format!("gpus[{place}].state: {why}"))?;
    let mode = said.0.get("mig.mode.current").map(|mode| mode == "Enabled");
    let mig = gpu.mig_capable && mode.unwrap_or(gpu.mig_enabled);
    let processes = processes(&gpu.processes, change);
    let mut values = Values(figures::of(machine, gpu, mig)?);
    derive::facts(&mut values, machine, gpu, mig);
    values.0.extend(said.0.clone());
    derive::rest(&mut values, &said, &processes);
    let instances = match change.and_then(|change| change.instances.clone()) {
        _ if !mig => Vec::new(),
        Some(made) => made,
        None => mig::instances(gpu)?,
    };
    let parts = parts(machine, gpu, &instances, &processes, of_part)?;
    Ok(Device { place, values, instances, parts, processes, accounted: gpu.accounted.clone() })
}

/// The programs of a topology, without those that ended and with those that started.
fn processes(of_topology: &[Process], change: Option<&Change>) -> Vec<Process> {
    let Some(change) = change else { return of_topology.to_vec() };
    let stays = |process: &&Process| !change.processes.contains_key(&process.pid);
    let came = change.processes.values().flatten();
    of_topology.iter().filter(stays).chain(came).cloned().collect()
}

/// What a topology says about a device, overridden by what was set.
fn said(topology: &Readings, state: &State, uuid: &str, when: When) -> Result<Values, String> {
    let mut said = Values::default();
    for (key, text) in &topology.0 {
        said.put(key, reading::show(text, key, when, None));
    }
    for (key, set) in state.of(uuid).into_iter().flat_map(|change| &change.values) {
        said.put(key, reading::show(&set.to, key, when, Some(set.at)));
    }
    Ok(said)
}

/// The MIG devices: in the topology's order, or by number if they were created later.
fn parts(
    machine: &Topology,
    gpu: &Gpu,
    instances: &[Instance],
    processes: &[Process],
    said: impl Fn(&Compute) -> Result<Values, String>,
) -> Result<Vec<Part>, String> {
    let mut all = Vec::new();
    for instance in instances {
        // The compute instances of a GPU instance share its memory.
        let here = processes.iter().filter(|process| process.gi == Some(instance.gi));
        let used: u64 = here.filter_map(|process| process.memory).sum();
        for compute in &instance.computes {
            let place = gpu.mig.iter().position(|part| part.uuid == compute.uuid).unwrap_or(usize::MAX);
            all.push(((place, instance.gi, compute.ci), part(machine, gpu, instance, compute, used, &said(compute)?)?));
        }
    }
    all.sort_by_key(|(key, _)| *key);
    Ok(all.into_iter().map(|(_, part)| part).collect())
}

fn part(
    machine: &Topology,
    gpu: &Gpu,
    instance: &Instance,
    compute: &Compute,
    used: u64,
    said: &Values,
) -> Result<Part, String> {
    let mut values = Values::default();
    let family = mig::family(gpu)?;
    if let Some(profile) = family.and_then(|family| family.named(&instance.profile)) {
        let slices = mig::compute_slices(&compute.profile, profile.slices);
        let sm = if slices == profile.slices { profile.sm } else { slices * family.map_or(0, |f| f.slice_sm) };
        let engines = [profile.ce, profile.enc, profile.dec, profile.ofa, profile.jpeg];
        for (key, count) in ["ce", "enc", "dec", "ofa", "jpg"].into_iter().zip(engines) {
            values.put(key, count.to_string());
        }
        values.put("sm", sm.to_string());
        values.put("memory.total", profile.memory(&machine.driver).to_string());
        values.put("bar1.total", profile.bar1.to_string());
    }
    values.put("memory.used", used.to_string());
    for key in ["memory.reserved", "bar1.used", "ecc.errors.uncorrected.volatile.sram"] {
        values.put(key, "0");
    }
    values.0.extend(said.0.clone());
    derive::free(&mut values, said, "memory");
    derive::free(&mut values, said, "bar1");
    Ok(Part { uuid: compute.uuid.clone(), profile: compute.profile.clone(), gi: instance.gi, ci: compute.ci, values })
}
