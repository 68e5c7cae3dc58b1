//! The machine as one run of nvidia-smi sees it: its devices at a moment, and the layout of its driver.

use super::layout::Layout;
use super::store::Store;
use super::{Given, internal, told};
use crate::outcome::Outcome;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use nvidia_simulated_machine::select::early_name;
use nvidia_simulated_machine::state::{self, Device, NONE, When};
use nvidia_simulated_machine::topology::Topology;

/// What runs are based on.
#[derive(Clone, Debug)]
pub struct Host {
    /// What this place sees.
    pub given: Given,
    /// Where changes are kept.
    pub store: Store,
}

/// A moment.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// As the wall clock shows it.
    pub(super) local: DateTime,
    /// In ms since 1970.
    pub(super) ms: u64,
}

/// A machine at a moment.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) machine: Topology,
    pub(super) layout: Layout,
    pub(super) devices: Vec<Device>,
    pub(super) now: Moment,
}

impl Host {
    /// The machine now, as a run that looks once sees it.
    pub(super) fn scene(&self) -> Result<Scene, Outcome> {
        self.scene_of_round(1)
    }

    /// The machine now, as a round of a loop sees it. Rounds count from 1: each is a call of the program.
    pub(super) fn scene_of_round(&self, round: u64) -> Result<Scene, Outcome> {
        let machine = self.given.machine.clone();
        let now = moment(machine.clock.as_deref()).map_err(internal)?;
        let state = self.store.read().map_err(internal)?;
        let mut devices = state::devices(&machine, &state, When { now: now.ms, call: round }).map_err(internal)?;
        for device in &mut devices {
            // A program without a name uses memory, but is another's: see `given`.
            device.processes.retain(|process| !process.name.is_empty());
        }
        for (device, _) in devices.iter_mut().zip(&self.given.hidden).filter(|(_, hidden)| **hidden) {
            for key in ["total", "reserved", "used", "free"] {
                device.values.0.insert(format!("memory.{key}"), NONE.to_owned());
            }
            // Parts made since the container started were not given to it.
            let parts = self.given.machine.gpus.get(device.place).map_or(&[][..], |gpu| gpu.mig.as_slice());
            device.parts.retain(|part| parts.iter().any(|given| given.uuid == part.uuid));
        }
        let layout = Layout::of(&machine.driver).map_err(internal)?;
        Ok(Scene { layout, devices, now, machine })
    }
}

/// The time that a machine shows, or the time of day.
fn moment(clock: Option<&str>) -> Result<Moment, String> {
    let (local, stamp) = match clock {
        Some(text) => {
            let local: DateTime = text.parse().map_err(|why| format!("clock `{text}`: {why}"))?;
            let zoned = local.to_zoned(TimeZone::UTC).map_err(|why| format!("clock `{text}`: {why}"))?;
            (local, zoned.timestamp())
        }
        None => {
            let now = Zoned::now();
            (now.datetime(), now.timestamp())
        }
    };
    Ok(Moment { local, ms: u64::try_from(Timestamp::as_millisecond(stamp)).unwrap_or_default() })
}

impl Moment {
    /// `Tue Sep  1 20:42:06 2026`.
    pub(super) fn line(&self) -> String {
        self.local.strftime("%a %b %e %H:%M:%S %Y").to_string()
    }

    /// `2026/09/01 20:42:06.675`.
    pub(super) fn stamp(&self) -> String {
        self.local.strftime("%Y/%m/%d %H:%M:%S.%3f").to_string()
    }
}

impl Scene {
    /// The devices of `-i`: by index, UUID, serial or bus, separated by commas; all devices without it.
    pub(super) fn chosen(&self, ids: Option<&str>) -> Result<Vec<&Device>, Outcome> {
        if self.devices.is_empty() {
            return Err(told("No devices were found", 6));
        }
        let Some(ids) = ids else { return Ok(self.devices.iter().collect()) };
        let mut chosen: Vec<&Device> = Vec::new();
        for id in ids.split(',').map(str::trim) {
            let found = self.devices.iter().filter(|device| is(device, id));
            let before = chosen.len();
            chosen.extend(found);
            if chosen.len() == before {
                return Err(told("No devices were found", 6));
            }
        }
        chosen.sort_by_key(|device| device.place);
        chosen.dedup_by_key(|device| device.place);
        Ok(chosen)
    }

    /// An error if one of the devices is lost: not even a reset reaches it.
    pub(super) fn none_is_lost(&self, devices: &[&Device]) -> Result<(), Outcome> {
        let lost: Vec<&Device> = devices.iter().copied().filter(|device| device.is("lost")).collect();
        self.all_answer(&lost)
    }

    /// An error if one of the devices does not answer.
    pub(super) fn all_answer(&self, devices: &[&Device]) -> Result<(), Outcome> {
        for device in devices {
            let bus = device.get("pci.bus_id");
            let legacy = bus.get(4..).unwrap_or(bus).to_owned();
            let line = |name: &str| {
                let value = |key: &str| (key == "legacy").then(|| legacy.clone());
                super::text::fill(self.layout.line(name), &value)
            };
            if device.is("lost") {
                return Err(told(&line("error.lost"), 15));
            }
            if device.is("sick") {
                return Err(told(&line("error.sick"), 255));
            }
            if device.is("reset_needed") {
                return Err(told(&line("error.reset"), 16));
            }
        }
        Ok(())
    }

    /// The version of the library, without its third part.
    pub(super) fn nvml(&self) -> String {
        self.machine.driver.split('.').take(2).collect::<Vec<_>>().join(".")
    }

    /// The CUDA version; 0 means a machine without a user-mode driver.
    pub(super) fn cuda(&self) -> &str {
        if self.machine.cuda == "0" { NONE } else { &self.machine.cuda }
    }

    /// The versions for a template.
    pub(super) fn versions(&self) -> [(&'static str, String); 3] {
        [("driver", self.machine.driver.clone()), ("cuda", self.cuda().to_owned()), ("nvml", self.nvml())]
    }

    /// The name of a MIG device; drivers before 470 made it from the GPU's name.
    pub(super) fn part_uuid(&self, device: &Device, part: &state::Part) -> String {
        if state::figures::within(&self.machine.driver, None, Some("470")) {
            early_name(device.get("uuid"), part.gi, part.ci)
        } else {
            part.uuid.clone()
        }
    }
}

/// Whether an id is the device's.
fn is(device: &Device, id: &str) -> bool {
    let bus = device.get("pci.bus_id");
    let names = [&device.place.to_string(), device.get("uuid"), device.get("serial"), bus, bus.get(4..).unwrap_or(bus)];
    let short = |text: &str| text.trim_start_matches('0').to_ascii_lowercase();
    names.iter().any(|name| name.eq_ignore_ascii_case(id)) || (id.contains(':') && short(bus) == short(id))
}
