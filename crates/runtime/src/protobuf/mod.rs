//! Kubernetes' protobuf: how objects travel as messages, read straight into their types and written straight out of them.
//!
//! What a type's message looks like is a table of fields, given to [`message!`](crate::message); generated crates have one for
//! each type of the API. What it takes to read and write such tables is here: the wire format, how fields become values
//! ([`Type`]), the [`types`] with rules of their own, and the envelope around every object that is sent.
//!
//! Reading trusts nothing: lengths are held against what is there, messages lie in one another 100 deep at most, and what is not
//! known is passed over, so that newer servers can be read.

mod envelope;
mod error;
mod fields;
mod lean;
mod list;
mod message;
mod meta;
mod slot;
#[cfg(test)]
mod tests;
pub mod types;
mod wire;

use k8s_openapi::Resource;

pub(crate) use self::{
    envelope::{Envelope, MAGIC, around},
    lean::{item_without_managed_fields, object_without_managed_fields},
    list::{ITEMS, METADATA, list_metadata},
    meta::{Bookmark, bookmark, watch_event},
};
pub use self::{
    error::Error,
    list::read_list,
    message::{Message, Type, empty, read, write},
    meta::{ListMeta, Status, StatusCause, StatusDetails},
    slot::{Collection, Slot},
    wire::{Reader, WireType, Writer},
};

k8s_openapi::k8s_if_ge_1_36! {
    pub use self::meta::ShardInfo;
}

/// What reading and writing gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Reads an object out of the envelope that says of which kind it is.
pub fn read_object<M: Message<Object: Resource>>(body: &[u8]) -> Result<M::Object> {
    read_kind::<M>(body, M::Object::API_VERSION, M::Object::KIND)
}

/// Reads an object of a kind that its type does not tell out of its envelope.
pub fn read_kind<M: Message>(body: &[u8], api_version: &str, kind: &str) -> Result<M::Object> {
    let envelope = Envelope::open(body)?.of(api_version, kind)?;
    let mut object = M::empty();
    message::read_message::<M>(&mut object, envelope.reader())?;
    Ok(object)
}

/// Reads an object that is the item of a list: without an envelope.
pub fn read_item<M: Message>(body: &[u8]) -> Result<M::Object> {
    let mut object = M::empty();
    message::read_message::<M>(&mut object, Reader::new(body))?;
    Ok(object)
}

/// Writes an object with its envelope.
pub fn write_object<M: Message<Object: Resource>>(object: &M::Object) -> Result<Vec<u8>> {
    write_kind::<M>(object, M::Object::API_VERSION, M::Object::KIND)
}

/// Writes an object of a kind that its type does not tell, with its envelope.
pub fn write_kind<M: Message>(object: &M::Object, api_version: &str, kind: &str) -> Result<Vec<u8>> {
    envelope::write(api_version, kind, |writer| M::write_fields(object, writer))
}
