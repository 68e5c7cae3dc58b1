//! The same document in another form: members in another order, each character escaped, other white space, each TOML
//! table on its own line. A reader of one must read the other. Also a `config.json` with additions, made to its values
//! and not to its text.

use nvidia_container_runtime_hook::text::semver::Version;
use serde::Deserialize;
use std::fmt::Write as _;

/// A JSON document, of which only the first value counts; nothing if a plain parser refuses that value.
pub fn json(data: &[u8]) -> Option<Vec<u8>> {
    let mut first = serde_json::Deserializer::from_slice(data);
    let value = serde_json::Value::deserialize(&mut first).ok()?;
    let mut text = String::from(" \r\n\t");
    write_json(&mut text, &value);
    Some(text.into_bytes())
}

/// A `config.json` whose container has more variables, or is privileged: CAP_SYS_ADMIN replaces its own capabilities.
/// Nothing if a plain parser refuses it, or if it has no process.
pub fn with_more(data: &[u8], variables: &[&str], privileged: bool) -> Option<Vec<u8>> {
    let mut spec: serde_json::Value = serde_json::from_slice(data).ok()?;
    let rc = |pre| Version { major: 1, minor: 0, patch: 0, pre };
    let version = spec.get("ociVersion").and_then(serde_json::Value::as_str).unwrap_or_default();
    let is_old = Version::parse(version).is_ok_and(|version| version >= rc("rc1") && version < rc("rc5"));
    let process = spec.get_mut("process")?.as_object_mut()?;
    if !variables.is_empty() {
        let env = process.entry("env").or_insert_with(|| serde_json::json!([]));
        match env {
            serde_json::Value::Array(entries) => entries.extend(variables.iter().map(|&entry| entry.into())),
            serde_json::Value::Null => *env = variables.into(),
            _ => {}
        }
    }
    if privileged {
        let set = serde_json::json!(["CAP_SYS_ADMIN"]);
        let is_list = match process.get("capabilities") {
            None | Some(serde_json::Value::Null) => is_old,
            Some(capabilities) => capabilities.is_array(),
        };
        process.insert("capabilities".to_owned(), if is_list { set } else { serde_json::json!({ "bounding": set }) });
    }
    serde_json::to_vec(&spec).ok()
}

fn write_json(text: &mut String, value: &serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(string) => escaped(text, string, |unit| format!("\\u{unit:04x}")),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "\n,\t" });
                write_json(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (at, (name, member)) in members.iter().rev().enumerate() {
                text.push_str(if at == 0 { " " } else { " ,\r\n" });
                escaped(text, name, |unit| format!("\\u{unit:04X}"));
                text.push_str(" :\t");
                write_json(text, member);
            }
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => write!(text, "{value}").unwrap(),
    }
}

/// A TOML document; nothing if the input is not one.
pub fn toml(data: &[u8]) -> Option<Vec<u8>> {
    let table: toml::Table = std::str::from_utf8(data).ok()?.parse().ok()?;
    // An empty file is not a configuration.
    let mut text = String::from("# = \"\r\n");
    for (name, value) in table.iter().rev() {
        key(&mut text, name);
        write_toml(&mut text, value);
        text.push('\n');
    }
    Some(text.into_bytes())
}

fn key(text: &mut String, name: &str) {
    character_by_character(text, name);
    text.push_str(" \t= ");
}

fn write_toml(text: &mut String, value: &toml::Value) {
    use toml::Value;
    match value {
        Value::String(string) => character_by_character(text, string),
        Value::Integer(number) => write!(text, "{number}").unwrap(),
        Value::Float(number) => write!(text, "{number:?}").unwrap(),
        Value::Boolean(is) => write!(text, "{is}").unwrap(),
        Value::Datetime(when) => write!(text, "{when}").unwrap(),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_toml(text, item);
                text.push_str(" ,\n");
            }
            text.push(']');
        }
        Value::Table(members) => {
            text.push('{');
            for (at, (name, member)) in members.iter().rev().enumerate() {
                text.push_str(if at == 0 { " " } else { ", " });
                key(text, name);
                write_toml(text, member);
            }
            text.push('}');
        }
    }
}

/// A TOML string: its escapes stand for characters.
fn character_by_character(text: &mut String, string: &str) {
    text.push('"');
    string.chars().for_each(|character| write!(text, "\\U{:08x}", u32::from(character)).unwrap());
    text.push('"');
}

/// A JSON string: its escapes stand for UTF-16 code units.
fn escaped(text: &mut String, string: &str, escape: impl Fn(u16) -> String) {
    text.push('"');
    string.encode_utf16().for_each(|unit| text.push_str(&escape(unit)));
    text.push('"');
}
