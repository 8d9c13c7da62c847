//! The protobuf side of a version: which number and type each message's field has on the wire.
//!
//! `OpenAPI` does not tell field numbers; upstream's `generated.proto` files do. Neither tells which zeros JSON leaves
//! out, which protobuf has all the same; Go's structs do. [`parse`] and [`Table::with_go`] read them into a [`Table`],
//! whose text form is stored as `protobuf.txt`, one line a field:
//!
//! ```text
//! k8s.io.api.apps.v1.DeploymentSpec
//!   1 replicas int32 pointer omitempty
//!   2 selector k8s.io.apimachinery.pkg.apis.meta.v1.LabelSelector pointer
//!   5 minReadySeconds int32 omitempty
//! k8s.io.api.core.v1.ConfigMap
//!   2 data map<string, string> omitempty
//! ```

mod definition;
mod go;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

pub use self::definition::{packages_of_folders, parse};
use super::Files;
use crate::Error;

/// The file's name in a version's folder.
pub(super) const FILE: &str = "protobuf.txt";

/// All messages of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The messages by full name; the fields sorted by number.
    pub messages: BTreeMap<String, Vec<Field>>,
}

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The number on the wire.
    pub number: u32,
    /// The name in JSON, where it has one of its own.
    pub name: String,
    /// How often it occurs, and of what type it is.
    pub kind: FieldKind,
    /// What Go's struct says of it.
    pub go: GoFacts,
}

/// What Go's struct says of a field, in its type and its `json` tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a word of a tag")]
pub struct GoFacts {
    /// A pointer: a zero is a value, and not the same as none.
    pub pointer: bool,
    /// `omitempty`: JSON leaves out zeros, but those of structs.
    pub omit_empty: bool,
    /// `omitzero`: JSON leaves out zeros, those of structs included.
    pub omit_zero: bool,
    /// An embedded struct, whose fields JSON has in the outer object.
    pub inline: bool,
}

/// How often a field occurs, and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// At most once.
    Optional(FieldType),
    /// Any number of times.
    Repeated(FieldType),
    /// Entries of a key and a value; the key is a string in all of Kubernetes.
    Map(FieldType, FieldType),
}

/// The type of a field, of a map's key or of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `bool`.
    Bool,
    /// `bytes`.
    Bytes,
    /// `double`.
    Double,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `string`.
    String,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
    /// A message, by its full name.
    Message(String),
}

impl Field {
    /// The message that the field embeds, if it does.
    pub(crate) fn embedded(&self) -> Option<&str> {
        match &self.kind {
            FieldKind::Optional(FieldType::Message(embedded)) if self.go.inline => Some(embedded),
            _ => None,
        }
    }
}

impl FieldType {
    fn scalar(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "bytes" => Self::Bytes,
            "double" => Self::Double,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "string" => Self::String,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            _ => return None,
        })
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Bytes => "bytes",
            Self::Double => "double",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::String => "string",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Message(name) => name,
        })
    }
}

impl FieldKind {
    /// The messages that the field's type refers to.
    fn messages(&self) -> impl Iterator<Item = &str> {
        let types = match self {
            Self::Optional(of) | Self::Repeated(of) => [Some(of), None],
            Self::Map(key, value) => [Some(key), Some(value)],
        };
        types.into_iter().flatten().filter_map(|of| match of {
            FieldType::Message(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Table {
    /// Fails on a message that embeds itself, or others in more layers than anybody writes: what reads the table
    /// follows them.
    pub(super) fn check_embedded(&self, file: &str) -> Result<(), Error> {
        const LAYERS: usize = 4;
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for _ in 0..=LAYERS {
            let is_done = |field: &Field| field.embedded().is_none_or(|embedded| done.contains(embedded));
            let more = self.messages.iter().filter(|(_, fields)| fields.iter().all(is_done));
            done = more.map(|(name, _)| name.as_str()).collect();
        }
        match self.messages.keys().find(|name| !done.contains(name.as_str())) {
            Some(name) => {
                let problem =
                    format!("embeds itself, a message that is not there, or more than {LAYERS} layers of them");
                Err(Error::at(file, name, problem))
            }
            None => Ok(()),
        }
    }

    /// The names of a message's fields, those of embedded structs among them.
    pub(crate) fn names(&self, message: &str) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for field in self.messages.get(message).into_iter().flatten() {
            match field.embedded() {
                Some(embedded) => names.extend(self.names(embedded)),
                None => drop(names.insert(field.name.as_str())),
            }
        }
        names
    }

    /// Drops the packages that `packages` neither has nor refers to, directly or through others.
    ///
    /// Upstream keeps definitions of API versions long gone; storing them would only grow the table.
    #[must_use]
    pub fn restricted_to(mut self, packages: &BTreeSet<String>) -> Self {
        let mut wanted = BTreeSet::new();
        let mut next: Vec<String> = packages.iter().cloned().collect();
        while let Some(package) = next.pop() {
            let own = self.messages.iter().filter(|(name, _)| self::package(name) == package);
            let fields = own.flat_map(|(_, fields)| fields);
            next.extend(fields.flat_map(|field| field.kind.messages()).map(self::package).map(str::to_owned));
            wanted.insert(package);
            next.retain(|package| !wanted.contains(package));
        }
        self.messages.retain(|name, _| wanted.contains(self::package(name)));
        self
    }
}

/// The protobuf packages of the schemas in stored files: `io.k8s.api.apps.v1` is `k8s.io.api.apps.v1`.
pub fn packages(files: &Files) -> BTreeSet<String> {
    let schemas = files.keys().filter_map(|file| file.strip_prefix("schemas/")?.strip_suffix(".json"));
    schemas.map(package_of_schemas).collect()
}

/// The message of a schema: that of `io.k8s.api.apps.v1.Deployment` is `k8s.io.api.apps.v1.Deployment`.
pub(crate) fn message_of_schema(schema: &str) -> String {
    match schema.rsplit_once('.') {
        Some((package, name)) => format!("{}.{name}", package_of_schemas(package)),
        None => schema.to_owned(),
    }
}

/// Turns the name of a schema's package into that of its protobuf package: the host's parts stand in another order, and
/// protobuf knows no `-`.
fn package_of_schemas(package: &str) -> String {
    let package = package.replace('-', "_");
    package.strip_prefix("io.k8s.").map_or(package.clone(), |rest| format!("k8s.io.{rest}"))
}

/// The folder of a file.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn package(message: &str) -> &str {
    message.rsplit_once('.').map_or("", |(package, _)| package)
}
