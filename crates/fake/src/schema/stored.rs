//! Values as they come back from storage.

use serde_json::Value;

use super::{Presence, Schema, Type};

/// Takes away empty lists and maps of fields that are always written: protobuf, in which built-in kinds are stored,
/// does not tell them from none.
pub(crate) fn as_stored(value: &mut Value, schema: &Schema) {
    match (&schema.resolved().of, value) {
        (Type::Struct(fields), Value::Object(members)) => {
            for (name, field) in &fields.fields {
                let Some(member) = members.get_mut(name) else { continue };
                let is_map = || matches!(field.schema.resolved().of, Type::Map(_));
                let is_empty = match &*member {
                    Value::Array(items) => items.is_empty(),
                    Value::Object(entries) => entries.is_empty() && is_map(),
                    _ => false,
                };
                if is_empty && field.presence == Presence::Always {
                    *member = Value::Null;
                } else {
                    as_stored(member, &field.schema);
                }
            }
        }
        (Type::List(list), Value::Array(items)) => {
            for item in items {
                as_stored(item, &list.items);
            }
        }
        (Type::Map(values), Value::Object(entries)) => {
            for entry in entries.values_mut() {
                as_stored(entry, values);
            }
        }
        _ => {}
    }
}
