//! The container's environment as the hook reads it (SPEC section 6): only the variables of the contract are kept.
//! Must not know what a variable asks for.

use std::borrow::Cow;

use serde::de::{Error as _, SeqAccess};

use super::json_dialect::{Item, Items, Text};
use crate::contract::variables::{CUDA_VERSION, PREFIX, REQUIRE_CUDA};

/// Variables of the container that belong to the contract, in the order of `process.env`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ImageEnvironment<'a> {
    entries: Vec<Variable<'a>>,
    /// The index of an entry without `=`, which makes the whole environment invalid.
    pub faulty_entry: Option<usize>,
}

/// An entry `NAME=VALUE`, kept whole so that it can borrow from the document.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable<'a> {
    entry: Cow<'a, str>,
    equals: usize,
}

impl Variable<'_> {
    fn name(&self) -> &str {
        self.entry.get(..self.equals).unwrap_or_default()
    }

    fn value(&self) -> &str {
        self.entry.get(self.equals + 1..).unwrap_or_default()
    }
}

impl<'a> ImageEnvironment<'a> {
    /// The environment in a list of entries; `swarm` names the variables of the configuration.
    pub fn new(entries: impl IntoIterator<Item = Cow<'a, str>>, swarm: &[&str]) -> Self {
        let mut environment = ImageEnvironment::default();
        for (index, entry) in entries.into_iter().enumerate() {
            environment.add(index, entry, swarm);
        }
        environment
    }

    fn add(&mut self, index: usize, entry: Cow<'a, str>, swarm: &[&str]) {
        let Some(equals) = entry.bytes().position(|byte| byte == b'=') else {
            self.faulty_entry.get_or_insert(index);
            return;
        };
        let name = entry.get(..equals).unwrap_or_default();
        if name.starts_with(PREFIX) || name == CUDA_VERSION || swarm.contains(&name) {
            self.entries.push(Variable { entry, equals });
        }
    }

    /// The value of a variable; the last entry with its name counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().rev().find(|variable| variable.name() == name).map(Variable::value)
    }

    /// Names and values in the order of `process.env`, including the earlier entries of a repeated name.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.entries.iter().map(|variable| (variable.name(), variable.value()))
    }

    /// Whether this is a legacy image: it names the CUDA version it was built with, but no requirement (SPEC section
    /// 6).
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        let filled = |name| self.get(name).is_some_and(|value| !value.is_empty());
        filled(CUDA_VERSION) && !filled(REQUIRE_CUDA)
    }
}

/// Reads `process.env`.
pub(super) struct EnvironmentReader<'a, 's> {
    pub(super) environment: ImageEnvironment<'a>,
    pub(super) swarm: &'s [&'s str],
}

impl<'de> Items<'de> for EnvironmentReader<'de, '_> {
    const NAME: &'static str = "process.env";

    fn item<A: SeqAccess<'de>>(&mut self, index: usize, item: &mut Item<'_, A>) -> Result<(), A::Error> {
        let entry = item.read(Text("an entry of process.env"));
        let entry = entry.map_err(|error| A::Error::custom(format_args!("process.env[{index}]: {error}")))?;
        if let Some(entry) = entry {
            self.environment.add(index, entry, self.swarm);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(entries: &[&'a str]) -> ImageEnvironment<'a> {
        ImageEnvironment::new(entries.iter().map(|entry| Cow::Borrowed(*entry)), &["SWARM"])
    }

    #[test]
    fn only_variables_of_the_contract_are_kept_and_the_last_of_a_name_counts() {
        let it = environment(&["TOKEN=secret", "NVIDIA_X=1", "SWARM=a=b", "NVIDIA_X=2"]);
        assert_eq!(it.iter().collect::<Vec<_>>(), [("NVIDIA_X", "1"), ("SWARM", "a=b"), ("NVIDIA_X", "2")]);
        assert_eq!((it.get("NVIDIA_X"), it.get("TOKEN")), (Some("2"), None));
    }

    #[test]
    fn an_image_is_legacy_with_a_cuda_version_and_no_requirement() {
        assert!(environment(&["CUDA_VERSION=9", "NVIDIA_REQUIRE_CUDA="]).is_legacy());
        assert!(!environment(&["CUDA_VERSION="]).is_legacy());
        assert!(!environment(&["CUDA_VERSION=9", "NVIDIA_REQUIRE_CUDA=cuda>=9"]).is_legacy());
    }
}
