//! Where a part of the plan came from, and where a key is in a configuration file. Values only: the code that shows an
//! origin looks up lines and names.

use std::fmt::{self, Display};
use std::path::PathBuf;

use crate::contract::keys::Key;

/// What [`Origin::Machine`] names: the user namespace in which a start runs.
pub const USER_NAMESPACE: &str = "user namespace";
/// The user that a start runs as.
pub const EFFECTIVE_USER: &str = "effective user";

/// The input that an argument, a program or a variable comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A key of the configuration: set in the file, or its default.
    Config(Key),
    /// A variable of the container's environment (`process.env`).
    Variable(String),
    /// Several inputs of one kind, in the order in which they were used (swarm variables, device mounts).
    Several(Vec<Origin>),
    /// A mount of the container: its index in `mounts`.
    Mount(usize),
    /// No input asked for it: the rule for a legacy image (section 6) when the variable is unset.
    LegacyImage(&'static str),
    /// No input asked for it: the rule for every image when the variable is unset or empty.
    Unset(&'static str),
    /// A member of the container state.
    State(&'static str),
    /// A member of `config.json`.
    Spec(&'static str),
    /// A flag of the hook's own command line.
    Flag(&'static str),
    /// The directory, counted in the order of the search, in which the program was found.
    Search(usize),
    /// A key that leaves something to the machine, and what the machine said about the start.
    Machine(Key, &'static str),
    /// The contract itself.
    Fixed,
}

impl Origin {
    /// The inputs that it names, one by one.
    #[must_use]
    pub fn each(&self) -> &[Origin] {
        match self {
            Origin::Several(origins) => origins,
            one => std::slice::from_ref(one),
        }
    }
}

/// The name of the input, as a person would look for it.
impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Config(key) => f.write_str(key.row().name),
            Origin::Variable(name) => f.write_str(name),
            Origin::Several(origins) => {
                for (index, origin) in origins.iter().enumerate() {
                    write!(f, "{}{origin}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Origin::Mount(index) => write!(f, "mounts[{index}]"),
            Origin::LegacyImage(_) => f.write_str("legacy image"),
            Origin::Unset(name) => write!(f, "{name} is unset or empty"),
            Origin::State(member) => write!(f, "{member} of the container state"),
            Origin::Spec(member) => write!(f, "{member} of config.json"),
            Origin::Flag(flag) => write!(f, "flag {flag} of the hook"),
            Origin::Search(index) => write!(f, "directory {} of the search", index + 1),
            Origin::Machine(key, what) => write!(f, "{}, {what} of the start", key.row().name),
            Origin::Fixed => f.write_str("always"),
        }
    }
}

/// A place in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The configuration file, as it was given or searched.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// Nowhere: the key has its default.
    Default(&'static str),
}

impl Place {
    /// The place of a key that no file sets.
    #[must_use]
    pub fn default_of(key: Key) -> Self {
        Place::Default(key.row().name)
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Place::Default(key) => write!(f, "default of {key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_named_as_a_person_would_look_for_it() {
        let several = Origin::Several(vec![Origin::Mount(0), Origin::Mount(3)]);
        assert_eq!(several.to_string(), "mounts[0], mounts[3]");
        assert_eq!(Origin::Search(0).to_string(), "directory 1 of the search");
    }
}
