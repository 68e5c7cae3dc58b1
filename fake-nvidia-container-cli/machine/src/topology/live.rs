//! What runs on a GPU and what its sensors show, as a topology states it.
//!
//! It knows the form of these members; what a key means is [`crate::state`]'s business.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Readings by key: `temperature.gpu` is a member of that name, or `gpu` in a table `temperature`. Each is text: a
/// number becomes its digits, and a boolean becomes `true` or `false`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Readings(pub BTreeMap<String, String>);

/// A program that uses a GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Its process id on the host.
    pub pid: u32,
    /// `C` for compute, `G` for graphics, `C+G` for both, `M+C` for a client of MPS; `C` if left out.
    #[serde(rename = "type", default = "compute")]
    pub kind: String,
    /// Its name, as long as it is; the table cuts it.
    pub name: String,
    /// The memory that it uses in MiB; not known if left out.
    #[serde(default)]
    pub memory: Option<u64>,
    /// The GPU instance in which it runs.
    #[serde(default)]
    pub gi: Option<u32>,
    /// The compute instance in which it runs.
    #[serde(default)]
    pub ci: Option<u32>,
    /// Its share of the multiprocessors in per cent.
    #[serde(default)]
    pub sm: Option<u32>,
    /// Its share of the memory bandwidth in per cent.
    #[serde(default)]
    pub mem: Option<u32>,
    /// Its share of the encoder in per cent.
    #[serde(default)]
    pub enc: Option<u32>,
    /// Its share of the decoder in per cent.
    #[serde(default)]
    pub dec: Option<u32>,
}

/// A program that has ended and was accounted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accounted {
    /// Its process id.
    pub pid: u32,
    /// Its share of the multiprocessors in per cent.
    #[serde(default)]
    pub gpu_utilization: u32,
    /// Its share of the memory bandwidth in per cent.
    #[serde(default)]
    pub mem_utilization: u32,
    /// The most memory that it used, in MiB.
    #[serde(default)]
    pub max_memory_usage: u64,
    /// How long it ran, in ms.
    #[serde(default)]
    pub time: u64,
}

fn compute() -> String {
    "C".to_owned()
}

/// A reading, or a table of readings whose keys share a prefix.
enum Entry {
    Text(String),
    Table(Readings),
}

impl<'de> Deserialize<'de> for Readings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Readings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of readings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Readings, A::Error> {
                let mut all = BTreeMap::new();
                while let Some((key, entry)) = map.next_entry::<String, Entry>()? {
                    match entry {
                        Entry::Text(text) => drop(all.insert(key, text)),
                        Entry::Table(inner) => all.extend(inner.0.into_iter().map(|(k, v)| (format!("{key}.{k}"), v))),
                    }
                }
                Ok(Readings(all))
            }
        }
        from.deserialize_map(Table)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reading: text, a number, true or false")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Entry, E> {
                Ok(Entry::Text(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Entry, E> {
                Ok(Entry::Text(number.to_string()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Entry, E> {
                Ok(Entry::Text(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Entry, E> {
                Ok(Entry::Text(number.to_string()))
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Entry, E> {
                Ok(Entry::Text(flag.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                Readings::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Entry::Table)
            }
        }
        from.deserialize_any(Any)
    }
}

impl JsonSchema for Readings {
    fn schema_name() -> Cow<'static, str> {
        "Readings".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Readings by key, e.g. `temperature.gpu`; a table stands for keys that begin alike.",
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "boolean", "object"] },
        })
    }
}
