//! Which fields belong to who applies an object: what the server writes to `managedFields`, by a shape alone.

use k8s_client_runtime::apply::Shape;
use serde_json::{Map, Value, json};

/// The `fieldsV1` of a configuration that somebody applies.
pub fn owned_by_an_apply(shape: &Shape, applied: &Value) -> Value {
    let mut applied = applied.clone();
    if let Some(fields) = applied.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    if let Some(metadata) = applied["metadata"].as_object_mut() {
        metadata.remove("name");
        metadata.remove("namespace");
    }
    below(shape, &applied).into()
}

fn resolved(shape: &Shape) -> &Shape {
    match shape {
        Shape::Of(shape) => resolved(shape()),
        Shape::Only(_, _, shape) => resolved(shape),
        shape => shape,
    }
}

/// The paths below a value; none if it is owned as a whole.
fn below(shape: &Shape, value: &Value) -> Map<String, Value> {
    let mut owned = Map::new();
    match (resolved(shape), value) {
        (shape @ (Shape::Record(_) | Shape::OpenRecord(_) | Shape::Map(_) | Shape::Untyped), Value::Object(fields)) => {
            for (name, value) in fields {
                let (shape, is_named) = match shape {
                    Shape::Record(known) | Shape::OpenRecord(known) => {
                        let found = known.iter().find(|(known, _)| known == name);
                        (found.map_or(&Shape::Untyped, |(_, shape)| shape), found.is_some())
                    }
                    Shape::Map(values) => (*values, false),
                    _ => (&Shape::Untyped, false),
                };
                let mut inner = below(shape, value);
                // What the schema does not name belongs to somebody by itself, as what has nothing in it does.
                if !is_named && !inner.is_empty() {
                    inner.insert(".".to_owned(), json!({}));
                }
                if !is_named || !inner.is_empty() || is_whole(shape, value) {
                    owned.insert(format!("f:{name}"), inner.into());
                }
            }
        }
        (Shape::Keyed(keys, item), Value::Array(items)) => {
            for value in items {
                let key: Map<String, Value> = keys
                    .iter()
                    .filter_map(|(key, default)| {
                        let default = default.and_then(|default| serde_json::from_str(default).ok());
                        Some(((*key).to_owned(), value.get(key).cloned().or(default)?))
                    })
                    .collect();
                let mut inner = below(item, value);
                inner.insert(".".to_owned(), json!({}));
                owned.insert(format!("k:{}", Value::from(key)), inner.into());
            }
        }
        (Shape::Set, Value::Array(items)) => {
            owned.extend(items.iter().map(|item| (format!("v:{item}"), json!({}))));
        }
        _ => {}
    }
    owned
}

/// Whether a value that no path leads into belongs to somebody as a whole.
fn is_whole(shape: &Shape, value: &Value) -> bool {
    match (resolved(shape), value) {
        (Shape::Keyed(..) | Shape::Set, Value::Array(_)) => false,
        (Shape::Record(_) | Shape::OpenRecord(_) | Shape::Map(_) | Shape::Untyped, Value::Object(fields)) => {
            fields.is_empty()
        }
        _ => true,
    }
}
