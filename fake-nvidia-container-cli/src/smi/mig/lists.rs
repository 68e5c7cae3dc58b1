//! The lists of profiles and instances.

use super::Run;
use crate::outcome::Outcome;
use crate::smi::text::{lines, pairs};
use crate::smi::{internal, told};
use nvidia_simulated_machine::state::mig::{self, Compute, Family, Instance, Profile};
use nvidia_simulated_machine::state::{Device, NONE};

/// The cells of a row.
type Cells = Vec<(&'static str, String)>;

impl Run<'_> {
    /// The profiles of a device's family.
    pub(super) fn family(&self, device: &Device) -> Result<&'static Family, Outcome> {
        let gpu = self.scene.machine.gpus.get(device.place);
        let family = gpu.map(mig::family).transpose().map_err(internal)?.flatten();
        family.ok_or_else(|| told("Failed to display GPU instance profiles: Unknown Error", 255))
    }

    /// A box: its head, and the rows.
    fn boxed(&self, name: &str, rows: &[Cells]) -> String {
        let layout = &self.scene.layout;
        let mut out = lines(layout.lines(&format!("{name}.head")), &|_| None);
        for row in rows {
            out.push_str(&lines(layout.lines(&format!("{name}.row")), &pairs(row)));
        }
        out
    }

    pub(super) fn profiles(&self) -> Result<String, Outcome> {
        let mut rows = Vec::new();
        for device in self.devices {
            let family = self.family(device)?;
            for profile in family.of_driver(&self.scene.machine.driver) {
                rows.push(profile_cells(device, family, profile, &self.scene.machine.driver));
            }
        }
        Ok(self.boxed("lgip", &rows))
    }

    pub(super) fn placements(&self) -> Result<String, Outcome> {
        let mut out = String::new();
        for device in self.devices {
            for profile in self.family(device)?.of_driver(&self.scene.machine.driver) {
                let starts: Vec<String> = profile.starts.iter().map(u32::to_string).collect();
                let word = if starts.len() == 1 { "Placement " } else { "Placements" };
                let (place, id, size) = (device.place, profile.id, profile.size);
                out.push_str(&format!("GPU {place:>2} Profile ID {id:>2} {word}: {{{}}}:{size}\n", starts.join(",")));
            }
        }
        Ok(out)
    }

    /// The selected instances of a device, in the order of the listed profiles, then by number.
    pub(super) fn sorted<'d>(&self, device: &'d Device) -> Result<Vec<&'d Instance>, Outcome> {
        let family = self.family(device)?;
        let rank = |instance: &Instance| family.profiles.iter().position(|p| p.name == instance.profile);
        let meant = |instance: &&Instance| self.is_meant("--gpu-instance-id", instance.gi);
        let mut all: Vec<&Instance> = device.instances.iter().filter(meant).collect();
        all.sort_by_key(|instance| (rank(instance).unwrap_or(usize::MAX), instance.gi));
        Ok(all)
    }

    pub(super) fn instances(&self) -> Result<String, Outcome> {
        let mut rows = Vec::new();
        for device in self.devices {
            let family = self.family(device)?;
            for instance in self.sorted(device)? {
                let id = family.named(&instance.profile).map_or_else(|| NONE.to_owned(), |p| p.id.to_string());
                rows.push(vec![
                    ("gpu", device.place.to_string()),
                    ("name", instance.profile.clone()),
                    ("id", id),
                    ("gi", instance.gi.to_string()),
                    ("start", instance.start.to_string()),
                    ("size", instance.size.to_string()),
                ]);
            }
        }
        if rows.is_empty() {
            return Err(told("No GPU instances found: Not Found", 6));
        }
        Ok(self.boxed("lgi", &rows))
    }

    pub(super) fn computes(&self) -> Result<String, Outcome> {
        let mut rows = Vec::new();
        for device in self.devices {
            let family = self.family(device)?;
            for instance in self.sorted(device)? {
                let slices = family.named(&instance.profile).map_or(1, |profile| profile.slices);
                let mut start = 0;
                for compute in &instance.computes {
                    let size = mig::compute_slices(&compute.profile, slices);
                    if self.is_meant("--compute-instance-id", compute.ci) {
                        rows.push(compute_cells(device, instance, compute, (slices, start, size)));
                    }
                    start += size;
                }
            }
        }
        if rows.is_empty() {
            return Err(told("No compute instances found: Not Found", 6));
        }
        Ok(self.boxed("lci", &rows))
    }

    /// The compute profiles of each GPU instance, in a box or as placements.
    pub(super) fn compute_profiles(&self, are_placements: bool) -> Result<String, Outcome> {
        let (mut rows, mut out) = (Vec::new(), String::new());
        for device in self.devices {
            let family = self.family(device)?;
            for instance in self.sorted(device)? {
                let Some(profile) = family.named(&instance.profile) else { continue };
                for (id, part) in mig::compute_profiles(profile.slices) {
                    if are_placements {
                        let starts: Vec<String> =
                            (0..=profile.slices - part).step_by(part as usize).map(|s| s.to_string()).collect();
                        let (place, gi) = (device.place, instance.gi);
                        let word = if starts.len() == 1 { "Placement " } else { "Placements" };
                        let starts = starts.join(",");
                        out.push_str(&format!(
                            "GPU {place:>2} GI {gi:>2} Profile ID {id:>2} {word}: {{{starts}}}:{part}\n"
                        ));
                    } else {
                        rows.push(compute_profile_cells(device, instance, family, (profile, id, part)));
                    }
                }
            }
        }
        if rows.is_empty() && out.is_empty() {
            return Err(told("No GPU instances found: Not Found", 6));
        }
        Ok(if are_placements { out } else { self.boxed("lcip", &rows) })
    }
}

fn profile_cells(device: &Device, family: &Family, profile: &Profile, driver: &str) -> Cells {
    vec![
        ("gpu", device.place.to_string()),
        ("name", profile.name.clone()),
        ("id", profile.id.to_string()),
        ("free", family.free(profile, &device.instances).to_string()),
        ("total", profile.total.to_string()),
        ("gib", profile.gib(driver).to_owned()),
        ("p2p", "No".to_owned()),
        ("sm", profile.sm.to_string()),
        ("dec", profile.dec.to_string()),
        ("enc", profile.enc.to_string()),
        ("ce", profile.ce.to_string()),
        ("jpeg", profile.jpeg.to_string()),
        ("ofa", profile.ofa.to_string()),
    ]
}

fn compute_cells(device: &Device, instance: &Instance, compute: &Compute, at: (u32, u32, u32)) -> Cells {
    let (slices, start, size) = at;
    let id = mig::compute_profiles(slices).find(|(_, part)| *part == size).map_or(0, |(id, _)| id);
    vec![
        ("gpu", device.place.to_string()),
        ("gi", instance.gi.to_string()),
        ("name", compute.profile.clone()),
        ("id", id.to_string()),
        ("ci", compute.ci.to_string()),
        ("start", start.to_string()),
        ("size", size.to_string()),
    ]
}

fn compute_profile_cells(device: &Device, instance: &Instance, family: &Family, of: (&Profile, u32, u32)) -> Cells {
    let (profile, id, part) = of;
    let used: u32 = instance.computes.iter().map(|c| mig::compute_slices(&c.profile, profile.slices)).sum();
    let total = profile.slices / part;
    let sm = if part == profile.slices { profile.sm } else { part * family.slice_sm };
    vec![
        ("gpu", device.place.to_string()),
        ("gi", instance.gi.to_string()),
        ("name", mig::compute_name(&instance.profile, profile.slices, part)),
        ("id", id.to_string()),
        ("star", if part == profile.slices { "*" } else { "" }.to_owned()),
        ("free", (profile.slices.saturating_sub(used) / part).to_string()),
        ("total", total.to_string()),
        ("sm", sm.to_string()),
        ("dec", profile.dec.to_string()),
        ("enc", profile.enc.to_string()),
        ("ofa", profile.ofa.to_string()),
        ("ce", profile.ce.to_string()),
        ("jpeg", profile.jpeg.to_string()),
    ]
}
