//! The stored form of one Kubernetes version: what it holds, how it is made and how it is read.
//!
//! Upstream publishes about sixty `OpenAPI` documents a version, each with its own copy of the schemas it names and
//! with the same parameters spelt out thousands of times. [`intake`] turns them into few small files of facts, and
//! [`load`] turns those files into a [`Spec`]. The files of a version:
//!
//! | file | content |
//! |---|---|
//! | `SOURCE` | where the facts come from, see [`Source`] |
//! | `paths/<document>.json` | one upstream document's paths and their operations |
//! | `schemas/<package>.json` | the schemas of one package, each once |
//! | `parameters.json` | parameters that more than one operation has, by name |
//! | `discovery.json` | other names of resources and the order of groups, see [`Discovery`] |
//! | `markers.json` | enums, feature gates and deprecations, see [`Markers`] |
//! | `protobuf.txt` | numbers and types of the messages' fields, see [`proto::Table`] |
//!
//! The JSON is that of `OpenAPI` with one abbreviation: the key of a `content` map lists all media types of one schema,
//! separated by commas and without a leading `application/`.

mod discovery;
mod disk;
mod go;
mod intake;
pub(crate) mod json;
mod load;
mod markers;
mod media_type;
pub(crate) mod node;
mod operation;
pub mod proto;
mod schema;
mod source;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::operation::texts;
pub use self::{
    discovery::{Discovery, ResourceNames},
    disk::read_dir,
    intake::{document_name, intake},
    load::{load, schemas},
    markers::{Gate, GoSources, Lifecycle, Markers, Release, Values},
    operation::{Action, Answer, Body, Content, GroupVersionKind, Location, Method, Operation, Parameter},
    schema::{AdditionalProperties, Schema, Type},
    source::{Source, Version},
};

/// Whether a word can be a part of a file's name, and of a type's, wherever the files are.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// The names between the braces of a path. Some say behind a colon how much of the path they stand for.
fn placeholders(path: &str) -> BTreeSet<&str> {
    let braces = path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    braces.map(|name| name.split_once(':').map_or(name, |(name, _)| name)).collect()
}

/// Texts of files by their paths, relative to the version's folder and with `/` between their parts.
pub type Files = BTreeMap<String, String>;

/// One Kubernetes version: its operations, schemas and protobuf field numbers.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Where the facts come from, the version above all.
    pub source: Source,
    /// The operations of each document, by its name with dots (`apis.apps.v1`).
    pub documents: BTreeMap<String, Vec<Operation>>,
    /// The schemas by full name (`io.k8s.api.apps.v1.Deployment`).
    pub schemas: BTreeMap<String, Schema>,
    /// What discovery says beyond the paths; nothing if its file is not stored.
    pub discovery: Discovery,
    /// What Go's sources say beyond the documents; nothing if its file is not stored.
    pub markers: Option<Markers>,
    /// The protobuf messages by full name (`k8s.io.api.apps.v1.Deployment`).
    pub protobuf: proto::Table,
}

impl Spec {
    /// The Kubernetes version that is described.
    pub fn version(&self) -> Version {
        self.source.version
    }

    /// The properties that no field of their message stands for, apart from `apiVersion` and `kind`, which the envelope
    /// has. There must be none, or they would be lost in protobuf.
    pub fn properties_without_field(&self) -> Vec<String> {
        let mut lost = Vec::new();
        for (name, schema) in &self.schemas {
            let message = proto::message_of_schema(name);
            let told = self.protobuf.names(&message);
            let is_lost = |property: &&String| {
                !told.contains(property.as_str()) && !["apiVersion", "kind"].contains(&property.as_str())
            };
            if self.protobuf.messages.contains_key(&message) {
                lost.extend(schema.properties.keys().filter(is_lost).map(|property| format!("{name}.{property}")));
            }
        }
        lost
    }

    /// Goes through the operations of all documents, in the order of documents, paths and methods.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.documents.values().flatten()
    }
}
