//! Decoding without `managedFields`: from protobuf they are never made into anything; from JSON they are dropped at once.

use super::{Codec, ListHead, Listable, MediaType, Result};
use crate::{object::AnyObject, protobuf};

/// Reads an object.
pub(crate) fn object<C: Codec<Object: AnyObject>>(media_type: MediaType, body: &[u8]) -> Result<C::Object> {
    match media_type {
        MediaType::Json => C::decode_json(body).map(without),
        MediaType::Protobuf => C::decode_protobuf(&protobuf::object_without_managed_fields(body)?),
    }
}

/// Reads an item of a list.
pub(crate) fn item<K: Listable>(media_type: MediaType, body: &[u8], list: &ListHead) -> Result<K::Object> {
    match media_type {
        MediaType::Json => K::decode_item_json(body, list).map(without),
        MediaType::Protobuf => K::decode_item_protobuf(&protobuf::item_without_managed_fields(body)?),
    }
}

fn without<T: AnyObject>(mut object: T) -> T {
    object.remove_managed_fields();
    object
}
