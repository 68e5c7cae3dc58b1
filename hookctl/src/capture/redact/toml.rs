//! Masks a configuration: comments, and every value that is not one the hook reads. Must not know what is decided.

use std::ops::Range;

use hook::config::{Entry, FaultKind, read_toml};
use hook::contract::keys::{Key, Reader};

use super::masked_char;
use super::toml_tokens::{Kind, Token, tokens};

/// Masks a configuration file: everything but names, the values of keys that the hook reads, and in `environment` the
/// names of the variables. A file that is not TOML keeps no value.
#[must_use]
pub fn toml(text: &str) -> String {
    let kept = Kept::of(text);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for token in tokens(text) {
        out.push_str(text.get(end..token.span.start).unwrap_or_default());
        kept.token(&token, text.get(token.span.clone()).unwrap_or_default(), &mut out);
        end = token.span.end;
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

/// The places of a file that may be kept.
#[derive(Default)]
struct Kept {
    values: Vec<Range<usize>>,
    variables: Vec<Range<usize>>,
}

impl Kept {
    fn of(text: &str) -> Self {
        let mut kept = Kept::default();
        for entry in read_toml(text) {
            match entry {
                // Where a value ends is uncertain then, and no start reads it.
                Entry::Fault(fault) if fault.kind == FaultKind::Syntax => return Kept::default(),
                Entry::Known { key: Key::CliEnvironment, span, .. } => kept.variables.push(span),
                Entry::Known { key, span, .. } if key.row().reader != Reader::Others => kept.values.push(span),
                _ => {}
            }
        }
        kept
    }

    fn token(&self, token: &Token, text: &str, out: &mut String) {
        let is_in = |spans: &[Range<usize>]| spans.iter().any(|span| span.contains(&token.span.start));
        match token.kind {
            Kind::Comment => out.extend("#".chars().chain(text.chars().skip(1).map(masked_char))),
            _ if token.is_name || is_in(&self.values) => out.push_str(text),
            Kind::Bare => bare(text, out),
            Kind::String { before, after, escapes } => {
                let body = before..text.len().saturating_sub(after);
                out.push_str(text.get(..before).unwrap_or_default());
                string(text.get(body.clone()).unwrap_or_default(), escapes, is_in(&self.variables), out);
                out.push_str(text.get(body.end..).unwrap_or_default());
            }
        }
    }
}

/// Masks the body of a string; of a variable, what follows the first `=`.
fn string(body: &str, escapes: bool, is_variable: bool, out: &mut String) {
    let mut hides = !is_variable;
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let length = if c == '\\' && escapes { escape_length(rest) } else { c.len_utf8() };
        let (one, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match (hides, length > 1 && c == '\\') {
            (false, _) => out.push_str(one),
            (true, true) => escape(one, out),
            (true, false) => out.push(masked_char(c)),
        }
        hides |= one == "=" || escaped(one) == Some('=');
        rest = after;
    }
}

/// The length of the escape that a text begins with: `\n`, `\u0041`, or a backslash with the blanks up to the line's end.
fn escape_length(text: &str) -> usize {
    let after = text.get(1..).unwrap_or_default();
    let blanks = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
    let digits = match after.chars().next() {
        _ if after.get(blanks..).is_some_and(|rest| rest.starts_with('\n')) => return 1 + blanks + 1,
        None => return 1,
        Some('u') => 4,
        Some('U') => 8,
        Some(other) => return 1 + other.len_utf8(),
    };
    2 + after.chars().skip(1).take(digits).take_while(char::is_ascii_alphanumeric).count()
}

/// The character that `\u` or `\U` with its digits stands for.
fn escaped(escape: &str) -> Option<char> {
    let digits = escape.strip_prefix("\\u").or_else(|| escape.strip_prefix("\\U"))?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

/// Masks an escape in a masked string: it stays an escape. A NUL stays a NUL, since a start refuses it, and what is not
/// a character stays, since a reader of TOML reports it.
fn escape(text: &str, out: &mut String) {
    match (escaped(text), text.len()) {
        (None | Some('\0'), _) => out.push_str(text),
        (Some(_), 6) => out.push_str("\\u0078"),
        (Some(_), _) => out.push_str("\\U00000078"),
    }
}

/// Masks a bare word: a number, date or word stays one.
fn bare(text: &str, out: &mut String) {
    let unsigned = text.trim_start_matches(['+', '-']);
    if ["true", "false", "inf", "nan"].contains(&unsigned) {
        return out.push_str(text);
    }
    let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit());
    let is_hex = unsigned.starts_with("0x");
    let prefix = text.len() - unsigned.len();
    for (at, c) in text.char_indices() {
        out.push(match c {
            // A zero in front and the letter of the base decide what the number is.
            '0' if is_number && at == prefix => '0',
            'x' | 'o' | 'b' if is_number && at == prefix + 1 => c,
            '0'..='9' if is_number => '1',
            'a'..='f' | 'A'..='F' if is_hex => '1',
            'e' | 'E' | 't' | 'T' | 'z' | 'Z' if is_number => c,
            // The first letter says whether the word is misspelled, as in `True`, or a string without quotes.
            't' | 'T' | 'f' | 'F' | 'i' | 'I' | 'n' | 'N' if at == prefix => c,
            c if c.is_ascii_alphanumeric() || !c.is_ascii() => masked_char(c),
            c => c,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_keeps_the_values_that_the_hook_reads() {
        let text = "# s3cret\ndisable-require = true # s3cret\n[nvidia-container-cli]\nenvironment = [\"A=s3cret\",\n \"B=s3cret\"]\npath = \"/opt/cli\"\ntoken = \"s3cret\"\n[other]\na = 's3cret'\n";
        let masked = toml(text);
        assert!(!masked.contains("s3cret"), "{masked}");
        assert_eq!(masked.len(), text.len());
        assert!(
            masked.contains("path = \"/opt/cli\"")
                && masked.contains("\"A=xxxxxx\"")
                && masked.contains("disable-require = true")
        );
    }

    #[test]
    fn a_secret_is_masked_wherever_it_stands_and_the_faults_stay() {
        for (text, wanted) in [
            ("[other]\ntoken = \"\"\"\ns3cret\n\"\"\"\n", "[other]\ntoken = \"\"\"\nxxxxxx\n\"\"\"\n"),
            ("[o]\nt = '''\ns3cret'\n'''\n", "[o]\nt = '''\nxxxxxxx\n'''\n"),
            (
                "nvidia-container-cli.environment = [\"\"\"A=one\ns3cret1\"\"\", # s3cret\n \"B=s3cret2\"]\n",
                "nvidia-container-cli.environment = [\"\"\"A=xxx\nxxxxxxx\"\"\", #xxxxxxx\n \"B=xxxxxxx\"]\n",
            ),
            (
                "nvidia-container-cli = { environment = [\"A\\u003Ds3cret\"], path = \"/c\" }\n",
                "nvidia-container-cli = { environment = [\"A\\u003Dxxxxxx\"], path = \"/c\" }\n",
            ),
            ("[other]\npin = 7777\n", "[other]\npin = 1111\n"),
            ("o = { pin = -0x7F, at = 2020-02-03T04:05:06Z }", "o = { pin = -0x11, at = 1111-11-11T11:11:11Z }"),
            ("o = \"a\\\"s3cret\\u0041\" # s3cret", "o = \"x\\\"xxxxxx\\u0078\" #xxxxxxx"),
            ("o = \"\"\"s\\  \n  s3cret\"\"\"", "o = \"\"\"x\\  \nxxxxxxxx\"\"\""),
            ("o = \"geheim-\u{e4}\u{5bc6}\"", "o = \"xxxxxxx\u{e9}\u{4e00}\""),
            (
                "[nvidia-container-cli]\nenvironment = \"A=s3cret\"\n",
                "[nvidia-container-cli]\nenvironment = \"xxxxxxxx\"\n",
            ),
            ("[nvidia-container-runtime]\ndebug = \"s3cret\"\n", "[nvidia-container-runtime]\ndebug = \"xxxxxx\"\n"),
            ("nvidia-container-cli = \"s3cret\"\n", "nvidia-container-cli = \"xxxxxx\"\n"),
            ("password: s3cret\n", "xxxxxxxx: xxxxxx\n"),
            ("password s3cret\n", "xxxxxxxx xxxxxx\n"),
            ("token = s3cret\n", "token = xxxxxx\n"),
            ("swarm-resource = \"\"\"A\ntoken = \"s3cret\"\n", "swarm-resource = \"\"\"x\nxxxxxxxxxxxxxxxx\n"),
            ("swarm-resource = \"A\ntoken = \"s3cret\n", "swarm-resource = \"x\ntoken = \"xxxxxx\n"),
            ("a = \"\\q\\uzz\\ud800\"\n", "a = \"\\q\\uzz\\ud800\"\n"),
            ("a = [1, 2\nb = \"s3cret\"\n", "a = [1, 1\nx = \"xxxxxx\"\n"),
        ] {
            let masked = toml(text);
            assert_eq!(masked, wanted);
            assert_eq!(masked.len(), text.len(), "{text}");
            let faults = |text| {
                read_toml(text)
                    .into_iter()
                    .filter(|entry| matches!(entry, Entry::Fault(_)))
                    .map(|e| format!("{e:?}"))
                    .collect::<Vec<_>>()
            };
            assert_eq!(faults(&masked), faults(text), "{text}");
        }
    }
}
