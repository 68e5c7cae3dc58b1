//! The steps of a run of `nvidia-container-cli`, in its order: a machine can make one of them fail.
//!
//! It knows names and their order, not what a step does.

use std::fmt;

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
    /// The container's root and process.
    Container,
    /// Versions and files of the driver.
    DriverInfo,
    /// What the driver reports about each device.
    DeviceInfo,
    /// The list of `--device`.
    Device,
    /// The right of `--mig-config`.
    MigConfig,
    /// The right of `--mig-monitor`.
    MigMonitor,
    /// The expressions of `--require`.
    Requirement,
    /// The driver's files in the container.
    Mount,
    /// ldconfig in the container.
    Ldcache,
    /// After everything else has succeeded.
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
    /// The step for a word; `-` can stand for `_`.
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
