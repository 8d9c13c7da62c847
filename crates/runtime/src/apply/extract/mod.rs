//! From a live object back to the configuration of what one manager owns.

use serde_json::{Map, Value};

use super::{
    Configuration, Problem, Record, Shape,
    field::Node,
    ownership::{Owned, Step, applied_by, leave_out_what_the_server_sets},
};
use crate::{
    codec::{self, Codec},
    error::{Error, ErrorKind, Result},
};

/// A configuration that can be made from an object of its kind.
///
/// ```text
/// read the object → extract what you own → change it → apply it
/// ```
///
/// Applied as it was extracted, a configuration changes nothing. What it holds more, its manager owns too from then on;
/// what it holds no more is taken from the object unless somebody else owns it as well.
pub trait Extract: Record + Node + Configuration {
    /// The kind of the object.
    type Kind: Codec;

    /// The configuration of exactly the fields that the manager applied to the object, with the object's name and
    /// namespace: what the manager has to send again, changed or not, to keep them.
    ///
    /// Of a manager that never applied it, only the name and the namespace. What a manager wrote by other verbs than
    /// apply is not a part of it, as with client-go, nor what the server keeps elsewhere than it was applied: a
    /// Secret's `stringData`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the object has no `managedFields`, since some caches leave them out, or none that can
    /// be read. An object that has nothing but its name, such as a service account, needs none. Where nobody owns what
    /// it has, as in a namespace that was applied with its name alone, a new configuration is the whole one. Also when
    /// the manager applied the object in another version of its API, and when it owns a field of a Kubernetes version
    /// that the configuration or k8s-openapi's type does not have, since the next apply would take it from the object.
    /// The error names the field. Only inside lists and maps that are owned as a whole, such fields are lost unseen:
    /// k8s-openapi did not read them.
    fn extract(object: &<Self::Kind as Codec>::Object, field_manager: &str) -> Result<Self> {
        let value = json(Self::Kind::encode_json(object))?;
        extracted(Self::record_shape(), &value, field_manager, "").and_then(configuration)
    }

    /// The same for what the manager applied through a subresource, such as `status`.
    ///
    /// # Errors
    ///
    /// As [`extract`](Extract::extract).
    fn extract_subresource(
        object: &<Self::Kind as Codec>::Object,
        field_manager: &str,
        subresource: &str,
    ) -> Result<Self> {
        let value = json(Self::Kind::encode_json(object))?;
        extracted(Self::record_shape(), &value, field_manager, subresource).and_then(configuration)
    }

    /// The configuration of everything in the object, whoever owns it, but for the status and the metadata that only
    /// the server sets. Applied, it claims all of it, defaults included.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the object holds what the configuration has no field for.
    fn from_object(object: &<Self::Kind as Codec>::Object) -> Result<Self> {
        let mut value = json(Self::Kind::encode_json(object))?;
        leave_out_what_the_server_sets(&mut value);
        configuration(value)
    }
}

fn json(object: codec::Result<Vec<u8>>) -> Result<Value> {
    object
        .and_then(|object| codec::from_json(&object))
        .map_err(|error| Error::new(ErrorKind::Request, "the object cannot be written as JSON").with_source(error))
}

fn configuration<C: Node>(value: Value) -> Result<C> {
    C::node_from_json(value).map_err(|problem| unreadable(&problem))
}

fn extracted(shape: &Shape, object: &Value, manager: &str, subresource: &str) -> Result<Value> {
    extract_value(shape, object, manager, subresource).map_err(|problem| unreadable(&problem))
}

fn unreadable(problem: &Problem) -> Error {
    Error::new(ErrorKind::Decode, problem.to_string())
}

/// What the manager applied to an object, as JSON: its fields, and the object's `apiVersion`, `kind`, name and
/// namespace.
///
/// # Errors
///
/// As [`Extract::extract`].
pub fn extract_value(
    shape: &Shape,
    object: &Value,
    field_manager: &str,
    subresource: &str,
) -> std::result::Result<Value, Problem> {
    let mut fields = match applied_by(object, field_manager, subresource)? {
        Some(entry) => match owned_part(object, shape, Owned::new(&entry["fieldsV1"])?)? {
            Value::Object(fields) => fields,
            _ => return Err(Problem::new("the object is not a JSON object")),
        },
        None => Map::new(),
    };
    copy(object, &mut fields, &["apiVersion", "kind"]);
    let metadata = fields.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(metadata) = metadata {
        copy(&object["metadata"], metadata, &["name", "namespace"]);
    }
    Ok(Value::Object(fields))
}

fn copy(from: &Value, to: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        if let Some(text) = from[name].as_str() {
            to.insert((*name).to_owned(), text.into());
        }
    }
}

/// The part of a value that is owned.
fn owned_part(value: &Value, shape: &Shape, owned: Owned<'_>) -> std::result::Result<Value, Problem> {
    match (shape.resolved(), value) {
        // The server counts what has no type as a whole, such as the data of a ControllerRevision. Of other lists, an
        // empty one leaves no path: this one belonged to one manager as a whole when it was applied.
        (Shape::Untyped, _) | (Shape::Keyed(..) | Shape::Set, Value::Array(_)) if owned.is_leaf() => Ok(value.clone()),
        (shape @ (Shape::Record(_) | Shape::OpenRecord(_) | Shape::Map(_) | Shape::Untyped), Value::Object(fields)) => {
            owned_fields(fields, shape, owned).map(Value::Object)
        }
        (Shape::Keyed(keys, item), Value::Array(items)) => owned_items(items, keys, item, owned).map(Value::Array),
        (Shape::Set, Value::Array(items)) => {
            let steps = owned.steps()?;
            let is_owned = |item: &&Value| steps.iter().any(|(step, _)| matches!(step, Step::Value(v) if v == *item));
            Ok(Value::Array(items.iter().filter(is_owned).cloned().collect()))
        }
        _ => Ok(value.clone()),
    }
}

fn owned_fields(
    fields: &Map<String, Value>,
    shape: &Shape,
    owned: Owned<'_>,
) -> std::result::Result<Map<String, Value>, Problem> {
    let mut part = Map::new();
    for (step, below) in owned.steps()? {
        let Step::Field(name) = step else { continue };
        let problem = |what: &str| Problem::new(what).in_field(name);
        let shape = shape.member(name).ok_or_else(|| {
            problem(
                "the manager owns this field, but the configuration has none of its name: it is of a newer Kubernetes",
            )
        })?;
        match fields.get(name) {
            Some(field) => {
                let field = owned_part(field, shape, below).map_err(|problem| problem.in_field(name))?;
                part.insert(name.to_owned(), field);
            }
            None if !shape.is_compiled_in() => {
                return Err(problem(
                    "the manager owns this field, but the Kubernetes version whose types are compiled in has none of its name",
                ));
            }
            // It was applied as null, or the server dropped what it has switched off.
            None => {}
        }
    }
    Ok(part)
}

/// The key fields of a list's items, with their defaults in JSON.
type Keys = [(&'static str, Option<&'static str>)];

/// The owned parts of a list's items, in the order of the list.
fn owned_items(
    items: &[Value],
    keys: &Keys,
    shape: &Shape,
    owned: Owned<'_>,
) -> std::result::Result<Vec<Value>, Problem> {
    let steps = owned.steps()?;
    let below = |item: &Value| {
        steps.iter().find_map(|(step, below)| match step {
            Step::Key(wanted) if has_key(item, keys, wanted) => Some(*below),
            _ => None,
        })
    };
    let mut part = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match below(item) {
            None => {}
            // Several items of one key are owned as they are.
            Some(below) if below.is_leaf() => part.push(item.clone()),
            Some(below) => {
                let mut owned = owned_part(item, shape, below).map_err(|problem| problem.in_item(index))?;
                if let Value::Object(owned) = &mut owned {
                    add_key(item, keys, owned);
                }
                part.push(owned);
            }
        }
    }
    Ok(part)
}

/// An item without its key is none, or another, whoever owns the key. A default need not be said.
fn add_key(item: &Value, keys: &Keys, owned: &mut Map<String, Value>) {
    for (key, default) in keys {
        match item.get(key) {
            Some(value) if default_of(*default).as_ref() != Some(value) => {
                owned.entry(*key).or_insert_with(|| value.clone());
            }
            _ => {}
        }
    }
}

/// The default of a key field, which is written in JSON.
fn default_of(default: Option<&str>) -> Option<Value> {
    default.and_then(|default| serde_json::from_str(default).ok())
}

/// Whether an item has exactly this key: fields without a value and a default are no part of it.
fn has_key(item: &Value, keys: &Keys, wanted: &Map<String, Value>) -> bool {
    let known = |name: &String| keys.iter().any(|(key, _)| key == name);
    wanted.keys().all(known)
        && keys.iter().all(|(key, default)| {
            match (item.get(key).cloned().or_else(|| default_of(*default)), wanted.get(*key)) {
                (Some(given), Some(wanted)) => given == *wanted,
                // The default of a required text is the empty one.
                (None, Some(wanted)) => wanted == "",
                (None, None) => true,
                (Some(_), None) => false,
            }
        })
}

#[cfg(test)]
mod tests;
