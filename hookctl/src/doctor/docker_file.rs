//! daemon.json as dockerd reads it: its encoding, keys that it refuses, and the types of the values that matter here.
//! Must not know what a value means.

use std::path::Path;

use serde_json::Value;

use crate::inspect::Inspect;
use crate::tree::Tree;

/// Keys that dockerd refuses and that are taken for its own, or for comments.
const REFUSED: [&str; 8] = ["default", "runtime", "nvidia", "cdi", "gpu", "gpus", "path", "runtimeArgs"];
/// Keys of dockerd that are often spelled otherwise.
const OFTEN_MISSPELLED: [&str; 2] = ["default-runtime", "runtimes"];

/// A configuration of dockerd, if there is one; the error says what is wrong with it.
#[must_use]
pub fn read(host: &Tree, path: &str) -> Option<Result<Value, String>> {
    let text = decode(&host.bytes(Path::new(path))?);
    if text.trim().is_empty() {
        return Some(Ok(Value::Null));
    }
    Some(serde_json::from_str::<Value>(&text).map_err(|error| format!("is not valid JSON: {error}")))
}

/// Whether a file begins with a byte order mark.
#[must_use]
pub fn has_mark(host: &Tree, path: &str) -> bool {
    let bytes = host.bytes(Path::new(path)).unwrap_or_default();
    MARKS.iter().any(|mark| bytes.starts_with(mark))
}

/// The byte order marks of UTF-8, and of UTF-16 with the low and the high byte first.
const MARKS: [&[u8]; 3] = [&[0xef, 0xbb, 0xbf], &[0xff, 0xfe], &[0xfe, 0xff]];

/// The text, by the byte order mark if there is one.
fn decode(bytes: &[u8]) -> String {
    let [plain, low, high] = MARKS;
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(unit).collect();
        String::from_utf16_lossy(&units)
    };
    match () {
        () if bytes.starts_with(low) => wide(bytes.get(2..).unwrap_or_default(), u16::from_le_bytes),
        () if bytes.starts_with(high) => wide(bytes.get(2..).unwrap_or_default(), u16::from_be_bytes),
        () => String::from_utf8_lossy(bytes.strip_prefix(plain).unwrap_or(bytes)).into_owned(),
    }
}

/// Why dockerd refuses a configuration that is valid JSON, as the end of a sentence about it.
#[must_use]
pub fn faults(config: &Value) -> Vec<String> {
    let Some(members) = config.as_object() else {
        return if config.is_null() { Vec::new() } else { vec!["is not a JSON object".to_owned()] };
    };
    let mut faults: Vec<String> = members
        .keys()
        .filter(|key| is_refused(key))
        .map(|key| {
            let shown: String = key.chars().take(60).collect();
            format!(
                "has the key \"{shown}\", which dockerd does not know (\"the following directives don't match any \
                     configuration option\")"
            )
        })
        .collect();
    let mut wrong = |place: &str, value: Option<&Value>, kind: Kind| {
        if let Some(value) = value.filter(|value| !kind.fits(value)) {
            faults.push(format!("says in \"{place}\" {}, where dockerd reads only {}", name_of(value), kind.name()));
        }
    };
    wrong("default-runtime", members.get("default-runtime"), Kind::Text);
    wrong("cdi-spec-dirs", members.get("cdi-spec-dirs"), Kind::Texts);
    wrong("exec-opts", members.get("exec-opts"), Kind::Texts);
    wrong("features", members.get("features"), Kind::Object);
    for (name, value) in members.get("features").and_then(Value::as_object).into_iter().flatten() {
        wrong(&format!("features.{name}"), Some(value), Kind::Bool);
    }
    wrong("runtimes", members.get("runtimes"), Kind::Object);
    for (name, runtime) in members.get("runtimes").and_then(Value::as_object).into_iter().flatten() {
        wrong(&format!("runtimes.{name}"), Some(runtime), Kind::Object);
        for (member, kind) in [("path", Kind::Text), ("runtimeArgs", Kind::Texts), ("runtimeType", Kind::Text)] {
            wrong(&format!("runtimes.{name}.{member}"), runtime.get(member), kind);
        }
    }
    faults
}

/// Whether a key is certainly not one of dockerd's.
fn is_refused(key: &str) -> bool {
    let plain = |key: &str| key.to_ascii_lowercase().replace(['-', '_'], "").trim_end_matches('s').to_owned();
    let is_misspelled = |known: &&str| *known != key && plain(known) == plain(key);
    key.starts_with(['_', '#', '$', '/']) || REFUSED.contains(&key) || OFTEN_MISSPELLED.iter().any(is_misspelled)
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    Bool,
    Object,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            _ if value.is_null() => true,
            Kind::Text => value.is_string(),
            Kind::Texts => value.as_array().is_some_and(|items| items.iter().all(|item| Kind::Text.fits(item))),
            Kind::Bool => value.is_boolean(),
            Kind::Object => value.is_object(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Text => "a string",
            Kind::Texts => "a list of strings",
            Kind::Bool => "true or false",
            Kind::Object => "an object",
        }
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_byte_order_mark_tells_the_encoding() {
        let units = "{\u{e9}}".encode_utf16();
        let low: Vec<u8> = [0xff, 0xfe].into_iter().chain(units.clone().flat_map(u16::to_le_bytes)).collect();
        let high: Vec<u8> = [0xfe, 0xff].into_iter().chain(units.flat_map(u16::to_be_bytes)).collect();
        for bytes in [low, high, [MARKS[0], "{\u{e9}}".as_bytes()].concat(), "{\u{e9}}".as_bytes().to_vec()] {
            assert_eq!(decode(&bytes), "{\u{e9}}");
        }
    }

    #[test]
    fn what_dockerd_refuses_is_told() {
        for (config, part) in [
            (json!([]), "not a JSON object"),
            (json!({"_comment": "x"}), "\"_comment\", which dockerd does not know"),
            (json!({"default_runtime": "nvidia"}), "default_runtime"),
            (json!({"runtimes": []}), "\"runtimes\" a list, where dockerd reads only an object"),
            (json!({"runtimes": {"runtimeArgs": []}}), "\"runtimes.runtimeArgs\" a list"),
            (json!({"runtimes": {"nvidia": {"runtimeArgs": ""}}}), "\"runtimes.nvidia.runtimeArgs\" a string"),
            (json!({"features": {"cdi": "true"}}), "\"features.cdi\" a string, where dockerd reads only true or false"),
            (json!({"cdi-spec-dirs": "/etc/cdi"}), "a list of strings"),
        ] {
            let faults = faults(&config);
            assert!(faults.len() == 1 && faults[0].contains(part), "{faults:?}");
        }
        for config in [
            json!(null),
            json!({"runtimes": null, "features": {"cdi": true}, "cdi-spec-dirs": ["/etc/cdi"], "default-runtime": "nvidia"}),
            json!({"runtimes": {"nvidia": {"path": "x", "runtimeArgs": null, "options": {}}}, "data-root": "/d", "new": 1}),
        ] {
            assert_eq!(faults(&config), Vec::<String>::new());
        }
    }
}
