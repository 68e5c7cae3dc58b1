//! The configuration: which file it is, what it says, and what applies where it says nothing (SPEC sections 3 and 4).
//! Must not know containers.

mod comments;
mod locate;
mod toml_dialect;

use std::borrow::Cow;
use std::path::Path;

pub use locate::{ConfigFile, SUSE_USER, find, is_named, passed_over, searched};
pub use toml_dialect::{Entry, Fault, FaultKind, Value, read as read_toml};

use crate::contract::capabilities::Capabilities;
use crate::contract::cli_version::CliVersion;
use crate::contract::keys::{DefaultValue, Key, ROWS};
use crate::contract::origin::Origin;
use crate::contract::origin::Place;
use crate::error::Error;
use crate::text::comma_list;

/// A key that the file sets.
#[derive(Debug, Clone, PartialEq)]
struct Setting<'a> {
    value: Value<'a>,
    offset: usize,
}

/// The effective configuration: every known key has a value of the right type.
#[derive(Debug, PartialEq)]
pub struct Config<'a> {
    file: Option<&'a ConfigFile>,
    settings: Vec<Option<Setting<'a>>>,
    supported: Capabilities,
    cli_version: CliVersion,
}

impl<'a> Config<'a> {
    /// Reads a file, or takes the defaults if there is none, and checks the values that no container can change.
    ///
    /// # Errors
    /// [`Error::Config`] for a fault in the file, or the error of a key whose value is not allowed.
    ///
    /// # Examples
    /// ```
    /// use nvidia_container_runtime_hook::config::{Config, ConfigFile};
    /// use nvidia_container_runtime_hook::contract::keys::Key;
    ///
    /// let file = |text: &str| ConfigFile { path: "/c.toml".into(), text: text.to_owned(), passed_over: Vec::new() };
    /// let good = file("[nvidia-container-cli]\nno-cgroups = true\n");
    /// let config = Config::read(Some(&good)).unwrap();
    /// assert!(config.flag(Key::CliNoCgroups));
    /// assert_eq!(config.text(Key::CliLdconfig), "@/sbin/ldconfig");
    ///
    /// let bad = file("[nvidia-container-cli]\nno-cgroups = \"yes\"\n");
    /// let error = Config::read(Some(&bad)).unwrap_err().to_string();
    /// assert!(error.contains("/c.toml:2:14: nvidia-container-cli.no-cgroups must be a boolean, found a string"));
    /// ```
    pub fn read(file: Option<&'a ConfigFile>) -> Result<Self, Error> {
        let mut config = Self::parse(file)?;
        config.supported = config.supported_capabilities()?;
        config.cli_version = config.parsed_cli_version()?;
        config.check_ldconfig()?;
        config.check_environment()?;
        config.check_rootless()?;
        Ok(config)
    }

    /// Every fault in the values of a file; [`Config::read`] stops at the first.
    #[must_use]
    pub fn faults(file: &'a ConfigFile) -> Vec<Error> {
        match Self::parse(Some(file)) {
            Err(error) => vec![error],
            Ok(config) => [
                config.supported_capabilities().err(),
                config.parsed_cli_version().err(),
                config.check_ldconfig().err(),
                config.check_environment().err(),
                config.check_rootless().err(),
            ]
            .into_iter()
            .flatten()
            .collect(),
        }
    }

    /// Reads a file as it is written, without the checks of [`Config::read`].
    fn parse(file: Option<&'a ConfigFile>) -> Result<Self, Error> {
        let mut settings = vec![None; ROWS.len()];
        if let Some(file) = file {
            for entry in toml_dialect::read(&file.text) {
                match entry {
                    Entry::Known { key, value, span, .. } => {
                        if let Some(slot) = settings.get_mut(key as usize) {
                            *slot = Some(Setting { value, offset: span.start });
                        }
                    }
                    Entry::Unknown { .. } => {}
                    Entry::Fault(Fault { kind, message, span }) => {
                        let is_toml = kind != FaultKind::Syntax;
                        return Err(Error::Config { place: file.place(span.start), is_toml, message });
                    }
                }
            }
        }
        Ok(Config { file, settings, supported: Capabilities::default(), cli_version: CliVersion::NEWEST })
    }

    /// The file that was read, if there was one.
    #[must_use]
    pub fn file(&self) -> Option<&'a ConfigFile> {
        self.file
    }

    fn setting(&self, key: Key) -> Option<&Setting<'a>> {
        self.settings.get(key as usize)?.as_ref()
    }

    /// Whether the file sets a key.
    #[must_use]
    pub fn is_set(&self, key: Key) -> bool {
        self.setting(key).is_some()
    }

    /// The value of a boolean key.
    #[must_use]
    pub fn flag(&self, key: Key) -> bool {
        match (self.setting(key).map(|setting| &setting.value), key.row().default) {
            (Some(Value::Bool(value)), _) => *value,
            (None, DefaultValue::Bool(value)) => value,
            _ => false,
        }
    }

    /// The value of a string key.
    #[must_use]
    pub fn text(&self, key: Key) -> &str {
        match (self.setting(key).map(|setting| &setting.value), key.row().default) {
            (Some(Value::Text(value)), _) => value,
            (None, DefaultValue::Text(value)) => value,
            _ => "",
        }
    }

    /// The value of a list key, if the file sets it; the hook's lists are empty by default.
    #[must_use]
    pub fn list(&self, key: Key) -> &[Cow<'a, str>] {
        match self.setting(key).map(|setting| &setting.value) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// Where a key is set, for messages and explanations.
    #[must_use]
    pub fn place(&self, key: Key) -> Place {
        match (self.file, self.setting(key)) {
            (Some(file), Some(setting)) => file.place(setting.offset),
            _ => Place::default_of(key),
        }
    }

    /// The origin of an argument that comes from a key.
    #[must_use]
    pub fn origin(&self, key: Key) -> Origin {
        Origin::Config(key)
    }

    /// The driver capabilities that containers may ask for.
    #[must_use]
    pub fn supported(&self) -> Capabilities {
        self.supported
    }

    /// The oldest `nvidia-container-cli` that the hook must work with.
    #[must_use]
    pub fn cli_version(&self) -> CliVersion {
        self.cli_version
    }

    /// The variables that replace `NVIDIA_VISIBLE_DEVICES` if the container sets them.
    pub fn swarm_variables(&self) -> impl Iterator<Item = &str> {
        comma_list(self.text(Key::SwarmResource))
    }

    fn supported_capabilities(&self) -> Result<Capabilities, Error> {
        let key = Key::SupportedDriverCapabilities;
        let value = self.text(key);
        // Only the bare word counts, as in the published hook; `check` reports where that matters.
        if value == "all" {
            return Ok(Capabilities::all());
        }
        comma_list(value).try_fold(Capabilities::default(), |set, name| {
            Capabilities::named(name).map(|one| set.union(one)).ok_or_else(|| Error::UnsupportedConfigCapability {
                place: self.place(key),
                value: value.to_owned(),
                name: name.to_owned(),
            })
        })
    }

    fn parsed_cli_version(&self) -> Result<CliVersion, Error> {
        let key = Key::HookCliVersion;
        CliVersion::parse(self.text(key))
            .ok_or_else(|| Error::CliVersion { place: self.place(key), value: self.text(key).to_owned() })
    }

    /// Code from the container would run as root on the host, so a path in the container is valid only with a feature
    /// that allows it.
    fn check_ldconfig(&self) -> Result<(), Error> {
        let key = Key::CliLdconfig;
        let value = self.text(key);
        let fault = match value.strip_prefix('@') {
            Some(path) if Path::new(path).is_absolute() => return Ok(()),
            Some(_) => Error::LdconfigNotAbsolute { place: self.place(key), value: value.to_owned() },
            None if self.flag(Key::AllowLdconfigFromContainer) => return Ok(()),
            None => Error::LdconfigNotHost { place: self.place(key), value: value.to_owned() },
        };
        Err(fault)
    }

    fn check_rootless(&self) -> Result<(), Error> {
        let key = Key::HookRootless;
        match self.text(key) {
            "auto" | "off" => Ok(()),
            value => Err(Error::Rootless { place: self.place(key), value: value.to_owned() }),
        }
    }

    fn check_environment(&self) -> Result<(), Error> {
        let key = Key::CliEnvironment;
        match self.list(key).iter().find(|entry| entry.find('=').is_none_or(|at| at == 0)) {
            Some(entry) => Err(Error::CliEnvironment { place: self.place(key), entry: entry.clone().into_owned() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_file_is_told() {
        let text = "[nvidia-container-cli]\nldconfig = \"@sbin\"\nenvironment = [\"A\"]\n".to_owned();
        let file = ConfigFile { path: "/c.toml".into(), text, passed_over: Vec::new() };
        let faults = Config::faults(&file);
        assert!(
            matches!(faults.as_slice(), [Error::LdconfigNotAbsolute { .. }, Error::CliEnvironment { .. }]),
            "{faults:?}"
        );
    }
}
