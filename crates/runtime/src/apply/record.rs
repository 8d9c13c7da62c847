//! Structs of optional fields, known by a table of their names.

use std::collections::BTreeMap;

use k8s_openapi::serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};

use super::{
    Field, Node, Problem, Shape,
    field::{RequiredField, object},
};

/// A struct of optional fields. The generator's macro implements it, and serde's traits with it.
pub trait Record {
    /// Shows each field with its name in the API, in the API's order.
    fn visit_fields(&self, see: &mut dyn FnMut(&'static str, &dyn Field));

    /// The field of this name in the API.
    fn field_named(&mut self, name: &str) -> Option<&mut dyn Field>;

    /// Shows each field that is always there. Only structs of objects have such.
    fn visit_required(&self, see: &mut dyn FnMut(&'static str, &dyn RequiredField)) {
        let _ = see;
    }

    /// The field of this name in the API, if it is always there.
    fn required_named(&mut self, name: &str) -> Option<&mut dyn RequiredField> {
        let _ = name;
        None
    }

    /// The fields that are kept although the type does not name them.
    fn unknown_fields(&self) -> Option<&BTreeMap<String, Value>> {
        None
    }

    /// What becomes of fields that the type does not name.
    fn unknown_fields_mut(&mut self) -> Unknown<'_> {
        Unknown::Refused
    }

    /// How its fields merge, where they are not atomic together.
    fn record_shape() -> &'static Shape
    where
        Self: Sized;

    /// `apiVersion` and `kind`, where it is the configuration of an object.
    fn record_identity(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}

/// What becomes of the fields of an object that its type does not name.
#[derive(Debug)]
pub enum Unknown<'a> {
    /// They are an error: what is dropped from a configuration would be taken from the object by the next apply.
    Refused,
    /// They are left out: the server does not keep them.
    Dropped,
    /// They are kept here.
    Kept(&'a mut BTreeMap<String, Value>),
}

/// A record as a JSON object.
pub fn record_to_json(record: &dyn Record) -> Value {
    let mut fields: Map<String, Value> = record.unknown_fields().cloned().unwrap_or_default().into_iter().collect();
    if let Some((api_version, kind)) = record.record_identity() {
        fields.insert("apiVersion".to_owned(), api_version.into());
        fields.insert("kind".to_owned(), kind.into());
    }
    record.visit_required(&mut |name, field| {
        fields.insert(name.to_owned(), field.required_to_json());
    });
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

/// Sets a field by its name in the API.
fn set_field(record: &mut dyn Record, name: &str, value: Value) -> Result<(), Problem> {
    if let Some(field) = record.field_named(name) {
        return field.set_field_json(value).map_err(|problem| problem.in_field(name));
    }
    if let Some(field) = record.required_named(name) {
        return field.set_required_json(value).map_err(|problem| problem.in_field(name));
    }
    match record.unknown_fields_mut() {
        Unknown::Refused => return Err(Problem::new("there is no such field").in_field(name)),
        Unknown::Dropped => {}
        Unknown::Kept(fields) => drop(fields.insert(name.to_owned(), value)),
    }
    Ok(())
}

/// Writes a record: the body of its `Serialize`.
pub fn serialize<S: Serializer>(record: &dyn Record, serializer: S) -> Result<S::Ok, S::Error> {
    record_to_json(record).serialize(serializer)
}

/// Reads a record: the body of its `Deserialize`.
pub fn deserialize<'de, R: Node, D: Deserializer<'de>>(deserializer: D) -> Result<R, D::Error> {
    R::node_from_json(Value::deserialize(deserializer)?).map_err(D::Error::custom)
}
