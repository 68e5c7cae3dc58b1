//! Making and destroying instances. What was done before an error stays done, as with the real program.

use super::Run;
use crate::outcome::Outcome;
use crate::smi::Lost;
use crate::smi::text::{fill, pairs};
use nvidia_simulated_machine::state::Device;
use nvidia_simulated_machine::state::mig::{self, Compute, Family, Instance, Profile};

/// What NVML says, and its number, which is the exit code.
type Refusal = (&'static str, i32);

const RESOURCES: Refusal = ("Insufficient Resources", 23);
const ARGUMENT: Refusal = ("Invalid Argument", 2);
const IN_USE: Refusal = ("In use by another client", 19);
const PERMISSIONS: Refusal = ("Insufficient Permissions", 4);
const NOT_FOUND: Refusal = ("Not Found", 6);

/// The lines of a run, and how it ends.
#[derive(Default)]
struct Story {
    lines: String,
    refusal: Option<Refusal>,
}

impl Story {
    fn tell(&mut self, line: &str) {
        self.lines.push_str(line);
        self.lines.push('\n');
    }

    /// Ends a run in which something is not destroyed: the program does not try those that follow.
    fn stop(mut self, from: &str, refusal: Refusal, what: &str) -> Outcome {
        self.tell(&format!("Unable to destroy {from}: {}", refusal.0));
        self.refusal = Some(refusal);
        self.end(what)
    }

    /// Ends a run: `what` could not be done, if something was refused.
    fn end(mut self, what: &str) -> Outcome {
        let exit = match self.refusal {
            None => 0,
            Some((words, code)) => {
                self.tell(&format!("Failed to {what}: {words}"));
                code
            }
        };
        Outcome { stdout: self.lines, exit, ..Outcome::default() }
    }
}

impl Run<'_> {
    /// Changes the instances of a device as they are at that moment: other runs may change them too.
    fn update<T>(
        &self,
        device: &Device,
        change: impl Fn(&mut Vec<Instance>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let uuid = device.get("uuid");
        let mut refused = None;
        let kept = self.host.store.change(&self.host.given.machine, |state| {
            let now = state.of(uuid).and_then(|own| own.instances.clone());
            let mut all = now.unwrap_or_else(|| device.instances.clone());
            let made = change(&mut all).map_err(|refusal| refused = Some(refusal)).map_err(|()| String::new())?;
            state.devices.entry(uuid.to_owned()).or_default().instances = Some(all);
            Ok(made)
        });
        kept.map_err(|lost| match (refused, lost) {
            (Some(refusal), _) => refusal,
            // What is wrong in itself is refused as such, whoever asks.
            (None, Lost::Denied) => change(&mut device.instances.clone()).err().unwrap_or(PERMISSIONS),
            (None, Lost::Fault(_)) => ("Unknown Error", 255),
        })
    }

    /// `-cgi`.
    pub(super) fn create(&self) -> Result<Outcome, Outcome> {
        let asked = self.options.get("--create-gpu-instance").unwrap_or_default();
        let with_compute = self.options.has("--default-compute-instance");
        let mut story = Story::default();
        for device in self.devices {
            let family = self.family(device)?;
            for word in asked.split(',').map(str::trim) {
                let gi = match self.update(device, |all| self.one(family, word, all)) {
                    Ok(made) => {
                        self.tell_created(&mut story, device, family, &made);
                        made.gi
                    }
                    Err(refusal) => {
                        let (place, why) = (device.place, refusal.0);
                        story.tell(&format!(
                            "Unable to create a GPU instance on GPU {place:>2} using profile {word}: {why}"
                        ));
                        story.refusal = Some(refusal);
                        return Ok(story.end("create GPU instances"));
                    }
                };
                if with_compute {
                    self.add_compute(&mut story, device, family, (gi, None));
                }
            }
        }
        Ok(story.end("create GPU instances"))
    }

    /// Makes one instance by profile number or name, and at `:START` if that is given.
    fn one(&self, family: &Family, word: &str, all: &mut Vec<Instance>) -> Result<Instance, Refusal> {
        let (name, start) = word.split_once(':').map_or((word, None), |(name, start)| (name, Some(start)));
        let name = name.strip_prefix("MIG ").unwrap_or(name);
        let driver = &self.scene.machine.driver;
        let is = |p: &&Profile| p.id.to_string() == name || p.name == name;
        let profile = family.of_driver(driver).find(is).ok_or(ARGUMENT)?;
        let mut there = all.clone();
        if let Some(start) = start {
            // Every other place counts as taken, so that this one is found.
            let start: u32 = start.parse().map_err(|_| ARGUMENT)?;
            if !profile.starts.contains(&start) {
                return Err(ARGUMENT);
            }
            let others = profile.starts.iter().filter(|other| **other != start);
            there.extend(others.map(|other| Instance { gi: u32::MAX, start: *other, size: 1, ..Instance::default() }));
        }
        let (gi, start) = family.room(profile, &there).ok_or(RESOURCES)?;
        let made = Instance { gi, profile: profile.name.clone(), start, size: profile.size, computes: Vec::new() };
        all.push(made.clone());
        Ok(made)
    }

    fn tell_created(&self, story: &mut Story, device: &Device, family: &Family, instance: &Instance) {
        let told = [
            ("gpu", device.place.to_string()),
            ("gi", instance.gi.to_string()),
            ("name", instance.profile.clone()),
            ("id", family.named(&instance.profile).map_or(0, |profile| profile.id).to_string()),
        ];
        story.tell(&fill(self.scene.layout.line("mig.created"), &pairs(&told)));
    }

    /// `-cci`: in each selected GPU instance, each profile of the list; without a list, the whole instance.
    pub(super) fn create_computes(&self) -> Result<Outcome, Outcome> {
        let asked = self.options.get("--create-compute-instance").unwrap_or_default();
        let mut story = Story::default();
        let mut found = false;
        for device in self.devices {
            let family = self.family(device)?;
            let meant: Vec<u32> = self.sorted(device)?.iter().map(|instance| instance.gi).collect();
            for gi in meant {
                found = true;
                for word in asked.split(',').map(str::trim) {
                    let word = Some(word).filter(|word| !word.is_empty());
                    self.add_compute(&mut story, device, family, (gi, word));
                    if story.refusal.is_some() {
                        return Ok(story.end("create compute instances"));
                    }
                }
            }
        }
        if found { Ok(story.end("create compute instances")) } else { Err(none("GPU")) }
    }

    /// Makes a compute instance in a GPU instance, and reports it.
    fn add_compute(&self, story: &mut Story, device: &Device, family: &Family, (gi, word): (u32, Option<&str>)) {
        match self.update(device, |all| compute(device, all, family, (gi, word))) {
            Ok((compute, id)) => {
                let told = [
                    ("gpu", device.place.to_string()),
                    ("gi", gi.to_string()),
                    ("ci", compute.ci.to_string()),
                    ("name", compute.profile),
                    ("id", id.to_string()),
                ];
                story.tell(&fill(self.scene.layout.line("mig.created.compute"), &pairs(&told)));
            }
            Err(refusal) => {
                let (place, why) = (device.place, refusal.0);
                let word = word.unwrap_or("0");
                story.tell(&format!(
                    "Unable to create a compute instance on GPU {place:>2} GPU instance ID {gi:>2} using profile {word}: {why}"
                ));
                story.refusal = Some(refusal);
            }
        }
    }

    /// `-dgi`.
    pub(super) fn destroy(&self) -> Result<Outcome, Outcome> {
        let mut story = Story::default();
        let mut found = false;
        for device in self.devices {
            for instance in self.sorted(device)? {
                found = true;
                let (gi, place) = (instance.gi, device.place);
                let done = self.update(device, |all| {
                    let there = all.iter().find(|other| other.gi == gi).ok_or(NOT_FOUND)?;
                    if !there.computes.is_empty() {
                        return Err(IN_USE);
                    }
                    all.retain(|other| other.gi != gi);
                    Ok(())
                });
                match done {
                    Ok(()) => {
                        story.tell(&format!("Successfully destroyed GPU instance ID {gi:>2} from GPU {place:>2}"))
                    }
                    Err(refusal) => {
                        let from = format!("GPU instance ID {gi:>2} from GPU {place:>2}");
                        return Ok(story.stop(&from, refusal, "destroy GPU instances"));
                    }
                }
            }
        }
        if found { Ok(story.end("destroy GPU instances")) } else { Err(none("GPU")) }
    }

    /// `-dci`.
    pub(super) fn destroy_computes(&self) -> Result<Outcome, Outcome> {
        let mut story = Story::default();
        let mut found = false;
        for device in self.devices {
            for instance in self.sorted(device)? {
                for compute in instance.computes.iter().filter(|c| self.is_meant("--compute-instance-id", c.ci)) {
                    found = true;
                    let (gi, ci, place) = (instance.gi, compute.ci, device.place);
                    let is_busy = device.processes.iter().any(|p| p.gi == Some(gi) && p.ci.unwrap_or_default() == ci);
                    let from = format!("compute instance ID {ci:>2} from GPU {place:>2} GPU instance ID {gi:>2}");
                    let done = self.update(device, |all| {
                        let there = all.iter_mut().find(|other| other.gi == gi).ok_or(NOT_FOUND)?;
                        if is_busy {
                            return Err(IN_USE);
                        }
                        there.computes.retain(|other| other.ci != ci);
                        Ok(())
                    });
                    match done {
                        Ok(()) => story.tell(&format!("Successfully destroyed {from}")),
                        Err(refusal) => return Ok(story.stop(&from, refusal, "destroy compute instances")),
                    }
                }
            }
        }
        if found { Ok(story.end("destroy compute instances")) } else { Err(none("compute")) }
    }
}

fn none(what: &str) -> Outcome {
    let (words, exit) = NOT_FOUND;
    Outcome { stdout: format!("No {what} instances found: {words}\n"), exit, ..Outcome::default() }
}

/// Makes a compute instance by profile number or name; without a word, it takes the whole GPU instance.
fn compute(
    device: &Device,
    all: &mut [Instance],
    family: &Family,
    (gi, word): (u32, Option<&str>),
) -> Result<(Compute, u32), Refusal> {
    let instance = all.iter_mut().find(|instance| instance.gi == gi).ok_or(NOT_FOUND)?;
    let slices = family.named(&instance.profile).ok_or(ARGUMENT)?.slices;
    let name = |part: u32| mig::compute_name(&instance.profile, slices, part);
    let is = |(id, part): &(u32, u32)| match word.map(|word| word.trim_end_matches('*')) {
        None => *part == slices,
        Some(word) => id.to_string() == word || name(*part) == word.strip_prefix("MIG ").unwrap_or(word),
    };
    let (id, part) = mig::compute_profiles(slices).find(is).ok_or(ARGUMENT)?;
    let used: u32 = instance.computes.iter().map(|c| mig::compute_slices(&c.profile, slices)).sum();
    if used + part > slices {
        return Err(RESOURCES);
    }
    let profile = name(part);
    let ci = (0..).find(|ci| instance.computes.iter().all(|other| other.ci != *ci)).unwrap_or_default();
    let uuid = mig::uuid(device.get("uuid"), gi, ci);
    let made = Compute { ci, profile, uuid, ..Compute::default() };
    instance.computes.push(made.clone());
    Ok((made, id))
}
