//! Writing: JSON becomes messages.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use k8s_client_runtime::protobuf::Writer;
use serde_json::{Map, Value};

use super::{SCHEMA, Special, within};
use crate::{
    clock,
    schema::{Field, MICRO_TIME, Message, Part, Presence, Schema, Struct, Type},
};

/// An object as a message, without an envelope.
///
/// It has been read by its schema, so that its values are of their types. What is not becomes a zero.
pub(crate) fn message(object: &Value, schema: &Schema) -> Vec<u8> {
    let mut writer = Writer::default();
    if let Some(of) = schema.as_struct() {
        write(object.as_object(), of, &of.message, &mut writer);
    }
    writer.finish()
}

/// Writes the fields of a message that is, or is embedded in, one of this type.
fn write(object: Option<&Map<String, Value>>, of: &Struct, numbers: &Message, writer: &mut Writer) {
    for (number, part) in numbers.parts() {
        match part {
            Part::Embedded(inner) => within(writer, number, |writer| write(object, of, inner, writer)),
            Part::Field(name) => {
                let given = object.and_then(|object| object.get(name)).unwrap_or(&Value::Null);
                if let Some(field) = of.fields.get(name) {
                    write_field(given, field, number, writer);
                }
            }
        }
    }
}

fn write_field(given: &Value, field: &Field, number: u32, writer: &mut Writer) {
    // A pointer of nothing, which has no zero.
    let is_pointer = matches!(field.presence, Presence::Optional | Presence::Null | Presence::Free);
    match &field.schema.resolved().of {
        Type::List(list) => {
            for item in given.as_array().into_iter().flatten() {
                value(item, &list.items, number, writer);
            }
        }
        Type::Map(values) => {
            let mut entries: Vec<_> = given.as_object().into_iter().flatten().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            for (key, entry) in entries {
                within(writer, number, |writer| {
                    writer.bytes(1, key.as_bytes());
                    if !(entry.is_null() && values.resolved().of == Type::Bytes) {
                        value(entry, values, 2, writer);
                    }
                });
            }
        }
        of if given.is_null() && (is_pointer || *of == Type::Bytes) => {}
        _ => value(given, &field.schema, number, writer),
    }
}

/// Writes a value as a field of this number; a zero in the place of `null`.
fn value(given: &Value, schema: &Schema, number: u32, writer: &mut Writer) {
    if let Some(special) = Special::of(schema) {
        return write_special(given, special, schema, number, writer);
    }
    match &schema.resolved().of {
        Type::Bool => writer.number(number, u64::from(given.as_bool().unwrap_or_default())),
        Type::Int32 | Type::Int64 => writer.number(number, given.as_i64().unwrap_or_default().cast_unsigned()),
        Type::Double => writer.fixed64(number, given.as_f64().unwrap_or_default().to_le_bytes()),
        Type::String => writer.bytes(number, given.as_str().unwrap_or_default().as_bytes()),
        Type::Time => write_time(given, schema.type_name() == Some(MICRO_TIME), number, writer),
        Type::Bytes => {
            writer.bytes(number, &BASE64.decode(given.as_str().unwrap_or_default()).unwrap_or_default());
        }
        Type::IntOrString => within(writer, number, |writer| {
            writer.number(1, u64::from(given.is_string()));
            writer.number(2, given.as_i64().unwrap_or_default().cast_unsigned());
            writer.bytes(3, given.as_str().unwrap_or_default().as_bytes());
        }),
        Type::Quantity => {
            within(writer, number, |writer| writer.bytes(1, given.as_str().unwrap_or("0").as_bytes()));
        }
        // A list in a map.
        Type::List(list) => within(writer, number, |writer| {
            for item in given.as_array().into_iter().flatten() {
                value(item, &list.items, 1, writer);
            }
        }),
        Type::Struct(of) => within(writer, number, |writer| write(given.as_object(), of, &of.message, writer)),
        Type::Any => write_json(given, number, writer),
        // Maps in lists, which there are none of, and names, which are resolved.
        Type::Map(_) | Type::Named(_) => {}
    }
}

/// Writes a point in time, and of one with microseconds those too; an empty message if it is none.
fn write_time(given: &Value, has_microseconds: bool, number: u32, writer: &mut Writer) {
    let text = given.as_str().unwrap_or_default();
    within(writer, number, |writer| {
        if let Some(seconds) = clock::since_1970(text) {
            let microseconds = text.get(20..26).filter(|_| has_microseconds).and_then(|digits| digits.parse().ok());
            writer.number(1, seconds.cast_unsigned());
            writer.number(2, microseconds.unwrap_or(0_u64) * 1_000);
        }
    });
}

fn write_json(given: &Value, number: u32, writer: &mut Writer) {
    within(writer, number, |writer| {
        if !given.is_null() {
            writer.bytes(1, given.to_string().as_bytes());
        }
    });
}

fn write_special(given: &Value, special: Special, schema: &Schema, number: u32, writer: &mut Writer) {
    let props = || schema.beside(SCHEMA).unwrap_or_default();
    match (special, given) {
        (Special::Json, _) => write_json(given, number, writer),
        (Special::SchemaOrList | Special::SchemaOrNames, Value::Object(_)) => {
            within(writer, number, |writer| value(given, &props(), 1, writer));
        }
        (Special::SchemaOrList, _) => within(writer, number, |writer| {
            for item in given.as_array().into_iter().flatten() {
                value(item, &props(), 2, writer);
            }
        }),
        (Special::SchemaOrNames, _) => within(writer, number, |writer| {
            for name in given.as_array().into_iter().flatten() {
                value(name, &Schema::new(Type::String), 2, writer);
            }
        }),
        // A schema allows what it allows.
        (Special::SchemaOrBool, Value::Object(_)) => within(writer, number, |writer| {
            writer.number(1, 1);
            value(given, &props(), 2, writer);
        }),
        (Special::SchemaOrBool, _) => {
            within(writer, number, |writer| writer.number(1, u64::from(given.as_bool().unwrap_or_default())));
        }
    }
}
