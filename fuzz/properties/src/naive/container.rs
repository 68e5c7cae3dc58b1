//! Sections 5 and 6: the state, the bundle's config.json, privilege, and the container's environment.

use std::path::Path;

use hook_test_support::memory::MemoryHost;
use nvidia_container_runtime_hook::host::Host;

use super::config::Config;
use super::json::Json;
use super::{Step, clean, version};

const STATE: &str = "could not decode container state: standard input: ";
const BUNDLE: &str = "could not open OCI spec: standard input: bundle is ";
const UNREADABLE: &str = "could not open OCI spec: open ";
const SPEC: &str = "could not decode OCI spec: ";
const NO_VERSION: &str = "Version is empty in OCI spec: ";
const NO_PROCESS: &str = "Process is empty in OCI spec: ";
const NO_ROOT: &str = "Root is empty in OCI spec: ";
const PRIVILEGES: &str = "could not decode Process.Capabilities in OCI spec: ";
const ENVIRONMENT: &str = "invalid environment variable: ";

/// What the runtime says.
pub struct State {
    pub pid: i128,
    pub bundle: String,
}

/// What the image and the engine say.
pub struct Container {
    /// The variables in their order: name and value.
    pub environment: Vec<(String, String)>,
    pub privileged: bool,
    pub pid: i128,
    pub rootfs: String,
    /// Source and destination of each mount; empty if mounts are not accepted.
    pub mounts: Vec<(String, String)>,
}

impl Container {
    /// A variable; the last one of a name wins.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A variable, if not empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.variable(name).filter(|value| !value.is_empty())
    }

    pub fn is_legacy_image(&self) -> bool {
        self.filled("CUDA_VERSION").is_some() && self.filled("NVIDIA_REQUIRE_CUDA").is_none()
    }
}

/// The state: only the first value on standard input is read.
pub fn state(bytes: &[u8]) -> Step<State> {
    let first = serde_json::Deserializer::from_slice(bytes).into_iter::<Json>().next();
    let Some(Ok(state @ Json::Object(_))) = first else { return Err(STATE) };
    let text = |name| match state.member(name) {
        Ok(None) => Ok(String::new()),
        Ok(Some(Json::Text(text))) => Ok(text.clone()),
        _ => Err(STATE),
    };
    let mut bundle = text("bundle")?;
    if bundle.is_empty() {
        bundle = text("bundlePath")?;
    } else if state.member("bundlePath").is_err() {
        // Beside a bundle its type does not matter, but a duplicate does.
        return Err(STATE);
    }
    let Ok(Some(Json::Integer(pid))) = state.member("pid") else { return Err(STATE) };
    if !(1..=2_147_483_647).contains(pid) {
        return Err(STATE);
    }
    if !bundle.starts_with('/') {
        return Err(BUNDLE);
    }
    Ok(State { pid: *pid, bundle })
}

/// The container of a state.
pub fn read(state: &State, config: &Config, host: &MemoryHost) -> Step<Container> {
    let bundle = clean(&state.bundle);
    let place = format!("{}/config.json", bundle.trim_end_matches('/'));
    let bytes = host.read(Path::new(&place)).map_err(|_| UNREADABLE)?;
    std::str::from_utf8(&bytes).map_err(|_| SPEC)?;
    let spec: Json = serde_json::from_slice(&bytes).map_err(|_| SPEC)?;
    if !matches!(spec, Json::Object(_)) {
        return Err(SPEC);
    }
    let part = |name| spec.member(name).map_err(|_| SPEC);
    let (oci_version, process, root) = (part("ociVersion")?, part("process")?, part("root")?);
    let is_object = |part: Option<&Json>| part.is_none_or(|part| matches!(part, Json::Object(_)));
    if !is_object(process) || !is_object(root) || oci_version.is_some_and(|version| version.text().is_none()) {
        return Err(SPEC);
    }
    let mounts = match part("mounts")? {
        // As recorded: mounts must be a list even if they are not accepted.
        Some(list) if !matches!(list, Json::List(_)) => return Err(SPEC),
        list if config.flag("accept-nvidia-visible-devices-as-volume-mounts", false) => mounts(list)?,
        _ => Vec::new(),
    };
    let entries = texts(process, "env")?;
    let path = root.map_or(Ok(None), |root| root.member("path")).map_err(|_| SPEC)?;
    if path.is_some_and(|path| path.text().is_none()) {
        return Err(SPEC);
    }
    let privileges = process.map_or(Ok(None), |process| process.member("capabilities")).map_err(|_| SPEC)?;
    if privileges.is_some_and(|sets| sets.member("bounding").is_err()) {
        return Err(SPEC);
    }
    let oci_version = oci_version.and_then(Json::text).ok_or(NO_VERSION)?;
    if process.is_none() {
        return Err(NO_PROCESS);
    }
    if root.is_none() {
        return Err(NO_ROOT);
    }
    let environment = environment(&entries)?;
    let privileged = is_privileged(privileges, oci_version)?;
    let path = path.and_then(Json::text).filter(|path| !path.is_empty()).ok_or(NO_ROOT)?;
    let rootfs = if path.starts_with('/') { clean(path) } else { clean(&format!("{bundle}/{path}")) };
    Ok(Container { environment, privileged, pid: state.pid, rootfs, mounts })
}

fn texts(object: Option<&Json>, name: &str) -> Step<Vec<String>> {
    match object.map_or(Ok(None), |object| object.member(name)) {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(list)) => list.texts().ok_or(SPEC),
        Err(_) => Err(SPEC),
    }
}

fn environment(entries: &[String]) -> Step<Vec<(String, String)>> {
    let split = |entry: &String| {
        let (name, value) = entry.split_once('=').ok_or(ENVIRONMENT)?;
        Ok((name.to_owned(), value.to_owned()))
    };
    entries.iter().map(split).collect()
}

fn mounts(list: Option<&Json>) -> Step<Vec<(String, String)>> {
    let items = match list {
        None => return Ok(Vec::new()),
        Some(Json::List(items)) => items,
        Some(_) => return Err(SPEC),
    };
    let read = |item: &Json| {
        let text = |name| match item.member(name) {
            Ok(None) => Ok(String::new()),
            Ok(Some(Json::Text(text))) => Ok(text.clone()),
            _ => Err(SPEC),
        };
        if matches!(item, Json::Object(_)) { Ok((text("source")?, text("destination")?)) } else { Err(SPEC) }
    };
    items.iter().map(read).collect()
}

/// Whether the bounding set has CAP_SYS_ADMIN.
fn is_privileged(capabilities: Option<&Json>, oci_version: &str) -> Step<bool> {
    let Some(capabilities) = capabilities else { return Ok(false) };
    let set = if had_a_plain_list(oci_version) {
        Some(capabilities)
    } else if matches!(capabilities, Json::Object(_)) {
        capabilities.member("bounding").map_err(|_| PRIVILEGES)?
    } else {
        return Err(PRIVILEGES);
    };
    let Some(set) = set else { return Ok(false) };
    Ok(set.texts().ok_or(PRIVILEGES)?.iter().any(|name| name == "CAP_SYS_ADMIN"))
}

/// From `1.0.0-rc1` up to but not including `1.0.0-rc5`.
fn had_a_plain_list(oci_version: &str) -> bool {
    let Some((numbers, tag)) = version(oci_version) else { return false };
    if numbers != [1, 0, 0] || tag.is_empty() {
        return false;
    }
    // Part by part; a number comes before a word, and the end before everything.
    let before = |a: &str, b: &str| {
        let key = |tag: &str| {
            let part = |part: &str| (part.parse::<u64>().is_err(), part.parse::<u64>().unwrap_or(0), part.to_owned());
            tag.split('.').map(part).collect::<Vec<_>>()
        };
        key(a) < key(b)
    };
    !before(&tag, "rc1") && before(&tag, "rc5")
}
