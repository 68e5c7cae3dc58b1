//! Mounts that ask for devices (SPEC section 7): `/dev/null` on a path below `/var/run/nvidia-container-devices`. All
//! other mounts are dropped. Must not know what a device name means.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess};

use super::json_dialect::{Item, Items, Members, Object, Slot, Text};
use crate::text::paths;

/// The directory below which a mount's destination names a device.
pub const DEVICES_ROOT: &str = "/var/run/nvidia-container-devices/";

/// A mount that asks for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceMount {
    /// Its index in `mounts`.
    pub index: usize,
    /// Its cleaned destination, relative to [`DEVICES_ROOT`]; never empty.
    pub name: String,
}

impl DeviceMount {
    /// Recognises a device mount by its source and destination.
    #[must_use]
    pub fn recognise(index: usize, source: &str, destination: &str) -> Option<Self> {
        // A cheap test before the exact one: cleaning takes time, and nearly all mounts ask for nothing.
        if !source.ends_with("null") && !source.contains("null/") {
            return None;
        }
        if paths::clean_str(source) != "/dev/null" {
            return None;
        }
        let destination = paths::clean_str(destination);
        let name = destination.strip_prefix(DEVICES_ROOT)?;
        Some(DeviceMount { index, name: name.to_owned() })
    }

    /// The whole destination, cleaned.
    #[must_use]
    pub fn destination(&self) -> String {
        format!("{DEVICES_ROOT}{}", self.name)
    }
}

/// Reads `mounts`, or, if mounts are not accepted, checks only that it is a list.
pub(super) struct MountsReader {
    pub(super) accepted: bool,
    pub(super) mounts: Vec<DeviceMount>,
}

impl<'de> Items<'de> for MountsReader {
    const NAME: &'static str = "mounts";

    fn item<A: SeqAccess<'de>>(&mut self, index: usize, item: &mut Item<'_, A>) -> Result<(), A::Error> {
        if !self.accepted {
            return item.read(std::marker::PhantomData::<IgnoredAny>).map(drop);
        }
        let mount = item.read(MountSeed(index));
        let mount = mount.map_err(|error| A::Error::custom(format_args!("mounts[{index}]: {error}")))?;
        self.mounts.extend(mount.flatten());
        Ok(())
    }
}

struct MountSeed(usize);

impl<'de> DeserializeSeed<'de> for MountSeed {
    type Value = Option<DeviceMount>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut mount = Mount::default();
        Object(&mut mount).deserialize(deserializer)?;
        let (source, destination) = (mount.source.value, mount.destination.value);
        Ok(source.zip(destination).and_then(|(source, to)| DeviceMount::recognise(self.0, &source, &to)))
    }
}

#[derive(Default)]
struct Mount<'de> {
    source: Slot<Cow<'de, str>>,
    destination: Slot<Cow<'de, str>>,
}

impl<'de> Members<'de> for Mount<'de> {
    const NAME: &'static str = "a mount";

    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "source" => self.source.fill(name, map, Text("source")),
            "destination" => self.destination.fill(name, map, Text("destination")),
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_ends_at_a_path_boundary_and_paths_are_cleaned() {
        let name = |source, to| DeviceMount::recognise(0, source, to).map(|mount| mount.name);
        assert_eq!(name("/dev/null", "/var/run/nvidia-container-devices/0"), Some("0".to_owned()));
        assert_eq!(name("//dev/./null/", "/var//run/nvidia-container-devices/a/../0/"), Some("0".to_owned()));
        assert_eq!(name("/dev/null/x/..", "/var/run/nvidia-container-devices/0"), Some("0".to_owned()));
        assert_eq!(name("/dev/null", "/var/run/nvidia-container-devices"), None);
        assert_eq!(name("/dev/null", "/var/run/nvidia-container-devices0"), None);
        assert_eq!(name("/dev/null", "/var/run/nvidia-container-devices/../x"), None);
        assert_eq!(name("/dev/zero", "/var/run/nvidia-container-devices/0"), None);
    }
}
