//! Failures on demand: what FAKE_NVIDIA_FAIL asks for, and when it is due.
//!
//! It knows names, texts and steps. Which step a run has reached is told to it.

mod spec;
mod table;
mod turn;

pub use spec::{Spec, parse};
pub use table::{NAMED, Named, find};
pub use turn::turn;

use crate::argp::wrap;
use crate::outcome::{Outcome, Stop};
use std::fmt;
use std::time::Duration;

/// The steps of a run, in the real program's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Before the command line is read.
    Start,
    /// The capabilities of the process.
    Caps,
    /// The list of IMEX channels.
    Imex,
    /// The library and the driver.
    Init,
    /// The container.
    Container,
    /// Versions and files of the driver.
    DriverInfo,
    /// The devices.
    DeviceInfo,
    /// `--device`.
    Device,
    /// `--mig-config`.
    MigConfig,
    /// `--mig-monitor`.
    MigMonitor,
    /// `--require`.
    Requirement,
    /// The driver's files in the container.
    Mount,
    /// ldconfig in the container.
    Ldcache,
    /// After all else.
    End,
}

/// Each step with the word for it.
pub const STEPS: [(Step, &str); 14] = [
    (Step::Start, "start"),
    (Step::Caps, "caps"),
    (Step::Imex, "imex"),
    (Step::Init, "init"),
    (Step::Container, "container"),
    (Step::DriverInfo, "driver_info"),
    (Step::DeviceInfo, "device_info"),
    (Step::Device, "device"),
    (Step::MigConfig, "mig_config"),
    (Step::MigMonitor, "mig_monitor"),
    (Step::Requirement, "requirement"),
    (Step::Mount, "mount"),
    (Step::Ldcache, "ldcache"),
    (Step::End, "end"),
];

impl Step {
    /// The step of a word; `-` may stand for `_`.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let word = word.replace('-', "_");
        STEPS.iter().find(|(_, name)| *name == word).map(|(step, _)| *step)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STEPS.iter().find(|(step, _)| step == self).map_or("", |(_, name)| name))
    }
}

/// A failure that waits for its step.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    spec: Option<Spec>,
    rootfs: String,
}

impl Pending {
    /// Arms a failure; `rootfs` is the container's root, which some texts name.
    #[must_use]
    pub fn new(spec: Option<Spec>, rootfs: &str) -> Self {
        Self { spec, rootfs: rootfs.to_owned() }
    }

    /// Called at each step: waits or fails if the failure is due now.
    pub fn at(&self, step: Step, program: &str) -> Result<(), Stop> {
        let Some(spec) = self.spec.as_ref().filter(|s| s.step == step) else { return Ok(()) };
        std::thread::sleep(Duration::from_millis(spec.delay_ms));
        match spec.ending(program, &self.rootfs) {
            None => Ok(()),
            Some(outcome) => Err(Stop::Text(outcome)),
        }
    }
}

impl Spec {
    /// What the failure ends the run with; a delay alone ends nothing.
    #[must_use]
    pub fn ending(&self, program: &str, rootfs: &str) -> Option<Outcome> {
        let ends = self.exit.is_some() || self.signal.is_some() || self.stderr.is_some() || self.hang;
        let program = if self.real { "nvidia-container-cli.real" } else { program };
        let fill = |text: &str| {
            let try_help = wrap(&format!(
                "Try `{program} configure --help' or `{program} configure --usage' for more information."
            ));
            text.replace("{TRY}", try_help.trim_end()).replace("{PROGRAM}", program).replace("{ROOTFS}", rootfs)
        };
        ends.then(|| Outcome {
            stdout: String::new(),
            stderr: self.stderr.as_deref().map(fill).unwrap_or_default(),
            exit: self.exit.unwrap_or(1),
            signal: self.signal,
            hang: self.hang,
        })
    }
}
