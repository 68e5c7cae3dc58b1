//! One note as a line of JSON of bounded length. Holds nothing of the container but what the contract defines.

use serde::Serialize;

use super::NoteTaker;
use super::time;
use crate::contract::origin::Origin;
use crate::error::Error;
use crate::plan::Plan;
use crate::prestart::Decision;
use crate::request::NotAGpuContainer;
use crate::text::Shown;

/// A line is no longer than this; the arguments are left out of one that would be.
const LIMIT: usize = 8 << 10;
/// As much of an error as a line holds, in characters.
const ERROR_LIMIT: usize = 2000;

/// The members of the line.
#[derive(Debug, Default, Serialize)]
pub struct Line {
    time: String,
    hook_version: &'static str,
    verdict: &'static str,
    bundle: Option<String>,
    pid: Option<u32>,
    config: Option<String>,
    privileged: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices_by: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    argv: Option<Vec<String>>,
}

impl Line {
    /// The line about a decision.
    pub fn new(notes: &NoteTaker, decision: Result<&Decision<'_>, &Error>) -> Self {
        let mut line = Line {
            time: time::now(),
            hook_version: env!("CARGO_PKG_VERSION"),
            bundle: notes.bundle.as_deref().map(|bundle| Shown(bundle).to_string()),
            pid: notes.pid,
            config: notes.config.clone(),
            privileged: notes.privileged,
            ..Line::default()
        };
        match decision {
            Err(error) => {
                line.verdict = "error";
                line.why = Some(error.to_string().chars().take(ERROR_LIMIT).collect());
            }
            Ok(Decision::Nothing(reason)) => {
                line.verdict = "nothing";
                line.why = Some(why_nothing(reason));
            }
            Ok(Decision::Execute(plan, mode)) => {
                line.verdict = "execute";
                line.mode = mode.name().map(str::to_owned);
                line.devices_by = devices_by(plan);
                let texts = plan.arguments.iter().map(|argument| argument.text.to_string_lossy());
                line.argv = Some(texts.map(|text| Shown(&text).to_string()).collect());
            }
        }
        line
    }

    /// The line, without its end.
    pub fn json(mut self) -> String {
        let json = self.text();
        if json.len() <= LIMIT {
            return json;
        }
        self.argv = None;
        self.devices_by = None;
        self.text()
    }

    fn text(&self) -> String {
        crate::text::harmless_json(&serde_json::to_string(self).unwrap_or_default())
    }
}

fn why_nothing(reason: &NotAGpuContainer) -> String {
    match reason {
        NotAGpuContainer::NothingRequested => "nothing asks for a GPU".to_owned(),
        NotAGpuContainer::Ignored { variables } => {
            let names = variables.join(" ");
            format!("ignored, since the container is not privileged: {}", Shown(&names))
        }
    }
}

/// The inputs that asked for the devices.
fn devices_by(plan: &Plan<'_>) -> Option<Vec<String>> {
    let argument = plan.arguments.iter().find(|argument| argument.text.to_bytes().starts_with(b"--device="))?;
    let origins = match &argument.origin {
        Origin::Several(origins) => origins.as_slice(),
        one => std::slice::from_ref(one),
    };
    Some(origins.iter().map(input).collect())
}

fn input(origin: &Origin) -> String {
    match origin {
        Origin::Variable(name) => name.clone(),
        Origin::Mount(index) => format!("mounts[{index}]"),
        Origin::LegacyImage(_) => "legacy image".to_owned(),
        _ => String::new(),
    }
}
