//! Random schemas of custom resources.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// A schema with everything that matters to merging.
pub(super) fn declared(rng: &mut Rng) -> Value {
    let mut schema =
        json!({ "type": "object", "properties": { "spec": structure(rng, 3), "status": structure(rng, 2) } });
    if rng.u8(..10) == 0 {
        schema["x-kubernetes-preserve-unknown-fields"] = json!(true);
    }
    schema
}

/// The schema after somebody has made parts of it atomic or granular.
pub(super) fn changed(rng: &mut Rng, schema: &Value) -> Value {
    let mut schema = schema.clone();
    change(rng, &mut schema);
    schema
}

fn change(rng: &mut Rng, schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    let is_object = members.get("type") == Some(&json!("object"));
    let is_root = members.get("properties").is_some_and(|properties| properties.get("status").is_some());
    if is_object && !is_root && rng.u8(..4) == 0 {
        let atomic = members.get("x-kubernetes-map-type") == Some(&json!("atomic"));
        members.insert("x-kubernetes-map-type".to_owned(), json!(if atomic { "granular" } else { "atomic" }));
    }
    if members.get("type") == Some(&json!("array")) && rng.u8(..4) == 0 {
        members.insert("x-kubernetes-list-type".to_owned(), json!("atomic"));
        members.remove("x-kubernetes-list-map-keys");
    }
    for key in ["items", "additionalProperties"] {
        if let Some(schema) = members.get_mut(key) {
            change(rng, schema);
        }
    }
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        properties.values_mut().for_each(|schema| change(rng, schema));
    }
}

fn structure(rng: &mut Rng, depth: u8) -> Value {
    let mut properties = Map::new();
    for name in ["a", "b", "c", "d"].into_iter().take(rng.usize(1..5)) {
        properties.insert(name.to_owned(), any(rng, depth));
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    match rng.u8(..12) {
        0 => schema["x-kubernetes-map-type"] = json!("atomic"),
        1 => schema["x-kubernetes-preserve-unknown-fields"] = json!(true),
        _ => {}
    }
    schema
}

fn any(rng: &mut Rng, depth: u8) -> Value {
    match rng.u8(..if depth == 0 { 4 } else { 12 }) {
        0..=2 => scalar(rng),
        3 => match rng.u8(..3) {
            0 => json!({ "x-kubernetes-int-or-string": true }),
            1 => json!({ "x-kubernetes-preserve-unknown-fields": true }),
            _ => json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }),
        },
        4..=5 => structure(rng, depth - 1),
        6 => {
            let mut schema = json!({ "type": "object", "additionalProperties": any(rng, depth - 1) });
            if rng.u8(..4) == 0 {
                schema["x-kubernetes-map-type"] = json!("atomic");
            }
            schema
        }
        7 => json!({ "type": "array", "items": any(rng, depth - 1), "x-kubernetes-list-type": "atomic" }),
        8 => json!({ "type": "array", "items": scalar(rng), "x-kubernetes-list-type": "set" }),
        _ => keyed(rng, depth),
    }
}

fn keyed(rng: &mut Rng, depth: u8) -> Value {
    let mut item = structure(rng, depth - 1);
    item.as_object_mut().expect("a map").remove("x-kubernetes-map-type");
    item["properties"]["name"] = json!({ "type": "string" });
    item["properties"]["port"] = json!({ "type": "integer" });
    item["properties"]["protocol"] = json!({ "type": "string", "default": "TCP" });
    let keys = match rng.u8(..4) {
        0 => json!(["name"]),
        1 => json!(["port", "protocol"]),
        2 => json!(["port", "name"]),
        _ => json!(["protocol"]),
    };
    json!({
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": keys,
    })
}

fn scalar(rng: &mut Rng) -> Value {
    match rng.u8(..6) {
        0 => json!({ "type": "integer" }),
        1 => json!({ "type": "number" }),
        2 => json!({ "type": "boolean" }),
        3 => json!({ "type": "string", "format": "date-time" }),
        _ => json!({ "type": "string" }),
    }
}
