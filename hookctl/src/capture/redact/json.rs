//! Masks a state and a specification: the members that a start reads stay, and so do all positions. Must not know what
//! is decided.

use hook::text::paths::clean_str;

use super::masked_char;
use crate::variables::is_read;

/// Members of a state and a specification that a start reads, in lower case, since Go accepts any case.
const MEMBERS: [&str; 17] = [
    "ociversion",
    "process",
    "env",
    "capabilities",
    "bounding",
    "effective",
    "inheritable",
    "permitted",
    "ambient",
    "root",
    "path",
    "mounts",
    "destination",
    "source",
    "pid",
    "bundle",
    "bundlepath",
];
const DEVICES: &str = "nvidia-container-devices";

/// Masks a JSON text; `swarm` are the variables of swarm-resource.
#[must_use]
pub fn json(text: &[u8], swarm: &[&str]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut place = Place::default();
    let mut rest = text;
    let mut is_exponent = false;
    while let Some((first, after)) = rest.split_first() {
        if *first != b'"' {
            place.pass(*first);
            // The exponent stays: it decides whether a number is in range.
            is_exponent = matches!(first, b'e' | b'E') || is_exponent && matches!(first, b'0'..=b'9' | b'+' | b'-');
            let is_masked = matches!(first, b'1'..=b'9') && !is_exponent && place.is_unread();
            out.push(if is_masked { b'1' } else { *first });
            rest = after;
            continue;
        }
        let length = string_length(after);
        let (body, after) = after.split_at_checked(length).unwrap_or((after, &[]));
        out.push(b'"');
        match place.rule(body, swarm) {
            Rule::Keep => out.extend_from_slice(body),
            Rule::Mask(kept) => mask(body, kept, &mut out),
        }
        place.string(body);
        rest = after;
        if let Some((b'"', end)) = rest.split_first() {
            out.push(b'"');
            rest = end;
        }
    }
    out
}

/// The length of a string's body, up to the quote that ends it.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    text.iter()
        .position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        })
        .unwrap_or(text.len())
}

/// How a string is treated.
enum Rule {
    Keep,
    /// Masked, except for these characters.
    Mask(&'static [u8]),
}

/// A position in a document: the names of the enclosing members.
#[derive(Default)]
struct Place {
    open: Vec<Open>,
}

enum Open {
    Object { name: Option<String>, at_value: bool },
    Array,
}

impl Place {
    /// Moves past a byte outside strings.
    fn pass(&mut self, byte: u8) {
        match byte {
            b'{' => self.open.push(Open::Object { name: None, at_value: false }),
            b'[' => self.open.push(Open::Array),
            b'}' | b']' => drop(self.open.pop()),
            b':' => {
                if let Some(Open::Object { at_value, .. }) = self.open.last_mut() {
                    *at_value = true;
                }
            }
            b',' => {
                if let Some(Open::Object { name, at_value }) = self.open.last_mut() {
                    (*name, *at_value) = (None, false);
                }
            }
            _ => {}
        }
    }

    fn is_name(&self) -> bool {
        matches!(self.open.last(), Some(Open::Object { at_value: false, .. }))
    }

    /// Moves past a string, which may be the name of a member.
    fn string(&mut self, body: &[u8]) {
        if let Some(Open::Object { name, at_value: false }) = self.open.last_mut() {
            *name = Some(decoded(body).to_lowercase());
        }
    }

    /// Whether a member around this place is not one that a start reads.
    fn is_unread(&self) -> bool {
        // No reader goes deeper.
        const DEPTH: usize = 128;
        self.open.iter().take(DEPTH).any(|open| match open {
            Open::Object { name: Some(name), .. } => !MEMBERS.contains(&name.as_str()),
            _ => false,
        })
    }

    /// The names of the members around this place.
    fn path(&self) -> Vec<&str> {
        self.open
            .iter()
            .filter_map(|open| match open {
                Open::Object { name, .. } => name.as_deref(),
                Open::Array => None,
            })
            .collect()
    }

    fn rule(&self, body: &[u8], swarm: &[&str]) -> Rule {
        let text = decoded(body);
        if self.is_name() {
            return if MEMBERS.contains(&text.to_lowercase().as_str()) { Rule::Keep } else { Rule::Mask(b"") };
        }
        let keep = |keeps: bool, kept: &'static [u8]| if keeps { Rule::Keep } else { Rule::Mask(kept) };
        match self.path().as_slice() {
            ["ociversion" | "pid" | "bundle" | "bundlepath"] | ["root", "path"] => Rule::Keep,
            ["process", "env"] => {
                let name = text.split('=').next().unwrap_or_default();
                keep(is_read(name, swarm), b"=")
            }
            ["process", "capabilities", ..] => keep(text.to_ascii_uppercase().starts_with("CAP_"), b""),
            ["mounts", "destination"] => keep(text.contains(DEVICES), b"/"),
            ["mounts", "source"] => keep(clean_str(&text) == "/dev/null", b"/"),
            _ => Rule::Mask(b""),
        }
    }
}

/// A string's body with its escapes decoded; unchanged if they are faulty.
fn decoded(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&format!("\"{text}\"")).unwrap_or_else(|_| text.into_owned())
}

/// Masks the body of a string: letters become `x`, escapes stay escapes, lengths stay.
fn mask(body: &[u8], kept: &[u8], out: &mut Vec<u8>) {
    let mut first = kept;
    let mut rest = body;
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'\\' if after.first() == Some(&b'u') && is_plain(after) => {
                out.extend_from_slice(b"\\u0078");
                rest = after.get(5..).unwrap_or_default();
            }
            b'\\' if after.first() == Some(&b'u') => {
                // Half of a surrogate pair, or faulty: kept unchanged, since a decoder would report it.
                let (escaped, end) = after.split_at_checked(5).unwrap_or((after, &[]));
                out.push(b'\\');
                out.extend_from_slice(escaped);
                rest = end;
            }
            b'\\' => {
                out.push(b'\\');
                let (escaped, end) = after.split_at_checked(1).unwrap_or((after, &[]));
                out.extend_from_slice(escaped);
                rest = end;
            }
            byte if first.contains(byte) => {
                // Only the first '=' divides a name from its value.
                if *byte == b'=' {
                    first = b"";
                }
                out.push(*byte);
                rest = after;
            }
            _ => {
                let (masked, length) = masked_first(rest);
                out.extend_from_slice(&masked);
                rest = rest.get(length..).unwrap_or_default();
            }
        }
    }
}

/// The mask of the first character, and its length. A byte that is not UTF-8 stays, since a start may refuse it.
fn masked_first(text: &[u8]) -> (Vec<u8>, usize) {
    let beginning = text.get(..4).unwrap_or(text);
    match beginning.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
        Some(c) => (masked_char(c).to_string().into_bytes(), c.len_utf8()),
        None => (text.iter().take(1).copied().collect(), 1),
    }
}

/// Whether an escape (`u` and four hexadecimal digits) is a complete character, which masking replaces.
fn is_plain(escape: &[u8]) -> bool {
    let digits = escape.get(1..5).and_then(|digits| std::str::from_utf8(digits).ok());
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.is_some_and(|number| !(0xd800..=0xdfff).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_contract_reads_is_kept() {
        let spec = r#"{"ociVersion":"1.0.2","process":{"args":["s3cret"],"env":["TOKEN=s3cret=1","NVIDIA_VISIBLE_DEVICES=0","SWARM=1","bare","NVIDIA_API_KEY=s3cret","A=密ä"]},
 "root":{"path":"/var/lib/r"},"annotations":{"s3cret":"s3cret"},"mounts":[{"destination":"/s3cret","source":"/home/s3cret"},{"destination":"/var/run/nvidia-container-devices/0","source":"/dev/null"}]}"#;
        let masked = String::from_utf8(json(spec.as_bytes(), &["SWARM"])).unwrap();
        assert!(!masked.contains("s3cret"), "{masked}");
        assert_eq!(masked.len(), spec.len());
        let document: serde_json::Value = serde_json::from_str(&masked).unwrap();
        assert_eq!(
            document["process"]["env"],
            serde_json::json!([
                "xxxxx=xxxxxxxx",
                "NVIDIA_VISIBLE_DEVICES=0",
                "SWARM=1",
                "xxxx",
                "xxxxxxxxxxxxxx=xxxxxx",
                "x=\u{4e00}\u{e9}"
            ])
        );
        assert_eq!(document["root"]["path"], "/var/lib/r");
        assert_eq!(document["mounts"][0]["destination"], "/xxxxxx");
        assert_eq!(document["mounts"][1]["source"], "/dev/null");
    }

    #[test]
    fn numbers_that_no_start_reads_are_masked() {
        let masked = json(br#"{"pid":4242,"linux":{"pin":-7707.5,"x":[9e307,2E+30]}}"#, &[]);
        let shown = String::from_utf8(masked).unwrap();
        assert_eq!(shown, r#"{"pid":4242,"xxxxx":{"xxx":-1101.1,"x":[1e307,1E+30]}}"#);
    }

    #[test]
    fn a_faulty_document_stays_faulty_at_its_place() {
        for text in [
            "[07]",
            "[1e999]",
            "[2.]",
            "{\"process\": {\"env\": [\"A=s3cret\", ]}}",
            "{\"x\": \"s3cret",
            "[\"\\ud800\\u0041\\n\\q\"]",
        ] {
            let masked = json(text.as_bytes(), &[]);
            assert_eq!(masked.len(), text.len(), "{text}");
            assert!(!String::from_utf8_lossy(&masked).contains("s3cret"));
            let error = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap_err().to_string();
            assert_eq!(error(&masked), error(text.as_bytes()), "{text}");
        }
    }
}
