//! What a machine shows at a moment: each GPU's sensors and settings, its parts, the programs on it.
//!
//! It is assembled from layers: what every GPU shows, what its architecture, brand and model add, what the driver's
//! version and MIG mode change (all three in `figures/`), what the topology says, and what was set since ([`State`]).
//! It does not know how values are presented: a value is text without a unit, and `N/A` is one that a GPU does not
//! have.
//!
//! ```
//! use nvidia_simulated_machine::state::{self, State};
//! use nvidia_simulated_machine::topology;
//!
//! let machine = topology::load(Some("h100-mig"))?;
//! let mut state = State::default();
//! state.set(&machine.gpus[0].uuid, "temperature.gpu", "81", 0)?;
//! let device = state::device(&machine, 0, &state, 0)?;
//! assert_eq!((device.get("temperature.gpu"), device.get("power.limit")), ("81", "700"));
//! assert_eq!(device.parts[0].get("memory.total"), "40448");
//! # Ok::<(), String>(())
//! ```

mod changes;
pub mod connections;
mod derive;
mod device;
pub mod figures;
pub mod mig;
mod reading;

pub use changes::{Change, Set, State, VERSION, process};
pub use derive::irq;
pub use device::{Device, Part, device, devices};
pub use reading::When;

use std::collections::BTreeMap;

/// The value of a key that a GPU does not have.
pub const NONE: &str = "N/A";

/// The values of a key that is one of these where nothing is said.
const FLAG: [&str; 2] = ["false", "true"];

/// What is wrong with a key or its value, if anything.
pub fn check(key: &str, value: &str) -> Result<(), String> {
    if !figures::known(key)? {
        return Err(format!("`{key}` is not a key; `fake-nvidia-container-cli set --keys` lists them"));
    }
    reading::check(value).map_err(|why| format!("{key}: {why}"))?;
    let is_flag = figures::vocabulary()?.get(key).is_some_and(|word| FLAG.contains(&word.as_str()));
    let wrong = |word: &&str| !word.is_empty() && *word != NONE && !FLAG.contains(word);
    match reading::ends(value).into_iter().find(wrong) {
        Some(word) if is_flag => Err(format!("{key}: `{word}` is neither true nor false")),
        _ => Ok(()),
    }
}

/// Values by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(pub BTreeMap<String, String>);

impl Values {
    /// The value of a key; [`NONE`] if the key is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or(NONE, String::as_str)
    }

    /// Sets the value of a key.
    pub(crate) fn put(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// The value as a whole number; a fraction is rounded.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<i64> {
        figures::thousandths(self.get(key)).map(|n| (n + if n < 0 { -500 } else { 500 }) / 1000)
    }

    /// Whether the value is `true`.
    #[must_use]
    pub fn is(&self, key: &str) -> bool {
        self.get(key).eq_ignore_ascii_case("true")
    }
}
