//! Structs of optional fields, known by a table of their names.

use k8s_openapi::serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};

use super::{Field, Node, Problem, Shape, field::object};

/// A struct of optional fields. The generator's macro implements it, and serde's traits with it.
pub trait Record {
    /// Shows each field with its name in the API, in the API's order.
    fn visit_fields(&self, see: &mut dyn FnMut(&'static str, &dyn Field));

    /// The field of this name in the API.
    fn field_named(&mut self, name: &str) -> Option<&mut dyn Field>;

    /// How its fields merge, where they are not atomic together.
    fn record_shape() -> &'static Shape
    where
        Self: Sized;

    /// `apiVersion` and `kind`, where it is the configuration of an object.
    fn record_identity(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}

/// A record as a JSON object.
pub fn record_to_json(record: &dyn Record) -> Value {
    let mut fields = Map::new();
    if let Some((api_version, kind)) = record.record_identity() {
        fields.insert("apiVersion".to_owned(), api_version.into());
        fields.insert("kind".to_owned(), kind.into());
    }
    record.visit_fields(&mut |name, field| {
        if let Some(value) = field.field_to_json() {
            fields.insert(name.to_owned(), value);
        }
    });
    Value::Object(fields)
}

/// Sets the fields of a record from a JSON object.
pub fn record_from_json(record: &mut dyn Record, value: Value) -> Result<(), Problem> {
    let mut fields = object(value)?;
    if let Some((api_version, kind)) = record.record_identity() {
        for (name, expected) in [("apiVersion", api_version), ("kind", kind)] {
            match fields.remove(name) {
                None | Some(Value::Null) => {}
                Some(Value::String(given)) if given == expected => {}
                Some(_) => return Err(Problem::new(format!("is not {expected}")).in_field(name)),
            }
        }
    }
    fields.into_iter().try_for_each(|(name, value)| set_field(record, &name, value))
}

/// Sets a field by its name in the API. A name that the type does not have is an error: what is dropped here would be
/// taken from the object by the next apply.
fn set_field(record: &mut dyn Record, name: &str, value: Value) -> Result<(), Problem> {
    match record.field_named(name) {
        Some(field) => field.set_field_json(value).map_err(|problem| problem.in_field(name)),
        None => Err(Problem::new("there is no such field").in_field(name)),
    }
}

/// Writes a record: the body of its `Serialize`.
pub fn serialize<S: Serializer>(record: &dyn Record, serializer: S) -> Result<S::Ok, S::Error> {
    record_to_json(record).serialize(serializer)
}

/// Reads a record: the body of its `Deserialize`.
pub fn deserialize<'de, R: Node, D: Deserializer<'de>>(deserializer: D) -> Result<R, D::Error> {
    R::node_from_json(Value::deserialize(deserializer)?).map_err(D::Error::custom)
}
