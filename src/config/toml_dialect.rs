//! What is accepted as a configuration file: TOML as the `toml` crate reads it (a byte order mark is skipped), with
//! exact key names and exact types for the known keys. The published hook's parser is laxer in places (key case,
//! control characters); docs/differences.md lists them. Must not know what a key means.

use std::borrow::Cow;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::contract::keys::{Key, Kind, ROWS};

/// The value of a known key.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A string, without its quotes and escapes.
    Text(Cow<'a, str>),
    /// A list whose items are strings.
    List(Vec<Cow<'a, str>>),
}

/// One finding of the walk through a document. Spans are in bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'a> {
    /// A known key with a value of its type.
    Known {
        /// The key that it sets.
        key: Key,
        /// The value, of the key's type.
        value: Value<'a>,
        /// The span of the last part of its name.
        name: Range<usize>,
        /// The span of the value.
        span: Range<usize>,
    },
    /// A key or a table that no program reads. The content of such a table is not examined.
    Unknown {
        /// Its dotted name, with quotes if a part of it contains a dot.
        name: String,
        /// A table, not a key.
        is_table: bool,
        /// The span of the last part of its name.
        span: Range<usize>,
    },
    /// A fault that makes a start fail.
    Fault(Fault),
}

/// A fault of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which rule it breaks.
    pub kind: FaultKind,
    /// What is wrong, in words for a person.
    pub message: String,
    /// Its span, in bytes.
    pub span: Range<usize>,
}

/// The kinds of faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The file is not TOML.
    Syntax,
    /// A known key has a value of another type.
    Key(Key),
    /// A section of known keys is not a table; holds its dotted name.
    Section(String),
}

/// Reads a document. Syntax faults come first, in their order; everything else follows in the order of the names.
#[must_use]
pub fn read(text: &str) -> Vec<Entry<'_>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let syntax = errors.into_iter().map(|error| {
        let message = error.message().replace('\n', ", ");
        Entry::Fault(Fault { kind: FaultKind::Syntax, message, span: error.span().unwrap_or_default() })
    });
    let mut entries = syntax.collect();
    walk(document.into_inner(), &mut String::new(), &mut entries);
    entries
}

/// Visits a table. `prefix` is its dotted name with a trailing dot, or empty at the top.
fn walk<'a>(table: DeTable<'a>, prefix: &mut String, entries: &mut Vec<Entry<'a>>) {
    for (part, value) in table {
        let (length, name, span) = (prefix.len(), part.span(), value.span());
        prefix.push_str(part.get_ref());
        // A quoted part with a dot is one name, which no program knows, not the path that it looks like.
        let is_one_name = part.get_ref().contains('.');
        match (Key::named(prefix).filter(|_| !is_one_name), value.into_inner()) {
            (Some(key), value) => entries.push(known(key, value, name, span)),
            (None, value) if is_one_name || !is_section(prefix) => {
                let is_table = matches!(value, DeValue::Table(_));
                let name_shown = if is_one_name { quoted(prefix, length) } else { prefix.clone() };
                entries.push(Entry::Unknown { name: name_shown, is_table, span: name });
            }
            (None, DeValue::Table(table)) => {
                prefix.push('.');
                walk(table, prefix, entries);
            }
            (None, other) => {
                let message = wrong_type(prefix, "a table", type_name(&other));
                entries.push(Entry::Fault(Fault { kind: FaultKind::Section(prefix.clone()), message, span }));
            }
        }
        prefix.truncate(length);
    }
}

/// Quotes the last part of a dotted name, from `start` on, which itself contains a dot.
fn quoted(name: &str, start: usize) -> String {
    let (table, part) = name.split_at_checked(start).unwrap_or(("", name));
    format!("{table}\"{part}\"")
}

/// Whether the table with a dotted name holds known keys.
fn is_section(name: &str) -> bool {
    // The dot is compared first: most names have none there, and need no further comparison.
    ROWS.iter().any(|row| row.name.as_bytes().get(name.len()) == Some(&b'.') && row.name.starts_with(name))
}

fn known(key: Key, value: DeValue<'_>, name: Range<usize>, span: Range<usize>) -> Entry<'_> {
    match typed(key, value) {
        Ok(value) => Entry::Known { key, value, name, span },
        Err(message) => Entry::Fault(Fault { kind: FaultKind::Key(key), message, span }),
    }
}

fn typed(key: Key, value: DeValue<'_>) -> Result<Value<'_>, String> {
    let row = key.row();
    match (row.kind, value) {
        (Kind::Bool, DeValue::Boolean(value)) => Ok(Value::Bool(value)),
        (Kind::Text, DeValue::String(value)) => Ok(Value::Text(value)),
        (Kind::List, DeValue::Array(items)) => items
            .into_iter()
            .map(|item| match item.into_inner() {
                DeValue::String(item) => Ok(item),
                other => Err(wrong_type(row.name, "a list of strings", &format!("a list with {}", type_name(&other)))),
            })
            .collect::<Result<_, _>>()
            .map(Value::List),
        (kind, other) => Err(wrong_type(row.name, kind.type_name(), type_name(&other))),
    }
}

fn wrong_type(name: &str, wanted: &str, found: &str) -> String {
    format!("{name} must be {wanted}, found {found}")
}

/// The type of a value, with its article.
fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<String> {
        let kind = |entry| match entry {
            Entry::Known { key, .. } => format!("known {}", key.row().name),
            Entry::Unknown { name, is_table: true, .. } => format!("unknown table {name}"),
            Entry::Unknown { name, .. } => format!("unknown {name}"),
            Entry::Fault(fault) => format!("{:?}", fault.kind),
        };
        read(text).into_iter().map(kind).collect()
    }

    #[test]
    fn a_name_is_a_list_of_parts_however_it_is_written() {
        for text in [
            "nvidia-container-cli.user = 'a'",
            "\"nvidia-container-cli\".'user' = 'a'",
            "[nvidia-container-cli]\nuser = 'a'",
        ] {
            assert_eq!(kinds(text), ["known nvidia-container-cli.user"], "{text}");
        }
        assert_eq!(kinds("'nvidia-container-cli.user' = 'a'"), ["unknown \"nvidia-container-cli.user\""]);
        assert_eq!(
            kinds("nvidia-container-runtime.'modes.legacy'.cuda-compat-mode = 'mount'"),
            ["unknown table nvidia-container-runtime.\"modes.legacy\""]
        );
    }

    #[test]
    fn numbers_on_which_a_lexer_of_toml_stumbles_end_no_process() {
        for text in ["x = 0oz_1", "x = 0oé_1", "x = 0xg_é_", "x = 0b_"] {
            assert_eq!(kinds(text).first().map(String::as_str), Some("Syntax"), "{text}");
        }
        // The lexer takes these for integers, which no key of the hook accepts.
        assert_eq!(kinds("x = 0o"), ["unknown x"]);
        assert_eq!(kinds("disable-require = 0o"), ["Key(DisableRequire)"]);
    }

    #[test]
    fn every_fault_is_found_and_those_of_syntax_come_first() {
        let text = "features = 1\ndisable-require = 'x'\n[nvidia-container-cli]\nuser = \n";
        let faults = kinds(text);
        assert_eq!(faults.first().map(String::as_str), Some("Syntax"));
        assert!(faults.contains(&"Section(\"features\")".to_owned()), "{faults:?}");
        assert!(faults.contains(&"Key(DisableRequire)".to_owned()), "{faults:?}");
    }
}
