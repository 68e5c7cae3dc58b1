//! A JSON document as YAML, for people and for engines that do not read JSON. Strings keep JSON's quotes, which are
//! valid YAML too, so none is taken for a number.
//!
//! It knows nothing about specifications.

use serde_json::Value;

/// The document.
#[must_use]
pub fn yaml(document: &Value) -> String {
    let mut out = String::new();
    block(document, 0, &mut out);
    out
}

/// The lines of an object or a list, each indented; anything else is on one line.
fn block(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                indent(depth, out);
                out.push_str(name);
                out.push(':');
                after(member, depth, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                block(item, depth + 1, &mut inner);
                // The first line of the item goes on the line of its dash.
                indent(depth, out);
                out.push_str("- ");
                out.push_str(inner.trim_start_matches(' '));
            }
        }
        scalar => {
            indent(depth, out);
            out.push_str(&scalar.to_string());
            out.push('\n');
        }
    }
}

/// What follows a name: a value on the same line, or a block below.
fn after(value: &Value, depth: usize, out: &mut String) {
    let is_block = value.as_object().is_some_and(|members| !members.is_empty())
        || value.as_array().is_some_and(|items| !items.is_empty());
    if is_block {
        out.push('\n');
        block(value, depth + 1, out);
    } else {
        out.push_str(&format!(" {value}\n"));
    }
}

fn indent(depth: usize, out: &mut String) {
    (0..depth).for_each(|_| out.push_str("  "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_are_indented_and_texts_are_quoted() {
        let document = json!({"a": [{"name": "0", "of": [1, [2]]}, "0:1"], "b": {}, "c": {"d": true}});
        let expected = "a:\n  - name: \"0\"\n    of:\n      - 1\n      - - 2\n  - \"0:1\"\nb: {}\nc:\n  d: true\n";
        assert_eq!(yaml(&document), expected);
    }
}
