//! Reading: messages become JSON.

use k8s_client_runtime::{
    k8s_openapi::serde::Serialize,
    protobuf::{
        Envelope, MAGIC, Reader, Result, Type as Wire, WireType,
        types::{Bool, Bytes, Double, Int32, Int64, IntOrString, MicroTime, RawExtension, Text, Time},
    },
};
use serde_json::{Map, Value};

use super::{SCHEMA, Special};
use crate::schema::{self, MICRO_TIME, Message, Part, Schema, Struct, Type};

/// What somebody has sent, before its fields are read.
#[derive(Debug)]
pub(crate) struct Sent<'a> {
    /// What it says that it is; empty if it does not say it.
    pub(crate) api_version: String,
    /// The same for the kind.
    pub(crate) kind: String,
    reader: Reader<'a>,
}

impl<'a> Sent<'a> {
    /// Opens what stands around an object.
    ///
    /// # Errors
    ///
    /// Why nobody can tell what the body is.
    pub(crate) fn open(body: &'a [u8]) -> Result<Self, String> {
        if body.is_empty() {
            return Err("empty data".to_owned());
        }
        if !body.starts_with(MAGIC) {
            return Err(format!(
                "provided data does not appear to be a protobuf message, expected prefix {}",
                format!("{MAGIC:?}").replace(',', "")
            ));
        }
        if body.len() == MAGIC.len() {
            return Err("empty body".to_owned());
        }
        let envelope = Envelope::open(body).map_err(|error| error.to_string())?;
        let (api_version, kind) = (envelope.api_version().to_owned(), envelope.kind().to_owned());
        Ok(Self { api_version, kind, reader: envelope.reader() })
    }

    /// Reads the object as one of this type, without `apiVersion` and `kind`.
    pub(crate) fn read(self, schema: &Schema) -> Result<Map<String, Value>> {
        let mut object = Map::new();
        if let Some(of) = schema.as_struct() {
            message(&mut object, of, &of.message, self.reader)?;
        }
        Ok(object)
    }
}

/// Reads the fields of a message that is, or is embedded in, one of this type.
fn message(object: &mut Map<String, Value>, of: &Struct, numbers: &Message, mut reader: Reader<'_>) -> Result<()> {
    while let Some((number, wire)) = reader.field()? {
        match numbers.part(number) {
            Some(Part::Embedded(inner)) => message(object, of, inner, reader.message(wire)?)?,
            Some(Part::Field(name)) => {
                let Some(field) = of.fields.get(name) else { continue };
                let slot = match object.get_mut(name) {
                    Some(slot) => slot,
                    None => object.entry(name.clone()).or_insert(Value::Null),
                };
                read_into(slot, &field.schema, &mut reader, wire)?;
            }
            // A field of a newer version.
            None => reader.skip(wire)?,
        }
    }
    Ok(())
}

/// Reads what a field holds: a value, or one more item or entry.
fn read_into(slot: &mut Value, schema: &Schema, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
    match &schema.resolved().of {
        Type::List(list) => {
            if !slot.is_array() {
                *slot = Value::Array(Vec::new());
            }
            let Value::Array(items) = slot else { return Ok(()) };
            read_item(items, &list.items, reader, wire)
        }
        Type::Map(values) => {
            let (key, value) = entry(values, reader.message(wire)?)?;
            object(slot).insert(key, value);
            Ok(())
        }
        Type::Struct(of) if Special::of(schema).is_none() => {
            message(object(slot), of, &of.message, reader.message(wire)?)
        }
        _ => {
            if let Some(value) = value(schema, reader, wire)? {
                *slot = value;
            }
            Ok(())
        }
    }
}

/// The object in a place, which is one from now on.
fn object(slot: &mut Value) -> &mut Map<String, Value> {
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("it was made one"),
    }
}

fn read_item(items: &mut Vec<Value>, schema: &Schema, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
    let is_number = matches!(schema.resolved().of, Type::Bool | Type::Int32 | Type::Int64);
    if is_number && wire == WireType::Bytes {
        // A list of numbers may come as one field.
        let mut packed = reader.message(wire)?;
        while !packed.is_empty() {
            items.extend(value(schema, &mut packed, WireType::Varint)?);
        }
        return Ok(());
    }
    let mut item = Value::Null;
    read_into(&mut item, schema, reader, wire)?;
    items.push(item);
    Ok(())
}

/// Reads an entry of a map. A list there is a message with items.
fn entry(schema: &Schema, mut reader: Reader<'_>) -> Result<(String, Value)> {
    let resolved = &schema.resolved().of;
    let mut value = match resolved {
        Type::String | Type::Bytes => Value::String(String::new()),
        Type::List(_) => Value::Array(Vec::new()),
        _ => Value::Null,
    };
    let mut key = String::new();
    while let Some((number, wire)) = reader.field()? {
        match (number, resolved) {
            (1, _) => Text::read_into(&mut key, &mut reader, wire)?,
            (2, Type::List(_)) => {
                let mut list = reader.message(wire)?;
                while let Some((number, wire)) = list.field()? {
                    match number {
                        1 => read_into(&mut value, schema, &mut list, wire)?,
                        _ => list.skip(wire)?,
                    }
                }
            }
            (2, _) => read_into(&mut value, schema, &mut reader, wire)?,
            _ => reader.skip(wire)?,
        }
    }
    Ok((key, value))
}

/// Reads a value that is no list, no map and no struct of named fields; nothing where what is there means that there is
/// none.
fn value(schema: &Schema, reader: &mut Reader<'_>, wire: WireType) -> Result<Option<Value>> {
    match (Special::of(schema), &schema.resolved().of) {
        (Some(Special::SchemaOrList | Special::SchemaOrNames), _) => schema_or(schema, reader, wire, [1, 2]),
        (Some(Special::SchemaOrBool), _) => schema_or(schema, reader, wire, [2, 1]),
        (Some(Special::Json), _) | (None, Type::Any | Type::Struct(_)) => read_as::<RawExtension>(reader, wire),
        (None, Type::Bool) => read_as::<Bool>(reader, wire),
        (None, Type::Int32) => read_as::<Int32>(reader, wire),
        (None, Type::Int64) => read_as::<Int64>(reader, wire),
        (None, Type::Double) => read_as::<Double>(reader, wire),
        (None, Type::String) => Ok(Text::read(reader, wire)?.map(Value::String)),
        (None, Type::Time) if schema.type_name() == Some(MICRO_TIME) => read_as::<MicroTime>(reader, wire),
        (None, Type::Time) => read_as::<Time>(reader, wire),
        (None, Type::Bytes) => read_as::<Bytes>(reader, wire),
        (None, Type::IntOrString) => read_as::<IntOrString>(reader, wire),
        (None, Type::Quantity) => quantity(reader.message(wire)?).map(Some),
        // Lists in lists, which there are none of, and names, which are resolved.
        (None, Type::List(_) | Type::Map(_) | Type::Named(_)) => reader.skip(wire).map(|()| None),
    }
}

/// Reads a quantity: without a text it is nothing, and an empty text is refused later, as in JSON.
fn quantity(mut reader: Reader<'_>) -> Result<Value> {
    let mut text = None;
    while let Some((number, wire)) = reader.field()? {
        if number == 1 {
            text = read_as::<Text>(&mut reader, wire)?;
        } else {
            reader.skip(wire)?;
        }
    }
    Ok(text.unwrap_or_else(|| "0".into()))
}

fn read_as<T: Wire<Value: Serialize>>(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<Value>> {
    // None of these fails to be JSON.
    Ok(T::read(reader, wire)?.and_then(|value| serde_json::to_value(value).ok()))
}

/// Reads a schema, or what can stand in its place: a message that has one of two fields. A schema wins.
fn schema_or(
    schema: &Schema,
    reader: &mut Reader<'_>,
    wire: WireType,
    [schema_number, other_number]: [u32; 2],
) -> Result<Option<Value>> {
    let props = schema.beside(SCHEMA).unwrap_or_default();
    let (mut given, mut other) = (Value::Null, Value::Null);
    let mut reader = reader.message(wire)?;
    while let Some((number, wire)) = reader.field()? {
        if number == schema_number {
            read_into(&mut given, &props, &mut reader, wire)?;
        } else if number != other_number {
            reader.skip(wire)?;
        } else if Special::of(schema) == Some(Special::SchemaOrBool) {
            other = read_as::<Bool>(&mut reader, wire)?.unwrap_or_default();
        } else {
            let item =
                if Special::of(schema) == Some(Special::SchemaOrList) { &props } else { &Schema::new(Type::String) };
            if !other.is_array() {
                other = Value::Array(Vec::new());
            }
            if let Value::Array(items) = &mut other {
                read_item(items, item, &mut reader, wire)?;
            }
        }
    }
    // No type says what is in it, so that nobody else leaves out its zeros.
    let without_zeros = |schema| schema::decode(schema, &props, SCHEMA, &mut Vec::new()).ok();
    Ok(match (given, other) {
        (Value::Null, Value::Array(items)) if Special::of(schema) == Some(Special::SchemaOrList) => {
            items.into_iter().map(without_zeros).collect()
        }
        (Value::Null, other) => Some(other),
        (given, _) => without_zeros(given),
    })
}
