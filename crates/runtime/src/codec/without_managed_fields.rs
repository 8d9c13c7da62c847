//! Decoding without `managedFields`: they are cut out of the bytes, and never made into anything.

use std::borrow::Cow;

use super::{Codec, ListHead, Listable, MediaType, Result};
use crate::{json, object::AnyObject, protobuf};

/// Reads an object.
pub(crate) fn object<C: Codec<Object: AnyObject>>(media_type: MediaType, body: &[u8]) -> Result<C::Object> {
    match media_type {
        MediaType::Json => C::decode_json(&cut(body)).map(without),
        MediaType::Protobuf => C::decode_protobuf(&protobuf::object_without_managed_fields(body)?),
    }
}

/// Reads an item of a list.
pub(crate) fn item<K: Listable>(media_type: MediaType, body: &[u8], list: &ListHead) -> Result<K::Object> {
    match media_type {
        MediaType::Json => K::decode_item_json(&cut(body), list).map(without),
        MediaType::Protobuf => K::decode_item_protobuf(&protobuf::item_without_managed_fields(body)?),
    }
}

fn cut(json: &[u8]) -> Cow<'_, [u8]> {
    json::without_managed_fields(json).map_or(Cow::Borrowed(json), Cow::Owned)
}

/// A second set of them, which JSON does not forbid, is not found in the bytes.
fn without<T: AnyObject>(mut object: T) -> T {
    object.remove_managed_fields();
    object
}
