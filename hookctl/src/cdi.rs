//! CDI specifications of a host: which directories engines read, which devices are defined there, and what is wrong
//! with a file (CDI specification 1.1). Must not know engines or which of them decides.
//!
//! Written by hand, since the crate container-device-interface (1.1.1, of the CNCF) is not fit for hostile trees. It
//! reads files by their path alone, waits on a pipe, follows links out of a root and has no size limit. It does not
//! accept text, and the members of what it has read are private. It parses with serde_yaml, which is no longer
//! maintained and expands aliases. It also brings a JSON schema validator, OCI's types and a command line. Its rules
//! are the ones below.

use std::collections::BTreeMap;
use std::path::Path;

use hook::contract::cdi::is_qualified;
use serde_json::Value;

use crate::cdi_rules;
use crate::driver::{compare, is_version};
use crate::inspect::Inspect;
use crate::tree::Tree;
use crate::yaml;

/// The directories of CDI specifications, in ascending rank.
pub const DIRECTORIES: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];
/// The kind of NVIDIA's GPUs.
pub const GPU: &str = "nvidia.com/gpu";
/// The released versions of the specification. Engines know no others.
const VERSIONS: [(&str, (u32, u32)); 10] = [
    ("0.1.0", (0, 1)),
    ("0.2.0", (0, 2)),
    ("0.3.0", (0, 3)),
    ("0.4.0", (0, 4)),
    ("0.5.0", (0, 5)),
    ("0.6.0", (0, 6)),
    ("0.7.0", (0, 7)),
    ("0.8.0", (0, 8)),
    ("1.0.0", (1, 0)),
    ("1.1.0", (1, 1)),
];

/// A file in a directory of specifications.
#[derive(Debug)]
pub struct SpecFile {
    /// Its path.
    pub path: String,
    /// Its content, or why it cannot be read.
    pub spec: Result<Spec, String>,
}

/// A specification, as far as it matters here.
#[derive(Debug, Default)]
pub struct Spec {
    /// `vendor/class`.
    pub kind: String,
    /// The names of its devices.
    pub devices: Vec<String>,
    /// Files of the host that it mounts.
    pub mounts: Vec<String>,
    /// Device nodes of the host that it needs.
    pub nodes: Vec<String>,
    /// Programs of the host that it runs as hooks.
    pub hooks: Vec<String>,
    /// The version it declares.
    pub version: (u32, u32),
}

/// The specification files in directories, in ascending rank.
#[must_use]
pub fn files(host: &Tree, directories: &[String]) -> Vec<SpecFile> {
    let mut files = Vec::new();
    for directory in directories {
        for name in host.names(directory) {
            // Not .yml: engines pass over such a file.
            let is_yaml = name.ends_with(".yaml");
            if is_yaml || name.ends_with(".json") {
                let path = format!("{directory}/{name}");
                let spec = host.text(&path).ok_or_else(|| "it cannot be read".to_owned());
                let spec = spec
                    .and_then(|text| document(&text, is_yaml))
                    .and_then(|document| parse(&cdi_rules::spelled(document)));
                files.push(SpecFile { path, spec });
            }
        }
    }
    files
}

/// Whether a specification defines an NVIDIA GPU.
#[must_use]
pub fn has_gpus(host: &Tree, directories: &[String]) -> bool {
    files(host, directories).iter().any(|file| file.spec.as_ref().is_ok_and(|spec| spec.kind == GPU))
}

fn document(text: &str, is_yaml: bool) -> Result<Value, String> {
    // Engines read JSON as YAML, which allows more, such as a comma after the last member.
    if is_yaml {
        yaml::parse(text)
    } else {
        serde_json::from_str(text).or_else(|error| yaml::parse(text).map_err(|_| error.to_string()))
    }
}

fn parse(document: &Value) -> Result<Spec, String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = text("cdiVersion");
    if version.is_empty() {
        return Err("it has no cdiVersion".to_owned());
    }
    let plain = version.strip_prefix('v').unwrap_or(&version);
    let Some((_, declared)) = VERSIONS.iter().find(|(known, _)| *known == plain) else {
        let newest = VERSIONS.last().map_or("", |(newest, _)| newest);
        return Err(match () {
            () if !is_version(plain) => format!("cdiVersion {version} is not a version"),
            () if compare(plain, newest).is_gt() => format!("cdiVersion {version} is newer than engines of today know"),
            () => format!("cdiVersion {version} is not a released version, such as 0.5.0 or {newest}"),
        });
    };
    let declared = *declared;
    let kind = text("kind");
    if !is_qualified(&format!("{kind}=x")) {
        return Err(format!("kind \"{kind}\" is not VENDOR/CLASS"));
    }
    if let Some((needed, what)) = needed(document, &kind).filter(|(needed, _)| *needed > declared) {
        let (major, minor) = needed;
        return Err(format!("it uses {what}, which came with CDI {major}.{minor}.0, and says cdiVersion {version}"));
    }
    if let Some(fault) = cdi_rules::fault(document) {
        return Err(fault);
    }
    let mut spec = Spec { kind: kind.clone(), version: declared, ..Spec::default() };
    edits(document.get("containerEdits"), &mut spec);
    let devices = document.get("devices").and_then(Value::as_array).cloned().unwrap_or_default();
    if devices.is_empty() {
        return Err("it defines no devices".to_owned());
    }
    for device in &devices {
        let name = match device.get("name") {
            Some(Value::String(name)) => name.clone(),
            // Engines take a number for its text.
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err("a device has no name".to_owned()),
        };
        if !is_qualified(&format!("{kind}={name}")) {
            return Err(format!("\"{name}\" is not a name of a device"));
        }
        if !has_edits(device.get("containerEdits")) {
            return Err(format!("the device \"{name}\" has no containerEdits, so engines refuse the file"));
        }
        edits(device.get("containerEdits"), &mut spec);
        spec.devices.push(name);
    }
    Ok(spec)
}

/// The version that the newest feature in a document needs, and that feature (CDI specification, released versions).
fn needed(document: &Value, kind: &str) -> Option<((u32, u32), &'static str)> {
    let devices = document.get("devices").and_then(Value::as_array).into_iter().flatten();
    let devices: Vec<&Value> = devices.collect();
    let edits: Vec<&Value> =
        devices.iter().copied().chain([document]).filter_map(|part| part.get("containerEdits")).collect();
    let in_edits = |name: &str| edits.iter().any(|edits| says(edits.get(name)));
    let in_lists = |list: &str, name: &str| {
        let items = edits.iter().filter_map(|edits| edits.get(list)).filter_map(Value::as_array).flatten();
        items.into_iter().any(|item| says(item.get(name)))
    };
    let has_annotations = devices.iter().copied().chain([document]).any(|part| says(part.get("annotations")));
    let class = kind.split_once('/').map_or("", |(_, class)| class);
    let starts_with_digit = |device: &&Value| {
        device.get("name").is_some_and(|name| match name {
            Value::String(name) => !name.starts_with(|c: char| c.is_ascii_alphabetic()),
            name => name.is_number(),
        })
    };
    let uses = [
        ((1, 1), in_edits("netDevices"), "netDevices"),
        ((0, 7), in_edits("additionalGids"), "additionalGids"),
        ((0, 7), in_edits("intelRdt"), "intelRdt"),
        ((0, 6), has_annotations, "annotations"),
        ((0, 6), class.contains('.'), "a dot in the class"),
        ((0, 5), in_lists("deviceNodes", "hostPath"), "hostPath of a device node"),
        ((0, 5), devices.iter().any(starts_with_digit), "the name of a device that begins with a digit"),
        ((0, 4), in_lists("mounts", "type"), "the type of a mount"),
    ];
    uses.into_iter().find(|(_, is_used, _)| *is_used).map(|(version, _, what)| (version, what))
}

/// Whether a member says anything: an empty text, list or object counts as absent. An empty `intelRdt` does not.
fn says(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
        Some(_) => true,
    }
}

/// Whether the edits of a device change anything.
fn has_edits(edits: Option<&Value>) -> bool {
    let Some(edits) = edits else { return false };
    let lists = ["env", "deviceNodes", "netDevices", "hooks", "mounts", "additionalGids"];
    lists.iter().any(|name| says(edits.get(name))) || edits.get("intelRdt").is_some_and(|value| !value.is_null())
}

fn edits(edits: Option<&Value>, spec: &mut Spec) {
    let list =
        |name: &str| edits.and_then(|edits| edits.get(name)).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    spec.mounts.extend(list("mounts").iter().filter_map(|mount| text(mount, "hostPath")));
    spec.nodes
        .extend(list("deviceNodes").iter().filter_map(|node| text(node, "hostPath").or_else(|| text(node, "path"))));
    spec.hooks.extend(list("hooks").iter().filter_map(|hook| text(hook, "path")));
}

impl Spec {
    /// The paths it names that the host does not have, each once.
    #[must_use]
    pub fn missing(&self, host: &Tree) -> Vec<String> {
        let all = self.nodes.iter().chain(&self.mounts).chain(&self.hooks);
        let mut missing: Vec<String> = all.filter(|path| !host.has(path)).cloned().collect();
        missing.sort();
        missing.dedup();
        missing
    }
}

/// Devices that two files of one directory define, with both files. Engines resolve neither definition.
#[must_use]
pub fn conflicts(files: &[SpecFile]) -> Vec<(String, String, String)> {
    let mut seen: BTreeMap<(String, String), &str> = BTreeMap::new();
    let mut conflicts = Vec::new();
    for file in files {
        let Ok(spec) = &file.spec else { continue };
        let directory = Path::new(&file.path).parent().map(|path| path.display().to_string()).unwrap_or_default();
        for name in &spec.devices {
            let device = format!("{}={name}", spec.kind);
            if let Some(other) = seen.insert((directory.clone(), device.clone()), &file.path) {
                conflicts.push((device, other.to_owned(), file.path.clone()));
            }
        }
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_a_specification_is_told() {
        let device = |name: &str| json!({"name": name, "containerEdits": {"env": ["A=1"]}});
        let base = json!({"cdiVersion": "0.5.0", "kind": GPU, "devices": [device("0")]});
        assert_eq!(parse(&base).unwrap().devices, ["0"]);
        let with = |name: &str, value: Value| {
            let mut document = base.clone();
            document[name] = value;
            parse(&document).unwrap_err()
        };
        assert!(with("cdiVersion", json!("9.0.0")).contains("newer"));
        assert!(with("cdiVersion", json!(null)).contains("no cdiVersion"));
        assert!(with("kind", json!("gpu")).contains("VENDOR/CLASS"));
        assert!(with("devices", json!([])).contains("no devices"));
        assert!(with("devices", json!([{}])).contains("no name"));
        assert!(with("devices", json!([{"name": "0"}])).contains("no containerEdits"));
        assert!(
            with("devices", json!([{"name": "0", "containerEdits": {"mounts": []}}])).contains("no containerEdits")
        );
        assert!(with("cdiVersion", json!("vv0.5.0")).contains("is not a version"));
        for version in ["0.5", "0.9.0", "1.0", "0.10.0"] {
            assert!(with("cdiVersion", json!(version)).contains("not a released version"), "{version}");
        }
        assert!(with("annotations", json!({"a": "b"})).contains("annotations"));
        let mut empty = base.clone();
        empty["annotations"] = json!({});
        empty["cdiVersion"] = json!("v0.5.0");
        assert!(parse(&empty).is_ok());
    }

    #[test]
    fn a_version_must_be_that_of_what_is_used() {
        let document = |version: &str, edits: Value| {
            let mut device = json!({"name": "a", "containerEdits": edits});
            device["containerEdits"]["env"] = json!(["A=1"]);
            parse(&json!({"cdiVersion": version, "kind": GPU, "devices": [device]}))
        };
        let gids = || json!({"additionalGids": [44]});
        assert!(document("0.6.0", gids()).unwrap_err().contains("additionalGids, which came with CDI 0.7.0"));
        assert_eq!(document("0.7.0", gids()).unwrap().version, (0, 7));
        assert!(
            document("1.0.0", json!({"netDevices": [{"hostInterfaceName": "a", "name": "b"}]}))
                .unwrap_err()
                .contains("1.1.0")
        );
        let node = || json!({"deviceNodes": [{"path": "/dev/a", "hostPath": "/dev/b"}]});
        assert!(document("0.4.0", node()).is_err() && document("0.5.0", node()).is_ok());
        let mount = || json!({"mounts": [{"hostPath": "/a", "containerPath": "/a", "type": "bind"}]});
        assert!(document("0.3.0", mount()).is_err() && document("0.4.0", mount()).is_ok());
        assert!(document("0.3.0", json!({})).is_ok());
    }

    #[test]
    fn one_device_in_two_files_of_a_directory_is_a_conflict() {
        let file = |path: &str| SpecFile {
            path: path.to_owned(),
            spec: Ok(Spec { kind: GPU.to_owned(), devices: vec!["0".to_owned()], ..Spec::default() }),
        };
        assert_eq!(conflicts(&[file("/etc/cdi/a.yaml"), file("/etc/cdi/b.yaml")]).len(), 1);
        assert!(conflicts(&[file("/etc/cdi/a.yaml"), file("/var/run/cdi/a.yaml")]).is_empty());
    }
}
