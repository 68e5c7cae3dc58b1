//! Failures on demand: what FAKE_NVIDIA_FAIL asks for, and when it is due.
//!
//! It knows names, texts and steps. The caller says which step a run has reached.

mod spec;
mod table;
mod turn;

pub use spec::{Spec, parse};
pub use table::{Named, find, named};
pub use turn::turn;

use crate::argp::wrap;
use crate::outcome::{Outcome, Stop};
use nvidia_simulated_machine::step::Step;
use std::time::Duration;

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
    /// How the failure ends the run; a delay alone does not end it.
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
