//! Lists: metadata, and an item after the other.

use k8s_openapi::{List, ListableResource, Resource as _, apimachinery::pkg::apis::meta::v1::ListMeta as Metadata};

use super::{Envelope, ListMeta, Message, Result, Type as _};

/// The number of the metadata of a list, and of an object.
pub const METADATA: u32 = 1;
/// The number of a list's items.
pub const ITEMS: u32 = 2;

/// Reads a list out of the envelope that says of which kind it is.
pub fn read_list<M: Message<Object: ListableResource>>(body: &[u8]) -> Result<List<M::Object>> {
    let envelope = Envelope::open(body)?.of(M::Object::API_VERSION, M::Object::LIST_KIND)?;
    let mut reader = envelope.reader();
    // Room for all at once: a list that grows is copied, and half of it stays empty.
    let mut list = List { items: Vec::with_capacity(reader.count(ITEMS)), metadata: Metadata::default() };
    while let Some((number, wire)) = reader.field()? {
        match number {
            METADATA => ListMeta::read_into(&mut list.metadata, &mut reader, wire)?,
            ITEMS => M::read_item(&mut list.items, &mut reader, wire)?,
            _ => reader.skip(wire)?,
        }
    }
    Ok(list)
}

/// Reads the metadata of a list of any kind.
pub(crate) fn list_metadata(body: &[u8]) -> Result<Metadata> {
    let envelope = Envelope::open(body)?;
    let mut reader = envelope.reader();
    let mut metadata = Metadata::default();
    while let Some((number, wire)) = reader.field()? {
        match number {
            METADATA => ListMeta::read_into(&mut metadata, &mut reader, wire)?,
            _ => reader.skip(wire)?,
        }
    }
    Ok(metadata)
}
