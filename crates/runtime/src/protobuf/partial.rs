//! What is read of objects whatever their kind is: parts of their metadata, and what watches and errors need.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;

use super::{Envelope, MAGIC, METADATA, Reader, Result, Status, Type as _, message::read_message, read, types::Text};
use crate::{error::UndecodableObject, json::as_identity};

/// Some fields of an object's metadata, empty where they are not set.
#[derive(Default)]
pub(crate) struct PartialMetadata {
    name: String,
    namespace: String,
    pub(crate) resource_version: String,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl PartialMetadata {
    fn read(&mut self, mut object: Reader<'_>) -> Result<()> {
        while let Some((number, wire)) = object.field()? {
            if number != METADATA {
                object.skip(wire)?;
                continue;
            }
            let mut metadata = object.message(wire)?;
            while let Some((number, wire)) = metadata.field()? {
                match number {
                    1 => Text::read_into(&mut self.name, &mut metadata, wire)?,
                    3 => Text::read_into(&mut self.namespace, &mut metadata, wire)?,
                    6 => Text::read_into(&mut self.resource_version, &mut metadata, wire)?,
                    12 => read::map::<Text, _>(&mut self.annotations, &mut metadata, wire)?,
                    _ => metadata.skip(wire)?,
                }
            }
        }
        Ok(())
    }
}

/// Reads the object of a bookmark, of whatever kind it is.
pub(crate) fn bookmark(body: &[u8]) -> Result<PartialMetadata> {
    let mut metadata = PartialMetadata::default();
    metadata.read(Envelope::open(body)?.reader())?;
    Ok(metadata)
}

/// What an object, in an envelope or as a list's item, says of which object it is, as far as it can be read.
pub(crate) fn identity(object: &[u8]) -> UndecodableObject {
    let mut metadata = PartialMetadata::default();
    // Why it cannot be read further is known already.
    let _ = if object.starts_with(MAGIC) {
        Envelope::open(object).and_then(|envelope| metadata.read(envelope.reader()))
    } else {
        metadata.read(Reader::new(object))
    };
    let [namespace, name, resource_version] =
        [metadata.namespace, metadata.name, metadata.resource_version].map(as_identity);
    UndecodableObject { namespace, name, resource_version, deleted: false }
}

/// Reads a Status whose envelope may lack the name of its kind; `None` if it has another.
pub(crate) fn status_without_kind(body: &[u8]) -> Result<Option<api::Status>> {
    let envelope = Envelope::open(body)?;
    if !matches!(envelope.kind(), "" | "Status") {
        return Ok(None);
    }
    let mut status = api::Status::default();
    read_message::<Status>(&mut status, envelope.reader())?;
    Ok(Some(status))
}

/// The type of a watch's event and the bytes of its object, which have an envelope of their own.
pub(crate) fn watch_event(frame: &[u8]) -> Result<(String, &[u8])> {
    let (mut kind, mut object) = (String::new(), &[][..]);
    let mut event = Reader::new(frame);
    while let Some((number, wire)) = event.field()? {
        match number {
            1 => Text::read_into(&mut kind, &mut event, wire)?,
            // A RawExtension: a message with the bytes.
            2 => {
                let mut raw = event.message(wire)?;
                while let Some((number, wire)) = raw.field()? {
                    match number {
                        1 => object = raw.bytes(wire)?,
                        _ => raw.skip(wire)?,
                    }
                }
            }
            _ => event.skip(wire)?,
        }
    }
    Ok((kind, object))
}
