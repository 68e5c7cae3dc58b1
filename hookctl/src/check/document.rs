//! The file as TOML: syntax, types, and keys that are unknown, misplaced or out of use. Several faults at once.
//! Must not know what values mean together.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::suggest::{belongs_to, nearest};
use super::{Finding, Place, Severity};
use hook::config::{type_fault, type_name_of};
use hook::contract::keys::{DEPRECATED, DefaultValue, Key, ROWS, Reader};

/// A file, read.
pub struct Document<'t> {
    text: &'t str,
    /// What was found so far.
    pub findings: Vec<Finding>,
    /// The keys that are set, and the place of each value.
    set: Vec<(Key, Range<usize>)>,
    /// Keys that only other programs read.
    pub keys_of_others: Vec<&'static str>,
}

impl Document<'_> {
    /// The place of a key's value, where the file sets it.
    #[must_use]
    pub fn place(&self, key: Key) -> Option<Place> {
        let (_, span) = self.set.iter().find(|(set, _)| *set == key)?;
        Some(Place::of(self.text, span))
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
        let place = Some(Place::of(self.text, span));
        self.findings.push(Finding { severity, id, key: key.map(str::to_owned), place, message, remedy });
    }
}

/// Reads a file.
pub fn read(text: &str) -> Document<'_> {
    let mut document = Document { text, findings: Vec::new(), set: Vec::new(), keys_of_others: Vec::new() };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or_default();
        let message = error.message().replace('\n', ", ");
        document.add(
            Severity::Error,
            "syntax",
            None,
            &span,
            message,
            "correct this line; the file is TOML 1.0".to_owned(),
        );
    }
    walk(&mut document, table.into_inner(), &mut String::new());
    document
}

/// Visits a table. `prefix` is its dotted name with a dot behind it, or empty at the top.
fn walk(document: &mut Document<'_>, table: DeTable<'_>, prefix: &mut String) {
    for (name, value) in table {
        let length = prefix.len();
        prefix.push_str(name.get_ref());
        let (name_span, span) = (name.span(), value.span());
        if let Some((_, instead)) = DEPRECATED.iter().find(|(old, _)| old == prefix)
            && !is_default(prefix, value.get_ref())
        {
            // A key that is still read is told from one that is not.
            let state = if Key::named(prefix).is_some() { "deprecated" } else { "out of use" };
            let message = format!("{prefix} is {state}");
            document.add(Severity::Warning, "deprecated", Some(prefix), &name_span, message, (*instead).to_owned());
        } else if Key::named(prefix).is_none() && !is_section(prefix) {
            let is_table = matches!(value.get_ref(), DeValue::Table(_));
            unknown(document, prefix, is_table, &name_span);
        }
        if let Some(key) = Key::named(prefix) {
            known(document, key, &span, value.into_inner());
        } else if is_section(prefix) {
            match value.into_inner() {
                DeValue::Table(table) => {
                    prefix.push('.');
                    walk(document, table, prefix);
                }
                other => {
                    let message = format!("{prefix} must be a table, found {}", type_name_of(&other));
                    let remedy = format!("write [{prefix}] and its keys below");
                    document.add(Severity::Error, "type", Some(prefix), &span, message, remedy);
                }
            }
        }
        prefix.truncate(length);
    }
}

/// Whether a value is the default of a known key, so that setting it changes nothing.
fn is_default(name: &str, value: &DeValue<'_>) -> bool {
    let default = Key::named(name).map(|key| key.row().default);
    matches!((default, value), (Some(DefaultValue::Bool(default)), DeValue::Boolean(value)) if default == *value)
}

/// Whether a dotted name is that of a table with known keys.
fn is_section(name: &str) -> bool {
    ROWS.iter().any(|row| row.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

fn known(document: &mut Document<'_>, key: Key, span: &Range<usize>, value: DeValue<'_>) {
    let row = key.row();
    document.set.push((key, span.clone()));
    if row.reader == Reader::Others {
        document.keys_of_others.push(row.name);
    }
    if let Some(message) = type_fault(key, &value) {
        let remedy = format!("write {}", row.kind.type_name());
        document.add(Severity::Error, "type", Some(row.name), span, message, remedy);
    } else if let DeValue::String(word) = &value
        && !row.allowed.is_empty()
        && !row.allowed.contains(&word.as_ref())
    {
        // With another mode the hook refuses every GPU container; other keys have something to fall back to.
        let severity = if key == Key::RuntimeMode { Severity::Error } else { Severity::Warning };
        let message = format!("{} knows no value \"{word}\"", row.name);
        let meant = nearest(word, row.allowed.iter().copied()).map(|meant| format!("did you mean \"{meant}\"? "));
        let remedy = format!("{}one of: {}", meant.unwrap_or_default(), row.allowed.join(", "));
        document.add(severity, "value", Some(row.name), span, message, remedy);
    }
}

fn unknown(document: &mut Document<'_>, name: &str, is_table: bool, span: &Range<usize>) {
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
        (
            "unknown-key",
            format!("unknown key {name}"),
            "remove it: no program that this file is for reads it".to_owned(),
        )
    };
    document.add(Severity::Warning, id, Some(name), span, message, remedy);
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
