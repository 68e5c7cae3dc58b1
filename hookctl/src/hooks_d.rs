//! Files of hooks.d as Podman and CRI-O read them (containers/common, pkg/hooks; oci-hooks(5)): the forms 1.0.0 and 0.1.0,
//! when a file starts its hook, and what is wrong with one that starts this hook. Must not know which directories are
//! searched.

use std::path::Path;

use regex_lite::Regex;
use serde_json::{Map, Value};

use crate::finding::{Finding, Severity};
use crate::inspect::Inspect;

/// The form that is written today.
pub const VERSION: &str = "1.0.0";
const OLD: &str = "0.1.0";
/// The names under which the hook is installed.
const NAMES: [&str; 2] = ["nvidia-container-runtime-hook", "nvidia-container-toolkit"];
const STAGES: [&str; 6] = ["createContainer", "createRuntime", "prestart", "poststart", "poststop", "startContainer"];
/// Variables of the hook's own environment, unlike all others that begin with `NVIDIA_`.
const OWN_VARIABLES: [&str; 2] = ["NVIDIA_CONTAINER_HOOK_LOG", "NVIDIA_CTK_CONFIG_FILE_PATH"];
/// Commands by which it is told whether an expression matches every one.
const COMMANDS: [&str; 5] = ["/bin/sh", "sh", "python3", "/usr/local/bin/entrypoint.sh", "/pause"];

/// A file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFile {
    /// It has the form 0.1.0.
    pub is_old: bool,
    /// The program.
    pub path: String,
    /// Its arguments, the program's name first.
    pub arguments: Vec<String>,
    /// Its environment.
    pub environment: Vec<String>,
    /// The stages at which it runs.
    pub stages: Vec<String>,
    /// For which containers it runs.
    pub when: When,
}

/// Conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    always: Option<bool>,
    has_bind_mounts: Option<bool>,
    annotations: Vec<(String, String)>,
    commands: Vec<String>,
    /// One of them is enough, as in the form 0.1.0.
    any: bool,
    /// There are none, not even an empty list of them.
    is_missing: bool,
}

/// For which containers a file starts its hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// For every container.
    All,
    /// For those that this clause is about.
    Some(String),
    /// For none, and why.
    None(String),
}

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

    /// Whether the program is NVIDIA's hook, by its name.
    #[must_use]
    pub fn is_nvidia(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        NAMES.contains(&name.strip_suffix(".real").unwrap_or(name))
    }

    /// What is wrong with a file that is to start NVIDIA's hook.
    #[must_use]
    pub fn faults(&self, host: &dyn Inspect) -> Vec<Finding> {
        let mut faults = Vec::new();
        self.program(host, &mut faults);
        self.arguments(&mut faults);
        self.conditions(&mut faults);
        self.stages(&mut faults);
        self.environment(&mut faults);
        faults
    }

    fn program(&self, host: &dyn Inspect, faults: &mut Vec<Finding>) {
        let path = &self.path;
        if !path.starts_with('/') {
            faults.push(fault("relative-path", format!("\"path\" {path} is relative"), "write the absolute path"));
        } else if !host.status(Path::new(path)).is_some_and(|status| status.is_file && status.is_executable()) {
            faults.push(fault(
                "program-missing",
                format!("{path} is not there, or not executable"),
                "install the hook there, or correct \"path\"",
            ));
        } else if !self.is_nvidia() {
            let message = format!("{path} is not called nvidia-container-runtime-hook");
            faults.push(Finding::warning("other-program", message, "is it the right program?"));
        }
    }

    fn arguments(&self, faults: &mut Vec<Finding>) {
        if !self.arguments.iter().skip(1).any(|word| word == "prestart") {
            let remedy = match self.is_old {
                true => "write \"arguments\": [\"prestart\"]",
                false => {
                    "write \"args\": [\"nvidia-container-runtime-hook\", \"prestart\"]; the first word is the program's name"
                }
            };
            let message =
                "\"args\" does not say prestart, so the hook would only print its usage and exit with status 2";
            faults.push(fault("no-prestart", message, remedy));
        }
    }

    fn conditions(&self, faults: &mut Vec<Finding>) {
        let reach = self.when.reach();
        if let Reach::None(why) = &reach {
            faults.push(fault("never", why.clone(), "write \"when\": {\"always\": true}"));
        }
        let whom = match &reach {
            Reach::Some(whom) => format!("it starts the hook only for {whom}"),
            _ => "it starts the hook for every container".to_owned(),
        };
        if self.is_old {
            let message = format!("the file has the old form 0.1.0, which engines still read; {whom}");
            let remedy = "1.0.0 is the form to write: nvidia-hookctl oci-hook writes it";
            faults.push(Finding::warning("old-form", message, remedy));
        } else if matches!(reach, Reach::Some(_)) {
            let remedy = "conditions are joined by AND; write \"when\": {\"always\": true} for every container";
            faults.push(Finding::new(Severity::Note, "some-containers", whom, remedy));
        }
    }

    fn stages(&self, faults: &mut Vec<Finding>) {
        let right = |stage: &String| matches!(stage.as_str(), "prestart" | "createRuntime");
        if !self.stages.iter().any(right) {
            faults.push(fault(
                "wrong-stage",
                "\"stages\" has neither prestart nor createRuntime, so the hook would run too early, too late or never",
                "write \"stages\": [\"prestart\"]",
            ));
        } else if self.stages.len() > 1 {
            let message =
                format!("\"stages\" names {}, so the hook would run more than once", self.stages.join(" and "));
            faults.push(fault("many-stages", message, "write \"stages\": [\"prestart\"]"));
        }
    }

    fn environment(&self, faults: &mut Vec<Finding>) {
        let names = self.environment.iter().filter_map(|entry| entry.split_once('=')).map(|(name, _)| name);
        let asking: Vec<&str> =
            names.filter(|name| name.starts_with("NVIDIA_") && !OWN_VARIABLES.contains(name)).collect();
        if !asking.is_empty() {
            let message = format!(
                "{} in the environment of the hook ask for nothing: the hook reads the environment of the container \
                 (process.env in config.json)",
                asking.join(" and ")
            );
            let remedy = "set them for the container (podman run --env, or ENV in the image), and remove them here";
            faults.push(Finding::warning("request-in-env", message, remedy));
        }
        if let Some(entry) = self.environment.iter().find(|entry| !entry.contains('=')) {
            let name: String = entry.chars().take(60).collect();
            let message = format!("the entry \"{name}\" of \"env\" has no '='");
            faults.push(Finding::warning("env-entry", message, "write NAME=VALUE"));
        }
    }
}

impl When {
    /// For which containers the conditions hold, by the engines' own rules.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.any {
            return self.any_of();
        }
        if self.always == Some(false) {
            return Reach::None(
                "\"always\" is false, so no container matches: conditions are joined by AND".to_owned(),
            );
        }
        if self.has_bind_mounts == Some(false) {
            return Reach::None("\"hasBindMounts\" is false, which no container matches".to_owned());
        }
        if self.is_missing {
            return Reach::None("\"when\" is missing, so no container matches".to_owned());
        }
        if self.is_empty() {
            return Reach::None("\"when\" is empty, so no container matches".to_owned());
        }
        let clauses = self.clauses();
        if clauses.is_empty() { Reach::All } else { Reach::Some(format!("containers {}", clauses.join(", and "))) }
    }

    fn any_of(&self) -> Reach {
        let commands = self.commands.iter().any(|pattern| matches_all(pattern));
        if self.always == Some(true) || commands {
            return Reach::All;
        }
        let clauses = self.clauses();
        match clauses.is_empty() {
            true => Reach::None(
                "it has no \"cmds\", \"annotations\" or \"hasbindmounts\", so no container matches".to_owned(),
            ),
            false => Reach::Some(format!("containers {}", clauses.join(", or "))),
        }
    }

    fn is_empty(&self) -> bool {
        let no_flag = self.always.is_none() && self.has_bind_mounts.is_none();
        no_flag && self.annotations.is_empty() && self.commands.is_empty()
    }

    /// The conditions that some containers do not meet.
    fn clauses(&self) -> Vec<String> {
        let mut clauses = Vec::new();
        if self.has_bind_mounts == Some(true) {
            clauses.push("that have bind mounts".to_owned());
        }
        for (key, value) in &self.annotations {
            clauses.push(match key.as_str() {
                ".*" => format!("with an annotation whose value matches \"{value}\""),
                _ => format!("with an annotation that matches \"{key}\" = \"{value}\""),
            });
        }
        if !self.commands.is_empty() && !self.commands.iter().any(|pattern| matches_all(pattern)) {
            clauses.push(format!("whose command matches \"{}\"", self.commands.join("\" or \"")));
        }
        clauses
    }
}

/// Whether an expression matches whatever a container could execute.
fn matches_all(pattern: &str) -> bool {
    Regex::new(pattern).is_ok_and(|regex| COMMANDS.iter().all(|command| regex.is_match(command)))
}

fn fault(id: &'static str, message: impl Into<String>, remedy: &str) -> Finding {
    Finding::error(id, message, remedy)
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
