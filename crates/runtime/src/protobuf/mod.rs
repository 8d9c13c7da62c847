//! Kubernetes' protobuf: objects are read from messages straight into their types, and written straight out of them.
//!
//! A table of fields describes a type's message: number, field, how often it occurs, and what it holds.
//! [`message!`](crate::message) makes two plain functions of a table, one that reads and one that writes. Nothing is
//! looked up at run time, and nothing stands between the bytes and the object. Generated crates have a table for each
//! type of the API. This module has everything that tables need: the wire format, how fields become values ([`Type`]),
//! the [`types`] with rules of their own, and the envelope around every object that is sent.
//!
//! Reading trusts nothing. A length is checked against the bytes that are there, messages nest at most 100 deep, and
//! unknown fields are skipped, so that answers of newer servers can be read.
//!
//! * **Numbers are upstream's, zeros are Go's.** A field that is not a pointer in Go is always on the wire in protobuf;
//!   JSON leaves its zero out where Go's tag has `omitempty`. `api-specs` therefore has both facts of each field, read
//!   from `generated.proto` and from Go's structs, and a table marks a field `one_unless_zero` where zero means absent.
//! * **Tables do not know whether a field is an `Option`.** That differs between Kubernetes' versions. The traits
//!   `Slot` and `Collection` accept values, options, boxes and lists alike. Fields that only some versions have are in
//!   sections behind k8s-openapi's gates.
//! * **Tables are in the group crates**, beside the apply configurations and with the same dependencies between crates.
//!   A type that a group only borrows, as core borrows Eviction, has a copy of its table there. One crate for all
//!   tables would be one unit to compile, when an operator on `apps` needs only a few. No feature turns them off: they
//!   are cheap to compile, and a program without them would be the slower one.
//! * **Room is made once.** The items of a list are counted before they are read, and each is read into its final
//!   place.
//! * **Proof.** `tests/integration/tests/sweep` compares objects of all kinds, with every field set and with random
//!   fields, with Kubernetes' own codecs (`tests/control-plane/transcode`), in both forms and both directions.

mod envelope;
mod error;
mod fields_v1;
mod list;
mod message;
mod meta;
mod partial;
mod slot;
#[cfg(test)]
mod tests;
pub mod types;
mod wire;
mod without_managed_fields;

use k8s_openapi::Resource;

use self::without_managed_fields::fields_without_managed_fields;
#[doc(hidden)]
pub use self::without_managed_fields::{item_without_managed_fields, object_without_managed_fields};
pub(crate) use self::{
    envelope::around,
    list::list_metadata,
    partial::{PartialMetadata, bookmark, identity, status_without_kind, watch_event},
};
pub use self::{
    envelope::{Envelope, MAGIC},
    error::Error,
    list::{ITEMS, METADATA, read_list},
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
    read_fields::<M>(&envelope.reader())
}

/// Reads an object that is the item of a list: without an envelope.
pub fn read_item<M: Message>(body: &[u8]) -> Result<M::Object> {
    read_fields::<M>(&Reader::new(body))
}

/// Reads an object, without `managedFields` that are nested too deep: as from JSON.
fn read_fields<M: Message>(reader: &Reader<'_>) -> Result<M::Object> {
    let read = |reader| {
        let mut object = M::empty();
        message::read_message::<M>(&mut object, reader).map(|()| object)
    };
    match read(reader.clone()) {
        Err(error) if error.is_too_deep() => read(Reader::new(&fields_without_managed_fields(reader.clone())?)),
        result => result,
    }
}

/// Writes an object with its envelope.
pub fn write_object<M: Message<Object: Resource>>(object: &M::Object) -> Result<Vec<u8>> {
    write_kind::<M>(object, M::Object::API_VERSION, M::Object::KIND)
}

/// Writes an object of a kind that its type does not tell, with its envelope.
pub fn write_kind<M: Message>(object: &M::Object, api_version: &str, kind: &str) -> Result<Vec<u8>> {
    envelope::write(api_version, kind, |writer| M::write_fields(object, writer))
}
