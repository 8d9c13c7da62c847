//! An object as it is kept.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

use crate::{protobuf, schema::Schema};

/// How long an object is as JSON, or a little less.
const USUAL_LENGTH: usize = 1024;

/// An object of some version of its resource, without `apiVersion` and `kind`.
#[derive(Debug)]
pub(crate) struct Object {
    /// All of it, with the `resourceVersion`.
    pub(crate) value: Value,
    /// The `apiVersion` whose fields it has: `apps/v1`.
    pub(crate) version: Arc<str>,
    /// The same as JSON, made when it is first sent.
    json: OnceLock<Bytes>,
    /// The same as protobuf.
    protobuf: OnceLock<Bytes>,
}

impl Object {
    /// An object of this version with the revision as its `resourceVersion`.
    pub(crate) fn new(mut value: Value, version: &Arc<str>, revision: u64) -> Self {
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".to_owned(), revision.to_string().into());
        }
        Self::unversioned(value, version)
    }

    /// An object with the `resourceVersion` that it has, if it has one: what would be written.
    pub(crate) fn unversioned(value: Value, version: &Arc<str>) -> Self {
        Self { value, version: Arc::clone(version), json: OnceLock::new(), protobuf: OnceLock::new() }
    }

    /// The object as JSON, still without `apiVersion` and `kind`.
    pub(crate) fn json(&self) -> &Bytes {
        self.json.get_or_init(|| {
            let mut text = Vec::with_capacity(USUAL_LENGTH);
            // A value has no keys that JSON cannot have, and memory takes everything.
            let _ = serde_json::to_writer(&mut text, &self.value);
            text.into()
        })
    }

    /// The object as a message of protobuf, by the type that objects of its version have.
    pub(crate) fn protobuf(&self, schema: &Schema) -> &Bytes {
        self.protobuf.get_or_init(|| protobuf::message(&self.value, schema).into())
    }

    /// A text of the metadata; empty if there is none.
    pub(crate) fn meta(&self, name: &str) -> &str {
        self.value["metadata"][name].as_str().unwrap_or_default()
    }

    /// Whether it waits for its finalizers, or for its containers to end.
    pub(crate) fn is_being_deleted(&self) -> bool {
        !self.meta("deletionTimestamp").is_empty()
    }
}
