//! Whether the hook serves a request, which it does only in mode `legacy` (SPEC section 10). Must not know arguments.

pub mod ldcache;
pub mod platform;

use std::fmt::{self, Display};

use platform::Platform;

use crate::config::Config;
use crate::contract::keys::Key;
use crate::error::{Doubt, Error};
use crate::host::Host;
use crate::invocation::Environ;
use crate::request::devices::Devices;
use crate::text::Excerpt;

/// The only mode that the hook serves.
const LEGACY: &str = "legacy";

/// How the mode was found. It is shown as the line that people quote in reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The configuration skips mode detection.
    Skipped,
    /// The configuration names the mode.
    Requested(String),
    /// `auto`, and all requested devices are CDI names.
    Cdi,
    /// `auto`, found by the kind of machine.
    Detected(Platform),
}

impl Mode {
    /// Finds the mode. Looks at the machine only if the configuration leaves the choice to it.
    ///
    /// # Errors
    /// [`Error::Machine`].
    pub fn find(config: &Config<'_>, devices: &Devices, environ: Environ<'_>, host: &dyn Host) -> Result<Mode, Error> {
        if config.flag(Key::HookSkipModeDetection) {
            return Ok(Mode::Skipped);
        }
        Ok(match config.text(Key::RuntimeMode) {
            "auto" if devices.are_all_cdi() => Mode::Cdi,
            "auto" => {
                let detected = Platform::detect(host, environ);
                Mode::Detected(detected.map_err(|question| question.leaves(Doubt::Platform))?)
            }
            other => Mode::Requested(other.to_owned()),
        })
    }

    /// The mode's name; `None` if detection is skipped.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Mode::Skipped => None,
            Mode::Requested(name) => Some(name),
            Mode::Cdi => Some("cdi"),
            Mode::Detected(platform) => Some(platform.mode()),
        }
    }

    /// Whether the hook serves this mode: `legacy`, or detection is skipped.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.name().is_none_or(|name| name == LEGACY)
    }

    /// Succeeds in mode `legacy`, or if detection is skipped.
    ///
    /// # Errors
    /// [`Error::Mode`], with what was found and why.
    pub fn require_legacy(&self, config: &Config<'_>) -> Result<(), Error> {
        if self.is_served() {
            return Ok(());
        }
        let place = config.place(Key::RuntimeMode);
        let reason = match self {
            Mode::Cdi => {
                format!("nvidia-container-runtime.mode is auto ({place}), and all requested devices are CDI names")
            }
            Mode::Detected(platform) => {
                format!("nvidia-container-runtime.mode is auto ({place}), and this is {}", platform.words())
            }
            Mode::Skipped | Mode::Requested(_) => {
                format!("nvidia-container-runtime.mode is not legacy or auto ({place})")
            }
        };
        Err(Error::Mode { found: self.to_string(), reason })
    }
}

impl Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mode::Skipped => f.write_str("Mode detection is skipped"),
            Mode::Requested(name) => write!(f, "Using requested mode '{}'", Excerpt(name)),
            Mode::Cdi | Mode::Detected(_) => {
                write!(f, "Auto-detected mode as '{}'", self.name().unwrap_or_default())
            }
        }
    }
}
