//! YAML as JSON values: as much as device specifications use. Aliases are refused, since a few of them can stand for
//! gigabytes, and so is deep nesting. Must not know what a document is about.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// How many levels of nesting are followed.
const DEPTH: usize = 64;

/// Reads the first document of a text.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let fault = |what: &str| format!("line {}: {what}", span.start.line());
        let done = match event {
            Event::Alias(_) => return Err(fault("an alias, which is not read here")),
            Event::Scalar(value, style, ..) => scalar(&value, style),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEPTH => {
                return Err(fault("nested too deeply"));
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => Value::Array(items),
                Some(Open::Map(members, _)) => Value::Object(members),
                None => return Err(fault("an end without a beginning")),
            },
            _ => continue,
        };
        match open.last_mut() {
            None => return Ok(done),
            Some(Open::List(items)) => items.push(done),
            Some(Open::Map(members, name)) => match name.take() {
                None => *name = Some(done.as_str().map_or_else(|| done.to_string(), str::to_owned)),
                Some(name) => drop(members.insert(name, done)),
            },
        }
    }
    Err("an empty document".to_owned())
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
    fn what_could_grow_without_bound_is_refused() {
        assert!(parse("a: &x [1]\nb: *x\n").unwrap_err().contains("alias"));
        assert!(parse(&"[".repeat(1000)).is_err());
        assert!(parse("a: [").is_err() && parse("").is_err());
    }
}
