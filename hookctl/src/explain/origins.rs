//! The plan's origins as a person can follow them: files with line and column, names, rules. Must not know which
//! argument an origin belongs to.

use schemars::JsonSchema;
use serde::Serialize;

use hook::config::Config;

use hook::container::mounts::DEVICES_ROOT;
use hook::contract::keys::Key;
use hook::contract::origin;
use hook::contract::origin::Place;

/// An input from which a value comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Origin {
    /// The kind of input.
    pub kind: OriginKind,
    /// The name of the input, such as a key, variable, flag or member; empty if `kind` is `fixed`.
    pub name: String,
    /// Where the configuration file sets the key, as `FILE:LINE:COLUMN`; absent for other inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The origin in words, for people.
    pub text: String,
}

/// The kinds of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// A key that the configuration file sets.
    Config,
    /// A key that the configuration file does not set: its default applies.
    Default,
    /// A variable of the container.
    Variable,
    /// A mount of the container.
    Mount,
    /// The rule for legacy images that do not set the variable.
    LegacyImage,
    /// The rule for images in which the variable is unset or empty.
    Unset,
    /// A member of the container state.
    State,
    /// A member of `config.json`.
    Spec,
    /// A flag of the hook.
    Flag,
    /// A directory of the search for nvidia-container-cli.
    Search,
    /// The user namespace or the effective user of the hook's process.
    Machine,
    /// No input: the hook always does this.
    Fixed,
}

/// What is needed to show origins.
pub struct Origins<'o> {
    /// The configuration.
    pub config: &'o Config<'o>,
    /// The directories that were searched for the program.
    pub directories: &'o [Vec<u8>],
}

impl Origins<'_> {
    /// Each input that an origin names.
    #[must_use]
    pub fn list(&self, origin: &origin::Origin) -> Vec<Origin> {
        let several = |one: &origin::Origin| match one {
            origin::Origin::Machine(key, what) => vec![self.key(*key), said(what)],
            one => vec![self.one(one)],
        };
        origin.each().iter().flat_map(several).collect()
    }

    fn one(&self, origin: &origin::Origin) -> Origin {
        use origin::Origin as From;
        let (kind, name, text) = match origin {
            From::Config(key) => return self.key(*key),
            From::Search(index) => return self.directory(*index),
            From::Variable(name) => (OriginKind::Variable, name.clone(), origin.to_string()),
            From::Mount(_) => (OriginKind::Mount, origin.to_string(), format!("{origin}, below {DEVICES_ROOT}")),
            From::LegacyImage(name) => {
                let text = format!("legacy image (CUDA_VERSION without NVIDIA_REQUIRE_CUDA) that does not set {name}");
                (OriginKind::LegacyImage, (*name).to_owned(), text)
            }
            From::Unset(name) => (OriginKind::Unset, (*name).to_owned(), format!("default: {origin}")),
            From::State(member) => (OriginKind::State, (*member).to_owned(), origin.to_string()),
            From::Spec(member) => (OriginKind::Spec, (*member).to_owned(), origin.to_string()),
            From::Machine(_, what) => return said(what),
            From::Flag(flag) => (OriginKind::Flag, (*flag).to_owned(), origin.to_string()),
            // `Several` has already been split.
            From::Fixed | From::Several(_) => (OriginKind::Fixed, String::new(), origin.to_string()),
        };
        Origin { kind, name, place: None, text }
    }

    fn key(&self, key: Key) -> Origin {
        let name = key.row().name;
        match self.config.place(key) {
            Place::Default(_) if key == Key::CliUser => {
                plain(OriginKind::Default, name, format!("default of {name} on SUSE"))
            }
            Place::Default(_) => plain(OriginKind::Default, name, format!("default of {name}")),
            place @ Place::File { .. } => Origin {
                kind: OriginKind::Config,
                name: name.to_owned(),
                place: Some(place.to_string()),
                text: format!("{name} at {place}"),
            },
        }
    }

    fn directory(&self, index: usize) -> Origin {
        let directory = self.directories.get(index).map(|path| String::from_utf8_lossy(path)).unwrap_or_default();
        plain(OriginKind::Search, &directory, format!("found in {directory}, directory {} of the search", index + 1))
    }
}

/// What the machine reported about the start.
fn said(what: &str) -> Origin {
    plain(OriginKind::Machine, what, format!("{what} of the start, which is not that of the host's root"))
}

fn plain(kind: OriginKind, name: &str, text: String) -> Origin {
    Origin { kind, name: name.to_owned(), place: None, text }
}
