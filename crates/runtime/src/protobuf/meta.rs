//! The messages that the runtime itself needs: those of lists, of failures and of watches.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;

use super::{
    Envelope, Reader, Result, Type as _,
    message::read_message,
    read,
    types::{Int32, Int64, Text},
};
use crate::message;

message! {
    pub ListMeta of api::ListMeta {
        1 self_link: one_unless_zero Text,
        2 resource_version: one_unless_zero Text,
        3 continue_: one_unless_zero Text,
        4 remaining_item_count: one Int64,
    }
    if k8s_if_ge_1_36 {
        5 shard_info: one ShardInfo,
    }
}

k8s_openapi::k8s_if_ge_1_36! {
    message! {
        pub ShardInfo of api::ShardInfo {
            1 selector: one Text,
        }
    }
}

message! {
    pub Status of api::Status {
        1 metadata: one ListMeta,
        2 status: one_unless_zero Text,
        3 message: one_unless_zero Text,
        4 reason: one_unless_zero Text,
        5 details: one StatusDetails,
        6 code: one_unless_zero Int32,
    }
}

message! {
    pub StatusDetails of api::StatusDetails {
        1 name: one_unless_zero Text,
        2 group: one_unless_zero Text,
        3 kind: one_unless_zero Text,
        4 causes: many StatusCause,
        5 retry_after_seconds: one_unless_zero Int32,
        6 uid: one_unless_zero Text,
    }
}

message! {
    pub StatusCause of api::StatusCause {
        1 reason: one_unless_zero Text,
        2 message: one_unless_zero Text,
        3 field: one_unless_zero Text,
    }
}

/// Of a bookmark, what is told of it.
#[derive(Default)]
pub(crate) struct Bookmark {
    pub(crate) resource_version: String,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// Reads the object of a bookmark, of whatever kind it is: of its metadata, the fields that are wanted.
pub(crate) fn bookmark(body: &[u8]) -> Result<Bookmark> {
    let mut bookmark = Bookmark::default();
    let mut object = Envelope::open(body)?.reader();
    while let Some((number, wire)) = object.field()? {
        if number != 1 {
            object.skip(wire)?;
            continue;
        }
        let mut metadata = object.message(wire)?;
        while let Some((number, wire)) = metadata.field()? {
            match number {
                6 => Text::read_into(&mut bookmark.resource_version, &mut metadata, wire)?,
                12 => read::map::<Text, _>(&mut bookmark.annotations, &mut metadata, wire)?,
                _ => metadata.skip(wire)?,
            }
        }
    }
    Ok(bookmark)
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
