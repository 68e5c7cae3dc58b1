//! The container state (OCI runtime specification, "State"): the first JSON value on standard input.
//! Must not know the bundle.

use std::borrow::Cow;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, MapAccess};
use serde_json::error::Category;

use super::json_dialect::{AnyValue, Lenient, Members, Object, Slot, Text, fault};
use crate::error::Error;
use crate::host::check_size;
use crate::text::paths;

/// Room for a state with a few annotations.
const FIRST_READ: usize = 2 << 10;
/// Room for each later read: the capacity of a pipe.
const NEXT_READ: usize = 64 << 10;
/// An incomplete state is parsed again when it has grown by this factor, so that a fault in it is found even if the
/// runtime keeps the stream open. Reading stays linear: such attempts add a fifteenth.
const AGAIN: usize = 16;

/// What the hook needs from the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The container's process id in the runtime's pid namespace: 1 to 2147483647.
    pub pid: u32,
    /// The bundle's path, absolute and clean.
    pub bundle: String,
    /// The member that named it: `bundle`, or `bundlePath` in runtimes from before 2017.
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
    /// [`Error::State`] if the value is not a state, [`Error::Pid`] and [`Error::Bundle`] for its members.
    pub fn read(stream: &mut dyn Read) -> Result<Self, Error> {
        Self::read_by(stream, Self::parse)
    }

    fn read_by(stream: &mut dyn Read, mut parse: impl FnMut(&[u8]) -> Result<Self, Parse>) -> Result<Self, Error> {
        let (mut buffer, mut parsed, mut end) = (Vec::new(), 0, ValueEnd::default());
        loop {
            let ended = fill(stream, &mut buffer).map_err(|cause| Error::State(cause.to_string()))?;
            if !ended && parsed > 0 && buffer.len() < AGAIN * parsed && !end.is_in(&buffer) {
                continue;
            }
            match parse(&buffer) {
                Err(Parse::Incomplete(_)) if !ended => parsed = buffer.len(),
                Err(Parse::Failed(_)) if !ended && ends_in_a_number(&buffer) => parsed = buffer.len(),
                Ok(state) => return Ok(state),
                Err(Parse::Incomplete(error) | Parse::Failed(error)) => return Err(error),
            }
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, Parse> {
        // The fault may be a character that has not arrived completely, or it may come after the first value, where it
        // is not ours to judge. It counts only if the text before it is not a state yet.
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

/// Why some bytes are not a state.
enum Parse {
    /// They end too early; more may come.
    Incomplete(Error),
    /// They are wrong, whatever follows.
    Failed(Error),
}

/// Whether only a digit is missing. At the end of a text, the parser calls `-`, `1.` and `1e` a fault, not a text that
/// ends too early.
fn ends_in_a_number(bytes: &[u8]) -> bool {
    matches!(State::parse(&[bytes, b"0"].concat()), Err(Parse::Incomplete(_)))
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

/// Finds the end of a JSON object or list in bytes that come in pieces, looking at each byte once. It knows only
/// strings and brackets: the parser decides whether the value is valid.
#[derive(Debug, Default)]
struct ValueEnd {
    seen: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl ValueEnd {
    /// Whether the value has ended in these bytes, which begin with the bytes of the last call.
    fn is_in(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes.get(self.seen..).unwrap_or_default() {
            self.seen += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }
}

/// Reads once; true at the end of the stream.
fn fill(stream: &mut dyn Read, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let old = buffer.len();
    check_size(old)?;
    buffer.resize(old + if old == 0 { FIRST_READ } else { NEXT_READ }, 0);
    let got = loop {
        match stream.read(buffer.get_mut(old..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    buffer.truncate(old + got);
    Ok(got == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::SIZE_LIMIT;

    /// Returns one byte per read, and counts the reads.
    struct Drip<'d>(&'d [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            let (first, rest) = self.0.split_at(self.0.len().min(1));
            self.0 = rest;
            first.take(1).read(buffer)
        }
    }

    #[test]
    fn a_state_in_pieces_is_read_to_its_end_and_no_further() {
        let state = br#"{"a": "}\"]{[", "b": [{}], "pid": 7, "bundle": "/b"}"#;
        let stream = [state.as_slice(), b" {more"].concat();
        let (mut drip, mut lengths) = (Drip(&stream, 0), Vec::new());
        let read = State::read_by(&mut drip, |bytes| {
            lengths.push(bytes.len());
            State::parse(bytes)
        });
        assert_eq!(read.map(|state| state.pid).ok(), Some(7));
        assert_eq!(drip.1, state.len());
        // Nor is it parsed at a bracket that closes only a part, or that is in a string.
        assert_eq!(lengths, [1, 16, state.len()]);
    }

    #[test]
    fn a_state_may_be_cut_anywhere() {
        let state =
            r#"{"a": [-2, 1.5, 1e5, -0.1E+5, 2e-3, true, null, "\u00e9é\\"], "pid": 7, "bundle": "/b"} x"#.as_bytes();
        for cut in 1..state.len() {
            let read = State::read(&mut state[..cut].chain(&state[cut..]));
            assert_eq!(read.map(|state| state.pid).ok(), Some(7), "cut at {cut}");
        }
    }

    #[test]
    fn a_fault_in_an_open_stream_is_found() {
        let text = [b"{\"pid\": x".as_slice(), &[b' '; 1000]].concat();
        let mut drip = Drip(&text, 0);
        let Err(Error::State(message)) = State::read(&mut drip) else { panic!("not a fault of the state") };
        assert!(message.starts_with("1:9: expected value"), "{message}");
        assert!(drip.1 < 40, "{}", drip.1);
    }

    #[test]
    fn a_long_state_is_parsed_a_few_times() {
        let text = format!(r#"{{"annotations": "{}", "pid": 7, "bundle": "/b"}}"#, "x".repeat(1 << 13));
        let mut lengths = Vec::new();
        let state = State::read_by(&mut Drip(text.as_bytes(), 0), |bytes| {
            lengths.push(bytes.len());
            State::parse(bytes)
        });
        assert_eq!(state.map(|state| state.pid).ok(), Some(7));
        assert_eq!(lengths, [1, 16, 256, 1 << 12, text.len()]);
    }

    #[test]
    fn a_state_has_a_limit() {
        // Untouched zeroed memory takes no room.
        let mut buffer = vec![0; SIZE_LIMIT];
        assert!(matches!(fill(&mut &b"x"[..], &mut buffer), Ok(false)));
        let refused = fill(&mut &b"x"[..], &mut buffer).unwrap_err();
        assert_eq!((refused.kind(), buffer.len()), (io::ErrorKind::FileTooLarge, SIZE_LIMIT + 1));
    }
    /// Fails once, then returns what it has.
    struct Fails<'d>(Option<io::ErrorKind>, &'d [u8]);

    impl Read for Fails<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or_else(|| self.1.read(buffer), |kind| Err(kind.into()))
        }
    }

    #[test]
    fn a_read_that_a_signal_interrupts_is_made_again_and_no_other() {
        let read = |kind| State::read(&mut Fails(Some(kind), br#"{"pid": 7, "bundle": "/b"}"#));
        assert_eq!(read(io::ErrorKind::Interrupted).map(|state| state.pid).ok(), Some(7));
        assert!(matches!(read(io::ErrorKind::PermissionDenied), Err(Error::State(_))));
    }
}
