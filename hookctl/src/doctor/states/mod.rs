//! The table of host states that keep GPUs from containers: what each is, the lines that users see because of it, what
//! to do, and where it was reported. `doctor` finds them, `why` asks for them, and docs/troubleshooting.md is made from
//! the table. Must not know how a state is found.

mod driver;
mod engines;
mod system;
mod tools;

pub use driver::*;
pub use engines::*;
pub use system::*;
pub use tools::*;

use crate::finding::Severity;

/// A state.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// Its name, for people and programs.
    pub id: &'static str,
    /// Its usual severity; what else is seen may lower it.
    pub severity: Severity,
    /// What it is, in a sentence.
    pub what: &'static str,
    /// What users see because of it, in the words of the program that prints it.
    pub lines: &'static [&'static str],
    /// What to do, unless something about the host calls for another remedy.
    pub remedy: &'static str,
    /// Public reports and documents that describe it.
    pub sources: &'static [&'static str],
}

impl State {
    /// The line that nvidia-container-cli prints if this state keeps it from starting a container; `None` for states
    /// that it does not see or that do not stop it, and where the line depends on more than the state.
    #[must_use]
    pub fn refusal(&self) -> Option<&'static str> {
        let is_certain = [DRIVER, SYSTEM, TOOLS].into_iter().flatten().any(|state| state.id == self.id);
        // Containers that ask for all GPUs start without one. The lines of the others hold names that are examples.
        const EXAMPLES: [&State; 7] =
            [&NO_GPU, &NODE_MISSING, &NODE_IS_A_FILE, &MIG_NODE_MISSING, &HIDEPID, &NESTED_CGROUPS, &NO_SECCOMP];
        if !is_certain || EXAMPLES.into_iter().any(|state| state.id == self.id) {
            return None;
        }
        self.lines.iter().copied().find(|line| line.starts_with("nvidia-container-cli: "))
    }
}

/// Declares states as constants, and the list of them.
macro_rules! states {
    ($list:ident: $($name:ident $id:literal $severity:ident $what:literal says $lines:expr; do $remedy:literal from $sources:expr;)+) => {
        $(#[doc = $what]
        pub static $name: $crate::doctor::states::State = $crate::doctor::states::State {
            id: $id,
            severity: $crate::finding::Severity::$severity,
            what: $what,
            lines: &$lines,
            remedy: $remedy,
            sources: &$sources,
        };)+
        /// The states of this file, in the order of the document.
        pub static $list: &[&$crate::doctor::states::State] = &[$(&$name),+];
    };
}
pub(crate) use states;

/// Every state, in the order of the document.
pub fn all() -> impl Iterator<Item = &'static State> {
    [DRIVER, SYSTEM, TOOLS, ENGINES].into_iter().flatten().copied()
}

/// How many states there are.
#[must_use]
pub fn count() -> usize {
    all().count()
}

/// The state with this name.
#[must_use]
pub fn named(id: &str) -> Option<&'static State> {
    all().find(|state| state.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_state_is_told_once_and_in_full() {
        let mut ids = BTreeSet::new();
        for state in all() {
            assert!(ids.insert(state.id), "{} is there twice", state.id);
            assert!(state.what.ends_with('.') && !state.remedy.is_empty(), "{}", state.id);
            assert!(!state.sources.is_empty(), "{} has no source", state.id);
            assert!(state.severity > Severity::Ok, "{}", state.id);
        }
        assert_eq!(named("version-mismatch").map(|state| state.id), Some("version-mismatch"));
        assert_eq!(named("x"), None);
    }
}
