//! The file as TOML: syntax, types, and keys that are unknown, misplaced or out of use. Reports several faults at once.
//! Must not know what values mean together.

use std::ops::Range;

use hook::config::{Entry, Fault, FaultKind, Value, read_toml};
use hook::contract::keys::{DEPRECATED, DefaultValue, Key, Kind, ROWS, Reader};

use super::Lines;
use super::suggest::{belongs_to, nearest};
use crate::finding::{Finding, Place, Severity};

/// A parsed file.
pub struct Document<'t> {
    lines: Lines<'t>,
    /// What was found so far.
    pub findings: Vec<Finding>,
    /// The keys that are set, and the place of each value.
    set: Vec<(Key, Range<usize>)>,
    /// Keys that only other programs read.
    pub keys_of_others: Vec<&'static str>,
    /// Whether the hook serves containers whatever the mode is.
    skips_mode: bool,
}

impl Document<'_> {
    /// The place of a key's value, if the file sets it.
    #[must_use]
    pub fn place(&self, key: Key) -> Option<Place> {
        let (_, span) = self.set.iter().find(|(set, _)| *set == key)?;
        Some(self.lines.place(span))
    }

    /// Adds a warning about comments with bytes that are not UTF-8 or are control characters.
    pub fn passed_over(&mut self, offsets: &[usize]) {
        let Some(first) = offsets.first() else { return };
        let others = match offsets.len() {
            1 => String::new(),
            more => format!(", and {} more in comments", more - 1),
        };
        let message = format!("a byte in a comment is not UTF-8 or is a control character{others}");
        let remedy = "remove it; the hook passes over it, and other programs may refuse the file".to_owned();
        self.add(Severity::Warning, "comment", None, &(*first..first + 1), message, remedy);
    }

    /// Records where a key's value is, and whether only other programs read it.
    fn note(&mut self, key: Key, span: &Range<usize>) {
        self.set.push((key, span.clone()));
        if key.row().reader == Reader::Others {
            self.keys_of_others.push(key.row().name);
        }
    }

    fn deprecated(&mut self, name: &str, state: &str, instead: &str, span: &Range<usize>) {
        let message = format!("{name} is {state}");
        self.add(Severity::Warning, "deprecated", Some(name), span, message, instead.to_owned());
    }

    fn add(
        &mut self,
        severity: Severity,
        id: &'static str,
        key: Option<&str>,
        span: &Range<usize>,
        message: String,
        remedy: String,
    ) {
        let place = Some(self.lines.place(span));
        self.findings.push(Finding { severity, id, key: key.map(str::to_owned), place, message, remedy, line: None });
    }
}

/// Reads a file.
pub fn read(text: &str) -> Document<'_> {
    let entries = read_toml(text);
    let skips = |entry: &Entry<'_>| {
        matches!(entry, Entry::Known { key: Key::HookSkipModeDetection, value: Value::Bool(true), .. })
    };
    let mut document = Document {
        lines: Lines::of(text),
        findings: Vec::new(),
        set: Vec::new(),
        keys_of_others: Vec::new(),
        skips_mode: entries.iter().any(skips),
    };
    let mut unquoted_lines = Vec::new();
    for entry in entries {
        if let Entry::Fault(fault) = &entry {
            let line = document.lines.place(&fault.span).line;
            if unquoted_lines.contains(&line) {
                continue;
            }
            if is_unquoted(text, fault) {
                unquoted_lines.push(line);
                without_quotes(&mut document, fault);
                continue;
            }
        }
        match entry {
            Entry::Known { key, value, name, span } => known(&mut document, key, &value, &name, &span),
            Entry::Unknown { name, is_table, span } => unknown(&mut document, &name, is_table, &span),
            Entry::Fault(fault) => self::fault(&mut document, fault),
        }
    }
    document
}

/// Whether a fault is that a string has no quotes, as when a shell has removed them. The parser takes a word that begins
/// like a number, such as `info`, for one.
fn is_unquoted(text: &str, fault: &Fault) -> bool {
    let word = text.get(fault.span.clone()).unwrap_or_default();
    let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && !["nan", "inf"].contains(&word)
        && !word.contains(|c: char| c.is_control() || matches!(c, '"' | '\'' | '='));
    let starts = ["string values must be quoted", "invalid float"];
    matches!(fault.kind, FaultKind::Syntax) && is_word && starts.iter().any(|start| fault.message.starts_with(start))
}

fn without_quotes(document: &mut Document<'_>, fault: &Fault) {
    let word = document.lines.text.get(fault.span.clone()).unwrap_or_default();
    let (message, remedy) = match boolean(word) {
        "true or false" => (
            format!("{word} is a string without quotes"),
            format!("write \"{word}\"; each string of this line needs quotes"),
        ),
        meant => (format!("{word} is not a TOML value"), format!("write {meant}, or \"{word}\" for a string")),
    };
    document.add(Severity::Error, "syntax", None, &fault.span, message, remedy);
}

fn fault(document: &mut Document<'_>, fault: Fault) {
    let (id, name, remedy) = match fault.kind {
        FaultKind::Syntax => ("syntax", None, form(document.lines.text).to_owned()),
        FaultKind::Section(name) => {
            let remedy = format!("write [{name}] and its keys below");
            ("type", Some(name), remedy)
        }
        FaultKind::Key(key) => {
            document.note(key, &fault.span);
            let written = document.lines.text.get(fault.span.clone()).unwrap_or_default();
            let remedy = match key.row().kind {
                Kind::Bool => format!("write {}, in small letters and without quotes", boolean(written)),
                kind => format!("write {}", kind.type_name()),
            };
            ("type", Some(key.row().name.to_owned()), remedy)
        }
    };
    document.add(Severity::Error, id, name.as_deref(), &fault.span, fault.message, remedy);
}

/// What to do about a syntax fault. A file in another format has one on every line.
fn form(text: &str) -> &'static str {
    match text.trim_start().chars().next() {
        Some('{') => "this looks like JSON, and must be TOML: [section], and below it key = value",
        _ => "correct this line; the file is TOML 1.0",
    }
}

/// The boolean meant by a value spelled as in another language.
fn boolean(written: &str) -> &'static str {
    match written.trim_matches(['"', '\'', ' ']).to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => "true",
        "false" | "no" | "off" | "0" | "f" | "n" => "false",
        _ => "true or false",
    }
}

fn known(document: &mut Document<'_>, key: Key, value: &Value<'_>, name: &Range<usize>, span: &Range<usize>) {
    document.note(key, span);
    let row = key.row();
    if let Some(instead) = replacement(row.name).filter(|_| !is_default(key, value)) {
        document.deprecated(row.name, "deprecated", instead, name);
    }
    if let Value::Text(word) = value
        && !row.allowed.is_empty()
        // A wrong value of this key fails a start, so the hook itself reports it.
        && key != Key::HookRootless
        && !row.allowed.contains(&word.as_ref())
    {
        // With an unknown mode the hook refuses every GPU container, unless it skips the mode; other keys have a fallback.
        let fails = key == Key::RuntimeMode && !document.skips_mode;
        let severity = if fails { Severity::Error } else { Severity::Warning };
        let message = format!("\"{word}\" is not a valid value for {}", row.name);
        let meant = nearest(word, row.allowed.iter().copied()).map(|meant| format!("did you mean \"{meant}\"? "));
        let remedy = format!("{}one of: {}", meant.unwrap_or_default(), row.allowed.join(", "));
        document.add(severity, "value", Some(row.name), span, message, remedy);
    }
}

/// What to do about a key that is deprecated or out of use.
fn replacement(name: &str) -> Option<&'static str> {
    DEPRECATED.iter().find(|(old, _)| *old == name).map(|(_, instead)| *instead)
}

/// Whether a value is the default of its key, so setting it changes nothing.
fn is_default(key: Key, value: &Value<'_>) -> bool {
    matches!((key.row().default, value), (DefaultValue::Bool(default), Value::Bool(value)) if default == *value)
}

fn unknown(document: &mut Document<'_>, name: &str, is_table: bool, span: &Range<usize>) {
    if let Some(instead) = replacement(name) {
        document.deprecated(name, "out of use", instead, span);
        return;
    }
    if let Some(unquoted) = unquoted(name) {
        let what = if is_table { "section" } else { "key" };
        let message = format!("unknown {what} {name}: quotes make it one name");
        let remedy = format!("write {unquoted} without quotes, if that is meant; as it stands nothing reads it");
        document.add(Severity::Warning, "unknown-key", Some(name), span, message, remedy);
        return;
    }
    let (section, last) = name.rsplit_once('.').unwrap_or(("", name));
    let siblings = siblings(section);
    let (id, message, remedy) = if let Some(home) = belongs_to(last).filter(|_| !is_table) {
        let home = if home.is_empty() { "the top of the file".to_owned() } else { format!("[{home}]") };
        (
            "misplaced-key",
            format!("{last} is not a key of {}", shown(section)),
            format!("move it to {home}; here nothing reads it"),
        )
    } else if let Some(meant) = nearest(last, siblings.iter().map(String::as_str)) {
        let what = if is_table { "section" } else { "key" };
        (
            "unknown-key",
            format!("unknown {what} {name}"),
            format!("did you mean {meant}? As it stands nothing reads it"),
        )
    } else {
        let instead = match ["graphics", "display", "capabilities", "visible"].iter().any(|word| name.contains(word)) {
            true => "; a container asks with NVIDIA_VISIBLE_DEVICES and NVIDIA_DRIVER_CAPABILITIES in its environment",
            false => "",
        };
        (
            "unknown-key",
            format!("unknown key {name}"),
            format!("remove it: no program that this file is for reads it{instead}"),
        )
    };
    document.add(Severity::Warning, id, Some(name), span, message, remedy);
}

/// The path that a name with a quoted part looks like, if a known key or section has that path.
fn unquoted(name: &str) -> Option<String> {
    let plain = name.contains('"').then(|| name.replace('"', ""))?;
    let is_known = |row: &hook::contract::keys::Row| {
        row.name.strip_prefix(plain.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    ROWS.iter().any(is_known).then_some(plain)
}

fn shown(section: &str) -> String {
    if section.is_empty() { "the top of the file".to_owned() } else { format!("[{section}]") }
}

/// The names that a section knows, keys and sections alike.
fn siblings(section: &str) -> Vec<String> {
    let mut names: Vec<String> = ROWS
        .iter()
        .filter_map(|row| match section {
            "" => Some(row.name),
            section => row.name.strip_prefix(section)?.strip_prefix('.'),
        })
        .filter_map(|rest| rest.split('.').next().map(str::to_owned))
        .collect();
    names.dedup();
    names
}
