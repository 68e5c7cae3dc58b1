//! YAML as JSON values: as much as device specifications use. Aliases are followed up to a limit, since a few of them
//! can stand for gigabytes, and deep nesting is refused. Must not know what a document is about.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// How many levels of nesting are followed.
const DEPTH: usize = 64;
/// How many values all aliases may stand for together.
const COPIES: usize = 1 << 16;

/// Reads the first document of a text.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut open: Vec<(Open, usize)> = Vec::new();
    let mut anchors: BTreeMap<usize, Value> = BTreeMap::new();
    let mut copies = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let fault = |what: &str| format!("line {}: {what}", span.start.line());
        let (done, anchor) = match event {
            Event::Alias(anchor) => {
                let value = anchors.get(&anchor).ok_or_else(|| fault("an alias to what is not complete"))?;
                let (size, depth) = measure(value);
                copies += size;
                if copies > COPIES || open.len() + depth > DEPTH {
                    return Err(fault("aliases that stand for too much"));
                }
                (value.clone(), 0)
            }
            Event::Scalar(value, style, anchor, _) => (scalar(&value, style), anchor),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEPTH => {
                return Err(fault("nested too deeply"));
            }
            Event::SequenceStart(anchor, _) => {
                open.push((Open::List(Vec::new()), anchor));
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push((Open::Map(Map::new(), None), anchor));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some((Open::List(items), anchor)) => (Value::Array(items), anchor),
                Some((Open::Map(members, _), anchor)) => (Value::Object(merged(members)), anchor),
                None => return Err(fault("an end without a beginning")),
            },
            _ => continue,
        };
        if anchor > 0 {
            copies += measure(&done).0;
            if copies > COPIES {
                return Err(fault("aliases that stand for too much"));
            }
            anchors.insert(anchor, done.clone());
        }
        match open.last_mut() {
            None => return Ok(done),
            Some((Open::List(items), _)) => items.push(done),
            Some((Open::Map(members, name), _)) => match name.take() {
                None => *name = Some(done.as_str().map_or_else(|| done.to_string(), str::to_owned)),
                Some(name) => drop(members.insert(name, done)),
            },
        }
    }
    Err("an empty document".to_owned())
}

/// How many values a value consists of, and how deep it is.
fn measure(value: &Value) -> (usize, usize) {
    let all: Vec<(usize, usize)> = match value {
        Value::Array(items) => items.iter().map(measure).collect(),
        Value::Object(members) => members.values().map(measure).collect(),
        _ => Vec::new(),
    };
    let depth = all.iter().map(|(_, depth)| *depth).max().unwrap_or_default();
    (1 + all.iter().map(|(size, _)| size).sum::<usize>(), 1 + depth)
}

/// A mapping with those that its merge key names; its own members come first.
fn merged(mut members: Map<String, Value>) -> Map<String, Value> {
    let others = match members.remove("<<") {
        Some(Value::Array(others)) => others,
        Some(other) => vec![other],
        None => return members,
    };
    for other in others {
        if let Value::Object(other) = other {
            for (name, value) in other {
                members.entry(name).or_insert(value);
            }
        }
    }
    members
}

/// A collection that is not complete yet, and the name of the member that comes next.
enum Open {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match text.parse::<i64>() {
            Ok(number) => Value::Number(Number::from(number)),
            Err(_) => Value::String(text.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn a_document_is_read_as_json() {
        let text = "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: \"0\"\n  containerEdits:\n    deviceNodes:\n    - path: /dev/nvidia0\n      major: 195\n";
        let node = json!({"path": "/dev/nvidia0", "major": 195});
        let wanted = json!({"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu",
            "devices": [{"name": "0", "containerEdits": {"deviceNodes": [node]}}]});
        assert_eq!(parse(text), Ok(wanted));
        assert_eq!(parse("{\"a\": [1, null, true, \"x\"]}"), Ok(json!({"a": [1, null, true, "x"]})));
    }

    #[test]
    fn an_alias_stands_for_what_it_names() {
        assert_eq!(parse("a: &x [1]\nb: *x\n"), Ok(json!({"a": [1], "b": [1]})));
        assert_eq!(parse("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n").unwrap()["d"], json!({"b": 1, "c": 3}));
        assert!(parse("a: &x [*x]\n").is_err());
    }

    #[test]
    fn what_could_grow_without_bound_is_refused() {
        let laughs = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, at| {
            let alias = format!("*a{}", at - 1);
            format!("{text}a{at}: &a{at} [{}]\n", vec![alias; 9].join(","))
        });
        assert!(parse(&laughs).unwrap_err().contains("too much"));
        let deep = (1..90).fold("a0: &a0 [x]\n".to_owned(), |text, at| format!("{text}a{at}: &a{at} [*a{}]\n", at - 1));
        assert!(parse(&deep).unwrap_err().contains("too much"));
        assert!(parse(&"[".repeat(1000)).is_err());
        assert!(parse("a: [").is_err() && parse("").is_err());
    }
}
