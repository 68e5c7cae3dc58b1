//! Files of hooks.d as Podman and CRI-O read them (containers/common, pkg/hooks; oci-hooks(5)): what is wrong with one
//! that starts this hook. Must not know which directories are searched, or the formats of a file.

mod read;
mod when;

pub use read::{PODMANS_STAGE, VERSION};
pub use when::{Reach, When};

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Parser;

use crate::arguments::{Arguments, Capture, Command};
use crate::finding::{Finding, Severity};
use crate::inspect::{Inspect, seen};

/// The names under which the hook is installed.
const NAMES: [&str; 2] = ["nvidia-container-runtime-hook", "nvidia-container-toolkit"];
/// Other programs of the toolkit, which do not understand a hook's arguments.
const OTHERS: [&str; 5] =
    ["nvidia-ctk", "nvidia-cdi-hook", "nvidia-container-runtime", "nvidia-container-cli", "nvidia-docker"];
/// This project's program, which can stand in front of a hook.
const HOOKCTL: &str = "nvidia-hookctl";
/// The hook's command at a start.
const PRESTART: &str = "prestart";
/// What to write for `capture`.
const BEHIND_CAPTURE: &str =
    "write \"args\": [\"nvidia-hookctl\", \"capture\", \"--to\", \"DIR\", \"--\", \"HOOK\", \"prestart\"]";
/// How many seconds the driver may take to answer; with many GPUs it may take more.
const LONGEST_ANSWER: i64 = 10;
/// Members of other formats, and what they are called here.
const RENAMED: [(&str, &str); 6] = [
    ("stage", "stages"),
    ("cmds", "commands"),
    ("cmd", "commands"),
    ("arguments", "args"),
    ("annotation", "annotations"),
    ("hasbindmounts", "hasBindMounts"),
];
/// Variables for the hook's own environment, unlike all others that begin with `NVIDIA_`.
const OWN_VARIABLES: [&str; 2] = ["NVIDIA_CONTAINER_HOOK_LOG", "NVIDIA_CTK_CONFIG_FILE_PATH"];

/// A parsed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFile {
    /// Whether it has the old format 0.1.0.
    pub is_old: bool,
    /// The program.
    pub path: String,
    /// Its arguments, the program's name first.
    pub arguments: Vec<String>,
    /// Its environment.
    pub environment: Vec<String>,
    /// Seconds after which engines kill it.
    pub timeout: Option<i64>,
    /// Members that no engine reads.
    pub unread: Vec<String>,
    /// The stages at which it runs.
    pub stages: Vec<String>,
    /// For which containers it runs.
    pub when: When,
}

impl HookFile {
    /// Whether the program is NVIDIA's hook or is meant to be, judging by its name: the hook itself, `capture` in front
    /// of it, or another program of the toolkit with the hook's arguments.
    #[must_use]
    pub fn is_nvidia(&self) -> bool {
        let asks = || self.arguments.iter().skip(1).any(|word| word == "prestart");
        self.is_hook() || self.is_capture() || OTHERS.contains(&self.name()) && asks()
    }

    /// Whether Podman alone accepts the file.
    #[must_use]
    pub fn is_for_podman(&self) -> bool {
        self.stages.iter().any(|stage| stage == PODMANS_STAGE)
    }

    fn name(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.strip_suffix(".real").unwrap_or(name)
    }

    fn is_hook(&self) -> bool {
        NAMES.contains(&self.name())
    }

    fn is_capture(&self) -> bool {
        self.name() == HOOKCTL && self.arguments.get(1).is_some_and(|word| word == "capture")
    }

    /// What is wrong with a file that is meant to start NVIDIA's hook.
    #[must_use]
    pub fn faults(&self, host: &dyn Inspect) -> Vec<Finding> {
        let mut faults = Vec::new();
        self.program(host, &mut faults);
        self.arguments(host, &mut faults);
        self.conditions(&mut faults);
        self.stages(&mut faults);
        self.environment(&mut faults);
        self.time(&mut faults);
        self.others(&mut faults);
        faults
    }

    fn program(&self, host: &dyn Inspect, faults: &mut Vec<Finding>) {
        let path = &self.path;
        if !path.starts_with('/') {
            faults.push(fault("relative-path", format!("\"path\" {path} is relative"), "write the absolute path"));
        } else if !host.status(Path::new(path)).is_some_and(|status| status.is_file && status.is_executable()) {
            let is_there = seen(host, Path::new(path)).is_some();
            let message = match is_there {
                true => format!("{path} is not executable, so every container fails to start"),
                false => format!(
                    "{path} is not there, or cannot be reached: engines refuse the file, and start no container"
                ),
            };
            faults.push(fault("program-missing", message, "install the hook there, or correct \"path\""));
        } else if OTHERS.contains(&self.name()) {
            let message = format!(
                "{path} is another program of the toolkit, which does not know what a hook is told (\"No help topic for \
                 'prestart'\")"
            );
            let remedy = "write the path of nvidia-container-runtime-hook";
            faults.push(fault("other-program", message, remedy));
        } else if !self.is_hook() && !self.is_capture() {
            let message = format!("{path} is not called nvidia-container-runtime-hook");
            faults.push(Finding::warning("other-program", message, "is it the right program?"));
        }
    }

    fn arguments(&self, host: &dyn Inspect, faults: &mut Vec<Finding>) {
        let words: Vec<&OsStr> = self.arguments.iter().skip(1).map(OsStr::new).collect();
        if self.is_capture() {
            let line = std::iter::once(OsStr::new(HOOKCTL)).chain(words);
            match Arguments::try_parse_from(line).map(|parsed| parsed.command) {
                Err(error) => {
                    let text = error.to_string();
                    let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    let message = format!("nvidia-hookctl refuses \"args\": {what}");
                    faults.push(fault("no-prestart", message, BEHIND_CAPTURE));
                }
                Ok(Command::Capture(Capture { hook, .. })) => self.behind_capture(&hook, host, faults),
                Ok(_) => {}
            }
        } else if !self.is_hook() {
            // Its grammar is not known.
            if !words.iter().any(|word| *word == PRESTART) {
                faults.push(self.not_started("\"args\" does not say prestart".to_owned()));
            }
        } else if let Some(why) = not_prestart(&words) {
            faults.push(self.not_started(format!("\"args\" {why}")));
        }
    }

    /// The hook that `capture` stands in front of.
    fn behind_capture(&self, hook: &[OsString], host: &dyn Inspect, faults: &mut Vec<Finding>) {
        let Some((program, words)) = hook.split_first() else {
            faults.push(fault("no-prestart", "\"args\" names no hook after \"--\", so none runs", BEHIND_CAPTURE));
            return;
        };
        let (path, shown) = (Path::new(program), program.display());
        if path.is_absolute() && !host.status(path).is_some_and(|status| status.is_file && status.is_executable()) {
            let message =
                format!("{shown}, the hook after \"--\", is not there or not executable, so every start fails");
            faults.push(fault("program-missing", message, "install the hook there, or correct its path"));
        }
        let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
        let is_hook = path.file_name().is_some_and(|name| NAMES.iter().any(|known| name == *known));
        if let Some(why) = not_prestart(&words).filter(|_| is_hook) {
            faults.push(fault("no-prestart", format!("\"args\" {why} after the hook's path"), BEHIND_CAPTURE));
        }
    }

    fn not_started(&self, why: String) -> Finding {
        let remedy = match self.is_old {
            true => "write \"arguments\": [\"prestart\"]",
            false => {
                "write \"args\": [\"nvidia-container-runtime-hook\", \"prestart\"]; the first word is the program's name"
            }
        };
        fault("no-prestart", why, remedy)
    }

    fn conditions(&self, faults: &mut Vec<Finding>) {
        let reach = self.when.reach();
        if let Reach::None(why) = &reach {
            let remedy = match self.is_old {
                true => "write \"cmds\": [\".*\"], or the file anew in the form 1.0.0: nvidia-hookctl oci-hook",
                false => "write \"when\": {\"always\": true}",
            };
            faults.push(fault("never", why.clone(), remedy));
        }
        let whom = match &reach {
            Reach::Some(whom) => format!("it starts the hook only for {whom}"),
            Reach::All => "it starts the hook for every container".to_owned(),
            Reach::None(_) => "it starts the hook for none".to_owned(),
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
        if self.stages.is_empty() {
            let message = "\"stages\" is missing or empty, so the hook never runs";
            faults.push(fault("wrong-stage", message, "write \"stages\": [\"prestart\"]"));
        } else if !self.stages.iter().any(right) {
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
            let (verb, them) = if asking.len() == 1 { ("asks", "it") } else { ("ask", "them") };
            let message = format!(
                "{} in the environment of the hook {verb} for nothing: the hook reads the environment of the container \
                 (process.env in config.json)",
                asking.join(" and ")
            );
            let remedy =
                format!("set {them} for the container (podman run --env, or ENV in the image), and remove {them} here");
            faults.push(Finding::warning("request-in-env", message, remedy));
        }
        if let Some(entry) = self.environment.iter().find(|entry| !entry.contains('=')) {
            let name: String = entry.chars().take(60).collect();
            let message = format!("the entry \"{name}\" of \"env\" has no '='");
            faults.push(Finding::warning("env-entry", message, "write NAME=VALUE"));
        }
    }

    fn time(&self, faults: &mut Vec<Finding>) {
        match self.timeout {
            Some(seconds) if seconds <= 0 => {
                let message = format!("\"timeout\" is {seconds}, so engines kill the hook at once");
                faults.push(fault("timeout", message, "write the seconds that it may take, or remove \"timeout\""));
            }
            Some(seconds) if seconds < LONGEST_ANSWER => {
                let message = format!(
                    "\"timeout\" is {seconds}, and the driver may take {LONGEST_ANSWER} seconds to answer (\"hook ran past \
                     specified timeout\")"
                );
                faults.push(Finding::warning("timeout", message, "write 30 or more, or remove \"timeout\""));
            }
            _ => {}
        }
    }

    fn others(&self, faults: &mut Vec<Finding>) {
        for name in &self.unread {
            let shown: String = name.chars().take(60).collect();
            let message = format!("the member \"{shown}\" is read by no engine");
            let remedy = match RENAMED.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
                Some((_, here)) => format!("in the form 1.0.0 it is called \"{here}\""),
                None => "remove it".to_owned(),
            };
            faults.push(Finding::warning("unread-member", message, remedy));
        }
    }
}

/// Why a hook with these arguments does not serve a container, as the end of a sentence; `None` if it does.
fn not_prestart(words: &[&OsStr]) -> Option<String> {
    use hook::invocation::{Command, UsageError, parse};
    match parse(words) {
        Ok((_, Command::Prestart)) => None,
        Ok((_, Command::Nothing)) => {
            Some("asks for a stage at which the hook does nothing, not for prestart".to_owned())
        }
        Ok((_, Command::Help | Command::Version)) => Some("makes the hook print a text and end".to_owned()),
        Err(UsageError(Some(what))) => Some(format!("is refused by the hook, and every start fails: {what}")),
        Err(UsageError(None)) => {
            Some("does not say prestart, so the hook would only print its usage and exit with status 2".to_owned())
        }
    }
}

fn fault(id: &'static str, message: impl Into<String>, remedy: &str) -> Finding {
    Finding::error(id, message, remedy)
}
