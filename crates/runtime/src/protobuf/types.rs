//! Types of fields that are not messages, or are messages with rules of their own.

use k8s_openapi::{
    ByteString,
    apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions,
    apimachinery::pkg::{api::resource, apis::meta::v1 as meta, runtime, util::intstr},
    jiff::Timestamp,
    serde_json::{self, Value},
};

use crate::json::{MAX_DEPTH, is_deeper_than};

use super::{Error, Message, Reader, Result, Type, WireType, Writer, fields_v1};

/// Text. Bytes that are not UTF-8 are replaced, as the server does in JSON.
#[derive(Clone, Copy, Debug)]
pub enum Text {}

impl Type for Text {
    type Value = String;

    fn empty() -> String {
        String::new()
    }

    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<String>> {
        reader.bytes(wire).map(text_of).map(Some)
    }

    fn write(value: &String, number: u32, writer: &mut Writer) -> Result<()> {
        writer.bytes(number, value.as_bytes());
        Ok(())
    }
}

fn text_of(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Bytes.
#[derive(Clone, Copy, Debug)]
pub enum Bytes {}

impl Type for Bytes {
    type Value = ByteString;

    fn empty() -> ByteString {
        ByteString::default()
    }

    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<ByteString>> {
        Ok(Some(ByteString(reader.bytes(wire)?.to_owned())))
    }

    fn write(value: &ByteString, number: u32, writer: &mut Writer) -> Result<()> {
        writer.bytes(number, &value.0);
        Ok(())
    }
}

macro_rules! number {
    ($(#[$docs:meta])* $name:ident: $value:ty, |$read:ident| $from:expr, |$write:ident| $into:expr) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Type for $name {
            type Value = $value;

            fn empty() -> $value {
                <$value>::default()
            }

            fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<$value>> {
                let $read = reader.number(wire)?;
                Ok(Some($from))
            }

            // A list of numbers may come as one field.
            fn read_item(list: &mut Vec<$value>, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
                if wire != WireType::Bytes {
                    list.extend(Self::read(reader, wire)?);
                    return Ok(());
                }
                let mut packed = reader.message(wire)?;
                while !packed.is_empty() {
                    let $read = packed.varint()?;
                    list.push($from);
                }
                Ok(())
            }

            fn write(value: &$value, number: u32, writer: &mut Writer) -> Result<()> {
                let $write = *value;
                writer.number(number, $into);
                Ok(())
            }
        }
    };
}

number! {
    /// True or false.
    Bool: bool, |number| number != 0, |value| u64::from(value)
}

number! {
    /// A number of 32 bits; longer ones are cut, as protobuf has it.
    Int32: i32, |number| low_half(number), |value| i64::from(value).cast_unsigned()
}

fn low_half(number: u64) -> i32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

number! {
    /// A number of 64 bits.
    Int64: i64, |number| number.cast_signed(), |value| value.cast_unsigned()
}

/// A floating-point number.
#[derive(Clone, Copy, Debug)]
pub enum Double {}

impl Type for Double {
    type Value = f64;

    fn empty() -> f64 {
        0.0
    }

    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<f64>> {
        reader.fixed64(wire).map(f64::from_le_bytes).map(Some)
    }

    fn write(value: &f64, number: u32, writer: &mut Writer) -> Result<()> {
        writer.fixed64(number, value.to_le_bytes());
        Ok(())
    }
}

/// Seconds and nanoseconds since 1970; nothing of an empty message, which is Go's zero time, `null` in JSON.
fn timestamp(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<(i64, i32)>> {
    let (mut seconds, mut nanoseconds) = (0, 0);
    let mut message = reader.message(wire)?;
    if message.is_empty() {
        return Ok(None);
    }
    while let Some((number, wire)) = message.field()? {
        match number {
            1 => Int64::read_into(&mut seconds, &mut message, wire)?,
            2 => Int32::read_into(&mut nanoseconds, &mut message, wire)?,
            _ => message.skip(wire)?,
        }
    }
    Ok(Some((seconds, nanoseconds)))
}

fn point_in_time(seconds: i64, nanoseconds: i32) -> Result<Timestamp> {
    Timestamp::new(seconds, nanoseconds).map_err(|_| {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Error::value(format!("a time {seconds} seconds from 1970, where a type holds {first} to {last},"))
    })
}

fn write_timestamp(seconds: i64, nanoseconds: i32, number: u32, writer: &mut Writer) -> Result<()> {
    writer.message(number, |writer| {
        Int64::write(&seconds, 1, writer)?;
        Int32::write(&nanoseconds, 2, writer)
    })
}

/// A point in time, to the second.
#[derive(Clone, Copy, Debug)]
pub enum Time {}

impl Type for Time {
    type Value = meta::Time;

    fn empty() -> meta::Time {
        meta::Time(Timestamp::UNIX_EPOCH)
    }

    // Nanoseconds are there, and JSON has none of them.
    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<meta::Time>> {
        let time = timestamp(reader, wire)?;
        time.map(|(seconds, _)| point_in_time(seconds, 0).map(meta::Time)).transpose()
    }

    fn write(value: &meta::Time, number: u32, writer: &mut Writer) -> Result<()> {
        // Down, as JSON does it, also before 1970.
        let seconds = value.0.as_nanosecond().div_euclid(1_000_000_000);
        write_timestamp(i64::try_from(seconds).unwrap_or_default(), 0, number, writer)
    }
}

/// A point in time, to the microsecond.
#[derive(Clone, Copy, Debug)]
pub enum MicroTime {}

impl Type for MicroTime {
    type Value = meta::MicroTime;

    fn empty() -> meta::MicroTime {
        meta::MicroTime(Timestamp::UNIX_EPOCH)
    }

    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<meta::MicroTime>> {
        let time = timestamp(reader, wire)?;
        let time = time.map(|(seconds, nanoseconds)| point_in_time(seconds, nanoseconds / 1000 * 1000));
        time.map(|time| time.map(meta::MicroTime)).transpose()
    }

    fn write(value: &meta::MicroTime, number: u32, writer: &mut Writer) -> Result<()> {
        let nanoseconds = value.0.as_nanosecond();
        let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).unwrap_or_default();
        let rest = i32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or_default();
        write_timestamp(seconds, rest / 1000 * 1000, number, writer)
    }
}

/// The bytes in a message that has nothing else.
fn bytes_in_message<'a>(reader: &mut Reader<'a>, wire: WireType) -> Result<&'a [u8]> {
    let mut bytes = &[][..];
    let mut message = reader.message(wire)?;
    while let Some((number, wire)) = message.field()? {
        match number {
            1 => bytes = message.bytes(wire)?,
            _ => message.skip(wire)?,
        }
    }
    Ok(bytes)
}

/// An amount with a unit.
#[derive(Clone, Copy, Debug)]
pub enum Quantity {}

impl Type for Quantity {
    type Value = resource::Quantity;

    fn empty() -> resource::Quantity {
        resource::Quantity("0".to_owned())
    }

    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<resource::Quantity>> {
        // Go writes a zero amount without text, too.
        Ok(Some(match bytes_in_message(reader, wire)? {
            [] => Self::empty(),
            amount => resource::Quantity(text_of(amount)),
        }))
    }

    fn write(value: &resource::Quantity, number: u32, writer: &mut Writer) -> Result<()> {
        writer.message(number, |writer| Text::write(&value.0, 1, writer))
    }
}

/// A number or text.
#[derive(Clone, Copy, Debug)]
pub enum IntOrString {}

impl Type for IntOrString {
    type Value = intstr::IntOrString;

    fn empty() -> intstr::IntOrString {
        intstr::IntOrString::default()
    }

    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<intstr::IntOrString>> {
        let (mut is_text, mut number_value, mut text) = (0, 0, String::new());
        let mut message = reader.message(wire)?;
        while let Some((number, wire)) = message.field()? {
            match number {
                1 => Int64::read_into(&mut is_text, &mut message, wire)?,
                2 => Int32::read_into(&mut number_value, &mut message, wire)?,
                3 => Text::read_into(&mut text, &mut message, wire)?,
                _ => message.skip(wire)?,
            }
        }
        Ok(Some(match is_text {
            0 => intstr::IntOrString::Int(number_value),
            1 => intstr::IntOrString::String(text),
            other => return Err(Error::value(format!("a number or text of the unknown form {other}"))),
        }))
    }

    fn write(value: &intstr::IntOrString, number: u32, writer: &mut Writer) -> Result<()> {
        let (is_text, number_value, text) = match value {
            intstr::IntOrString::Int(number) => (0, *number, ""),
            intstr::IntOrString::String(text) => (1, 0, text.as_str()),
        };
        writer.message(number, |writer| {
            Int64::write(&is_text, 1, writer)?;
            Int32::write(&number_value, 2, writer)?;
            writer.bytes(3, text.as_bytes());
            Ok(())
        })
    }
}

/// What is in JSON wherever it is: its bytes, or nothing where there are none, which JSON writes as `null`.
fn json(
    reader: &mut Reader<'_>,
    wire: WireType,
    read: fn(&[u8]) -> serde_json::Result<Value>,
) -> Result<Option<Value>> {
    let body = bytes_in_message(reader, wire)?;
    if body.is_empty() {
        return Ok(None);
    }
    let value = read(body).map_err(|error| {
        if is_deeper_than(body, MAX_DEPTH) {
            Error::too_deep()
        } else {
            Error::value(format!("what should be JSON in it is not: {error}"))
        }
    })?;
    Ok(Some(value).filter(|value| !value.is_null()))
}

fn any_json(json: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(json)
}

fn write_json(value: &Value, number: u32, writer: &mut Writer) -> Result<()> {
    let body = serde_json::to_vec(value).map_err(|error| Error::value(error.to_string()))?;
    writer.message(number, |writer| {
        writer.bytes(1, &body);
        Ok(())
    })
}

macro_rules! json {
    ($(#[$docs:meta])* $name:ident: $value:path, by $read:expr) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Type for $name {
            type Value = $value;

            fn empty() -> $value {
                <$value>::default()
            }

            fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<$value>> {
                Ok(json(reader, wire, $read)?.map($value))
            }

            // An item that is null is an item: `enum: [a, null]`.
            fn read_item(list: &mut Vec<$value>, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
                list.push(Self::read(reader, wire)?.unwrap_or_default());
                Ok(())
            }

            fn write(value: &$value, number: u32, writer: &mut Writer) -> Result<()> {
                write_json(&value.0, number, writer)
            }
        }
    };
}

json! {
    /// The fields that a manager owns.
    FieldsV1: meta::FieldsV1, by fields_v1::read
}

json! {
    /// An object of a kind that is told by itself.
    RawExtension: runtime::RawExtension, by any_json
}

json! {
    /// Any JSON.
    JSON: apiextensions::JSON, by any_json
}

/// A list of text that is the value of a map, and so a message with one field.
#[derive(Clone, Copy, Debug)]
pub enum TextList {}

impl Type for TextList {
    type Value = Vec<String>;

    fn empty() -> Vec<String> {
        Vec::new()
    }

    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<Vec<String>>> {
        let mut list = Vec::new();
        let mut message = reader.message(wire)?;
        while let Some((number, wire)) = message.field()? {
            match number {
                1 => Text::read_item(&mut list, &mut message, wire)?,
                _ => message.skip(wire)?,
            }
        }
        Ok(Some(list))
    }

    fn write(value: &Vec<String>, number: u32, writer: &mut Writer) -> Result<()> {
        writer.message(number, |writer| value.iter().try_for_each(|text| Text::write(text, 1, writer)))
    }
}

/// A schema, or something simpler in its place: a message that has one of two fields.
///
/// `M` is the message of `JSONSchemaProps`, which contains these.
fn schema_or<M: Message, V: Default>(
    reader: &mut Reader<'_>,
    wire: WireType,
    [schema_number, other_number]: [u32; 2],
    read_other: impl Fn(&mut V, &mut Reader<'_>, WireType) -> Result<()>,
) -> Result<(Option<Box<M::Object>>, V)> {
    let (mut schema, mut other) = (None, V::default());
    let mut message = reader.message(wire)?;
    while let Some((number, wire)) = message.field()? {
        if number == schema_number {
            M::read_into(&mut schema, &mut message, wire)?;
        } else if number == other_number {
            read_other(&mut other, &mut message, wire)?;
        } else {
            message.skip(wire)?;
        }
    }
    Ok((schema, other))
}

macro_rules! or_schema {
    (
        $(#[$docs:meta])*
        $name:ident, schema in $schema:literal, or $variant:ident($other:ty) in $number:literal,
        read by $read:expr, written by |$value:ident, $writer:ident| $write:expr
        $(, and $said:ident of a schema)?
    ) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<M>(std::convert::Infallible, std::marker::PhantomData<M>);

        impl<M: Message<Object = apiextensions::JSONSchemaProps>> Type for $name<M> {
            type Value = apiextensions::$name;

            fn empty() -> Self::Value {
                Self::Value::$variant(<$other>::default())
            }

            fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<Self::Value>> {
                let (schema, other) = schema_or::<M, $other>(reader, wire, [$schema, $number], $read)?;
                Ok(Some(match schema {
                    Some(schema) => Self::Value::Schema(schema),
                    None => Self::Value::$variant(other),
                }))
            }

            fn write(value: &Self::Value, number: u32, writer: &mut Writer) -> Result<()> {
                writer.message(number, |$writer| match value {
                    Self::Value::Schema(schema) => {
                        $($said::write(&true, $number, $writer)?;)?
                        M::write(schema, $schema, $writer)
                    }
                    Self::Value::$variant($value) => $write,
                })
            }
        }
    };
}

or_schema! {
    /// One schema, or one for each item.
    JSONSchemaPropsOrArray, schema in 1, or Schemas(Vec<apiextensions::JSONSchemaProps>) in 2,
    read by M::read_item, written by |schemas, writer| schemas.iter().try_for_each(|schema| M::write(schema, 2, writer))
}

or_schema! {
    /// A schema, or whether anything is allowed; in Go that is so of a schema, too.
    JSONSchemaPropsOrBool, schema in 2, or Bool(bool) in 1,
    read by Bool::read_into::<bool>, written by |allows, writer| Bool::write(allows, 1, writer),
    and Bool of a schema
}

or_schema! {
    /// A schema, or the names of properties.
    JSONSchemaPropsOrStringArray, schema in 1, or Strings(Vec<String>) in 2,
    read by Text::read_item, written by |names, writer| names.iter().try_for_each(|name| Text::write(name, 2, writer))
}
