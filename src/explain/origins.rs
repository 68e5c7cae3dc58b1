//! Origins of the plan as a person can follow them: files with line and column, names, rules.
//! Must not know which argument an origin belongs to.

use super::report::{Origin, OriginKind};
use crate::config::{Config, Key};
use crate::container::mounts::DEVICES_ROOT;
use crate::error::Place;
use crate::origin;

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
