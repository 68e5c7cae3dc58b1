//! What engines refuse in the members of a CDI specification: members that the format does not have, values of another
//! type, and what mounts, nodes and hooks must say. Must not know which file it is in.

use serde_json::{Map, Value};

/// The members of a part of a specification, up to CDI 1.1.
const SPEC: &[&str] = &["cdiVersion", "kind", "annotations", "devices", "containerEdits"];
const DEVICE: &[&str] = &["name", "annotations", "containerEdits"];
const EDITS: &[&str] = &["env", "deviceNodes", "netDevices", "hooks", "mounts", "intelRdt", "additionalGids"];
const NODE: &[&str] = &["path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid"];
const NET_DEVICE: &[&str] = &["hostInterfaceName", "name"];
const HOOK: &[&str] = &["hookName", "path", "args", "env", "timeout"];
const MOUNT: &[&str] = &["hostPath", "containerPath", "options", "type"];
/// The stages of a hook.
const STAGES: [&str; 6] = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
/// The types of a node.
const TYPES: [&str; 5] = ["", "b", "c", "u", "p"];

/// A document with the members spelled as in the format: engines take them in any case.
#[must_use]
pub fn spelled(document: Value) -> Value {
    let known = || [SPEC, DEVICE, EDITS, NODE, NET_DEVICE, HOOK, MOUNT].into_iter().flatten();
    match document {
        Value::Array(items) => items.into_iter().map(spelled).collect(),
        Value::Object(members) => {
            let right = |name: String| {
                known().find(|known| known.eq_ignore_ascii_case(&name)).map_or(name, |known| (*known).to_owned())
            };
            members.into_iter().map(|(name, value)| (right(name), spelled(value))).collect()
        }
        other => other,
    }
}

/// The first thing that engines refuse.
#[must_use]
pub fn fault(document: &Value) -> Option<String> {
    let spec = document.as_object()?;
    unknown(spec, SPEC, "it").or_else(|| edits(spec, "containerEdits")).or_else(|| {
        items(spec, "devices").find_map(|device| {
            let Some(members) = device.as_object() else {
                return Some("an item of \"devices\" is not an object".to_owned());
            };
            unknown(members, DEVICE, "a device").or_else(|| edits(members, "containerEdits"))
        })
    })
}

fn edits(owner: &Map<String, Value>, name: &str) -> Option<String> {
    let edits = match owner.get(name)? {
        Value::Null => return None,
        Value::Object(edits) => edits,
        _ => return Some(format!("\"{name}\" is not an object")),
    };
    let lists = ["env", "deviceNodes", "netDevices", "hooks", "mounts", "additionalGids"];
    let no_list = |name: &&&str| edits.get(**name).is_some_and(|value| !value.is_null() && !value.is_array());
    if let Some(name) = lists.iter().find(no_list) {
        return Some(format!("\"{name}\" is not a list"));
    }
    unknown(edits, EDITS, "containerEdits")
        .or_else(|| each(edits, "deviceNodes", NODE, node))
        .or_else(|| each(edits, "netDevices", NET_DEVICE, |_| None))
        .or_else(|| each(edits, "hooks", HOOK, hook))
        .or_else(|| each(edits, "mounts", MOUNT, mount))
}

/// The first fault in the items of a list.
fn each(
    edits: &Map<String, Value>,
    name: &str,
    known: &[&str],
    check: fn(&Map<String, Value>) -> Option<String>,
) -> Option<String> {
    items(edits, name).find_map(|item| {
        let Some(members) = item.as_object() else { return Some(format!("an item of \"{name}\" is not an object")) };
        unknown(members, known, &format!("an item of \"{name}\"")).or_else(|| check(members))
    })
}

fn items<'v>(owner: &'v Map<String, Value>, name: &str) -> impl Iterator<Item = &'v Value> {
    owner.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn unknown(members: &Map<String, Value>, known: &[&str], what: &str) -> Option<String> {
    let name: String = members.keys().find(|name| !known.contains(&name.as_str()))?.chars().take(60).collect();
    Some(format!("{what} has the member \"{name}\", which the format does not have, so engines refuse the file"))
}

fn text<'v>(members: &'v Map<String, Value>, name: &str) -> &'v str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn node(node: &Map<String, Value>) -> Option<String> {
    let path = text(node, "path");
    if path.is_empty() {
        return Some("an item of \"deviceNodes\" has no path".to_owned());
    }
    let is_no_number = |name: &&&str| node.get(**name).is_some_and(|value| !value.is_null() && !value.is_i64());
    if let Some(name) = ["major", "minor"].iter().find(is_no_number) {
        return Some(format!("\"{name}\" of the device node {path} is not a number"));
    }
    let kind = text(node, "type");
    (!TYPES.contains(&kind)).then(|| format!("the device node {path} is of type \"{kind}\", which does not exist"))
}

fn hook(hook: &Map<String, Value>) -> Option<String> {
    let (name, path) = (text(hook, "hookName"), text(hook, "path"));
    match () {
        () if !STAGES.contains(&name) => Some(format!("\"{name}\" is not the name of a stage (hookName)")),
        () if path.is_empty() => Some(format!("a hook of the stage {name} has no path")),
        () => None,
    }
}

fn mount(mount: &Map<String, Value>) -> Option<String> {
    let missing = ["hostPath", "containerPath"].into_iter().find(|name| text(mount, name).is_empty())?;
    Some(format!("an item of \"mounts\" has no {missing}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_engines_refuse_is_told() {
        let with = |edits: Value| fault(&json!({"containerEdits": edits})).unwrap_or_default();
        for (edits, part) in [
            (json!({"hooks": {"createContainer": []}}), "\"hooks\" is not a list"),
            (json!({"hooks": [{"hookName": "create-container", "path": "/a"}]}), "not the name of a stage"),
            (json!({"hooks": [{"hookName": "prestart"}]}), "no path"),
            (json!({"mounts": [{"hostPath": "/a", "path": "/a"}]}), "\"path\", which the format does not have"),
            (json!({"mounts": [{"hostPath": "/a"}]}), "no containerPath"),
            (
                json!({"deviceNodes": [{"path": "/dev/a", "major": "195"}]}),
                "\"major\" of the device node /dev/a is not a number",
            ),
            (json!({"deviceNodes": [{"hostPath": "/dev/a"}]}), "no path"),
            (json!({"deviceNodes": [{"path": "/dev/a", "type": "x"}]}), "type \"x\""),
            (json!({"devices": []}), "containerEdits has the member \"devices\""),
            (json!([]), "not an object"),
        ] {
            assert!(with(edits.clone()).contains(part), "{edits}: {}", with(edits.clone()));
        }
        let right = json!({"env": null, "deviceNodes": [{"path": "/dev/a", "major": 1, "type": "c"}],
            "hooks": [{"hookName": "prestart", "path": "/a"}], "mounts": [{"hostPath": "/a", "containerPath": "/a"}]});
        assert_eq!(with(right), "");
        assert!(fault(&json!({"devices": [{"name": "0", "path": "/dev/a"}]})).is_some());
        assert!(fault(&json!({"version": 1})).is_some());
        let lower = spelled(json!({"containeredits": {"hooks": [{"hookname": "prestart", "path": "/a"}]}}));
        assert_eq!((fault(&lower), lower["containerEdits"]["hooks"][0]["hookName"].as_str()), (None, Some("prestart")));
    }
}
