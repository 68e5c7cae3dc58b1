//! The container state (OCI runtime specification, "State"): the first JSON value on standard input.
//! Must not know the bundle.

use std::borrow::Cow;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, MapAccess};
use serde_json::error::Category;

use super::json_dialect::{AnyValue, Lenient, Members, Object, Slot, Text, fault};
use crate::error::Error;
use crate::host::SIZE_LIMIT;
use crate::text::paths;

/// Room for a state with a few annotations; each further read doubles it.
const FIRST_READ: usize = 2 << 10;

/// What the hook needs of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The container's process, as the runtime's pid namespace numbers it: 1 to 2147483647.
    pub pid: u32,
    /// The bundle's path, absolute and clean.
    pub bundle: String,
    /// The member that named it: `bundle`, or `bundlePath` of runtimes from before 2017.
    pub bundle_member: &'static str,
}

#[derive(Default)]
struct Raw<'de> {
    pid: Slot<serde_json::Number>,
    bundle: Slot<Cow<'de, str>>,
    bundle_path: Slot<Lenient<'de>>,
}

impl<'de> Members<'de> for Raw<'de> {
    const NAME: &'static str = "container state";

    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "pid" => self.pid.fill(name, map, std::marker::PhantomData),
            "bundle" => self.bundle.fill(name, map, Text("bundle")),
            "bundlePath" => self.bundle_path.fill(name, map, AnyValue),
            _ => Ok(false),
        }
    }
}

impl State {
    /// Reads the first JSON value of a stream and no further: a runtime may keep its end open.
    ///
    /// # Errors
    /// [`Error::State`] when it is no state, [`Error::Pid`] and [`Error::Bundle`] for its members.
    pub fn read(stream: &mut dyn Read) -> Result<Self, Error> {
        let mut buffer = Vec::new();
        loop {
            let ended = fill(stream, &mut buffer).map_err(|cause| Error::State(cause.to_string()))?;
            match Self::parse(&buffer) {
                Err(Parse::Incomplete(_)) if !ended => {}
                Ok(state) => return Ok(state),
                Err(Parse::Incomplete(error) | Parse::Failed(error)) => return Err(error),
            }
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, Parse> {
        // The fault may be a character that is still on its way, or stand behind the first value, where it is not ours
        // to judge: it counts only if the text before it is no state yet.
        let (text, fault) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
                (valid, error.error_len().map(|_| error.valid_up_to() + 1))
            }
        };
        Self::parse_text(text).map_err(|parse| match (parse, fault) {
            (Parse::Incomplete(_), Some(byte)) => Parse::Failed(Error::State(format!("not UTF-8 at byte {byte}"))),
            (parse, _) => parse,
        })
    }

    fn parse_text(text: &str) -> Result<Self, Parse> {
        let mut raw = Raw::default();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Object(&mut raw).deserialize(&mut deserializer).map_err(|error| {
            let message = Error::State(fault(&error));
            match error.classify() {
                Category::Eof => Parse::Incomplete(message),
                _ => Parse::Failed(message),
            }
        })?;
        raw.check().map_err(Parse::Failed)
    }
}

/// Why some bytes are no state.
enum Parse {
    /// They end too early; more may come.
    Incomplete(Error),
    /// Whatever may come.
    Failed(Error),
}

impl Raw<'_> {
    fn check(self) -> Result<State, Error> {
        let pid = self.pid.value.ok_or_else(|| Error::Pid("absent".to_owned()))?;
        let in_range = pid.as_u64().and_then(|pid| u32::try_from(pid).ok());
        let pid = in_range
            .filter(|pid| (1..=i32::MAX.unsigned_abs()).contains(pid))
            .ok_or_else(|| Error::Pid(pid.to_string()))?;
        let named = self.bundle.value.filter(|bundle| !bundle.is_empty());
        let (bundle, bundle_member) = match (named, self.bundle_path.value) {
            (Some(bundle), _) => (bundle, "bundle"),
            (None, Some(Lenient::Text(bundle))) if !bundle.is_empty() => (bundle, "bundlePath"),
            (None, Some(Lenient::Other(what))) => {
                return Err(Error::State(format!("bundlePath is {what}, not a string")));
            }
            (None, _) => return Err(Error::Bundle("absent or empty".to_owned())),
        };
        if !bundle.starts_with('/') {
            return Err(Error::Bundle(format!("\"{bundle}\"")));
        }
        Ok(State { pid, bundle: paths::clean_str(&bundle), bundle_member })
    }
}

/// Reads once, into room that doubles; true at the end of the stream.
fn fill(stream: &mut dyn Read, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let old = buffer.len();
    if old > SIZE_LIMIT {
        return Err(io::Error::other(format!("more than {} MiB", SIZE_LIMIT >> 20)));
    }
    buffer.resize((2 * old).max(FIRST_READ), 0);
    let got = loop {
        match stream.read(buffer.get_mut(old..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    buffer.truncate(old + got);
    Ok(got == 0)
}
