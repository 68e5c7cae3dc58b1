//! What is accepted as a configuration file: TOML as the `toml` crate reads it (a byte order mark is skipped), with
//! exact key names and exact types for the known keys. The published hook's parser is laxer in places (key case,
//! control characters); docs/differences.md lists them. Must not know what a key means.

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};

use crate::contract::keys::{Key, Kind, ROWS};

/// The value of a known key.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A boolean.
    Bool(bool),
    /// A string.
    Text(Cow<'a, str>),
    /// A list of strings.
    List(Vec<Cow<'a, str>>),
}

/// A fault in the file and the byte at which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// The byte offset of the place.
    pub offset: usize,
}

/// Reads a document and gives each known key that it sets, with the offset of its value, to `set`.
pub fn read<'a>(text: &'a str, mut set: impl FnMut(Key, Value<'a>, usize)) -> Result<(), Fault> {
    let document = DeTable::parse(text).map_err(|error| Fault {
        message: error.message().replace('\n', ", "),
        offset: error.span().map_or(0, |span| span.start),
    })?;
    walk(document.into_inner(), &mut String::new(), &mut set)
}

/// Visits a table. `prefix` is the dotted name of the table with a dot behind it, or empty at the top.
fn walk<'a>(table: DeTable<'a>, prefix: &mut String, set: &mut impl FnMut(Key, Value<'a>, usize)) -> Result<(), Fault> {
    for (name, value) in table {
        let length = prefix.len();
        prefix.push_str(name.get_ref());
        let offset = value.span().start;
        if let Some(key) = Key::named(prefix) {
            let value = typed(key, value.into_inner()).map_err(|message| Fault { message, offset })?;
            set(key, value, offset);
        } else {
            match value.into_inner() {
                DeValue::Table(table) => {
                    prefix.push('.');
                    walk(table, prefix, set)?;
                }
                other if is_table(prefix) => {
                    return Err(Fault { message: wrong_type(prefix, "a table", type_name(&other)), offset });
                }
                _ => {}
            }
        }
        prefix.truncate(length);
    }
    Ok(())
}

/// Whether known keys stand in the table of a dotted name.
fn is_table(name: &str) -> bool {
    ROWS.iter().any(|row| row.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
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
                other => Err(wrong_item(row.name, &other)),
            })
            .collect::<Result<_, _>>()
            .map(Value::List),
        (kind, other) => Err(wrong_type(row.name, kind.type_name(), type_name(&other))),
    }
}

/// What is wrong with the type of a known key's value, if anything is.
#[must_use]
pub fn type_fault(key: Key, value: &DeValue<'_>) -> Option<String> {
    let row = key.row();
    match (row.kind, value) {
        (Kind::Bool, DeValue::Boolean(_)) | (Kind::Text, DeValue::String(_)) => None,
        (Kind::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref())
            .find(|item| !matches!(item, DeValue::String(_)))
            .map(|item| wrong_item(row.name, item)),
        (kind, other) => Some(wrong_type(row.name, kind.type_name(), type_name(other))),
    }
}

fn wrong_item(name: &str, item: &DeValue<'_>) -> String {
    wrong_type(name, "a list of strings", &format!("a list with {}", type_name(item)))
}

fn wrong_type(name: &str, wanted: &str, found: &str) -> String {
    format!("{name} must be {wanted}, found {found}")
}

/// The type of a value, with article.
#[must_use]
pub fn type_name(value: &DeValue<'_>) -> &'static str {
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
