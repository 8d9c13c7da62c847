//! What a CustomResourceDefinition demands of values: types, required fields, enumerations and limits.

use serde_json::Value;

use super::{ListKind, Schema, Struct, Type};
use crate::failure::Cause;

/// What is wrong with an object. Patterns and rules in CEL are not looked at: no regular expressions are on board.
pub(crate) fn violations(object: &Value, schema: &Schema) -> Vec<Cause> {
    let mut causes = Vec::new();
    check(object, schema, "", &mut causes);
    // The server looks for these when it has looked at all else.
    duplicates_in(object, schema, "", &mut causes);
    causes
}

fn duplicates_in(value: &Value, schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    match (&schema.of, value) {
        (Type::Struct(fields), Value::Object(object)) => {
            for (name, value) in object {
                if let Some(field) = fields.fields.get(name) {
                    duplicates_in(value, &field.schema, &join(path, name), causes);
                }
            }
        }
        (Type::Map(values), Value::Object(object)) => {
            for (name, value) in object {
                duplicates_in(value, values, &join(path, name), causes);
            }
        }
        (Type::List(list), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                duplicates_in(item, &list.items, &format!("{path}[{index}]"), causes);
            }
            duplicates(items, &list.kind, path, causes);
        }
        _ => {}
    }
}

fn check(value: &Value, schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    if matches!(schema.of, Type::Named(_)) || (value.is_null() && schema.nullable) {
        return;
    }
    let shown = if path.is_empty() { "<nil>" } else { path };
    let expected = match (&schema.of, value) {
        (Type::Any | Type::Named(_), _)
        | (Type::Bool, Value::Bool(_))
        | (Type::Double, Value::Number(_))
        | (Type::String | Type::Time | Type::Bytes | Type::Quantity, Value::String(_))
        | (Type::IntOrString, Value::Number(_) | Value::String(_))
        | (Type::List(_), Value::Array(_))
        | (Type::Map(_) | Type::Struct(_), Value::Object(_)) => None,
        (Type::Int32 | Type::Int64, Value::Number(number)) if number.as_f64().is_some_and(|it| it.fract() == 0.0) => {
            None
        }
        (Type::Bool, _) => Some("boolean"),
        (Type::Int32 | Type::Int64, _) => Some("integer"),
        (Type::Double, _) => Some("number"),
        (Type::String | Type::Time | Type::Bytes | Type::Quantity, _) => Some("string"),
        (Type::IntOrString, _) => Some("integer,string"),
        (Type::List(_), _) => Some("array"),
        (Type::Map(_) | Type::Struct(_), _) => Some("object"),
    };
    if let Some(expected) = expected {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let problem = format!("{shown} in body must be of type {expected}: {found:?}");
        causes.push(Cause::new("FieldValueTypeInvalid", path, format!("Invalid value: {found:?}: {problem}")));
        return;
    }
    if !schema.values.is_empty() && !schema.values.contains(value) {
        let supported: Vec<&str> = schema.values.iter().filter_map(Value::as_str).collect();
        causes.push(Cause::unsupported(path, &value.to_string(), &supported));
    }
    limits(value, schema, path, causes);
    match (&schema.of, value) {
        (Type::Struct(fields), Value::Object(object)) => {
            missing(fields, object, path, causes);
            for (name, value) in object {
                if let Some(field) = fields.fields.get(name) {
                    check(value, &field.schema, &join(path, name), causes);
                }
            }
        }
        (Type::Map(values), Value::Object(object)) => {
            for (name, value) in object {
                check(value, values, &join(path, name), causes);
            }
        }
        (Type::List(list), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                check(item, &list.items, &format!("{path}[{index}]"), causes);
            }
        }
        _ => {}
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn missing(fields: &Struct, object: &serde_json::Map<String, Value>, path: &str, causes: &mut Vec<Cause>) {
    for (name, field) in &fields.fields {
        if field.required && !object.contains_key(name) {
            causes.push(Cause::required(join(path, name), ""));
        }
    }
}

fn duplicates(items: &[Value], kind: &ListKind, path: &str, causes: &mut Vec<Cause>) {
    let key = |item: &Value| -> Option<Value> {
        match kind {
            ListKind::Atomic => None,
            ListKind::Set => Some(item.clone()),
            ListKind::Map(keys) => {
                let of = |key: &String| item.get(key).map(|value| (key.clone(), value.clone()));
                Some(Value::Object(keys.iter().filter_map(of).collect()))
            }
        }
    };
    let mut seen = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(key) = key(item) else { return };
        if seen.contains(&key) {
            let message = format!("Duplicate value: {key}");
            causes.push(Cause::new("FieldValueDuplicate", format!("{path}[{index}]"), message));
        }
        seen.push(key);
    }
}

fn limits(value: &Value, schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    for (keyword, limit) in &schema.limits {
        let number = limit.as_f64().unwrap_or_default();
        let count = match value {
            Value::String(text) => text.chars().count(),
            Value::Array(items) => items.len(),
            Value::Object(object) => object.len(),
            _ => 0,
        };
        #[expect(clippy::cast_precision_loss, reason = "as the limit, which is a float")]
        let count_is = |holds: fn(f64, f64) -> bool| holds(count as f64, number);
        let problem = match (keyword.as_str(), value) {
            ("minimum", Value::Number(given)) if given.as_f64() < Some(number) => {
                format!("should be greater than or equal to {limit}")
            }
            ("maximum", Value::Number(given)) if given.as_f64() > Some(number) => {
                format!("should be less than or equal to {limit}")
            }
            ("minLength", Value::String(_)) if count_is(|count, limit| count < limit) => {
                format!("should be at least {limit} chars long")
            }
            ("maxLength", Value::String(_)) if count_is(|count, limit| count > limit) => {
                causes.push(Cause::new(
                    "FieldValueTooLong",
                    path,
                    format!("Too long: may not be more than {limit} bytes"),
                ));
                continue;
            }
            ("minItems", Value::Array(_)) if count_is(|count, limit| count < limit) => {
                format!("should have at least {limit} items")
            }
            ("maxItems", Value::Array(_)) if count_is(|count, limit| count > limit) => {
                let message = format!("Too many: {count}: must have at most {limit} items");
                causes.push(Cause::new("FieldValueTooMany", path, message));
                continue;
            }
            ("minProperties", Value::Object(_)) if count_is(|count, limit| count < limit) => {
                format!("should have at least {limit} properties")
            }
            ("maxProperties", Value::Object(_)) if count_is(|count, limit| count > limit) => {
                let message = format!("Too many: {count}: must have at most {limit} items");
                causes.push(Cause::new("FieldValueTooMany", path, message));
                continue;
            }
            _ => continue,
        };
        causes.push(Cause::invalid(path, value, &format!("{path} in body {problem}")));
    }
}
