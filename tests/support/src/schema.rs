//! As much of JSON Schema as docs/*.schema.json use, so that what is documented is checked. A keyword that is not known
//! here is a fault of the schema, never passed over. Must not know any document.

use serde_json::Value;

/// Where a document is not as its schema says.
pub fn faults(schema: &Value, document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, document, "", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    let members = schema.as_object().unwrap_or_else(|| panic!("{path}: no schema: {schema}"));
    for (keyword, rule) in members {
        let holds = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" | "default" => true,
            "$ref" => {
                let target = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(target).unwrap(), value, path, faults);
                true
            }
            "anyOf" | "oneOf" => rule.as_array().unwrap().iter().any(|one| {
                let mut inner = Vec::new();
                check(root, one, value, path, &mut inner);
                inner.is_empty()
            }),
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "type" => has_type(rule, value),
            "minimum" => value.is_null() || value.as_i64() >= rule.as_i64(),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{path}/{index}"), faults);
                }
                true
            }
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = rule.get(name) {
                        check(root, schema, member, &format!("{path}/{name}"), faults);
                    }
                }
                true
            }
            "required" => rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false), "{path}: only false is known");
                let known = schema.get("properties").and_then(Value::as_object).unwrap();
                value.as_object().is_none_or(|object| object.keys().all(|name| known.contains_key(name)))
            }
            other => panic!("{path}: the keyword {other} is not known here"),
        };
        if !holds {
            faults.push(format!("{path}: {keyword} {rule} does not hold for {value}"));
        }
    }
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    };
    match rule {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}
