//! The one document of `OpenAPI` v2, of what those of v3 say: the types, as old clients read them. Paths are not in it.

use serde_json::{Map, Value, json};

use super::{operations, types::Components};
use crate::state::State;

/// The document of all that is served.
pub(super) fn document(state: &State) -> Value {
    let mut components = Components::new(state);
    for resource in state.resources() {
        operations::add(resource, &mut components, &mut std::collections::BTreeMap::new());
    }
    let definitions: Map<String, Value> =
        components.schemas().into_iter().map(|(name, schema)| (name, definition(schema))).collect();
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": state.model.version},
        "paths": {},
        "definitions": definitions,
    })
}

/// A schema without what v2 cannot say.
fn definition(schema: Value) -> Value {
    match schema {
        Value::Object(mut members) => {
            if let Some(name) = reference(&members) {
                return json!({"$ref": format!("#/definitions/{name}")});
            }
            if members.remove("oneOf").is_some() {
                // A quantity, a port: numbers that are texts.
                members.insert("type".to_owned(), "string".into());
            }
            let is_default = |name: &str, value: &Value| name == "default" && !value.is_null();
            let kept = members.into_iter().filter(|(name, value)| !is_default(name, value));
            kept.map(|(name, value)| (name, definition(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(definition).collect(),
        other => other,
    }
}

/// The type that a schema refers to.
fn reference(members: &Map<String, Value>) -> Option<&str> {
    let reference = members.get("$ref").or_else(|| members.get("allOf")?.get(0)?.get("$ref"))?;
    reference.as_str()?.rsplit('/').next()
}
