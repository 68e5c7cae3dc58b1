//! Reads a file of hooks.d in the form 1.0.0 or 0.1.0, and says why engines refuse it. Must not know what it is for.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::{HookFile, When};
use crate::finding::Finding;

/// The form that is written today.
pub const VERSION: &str = "1.0.0";
const OLD: &str = "0.1.0";
const STAGES: [&str; 6] = ["createContainer", "createRuntime", "prestart", "poststart", "poststop", "startContainer"];

impl HookFile {
    /// Reads a file.
    ///
    /// # Errors
    /// Why engines refuse it; they then start no container at all.
    pub fn parse(content: &[u8]) -> Result<Self, Box<Finding>> {
        let document: Value = serde_json::from_slice(content).map_err(|error| {
            refused("not-json", format!("not JSON: {error}"), "correct it, or write it anew: nvidia-hookctl oci-hook")
        })?;
        let Value::Object(members) = document else {
            return Err(refused("not-an-object", "not a JSON object", "write it anew: nvidia-hookctl oci-hook"));
        };
        if members.contains_key("hooks") && !members.contains_key("hook") {
            return Err(refused(
                "foreign-form",
                "this is the form of config.json (and of oci-add-hooks): \"hooks\" with a list for each stage; a file of \
                 hooks.d has the members version, hook, when and stages",
                "write it anew: nvidia-hookctl oci-hook",
            ));
        }
        match members.get("version").map(|version| version.as_str().unwrap_or_default()) {
            Some(VERSION) => current(&members),
            Some(OLD) if members.get("hook").is_some_and(Value::is_object) => Err(refused(
                "no-version",
                "\"version\" is not \"1.0.0\" but \"0.1.0\", the old form, in which \"hook\" is a path",
                "write \"version\": \"1.0.0\"",
            )),
            None | Some("") if members.get("hook").is_some_and(Value::is_object) => Err(refused(
                "no-version",
                "\"version\" is missing, so engines read the old form 0.1.0, in which \"hook\" is a path",
                "write \"version\": \"1.0.0\"",
            )),
            None | Some(OLD | "") => old(&members),
            Some(other) => {
                let message = format!("\"version\" is not \"1.0.0\" but \"{other}\", which no engine knows");
                Err(refused("unknown-version", message, "write \"version\": \"1.0.0\""))
            }
        }
    }
}

/// A fault for which engines refuse the file.
fn refused(id: &'static str, message: impl Into<String>, remedy: &str) -> Box<Finding> {
    Box::new(Finding::error(id, message, remedy))
}

fn current(members: &Map<String, Value>) -> Result<HookFile, Box<Finding>> {
    let hook = members.get("hook").and_then(Value::as_object);
    let path = hook.and_then(|hook| hook.get("path")).and_then(Value::as_str).filter(|path| !path.is_empty());
    let Some(path) = path else {
        return Err(refused("no-path", "\"hook\" has no \"path\"", "name the hook's absolute path"));
    };
    let given = members.get("when").and_then(Value::as_object).cloned();
    let is_missing = given.is_none();
    let when = given.unwrap_or_default();
    let annotations = when.get("annotations").and_then(Value::as_object).cloned().unwrap_or_default();
    let when = When {
        always: flag(&when, "always")?,
        has_bind_mounts: flag(&when, "hasBindMounts")?,
        annotations: annotations.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        commands: list(when.get("commands")),
        any: false,
        is_missing,
    };
    let stages = members.get("stages").filter(|stages| stages.is_array());
    if stages.is_none() {
        return Err(refused(
            "no-stages",
            "\"stages\" is missing, and has neither prestart nor createRuntime",
            "write \"stages\": [\"prestart\"]",
        ));
    }
    let file = HookFile {
        is_old: false,
        path: path.to_owned(),
        arguments: list(hook.and_then(|hook| hook.get("args"))),
        environment: list(hook.and_then(|hook| hook.get("env"))),
        stages: list(stages),
        when,
    };
    checked(file)
}

fn old(members: &Map<String, Value>) -> Result<HookFile, Box<Finding>> {
    let Some(path) = members.get("hook").and_then(Value::as_str).filter(|path| !path.is_empty()) else {
        let message = "\"hook\" is missing; without \"version\" engines read the old form 0.1.0, in which it is a path";
        return Err(refused("no-path", message, "write it anew in the form 1.0.0: nvidia-hookctl oci-hook"));
    };
    let either = |name: &str, other: &str| members.get(name).or_else(|| members.get(other));
    let Some(stages) = either("stages", "stage").filter(|stages| stages.is_array()) else {
        let message = "\"stage\" is missing";
        return Err(refused("no-stages", message, "write \"stage\": [\"prestart\"]"));
    };
    let annotations = list(either("annotations", "annotation"));
    let mut arguments = vec![path.to_owned()];
    arguments.extend(list(members.get("arguments")));
    let file = HookFile {
        is_old: true,
        path: path.to_owned(),
        arguments,
        environment: Vec::new(),
        stages: list(Some(stages)),
        when: When {
            always: None,
            has_bind_mounts: flag(members, "hasbindmounts")?,
            annotations: if annotations.is_empty() {
                Vec::new()
            } else {
                vec![(".*".to_owned(), annotations.join("|"))]
            },
            commands: list(either("cmds", "cmd")),
            any: true,
            is_missing: false,
        },
    };
    checked(file)
}

/// A file whose expressions can be read and whose stages exist.
fn checked(file: HookFile) -> Result<HookFile, Box<Finding>> {
    let patterns = file.when.commands.iter().chain(file.when.annotations.iter().flat_map(|(key, value)| [key, value]));
    for pattern in patterns {
        if let Err(error) = Regex::new(pattern) {
            let message = format!("\"{pattern}\" is not a regular expression: {error}");
            return Err(refused(
                "bad-expression",
                message,
                "correct it; commands and annotations are regular expressions",
            ));
        }
    }
    if let Some(stage) = file.stages.iter().find(|stage| !STAGES.contains(&stage.as_str())) {
        let message =
            format!("\"stages\" has neither prestart nor createRuntime, but \"{stage}\", which is not a stage");
        return Err(refused("unknown-stage", message, "write \"stages\": [\"prestart\"]"));
    }
    Ok(file)
}

fn flag(members: &Map<String, Value>, name: &str) -> Result<Option<bool>, Box<Finding>> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => {
            let message = format!("\"{name}\" must be true or false, and is {other}");
            Err(refused("wrong-type", message, "write true or false, without quotes"))
        }
    }
}

fn list(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().map(text).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::Reach;
    use super::*;
    use serde_json::json;

    fn reach(when: Value) -> Reach {
        let document = json!({"version": "1.0.0", "hook": {"path": "/x"}, "when": when, "stages": ["prestart"]});
        HookFile::parse(document.to_string().as_bytes()).unwrap().when.reach()
    }

    #[test]
    fn conditions_are_joined_by_and() {
        assert_eq!(reach(json!({"always": true})), Reach::All);
        assert_eq!(reach(json!({"always": true, "commands": [".*"]})), Reach::All);
        assert_eq!(reach(json!({"commands": [""]})), Reach::All);
        for never in [
            json!({}),
            json!({"always": false}),
            json!({"always": false, "commands": [".*"]}),
            json!({"hasBindMounts": false, "always": true}),
        ] {
            assert!(matches!(reach(never.clone()), Reach::None(_)), "{never}");
        }
        for some in [
            json!({"always": true, "commands": ["nvidia-smi$"]}),
            json!({"hasBindMounts": true}),
            json!({"always": true, "annotations": {"^gpu$": "true"}}),
        ] {
            assert!(matches!(reach(some.clone()), Reach::Some(_)), "{some}");
        }
    }

    #[test]
    fn the_old_form_is_read_and_joined_by_or() {
        let file = |document: Value| HookFile::parse(document.to_string().as_bytes());
        let old = file(json!({"hook": "/usr/bin/nvidia-container-toolkit", "arguments": ["prestart"], "annotations": ["sandbox"], "stage": ["prestart"]})).unwrap();
        assert!(old.is_old && old.is_nvidia());
        assert_eq!(old.arguments, ["/usr/bin/nvidia-container-toolkit", "prestart"]);
        assert_eq!(
            old.when.reach(),
            Reach::Some("containers with an annotation whose value matches \"sandbox\"".to_owned())
        );
        let all = file(
            json!({"version": "0.1.0", "hook": "/x", "cmds": [".*"], "annotations": ["a"], "stages": ["prestart"]}),
        )
        .unwrap();
        assert_eq!(all.when.reach(), Reach::All);
        assert_eq!(file(json!({"hook": {"path": "/x"}, "stages": ["prestart"]})).unwrap_err().id, "no-version");
    }
}
