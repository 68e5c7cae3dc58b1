//! Origins of the plan as a person can follow them: files with line and column, names, rules.
//! Must not know which argument an origin belongs to.

use serde::Serialize;

use hook::config::Config;

use hook::container::mounts::DEVICES_ROOT;
use hook::contract::keys::Key;
use hook::contract::origin;
use hook::contract::origin::Place;

/// Where something comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The kind of input.
    pub kind: OriginKind,
    /// The key, variable, flag or member.
    pub name: String,
    /// File, line and column, for what stands in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// All of it in words.
    pub text: String,
}

/// The kinds of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// A key that the configuration file sets.
    Config,
    /// A key that it does not set.
    Default,
    /// A variable of the container.
    Variable,
    /// A mount of the container.
    Mount,
    /// The rule for legacy images.
    LegacyImage,
    /// The rule for images that do not set the variable.
    Unset,
    /// A member of the container state.
    State,
    /// A member of `config.json`.
    Spec,
    /// A flag of the hook.
    Flag,
    /// A directory of the search path.
    Search,
    /// Always so.
    Fixed,
}

/// What origins need to be shown.
pub struct Origins<'o> {
    /// The configuration.
    pub config: &'o Config<'o>,
    /// The directories in which the program was searched.
    pub directories: &'o [Vec<u8>],
}

impl Origins<'_> {
    /// Each input that an origin names.
    #[must_use]
    pub fn list(&self, origin: &origin::Origin) -> Vec<Origin> {
        match origin {
            origin::Origin::Several(origins) => origins.iter().flat_map(|one| self.list(one)).collect(),
            one => vec![self.one(one)],
        }
    }

    fn one(&self, origin: &origin::Origin) -> Origin {
        use origin::Origin as From;
        match origin {
            From::Config(key) => self.key(*key),
            From::Variable(name) => plain(OriginKind::Variable, name, name.clone()),
            From::Mount(index) => {
                plain(OriginKind::Mount, &format!("mounts[{index}]"), format!("mounts[{index}], below {DEVICES_ROOT}"))
            }
            From::LegacyImage(name) => plain(
                OriginKind::LegacyImage,
                name,
                format!("legacy image (CUDA_VERSION without NVIDIA_REQUIRE_CUDA) that does not set {name}"),
            ),
            From::Unset(name) => plain(OriginKind::Unset, name, format!("default: {name} is unset or empty")),
            From::State(member) => plain(OriginKind::State, member, format!("{member} of the container state")),
            From::Spec(member) => plain(OriginKind::Spec, member, format!("{member} of config.json")),
            From::Flag(flag) => plain(OriginKind::Flag, flag, format!("flag {flag} of the hook")),
            From::Search(index) => self.directory(*index),
            From::Fixed => plain(OriginKind::Fixed, "", "always".to_owned()),
            From::Several(_) => plain(OriginKind::Fixed, "", String::new()),
        }
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

fn plain(kind: OriginKind, name: &str, text: String) -> Origin {
    Origin { kind, name: name.to_owned(), place: None, text }
}
