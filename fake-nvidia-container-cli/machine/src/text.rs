//! Text from outside that might not be UTF-8, carried through `&str` code without losing a byte.
//!
//! A byte that is not UTF-8 becomes one character of the last private plane and is converted back on the way out. It
//! knows nothing about options, files or devices.

use serde::{Serialize, Serializer};
use std::ffi::OsString;
use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The first of 256 private characters that stand for single bytes.
const ESCAPE: u32 = 0x10_FF00;

/// A string of any bytes: valid UTF-8 as it is, other bytes escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

impl Text {
    /// Takes bytes as they come from outside.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut out = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                if u32::from(c) >= ESCAPE {
                    let mut raw = [0; 4];
                    out.extend(c.encode_utf8(&mut raw).bytes().filter_map(escape));
                } else {
                    out.push(c);
                }
            }
            out.extend(chunk.invalid().iter().copied().filter_map(escape));
        }
        Self(out)
    }

    /// The escaped form, for comparing and cutting.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The original bytes of an escaped string.
#[must_use]
pub fn bytes(escaped: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(escaped.len());
    let mut raw = [0; 4];
    for c in escaped.chars() {
        match u32::from(c).checked_sub(ESCAPE).and_then(|b| u8::try_from(b).ok()) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut raw).as_bytes()),
        }
    }
    out
}

/// How many bytes an escaped string stands for.
#[must_use]
pub fn byte_len(escaped: &str) -> usize {
    escaped.chars().map(|c| if u32::from(c) >= ESCAPE { 1 } else { c.len_utf8() }).sum()
}

/// The file path of an escaped string.
#[must_use]
pub fn path(escaped: &str) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes(escaped)))
}

fn escape(byte: u8) -> Option<char> {
    char::from_u32(ESCAPE + u32::from(byte))
}

impl From<&str> for Text {
    fn from(plain: &str) -> Self {
        Self::new(plain.as_bytes())
    }
}

impl From<String> for Text {
    /// For text made of parts that are already escaped.
    fn from(escaped: String) -> Self {
        Self(escaped)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Text {
    /// A JSON string in which each character is one byte, as in the recorded `parsed` and `plan`.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let each: String = bytes(&self.0).into_iter().map(char::from).collect();
        to.serialize_str(&each)
    }
}

/// A text for people and tests: a JSON string, or `{"b64": ...}` when the bytes are not UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utf8(pub Text);

impl Serialize for Utf8 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let raw = bytes(&self.0);
        match std::str::from_utf8(&raw) {
            Ok(plain) => to.serialize_str(plain),
            Err(_) => to.collect_map([("b64", base64(&raw))]),
        }
    }
}

/// Standard base64 with padding; twenty lines are cheaper than a dependency here.
fn base64(raw: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |value: u32, shift: u32| {
        let at = usize::try_from((value >> shift) & 63).unwrap_or_default();
        DIGITS.get(at).map_or('=', |d| char::from(*d))
    };
    let mut out = String::new();
    for chunk in raw.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let value = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.push(digit(value, 18));
        out.push(digit(value, 12));
        out.push(if chunk.len() > 1 { digit(value, 6) } else { '=' });
        out.push(if chunk.len() > 2 { digit(value, 0) } else { '=' });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_come_back_as_they_were(raw: Vec<u8>) {
            let text = Text::new(&raw);
            prop_assert_eq!(byte_len(&text), raw.len());
            prop_assert_eq!(bytes(&text), raw);
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_recorded_as_base64() {
        let json = |raw: &[u8]| serde_json::to_string(&Utf8(Text::new(raw))).unwrap();
        assert_eq!(json("a\u{10ff41}".as_bytes()), "\"a\u{10ff41}\"");
        assert_eq!(json(b"\xff"), r#"{"b64":"/w=="}"#);
        assert_eq!(json(b"a\xffb\xfe"), r#"{"b64":"Yf9i/g=="}"#);
    }

    #[test]
    fn options_are_recorded_a_character_a_byte() {
        assert_eq!(serde_json::to_string(&Text::from("cuda\u{a0}")).unwrap(), "\"cuda\u{c2}\u{a0}\"");
    }
}
