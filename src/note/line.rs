//! One note as a line of JSON of bounded length. Contains nothing from the container except what the contract defines.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::time;
use crate::config::Config;
use crate::contract::origin::Origin;
use crate::error::Error;
use crate::mode::Mode;
use crate::prestart::{Decision, Trail};
use crate::request::Request;
use crate::text::Excerpt;

/// The longest line, in bytes. A longer one leaves out the arguments and the origin of the devices.
const LIMIT: usize = 8 << 10;
/// How much of an error a line holds, in characters.
const ERROR_LIMIT: usize = 2000;

/// The members of the line.
#[derive(Debug, Default)]
pub struct Line {
    time: String,
    verdict: &'static str,
    bundle: Option<String>,
    pid: Option<u32>,
    config: Option<String>,
    privileged: Option<bool>,
    why: Option<String>,
    mode: Option<String>,
    devices_by: Option<Vec<String>>,
    argv: Option<Vec<String>>,
}

impl Serialize for Line {
    /// Written by hand, because a derive would bring the only procedural macro into what root starts. A member that the
    /// start did not reach is `null`; one that does not apply is left out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &self.time)?;
        map.serialize_entry("hook_version", env!("CARGO_PKG_VERSION"))?;
        map.serialize_entry("verdict", self.verdict)?;
        map.serialize_entry("bundle", &self.bundle)?;
        map.serialize_entry("pid", &self.pid)?;
        map.serialize_entry("config", &self.config)?;
        map.serialize_entry("privileged", &self.privileged)?;
        for (name, text) in [("why", &self.why), ("mode", &self.mode)] {
            if text.is_some() {
                map.serialize_entry(name, text)?;
            }
        }
        for (name, list) in [("devices_by", &self.devices_by), ("argv", &self.argv)] {
            if list.is_some() {
                map.serialize_entry(name, list)?;
            }
        }
        map.end()
    }
}

impl Line {
    /// The line about a decision.
    pub fn new(trail: &Trail<'_>, decision: Result<&Decision<'_>, &Error>) -> Self {
        let mut line = Line {
            time: time::now(),
            bundle: trail.state.as_ref().map(|state| Excerpt(&state.bundle).to_string()),
            pid: trail.state.as_ref().map(|state| state.pid),
            config: trail.config.as_ref().and_then(Config::file).map(|file| file.path.display().to_string()),
            privileged: trail.spec.as_ref().map(|spec| spec.privileged),
            ..Line::default()
        };
        match decision {
            Err(error) => {
                line.verdict = "error";
                line.why = Some(error.to_string().chars().take(ERROR_LIMIT).collect());
            }
            Ok(Decision::Nothing(reason)) => {
                line.verdict = "nothing";
                line.why = Some(reason.to_string());
            }
            Ok(Decision::Execute(plan)) => {
                line.verdict = "execute";
                line.mode = trail.mode.as_ref().and_then(Mode::name).map(str::to_owned);
                line.devices_by = trail.request.as_ref().and_then(devices_by);
                let texts = plan.arguments.iter().map(|argument| argument.text.to_string_lossy());
                line.argv = Some(texts.map(|text| Excerpt(&text).to_string()).collect());
            }
        }
        line
    }

    /// The line, without its newline.
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

/// The inputs that asked for the devices; `None` for a container that gets no devices.
fn devices_by(request: &Request) -> Option<Vec<String>> {
    request.devices.value.argument()?;
    Some(request.devices.origin.each().iter().map(Origin::to_string).collect())
}
