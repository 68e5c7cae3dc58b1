//! Reads a file of hooks.d in format 1.0.0 or 0.1.0, and says why engines refuse it. Must not know what it is for.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::{HookFile, When};
use crate::finding::Finding;

/// The format written today.
pub const VERSION: &str = "1.0.0";
const OLD: &str = "0.1.0";
const STAGES: [&str; 6] = ["createContainer", "createRuntime", "prestart", "poststart", "poststop", "startContainer"];
/// The stage that Podman adds to those of OCI; CRI-O refuses a file that names it.
pub const PODMANS_STAGE: &str = "precreate";

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
        if let Some(foreign) = foreign(&members) {
            return Err(foreign);
        }
        let version = match get(&members, "version") {
            None | Some(Value::Null) => "",
            Some(Value::String(version)) => version.as_str(),
            Some(other) => {
                let message = format!("\"version\" must be a string, and is {other}");
                return Err(refused("wrong-type", message, "write \"version\": \"1.0.0\""));
            }
        };
        match version {
            VERSION => current(&members),
            OLD if get(&members, "hook").is_some_and(Value::is_object) => Err(refused(
                "no-version",
                "\"version\" is not \"1.0.0\" but \"0.1.0\", the old form, in which \"hook\" is a path",
                "write \"version\": \"1.0.0\"",
            )),
            "" if get(&members, "hook").is_some_and(Value::is_object) => Err(refused(
                "no-version",
                "\"version\" is missing, so engines read the old form 0.1.0, in which \"hook\" is a path",
                "write \"version\": \"1.0.0\"",
            )),
            OLD | "" => old(&members),
            other => {
                let message = format!("\"version\" is not \"1.0.0\" but \"{other}\", which no engine knows");
                Err(refused("unknown-version", message, "write \"version\": \"1.0.0\""))
            }
        }
    }
}

/// Formats of other files, which people copy into hooks.d.
fn foreign(members: &Map<String, Value>) -> Option<Box<Finding>> {
    const ANEW: &str = "write it anew: nvidia-hookctl oci-hook";
    const FORM: &str = "a file of hooks.d has the members version, hook, when and stages";
    let has = |name: &str| members.contains_key(name);
    let of_stages = STAGES.iter().any(|stage| members.get(*stage).is_some_and(Value::is_array));
    let what = match () {
        () if has("hook") => return None,
        () if has("hooks") || has("ociVersion") || of_stages => {
            "this is the form of config.json (and of oci-add-hooks), with a list for each stage"
        }
        () if has("cdiVersion") => "this is a CDI specification, which belongs to /etc/cdi",
        () if has("runtimes") || has("default-runtime") => "this is the form of dockerd's daemon.json",
        () => return None,
    };
    Some(refused("foreign-form", format!("{what}; {FORM}"), ANEW))
}

/// A member as Go finds it: by its exact name, otherwise by its name in any case.
fn get<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    let folded = || members.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    members.get(name).or_else(folded)
}

/// A fault that makes engines refuse the file.
fn refused(id: &'static str, message: impl Into<String>, remedy: &str) -> Box<Finding> {
    Box::new(Finding::error(id, message, remedy))
}

fn current(members: &Map<String, Value>) -> Result<HookFile, Box<Finding>> {
    let hook = object(members, "hook")?;
    let Some(path) = text(&hook, "path")?.filter(|path| !path.is_empty()) else {
        return Err(refused("no-path", "\"hook\" has no \"path\"", "name the hook's absolute path"));
    };
    let is_missing = get(members, "when").is_none_or(Value::is_null);
    let when = object(members, "when")?;
    let annotations = object(&when, "annotations")?;
    let value = |(key, value): (&String, &Value)| match value {
        Value::String(value) => Ok((key.clone(), value.clone())),
        other => Err(wrong_type("annotations", "a string for each name", other)),
    };
    let conditions = When {
        always: flag(&when, "always")?,
        has_bind_mounts: flag(&when, "hasBindMounts")?,
        annotations: annotations.iter().map(value).collect::<Result<_, _>>()?,
        commands: list(&when, "commands")?,
        any: false,
        is_missing,
    };
    let stages = list(members, "stages")?;
    let file = HookFile {
        is_old: false,
        path,
        arguments: list(&hook, "args")?,
        environment: list(&hook, "env")?,
        timeout: number(&hook, "timeout")?,
        unread: unread(members, &["version", "hook", "when", "stages"])
            .chain(unread(&hook, &["path", "args", "env", "timeout"]))
            .chain(unread(&when, &["always", "annotations", "commands", "hasBindMounts"]))
            .collect(),
        stages,
        when: conditions,
    };
    checked(file)
}

fn old(members: &Map<String, Value>) -> Result<HookFile, Box<Finding>> {
    let Some(path) = text(members, "hook")?.filter(|path| !path.is_empty()) else {
        let message = "\"hook\" is missing; without \"version\" engines read the old form 0.1.0, in which it is a path";
        return Err(refused("no-path", message, "write it anew in the form 1.0.0: nvidia-hookctl oci-hook"));
    };
    let either = |name: &'static str, other: &'static str| match list(members, name) {
        Ok(list) if list.is_empty() => self::list(members, other),
        given => given,
    };
    let annotations = either("annotations", "annotation")?;
    let mut arguments = vec![path.clone()];
    arguments.extend(list(members, "arguments")?);
    let file = HookFile {
        is_old: true,
        path,
        arguments,
        environment: Vec::new(),
        timeout: None,
        unread: Vec::new(),
        stages: either("stages", "stage")?,
        when: When {
            always: None,
            has_bind_mounts: flag(members, "hasbindmounts")?,
            annotations: match annotations.is_empty() {
                true => Vec::new(),
                false => vec![(".*".to_owned(), annotations.join("|"))],
            },
            commands: either("cmds", "cmd")?,
            any: true,
            is_missing: false,
        },
    };
    checked(file)
}

/// The members that no engine reads.
fn unread<'m>(members: &'m Map<String, Value>, known: &'static [&'static str]) -> impl Iterator<Item = String> + 'm {
    let is_known = |name: &&String| known.iter().any(|known| known.eq_ignore_ascii_case(name));
    members.keys().filter(move |name| !is_known(name)).cloned()
}

/// The file, if its expressions are valid and its stages exist.
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
    if let Some(stage) = file.stages.iter().find(|stage| !STAGES.contains(&stage.as_str()) && *stage != PODMANS_STAGE) {
        let message =
            format!("\"stages\" has neither prestart nor createRuntime, but \"{stage}\", which is not a stage");
        return Err(refused("unknown-stage", message, "write \"stages\": [\"prestart\"]"));
    }
    Ok(file)
}

fn flag(members: &Map<String, Value>, name: &str) -> Result<Option<bool>, Box<Finding>> {
    match get(members, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => Err(wrong_type(name, "true or false, without quotes", other)),
    }
}

fn number(members: &Map<String, Value>, name: &str) -> Result<Option<i64>, Box<Finding>> {
    match get(members, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) if number.is_i64() => Ok(number.as_i64()),
        Some(other) => Err(wrong_type(name, "a whole number, without quotes", other)),
    }
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Box<Finding>> {
    match get(members, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value.clone())),
        Some(other) => Err(wrong_type(name, "a string", other)),
    }
}

fn object(members: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, Box<Finding>> {
    match get(members, name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(value)) => Ok(value.clone()),
        Some(other) => Err(wrong_type(name, "an object, in braces", other)),
    }
}

fn list(members: &Map<String, Value>, name: &str) -> Result<Vec<String>, Box<Finding>> {
    let wanted = "a list of strings, in brackets";
    match get(members, name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let item = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| wrong_type(name, wanted, item));
            items.iter().map(item).collect()
        }
        Some(other) => Err(wrong_type(name, wanted, other)),
    }
}

/// A value of a type other than the format's: Go refuses the file.
fn wrong_type(name: &str, wanted: &str, got: &Value) -> Box<Finding> {
    let got: String = got.to_string().chars().take(60).collect();
    refused("wrong-type", format!("\"{name}\" must be {wanted}, and is {got}"), &format!("write {wanted}"))
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
    fn the_stage_of_podman_is_a_stage() {
        let file = |stage: &str| {
            HookFile::parse(
                json!({"version": "1.0.0", "hook": {"path": "/x"}, "stages": [stage]}).to_string().as_bytes(),
            )
        };
        assert!(file("precreate").unwrap().is_for_podman() && !file("prestart").unwrap().is_for_podman());
        assert_eq!(file("preCreate").unwrap_err().id, "unknown-stage");
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
