//! The bundle's `config.json` (OCI runtime specification, "Configuration"), as far as the hook reads it: `ociVersion`,
//! `process.env`, `process.capabilities`, `root.path` and `mounts`. Everything else is skipped without being built in
//! memory.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::de::{DeserializeSeed, Deserializer, MapAccess};

use super::image::{EnvironmentReader, ImageEnvironment};
use super::json_dialect::{ListOf, Members, Object, Slot, Text, fault};
use super::mounts::{DeviceMount, MountsReader};
use super::privilege::{Capabilities, CapabilitiesSeed};
use crate::error::Error;
use crate::host::Host;
use crate::text::paths;
use crate::text::position::Position;
use crate::text::semver::Version;

/// What to read from the document, beyond what is always read.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// Mounts may ask for devices.
    pub mounts: bool,
    /// Names of additional variables.
    pub swarm: &'w [&'w str],
}

/// A `config.json`, read but not yet parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The file.
    pub path: PathBuf,
    /// The directory that holds it, absolute and clean.
    pub bundle: String,
    bytes: Vec<u8>,
}

impl Document {
    /// Reads the `config.json` of a bundle.
    ///
    /// # Errors
    /// [`Error::SpecUnreadable`].
    pub fn load(bundle: &str, host: &dyn Host) -> Result<Self, Error> {
        let path = PathBuf::from(paths::join_str(bundle, "config.json"));
        match host.read(&path) {
            Ok(bytes) => Ok(Document::new(path, bundle.to_owned(), bytes)),
            Err(cause) => Err(Error::SpecUnreadable { path, cause }),
        }
    }

    /// A document that was read from `path` in the bundle.
    #[must_use]
    pub fn new(path: PathBuf, bundle: String, bytes: Vec<u8>) -> Self {
        Document { path, bundle, bytes }
    }
}

/// What the hook knows about a container's specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec<'a> {
    /// The container's variables.
    pub environment: ImageEnvironment<'a>,
    /// `CAP_SYS_ADMIN` is in the bounding set.
    pub privileged: bool,
    /// The container's root filesystem: absolute and clean, symbolic links unresolved.
    pub rootfs: String,
    /// The mounts that ask for devices, if mounts are accepted.
    pub device_mounts: Vec<DeviceMount>,
}

impl<'a> Spec<'a> {
    /// Parses a document.
    ///
    /// # Errors
    /// [`Error::Spec`], [`Error::SpecMember`], [`Error::EnvironmentEntry`], [`Error::Capabilities`] or
    /// [`Error::RootPath`], in the order of the published hook if a document has several faults.
    ///
    /// # Examples
    /// ```
    /// use nvidia_container_runtime_hook::container::Spec;
    /// use nvidia_container_runtime_hook::container::spec::{Document, Wanted};
    ///
    /// let json = br#"{"ociVersion": "1.0.2", "root": {"path": "rootfs"},
    ///     "process": {"env": ["NVIDIA_VISIBLE_DEVICES=0", "TOKEN=secret"]}}"#;
    /// let document = Document::new("/bundle/config.json".into(), "/bundle".to_owned(), json.to_vec());
    /// let spec = Spec::parse(&document, Wanted { mounts: false, swarm: &[] }).unwrap();
    /// assert_eq!(spec.rootfs, "/bundle/rootfs");
    /// assert_eq!(spec.environment.get("NVIDIA_VISIBLE_DEVICES"), Some("0"));
    /// assert_eq!(spec.environment.get("TOKEN"), None);
    /// assert!(!spec.privileged);
    /// ```
    pub fn parse(document: &'a Document, wanted: Wanted<'_>) -> Result<Self, Error> {
        let path = || document.path.clone();
        let raw = Raw::parse(&document.bytes, wanted).map_err(|message| Error::Spec { path: path(), message })?;
        let missing = |member, name| Error::SpecMember { path: path(), member, name };
        let version = raw.oci_version.value.ok_or_else(|| missing("Version", "ociVersion"))?;
        let process = raw.process.value.ok_or_else(|| missing("Process", "process"))?;
        let root = raw.root.value.ok_or_else(|| missing("Root", "root"))?;
        let environment = process.env.value.unwrap_or_default();
        if let Some(index) = environment.faulty_entry {
            return Err(Error::EnvironmentEntry { path: path(), index });
        }
        let privileged = match process.capabilities.value {
            Some(capabilities) => capabilities
                .hold_sys_admin(lists_capabilities(&version))
                .map_err(|message| Error::Capabilities { path: path(), message })?,
            None => false,
        };
        let rootfs = match root.path.value.filter(|path| !path.is_empty()) {
            Some(path) if path.starts_with('/') => paths::clean_str(&path),
            Some(path) => paths::join_str(&document.bundle, &path),
            None => return Err(Error::RootPath { path: path() }),
        };
        Ok(Spec { environment, privileged, rootfs, device_mounts: raw.mounts.value.unwrap_or_default() })
    }
}

/// From `1.0.0-rc1` up to but not including `1.0.0-rc5`, `process.capabilities` was a plain list.
fn lists_capabilities(oci_version: &str) -> bool {
    let rc = |pre| Version { major: 1, minor: 0, patch: 0, pre };
    Version::parse(oci_version).is_ok_and(|version| version >= rc("rc1") && version < rc("rc5"))
}

#[derive(Default)]
struct Raw<'de, 'w> {
    wanted: Option<Wanted<'w>>,
    oci_version: Slot<Cow<'de, str>>,
    process: Slot<Process<'de, 'w>>,
    root: Slot<Root<'de>>,
    mounts: Slot<Vec<DeviceMount>>,
}

impl<'de, 'w> Raw<'de, 'w> {
    fn parse(bytes: &'de [u8], wanted: Wanted<'w>) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let Position { line, column } = Position::of_fault(bytes, &error);
            format!("{line}:{column}: not UTF-8")
        })?;
        let mut raw = Raw { wanted: Some(wanted), ..Raw::default() };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = Object(&mut raw).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        read.map_err(|error| fault(&error))?;
        Ok(raw)
    }
}

impl<'de> Members<'de> for Raw<'de, '_> {
    const NAME: &'static str = "the specification";

    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "ociVersion" => self.oci_version.fill(name, map, Text("ociVersion")),
            "process" => {
                let process = Process { wanted: self.wanted, ..Process::default() };
                self.process.fill(name, map, Whole(process))
            }
            "root" => self.root.fill(name, map, Whole(Root::default())),
            "mounts" => {
                let accepted = self.wanted.is_some_and(|wanted| wanted.mounts);
                self.mounts.fill(name, map, Mounts(MountsReader { accepted, mounts: Vec::new() }))
            }
            _ => Ok(false),
        }
    }
}

/// Reads an object into the value that it carries.
struct Whole<M>(M);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Whole<M> {
    type Value = M;

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<M, D::Error> {
        Object(&mut self.0).deserialize(deserializer)?;
        Ok(self.0)
    }
}

struct Mounts(MountsReader);

impl<'de> DeserializeSeed<'de> for Mounts {
    type Value = Vec<DeviceMount>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        ListOf(self.0).deserialize(deserializer).map(|reader| reader.mounts)
    }
}

#[derive(Default)]
struct Root<'de> {
    path: Slot<Cow<'de, str>>,
}

impl<'de> Members<'de> for Root<'de> {
    const NAME: &'static str = "root";

    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "path" => self.path.fill(name, map, Text("root.path")),
            _ => Ok(false),
        }
    }
}

#[derive(Default)]
struct Process<'de, 'w> {
    wanted: Option<Wanted<'w>>,
    env: Slot<ImageEnvironment<'de>>,
    capabilities: Slot<Capabilities>,
}

impl<'de> Members<'de> for Process<'de, '_> {
    const NAME: &'static str = "process";

    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "env" => {
                let swarm = self.wanted.map_or(&[][..], |wanted| wanted.swarm);
                self.env.fill(name, map, Environment(swarm))
            }
            "capabilities" => self.capabilities.fill(name, map, CapabilitiesSeed),
            _ => Ok(false),
        }
    }
}

struct Environment<'s>(&'s [&'s str]);

impl<'de> DeserializeSeed<'de> for Environment<'_> {
    type Value = ImageEnvironment<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let reader = EnvironmentReader { environment: ImageEnvironment::default(), swarm: self.0 };
        ListOf(reader).deserialize(deserializer).map(|reader| reader.environment)
    }
}
