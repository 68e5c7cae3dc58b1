//! How JSON is read: member names are exact, repeating a member that is read is an error, `null` counts as absent (but
//! not inside a list), and unknown members are skipped without being built in memory. The published hook follows Go's
//! `encoding/json`, which folds case and lets the last member win; docs/differences.md lists these differences. Must
//! not know the documents.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// An object whose members are read one by one, and where they go.
pub trait Members<'de> {
    /// What the object is, for messages: `an object (process)`.
    const NAME: &'static str;

    /// Reads the value of a member through [`Slot::fill`] and returns true, or returns false to skip it.
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;
}

/// Reads an object into the value that [`Members`] describes.
pub struct Object<'m, M>(pub &'m mut M);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Object<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for Object<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object ({})", M::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Text("a member's name"))? {
            if !self.0.member(&name, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A member that may appear only once. `null` leaves it empty.
#[derive(Debug)]
pub struct Slot<T> {
    seen: bool,
    /// What was read, if anything.
    pub value: Option<T>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot { seen: false, value: None }
    }
}

impl<T> Slot<T> {
    /// Reads the member's value. Returns true, so the call can end [`Members::member`].
    pub fn fill<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
        seed: impl DeserializeSeed<'de, Value = T>,
    ) -> Result<bool, A::Error> {
        if self.seen {
            return Err(A::Error::custom(format_args!("duplicate member \"{name}\"")));
        }
        self.seen = true;
        self.value = map.next_value_seed(OrNull(seed))?;
        Ok(true)
    }
}

/// A value or `null`.
struct OrNull<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for OrNull<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for OrNull<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

/// A string, borrowed from the document if it has no escapes; the field says what it is.
#[derive(Clone, Copy)]
pub struct Text(pub &'static str);

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string ({})", self.0)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The next item of a list, for a reader to read.
pub struct Item<'a, A>(&'a mut A, &'a mut bool);

impl<'de, A: SeqAccess<'de>> Item<'_, A> {
    /// Reads the item; `None` at the end of the list.
    pub fn read<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let item = self.0.next_element_seed(seed)?;
        *self.1 = item.is_none();
        Ok(item)
    }
}

/// Reads the items of a list.
pub trait Items<'de> {
    /// What the list is, for messages.
    const NAME: &'static str;

    /// Reads the item with an index, or finds that the list has ended.
    fn item<A: SeqAccess<'de>>(&mut self, index: usize, item: &mut Item<'_, A>) -> Result<(), A::Error>;
}

/// Reads a list into the value that [`Items`] describes.
pub struct ListOf<I>(pub I);

impl<'de, I: Items<'de>> DeserializeSeed<'de> for ListOf<I> {
    type Value = I;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<I, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, I: Items<'de>> Visitor<'de> for ListOf<I> {
    type Value = I;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list ({})", I::NAME)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<I, A::Error> {
        let mut ended = false;
        for index in 0.. {
            self.0.item(index, &mut Item(&mut seq, &mut ended))?;
            if ended {
                break;
            }
        }
        Ok(self.0)
    }
}

/// A value whose type matters only if the value is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lenient<'de> {
    /// A string.
    Text(Cow<'de, str>),
    /// Another type, and its name.
    Other(&'static str),
}

/// Reads a [`Lenient`] value.
#[derive(Clone, Copy)]
pub struct AnyValue;

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Lenient<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Lenient<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Lenient::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Lenient::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Lenient::Other("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Lenient::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Lenient::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Lenient::Other("a number"))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Lenient::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lenient::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Lenient::Other("an object"))
    }
}

/// A fault in words: `LINE:COLUMN: reason`. A string in place of another type is not shown: it may be a secret of the
/// container.
#[must_use]
pub fn fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text),
        None => &text,
    };
    let secret = message.split_once("string \"").zip(message.rfind("\", expected"));
    let message = match secret {
        Some(((before, _), end)) => format!("{before}string, expected{}", message.get(end + 11..).unwrap_or_default()),
        None => message.to_owned(),
    };
    format!("{}:{}: {message}", error.line(), error.column())
}
