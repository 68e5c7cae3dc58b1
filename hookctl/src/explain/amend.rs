//! A `config.json` with members added to its text, for a question that adds variables or privilege to a container.
//! Everything else stays byte for byte, so a start judges it by its own rules: its depth, its repeated members, its
//! faults. Must not judge the document: a value with no place for an addition stays as it is.

use std::ops::Range;
use std::path::PathBuf;

use hook::container::Spec;
use hook::container::spec::{Document, Wanted};
use serde_json::json;

/// The document with variables appended to `process.env`, and with `CAP_SYS_ADMIN` in place of the capabilities if the
/// container is to be privileged; `None` if it has no `process` object.
#[must_use]
pub fn amended(document: &[u8], variables: &[String], privileged: bool) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(document).ok()?;
    let top = Text { text, at: 0 }.object()?;
    let process = Text { text, at: top.member("process")?.start }.object()?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut added = Vec::new();
    if !variables.is_empty() {
        let list = serde_json::to_string(variables).ok()?;
        match process.member("env").map(|span| (span.clone(), text.get(span).unwrap_or_default())) {
            None => added.push(format!("\"env\":{list}")),
            Some((span, "null")) => edits.push((span, list)),
            Some((span, value)) if value.starts_with('[') => {
                let is_empty = value.trim_matches(['[', ']']).trim().is_empty();
                let items = list.trim_start_matches('[').strip_suffix(']').unwrap_or_default();
                let comma = if is_empty { "" } else { "," };
                edits.push((span.end - 1..span.end - 1, format!("{comma}{items}")));
            }
            Some(_) => {}
        }
    }
    if privileged {
        let set = json!(["CAP_SYS_ADMIN"]);
        match process.member("capabilities").map(|span| (span.clone(), text.get(span).unwrap_or_default())) {
            None if has_list(&top, text) => added.push(format!("\"capabilities\":{set}")),
            None => added.push(format!("\"capabilities\":{}", json!({ "bounding": set }))),
            Some((span, value)) if value.starts_with('[') || value == "null" && has_list(&top, text) => {
                edits.push((span, set.to_string()));
            }
            Some((span, _)) => edits.push((span, json!({ "bounding": set }).to_string())),
        }
    }
    if !added.is_empty() {
        let comma = if process.members.is_empty() { "" } else { "," };
        edits.push((process.start + 1..process.start + 1, added.join(",") + comma));
    }
    edits.sort_by_key(|(span, _)| span.start);
    let mut amended = text.to_owned();
    for (span, new) in edits.into_iter().rev() {
        amended.replace_range(span, &new);
    }
    Some(amended.into_bytes())
}

/// Whether the capabilities of a document with this `ociVersion` are a list, by the hook's own rule.
fn has_list(top: &Object, text: &str) -> bool {
    let version = top.member("ociVersion").and_then(|span| text.get(span)).unwrap_or_default();
    let probe = |capabilities: &str| {
        let document =
            format!(r#"{{"ociVersion":{version},"process":{{"capabilities":{capabilities}}},"root":{{"path":"/"}}}}"#);
        let document = Document::new(PathBuf::from("/config.json"), "/".to_owned(), document.into_bytes());
        Spec::parse(&document, Wanted { mounts: false, swarm: &[] }).is_ok()
    };
    probe("[]") && !probe("{}")
}

/// An object of the text: where it begins, and its members with the spans of their values.
struct Object {
    start: usize,
    members: Vec<(String, Range<usize>)>,
}

impl Object {
    fn member(&self, name: &str) -> Option<Range<usize>> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, span)| span.clone())
    }
}

/// A position in a JSON text. Invalid JSON yields `None`, or spans that a start will refuse.
struct Text<'t> {
    text: &'t str,
    at: usize,
}

impl Text<'_> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.next(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Moves past a character that must come next.
    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        (self.next()? == wanted).then(|| self.at += 1)
    }

    fn object(mut self) -> Option<Object> {
        self.skip_space();
        let mut object = Object { start: self.at, members: Vec::new() };
        self.expect(b'{')?;
        self.skip_space();
        if self.next()? == b'}' {
            return Some(object);
        }
        loop {
            self.skip_space();
            let name = self.value()?;
            let name = serde_json::from_str(self.text.get(name)?).ok()?;
            self.expect(b':')?;
            self.skip_space();
            object.members.push((name, self.value()?));
            self.skip_space();
            match self.next()? {
                b',' => self.at += 1,
                b'}' => return Some(object),
                _ => return None,
            }
        }
    }

    /// The span of the value that begins here, found without recursion: its content may be nested to any depth.
    fn value(&mut self) -> Option<Range<usize>> {
        let (start, mut depth) = (self.at, 0_usize);
        loop {
            match self.next()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return None,
                _ if depth > 0 => self.at += 1,
                _ => {
                    while !matches!(self.next(), None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(start..self.at);
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.next()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(document: &str, variables: &[&str], privileged: bool) -> Option<String> {
        let variables: Vec<String> = variables.iter().map(|text| (*text).to_owned()).collect();
        amended(document.as_bytes(), &variables, privileged).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn additions_stand_where_they_belong_and_all_else_stays() {
        for (document, wanted) in [
            (r#"{"process": {"env": ["A=]"] }}"#, r#"{"process": {"env": ["A=]","B=\"1"] }}"#),
            (r#"{"process":{"env":[ ]}}"#, r#"{"process":{"env":[ "B=\"1"]}}"#),
            (r#"{"process":{ "env" : null }}"#, r#"{"process":{ "env" : ["B=\"1"] }}"#),
            (r#"{"a":[{"process":1}],"pr\u006fcess":{}}"#, r#"{"a":[{"process":1}],"pr\u006fcess":{"env":["B=\"1"]}}"#),
            (r#"{"process":{"x":1}}"#, r#"{"process":{"env":["B=\"1"],"x":1}}"#),
            (r#"{"process":{"env":5}}"#, r#"{"process":{"env":5}}"#),
        ] {
            assert_eq!(with(document, &["B=\"1"], false).as_deref(), Some(wanted), "{document}");
        }
        for faulty in ["", "{", "[]", r#"{"process":5}"#, r#"{"process":{"env"#, r#"{"a" 1,"process":{}}"#, "{}"] {
            assert_eq!(with(faulty, &["B=1"], true), None, "{faulty}");
        }
    }

    #[test]
    fn privilege_takes_the_form_that_the_document_has() {
        let bounding = r#"{"bounding":["CAP_SYS_ADMIN"]}"#;
        for (before, after) in [
            (r#"{"process":{}}"#.to_owned(), format!(r#"{{"process":{{"capabilities":{bounding}}}}}"#)),
            (
                r#"{"process":{"capabilities":["X"],"env":[]}}"#.to_owned(),
                r#"{"process":{"capabilities":["CAP_SYS_ADMIN"],"env":[]}}"#.to_owned(),
            ),
            (
                r#"{"ociVersion":"1.0.0-rc3","process":{}}"#.to_owned(),
                r#"{"ociVersion":"1.0.0-rc3","process":{"capabilities":["CAP_SYS_ADMIN"]}}"#.to_owned(),
            ),
            (
                r#"{"ociVersion":"1.0.0-rc5","process":{}}"#.to_owned(),
                format!(r#"{{"ociVersion":"1.0.0-rc5","process":{{"capabilities":{bounding}}}}}"#),
            ),
            (
                r#"{"process":{"capabilities":{"bounding":[]}}}"#.to_owned(),
                format!(r#"{{"process":{{"capabilities":{bounding}}}}}"#),
            ),
        ] {
            assert_eq!(with(&before, &[], true), Some(after), "{before}");
        }
    }

    #[test]
    fn depth_and_repeated_members_are_left_to_the_start() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let document = format!(r#"{{"x":{deep},"process":{{"env":["A=1"],"env":["A=2"]}}}}"#);
        let amended = with(&document, &["B=1"], false).unwrap();
        assert!(amended.ends_with(r#""process":{"env":["A=1","B=1"],"env":["A=2"]}}"#));
    }
}
