//! Kubernetes' protobuf of objects whose types are known at run time only: read into JSON and written out of it, by the
//! numbers in the data of a version.
//!
//! The wire format, and what stands around objects, is the runtime's; so are values with rules of their own, such as
//! times and amounts. What is written is what Go writes, byte for byte: a field that is no pointer there is always
//! written, be it given or not. What is read is JSON as somebody could have sent it, which the schema then reads as
//! any other.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::convert::Infallible;

use bytes::{BufMut, Bytes, BytesMut};
use k8s_client_runtime::protobuf::{ITEMS, MAGIC, METADATA, Writer};
use serde_json::{Map, Value};

pub(crate) use self::{read::Sent, write::message};
use crate::{
    model::Model,
    schema::{Schema, Types},
};

/// What the names of types that all groups share begin with.
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// A type that all groups share: `ObjectMeta`, `Status`.
pub(crate) fn of_all_groups(types: &'static Types, name: &str) -> Option<Schema> {
    types.find(&format!("{META}{name}"))
}

/// What an object is sent in: the four bytes that say that it is protobuf, and of which kind it is.
pub(crate) fn in_envelope(api_version: &str, kind: &str, object: &[u8]) -> Bytes {
    let mut writer = Writer::behind(MAGIC);
    within(&mut writer, 1, |names| {
        names.bytes(1, api_version.as_bytes());
        names.bytes(2, kind.as_bytes());
    });
    writer.bytes(2, object);
    // How it is encoded and what it is, of which nothing is said.
    writer.bytes(3, b"");
    writer.bytes(4, b"");
    writer.finish().into()
}

/// A body as JSON, as far as it can be read: what somebody has sent, for tests.
pub(crate) fn json(body: &[u8], model: &Model) -> Option<Value> {
    let sent = Sent::open(body).ok()?;
    let mut object = Map::new();
    for (name, value) in [("apiVersion", &sent.api_version), ("kind", &sent.kind)] {
        object.insert(name.to_owned(), value.clone().into());
    }
    let schema = model.schema_of(&sent.api_version, &sent.kind)?;
    object.extend(sent.read(&schema).ok()?);
    Some(Value::Object(object))
}

/// A list, without its envelope, of objects that are written already.
pub(crate) fn list<'a>(types: &'static Types, meta: &Value, items: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(METADATA, &message(meta, &of_all_groups(types, "ListMeta").unwrap_or_default()));
    for item in items {
        writer.bytes(ITEMS, item);
    }
    writer.finish()
}

/// An object that has nothing but metadata, without its envelope.
pub(crate) fn metadata(types: &'static Types, meta: &Value) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(METADATA, &message(meta, &of_all_groups(types, "ObjectMeta").unwrap_or_default()));
    writer.finish()
}

/// The event of a watch as it is sent: behind its length. The object has its envelope.
pub(crate) fn event(kind: &str, object: &[u8]) -> Bytes {
    let mut writer = Writer::default();
    writer.bytes(1, kind.as_bytes());
    within(&mut writer, 2, |raw| raw.bytes(1, object));
    let event = writer.finish();
    let mut frame = BytesMut::with_capacity(event.len() + 4);
    frame.put_u32(u32::try_from(event.len()).unwrap_or(u32::MAX));
    frame.put_slice(&event);
    frame.freeze()
}

/// Writes a message as a field of another.
fn within(writer: &mut Writer, number: u32, write: impl FnOnce(&mut Writer)) {
    let written: Result<(), Infallible> = writer.message(number, |writer| {
        write(writer);
        Ok(())
    });
    match written {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// What is no message of its own fields although it may look like one in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    /// A message with JSON in it.
    Json,
    /// A schema, or one for each item.
    SchemaOrList,
    /// A schema, or whether anything is allowed.
    SchemaOrBool,
    /// A schema, or names of properties.
    SchemaOrNames,
}

/// The type of schemas in CustomResourceDefinitions.
const SCHEMA: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

impl Special {
    fn of(schema: &Schema) -> Option<Self> {
        if schema.is_raw_json() {
            return Some(Self::Json);
        }
        match schema.type_name()?.rsplit('.').next()? {
            "JSONSchemaPropsOrArray" => Some(Self::SchemaOrList),
            "JSONSchemaPropsOrBool" => Some(Self::SchemaOrBool),
            "JSONSchemaPropsOrStringArray" => Some(Self::SchemaOrNames),
            _ => None,
        }
    }
}
