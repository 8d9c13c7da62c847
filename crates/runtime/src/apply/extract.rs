//! From a live object back to the configuration of what one manager owns.

use serde_json::{Map, Value};

use super::{
    Configuration, Problem, Record, Shape,
    field::Node,
    ownership::{Owned, Step, applied_by},
};
use crate::{
    codec::Codec,
    error::{Error, ErrorKind, Result},
};

/// A configuration that can be made from an object of its kind.
pub trait Extract: Record + Node + Configuration {
    /// The kind of the object.
    type Kind: Codec;

    /// The configuration of exactly the fields that the manager applied to the object, with the object's name and
    /// namespace: what the manager has to send again, changed or not, to keep them.
    ///
    /// Of a manager that never applied it, only the name and the namespace.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the object has no readable `managedFields`, or holds what the configuration has no field
    /// for.
    fn extract(object: &<Self::Kind as Codec>::Object, field_manager: &str) -> Result<Self> {
        extracted(Self::shape(), &json::<Self::Kind>(object)?, field_manager, "").and_then(configuration)
    }

    /// The same for what the manager applied through a subresource, such as `status`.
    fn extract_subresource(
        object: &<Self::Kind as Codec>::Object,
        field_manager: &str,
        subresource: &str,
    ) -> Result<Self> {
        extracted(Self::shape(), &json::<Self::Kind>(object)?, field_manager, subresource).and_then(configuration)
    }

    /// The configuration of everything in the object, whoever owns it, but for the status and what only the server sets.
    fn from_object(object: &<Self::Kind as Codec>::Object) -> Result<Self> {
        let mut value = json::<Self::Kind>(object)?;
        leave_out_what_the_server_sets(&mut value);
        configuration(value)
    }
}

fn json<C: Codec>(object: &C::Object) -> Result<Value> {
    let unwritable = |error| Error::new(ErrorKind::Request, "the object cannot be written as JSON").with_source(error);
    serde_json::from_slice(&C::encode_json(object).map_err(unwritable)?).map_err(unwritable)
}

fn configuration<C: Node>(value: Value) -> Result<C> {
    C::from_json(value).map_err(|problem| Error::new(ErrorKind::Decode, problem.to_string()))
}

fn extracted(shape: &Shape, object: &Value, manager: &str, subresource: &str) -> Result<Value> {
    extract_value(shape, object, manager, subresource)
        .map_err(|problem| Error::new(ErrorKind::Decode, problem.to_string()))
}

/// What the manager applied to an object, as JSON: its fields, and the object's `apiVersion`, `kind`, name and namespace.
pub fn extract_value(
    shape: &Shape,
    object: &Value,
    field_manager: &str,
    subresource: &str,
) -> std::result::Result<Value, Problem> {
    let mut value = match applied_by(object, field_manager, subresource) {
        Some(entry) => owned_part(object, shape, Owned::new(&entry["fieldsV1"])?)?,
        None => Value::Object(Map::new()),
    };
    let fields = value.as_object_mut().ok_or_else(|| Problem::new("the object is none"))?;
    for name in ["apiVersion", "kind"] {
        fields.insert(name.to_owned(), object[name].clone());
    }
    let metadata = fields.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    for name in ["name", "namespace"] {
        if let Some(text) = object["metadata"][name].as_str() {
            metadata[name] = text.into();
        }
    }
    Ok(value)
}

/// The part of a value that is owned.
fn owned_part(value: &Value, shape: &Shape, owned: Owned<'_>) -> std::result::Result<Value, Problem> {
    match (shape.resolved(), value) {
        (Shape::Record(_) | Shape::Map(_) | Shape::Untyped, Value::Object(fields)) => {
            let mut part = Map::new();
            for step in owned.steps() {
                let (Step::Field(name), below) = step? else { continue };
                if let Some(field) = fields.get(name) {
                    part.insert(name.to_owned(), owned_part(field, shape.member(name), below)?);
                }
            }
            Ok(Value::Object(part))
        }
        (Shape::Keyed(keys, item), Value::Array(items)) => {
            let mut part = Vec::new();
            let steps: Vec<_> = owned.steps().collect::<std::result::Result<_, _>>()?;
            // In the order of the object, whatever the order of the steps.
            for candidate in items {
                let below = steps.iter().find_map(|(step, below)| match step {
                    Step::Key(wanted) if has_key(candidate, keys, wanted) => Some(*below),
                    _ => None,
                });
                if let Some(below) = below {
                    let mut owned_item = owned_part(candidate, item, below)?;
                    // An item without its key is none, whoever owns the key.
                    for (key, _) in *keys {
                        if let (Some(value), Some(fields)) = (candidate.get(key), owned_item.as_object_mut()) {
                            fields.entry(*key).or_insert_with(|| value.clone());
                        }
                    }
                    part.push(owned_item);
                }
            }
            Ok(Value::Array(part))
        }
        (Shape::Set, Value::Array(items)) => {
            let steps: Vec<_> = owned.steps().collect::<std::result::Result<_, _>>()?;
            let is_owned = |item: &&Value| steps.iter().any(|(step, _)| matches!(step, Step::Value(v) if v == *item));
            Ok(Value::Array(items.iter().filter(is_owned).cloned().collect()))
        }
        _ => Ok(value.clone()),
    }
}

fn has_key(item: &Value, keys: &[(&str, Option<&str>)], wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, value)| match item.get(name) {
        Some(given) => given == value,
        None => keys
            .iter()
            .find(|(key, _)| key == name)
            .and_then(|(_, default)| default.as_deref())
            .is_some_and(|default| serde_json::from_str::<Value>(default).is_ok_and(|default| default == *value)),
    })
}

/// The fields of metadata that no client sets.
const SERVERS_METADATA: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

fn leave_out_what_the_server_sets(value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !SERVERS_METADATA.contains(&name.as_str()));
    }
}
