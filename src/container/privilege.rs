//! `process.capabilities`: a list of names from `1.0.0-rc1` up to but not including `1.0.0-rc5`, an object with
//! `bounding` before and since (SPEC section 5). Must not know what a privileged container may do.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json_dialect::{AnyValue, Lenient, Slot, Text};

/// The capability that makes a container privileged, as far as the hook is concerned.
const SYS_ADMIN: &str = "CAP_SYS_ADMIN";

/// A value whose right form depends on `ociVersion`, which may come later in the document. A wrong type is not an error
/// until the right one is known; then it has its own message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Capabilities {
    /// A list.
    List(Names),
    /// An object and its `bounding`: a list, or the type found instead.
    Object(Option<Result<Names, &'static str>>),
    /// Another type, with article.
    Other(&'static str),
}

/// A list of capabilities.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Names {
    has_sys_admin: bool,
    /// The first item that is not a string: its index and its type, with article.
    odd: Option<(usize, &'static str)>,
}

impl Capabilities {
    /// Whether they hold `CAP_SYS_ADMIN`, or what is wrong with them.
    pub(super) fn hold_sys_admin(&self, want_list: bool) -> Result<bool, String> {
        match (self, want_list) {
            (Capabilities::List(names), true) => names.hold_sys_admin("process.capabilities"),
            (Capabilities::Object(None), false) => Ok(false),
            (Capabilities::Object(Some(Ok(names))), false) => names.hold_sys_admin("bounding"),
            (Capabilities::Object(Some(Err(what))), false) => Err(format!("bounding is {what}, not a list")),
            (other, true) => Err(format!("{}, where this ociVersion has a list", other.type_name())),
            (other, false) => Err(format!("{}, where this ociVersion has an object", other.type_name())),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Capabilities::List(_) => "a list",
            Capabilities::Object(_) => "an object",
            Capabilities::Other(what) => what,
        }
    }
}

impl Names {
    fn hold_sys_admin(&self, name: &str) -> Result<bool, String> {
        match self.odd {
            Some((index, what)) => Err(format!("{name}[{index}] is {what}, not a string")),
            None => Ok(self.has_sys_admin),
        }
    }
}

/// Reads [`Capabilities`].
pub(super) struct CapabilitiesSeed;

impl<'de> DeserializeSeed<'de> for CapabilitiesSeed {
    type Value = Capabilities;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CapabilitiesSeed {
    type Value = Capabilities;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or a list before 1.0.0-rc5 (process.capabilities)")
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Capabilities::Other("a string"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Capabilities::Other("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Capabilities::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Capabilities::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Capabilities::Other("a number"))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Capabilities::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut names = Names::default();
        let mut index = 0;
        while let Some(item) = seq.next_element_seed(AnyValue)? {
            match item {
                Lenient::Text(name) => names.has_sys_admin |= name == SYS_ADMIN,
                Lenient::Other(what) => {
                    names.odd.get_or_insert((index, what));
                }
            }
            index += 1;
        }
        Ok(Capabilities::List(names))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut bounding = Slot::default();
        while let Some(name) = map.next_key_seed(Text("a member's name"))? {
            let name: Cow<'_, str> = name;
            if name == "bounding" {
                bounding.fill(&name, &mut map, CapabilitiesSeed)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Capabilities::Object(bounding.value.map(|set| match set {
            Capabilities::List(names) => Ok(names),
            other => Err(other.type_name()),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold_sys_admin(json: &str, want_list: bool) -> Result<bool, String> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        CapabilitiesSeed.deserialize(&mut deserializer).unwrap().hold_sys_admin(want_list)
    }

    #[test]
    fn the_bounding_set_of_an_object_counts_and_nothing_else() {
        assert_eq!(hold_sys_admin(r#"{"effective": ["CAP_SYS_ADMIN"], "bounding": null}"#, false), Ok(false));
        assert_eq!(hold_sys_admin(r#"{"effective": 1, "bounding": ["x", "CAP_SYS_ADMIN"]}"#, false), Ok(true));
        assert_eq!(hold_sys_admin(r#"["CAP_SYS_ADMIN"]"#, true), Ok(true));
    }

    #[test]
    fn a_wrong_type_is_named() {
        let fault = |json, want_list| hold_sys_admin(json, want_list).unwrap_err();
        assert_eq!(fault("[]", false), "a list, where this ociVersion has an object");
        assert_eq!(fault("7", true), "a number, where this ociVersion has a list");
        assert_eq!(fault(r#"["x", null]"#, true), "process.capabilities[1] is null, not a string");
        assert_eq!(fault(r#"{"bounding": {"bounding": []}}"#, false), "bounding is an object, not a list");
        assert_eq!(fault(r#"{"bounding": [7]}"#, false), "bounding[0] is a number, not a string");
    }
}
