//! The types of values at run time: those of Kubernetes, read from the data of a version, and those that a
//! CustomResourceDefinition declares.

mod check;
mod custom;
mod decode;
mod message;
mod prune;
mod quantity;
mod stored;
mod time;
mod types;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use check::violations;
pub(crate) use decode::{MICRO_TIME, decode};
pub(crate) use message::{Message, Part};
pub(crate) use prune::{prune, prune_applied};
pub(crate) use quantity::is_more;
pub(crate) use stored::as_stored;
use types::Entry;
pub(crate) use types::Types;

/// The type of a value, and what is said of the value where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Schema {
    /// What the value is.
    pub(crate) of: Type,
    /// A list, map or struct that has one owner, and is replaced as a whole. [`is_atomic`](Self::is_atomic) asks the
    /// named type as well.
    pub(crate) atomic: bool,
    /// A struct that is not, although its type says so elsewhere.
    pub(crate) granular: bool,
    /// Whether `null` is a value of its own (custom resources only: elsewhere it means that nothing is given).
    pub(crate) nullable: bool,
    /// The value of what is not given.
    pub(crate) default: Option<Value>,
    /// The only values allowed, if they are listed.
    pub(crate) values: Vec<Value>,
    /// What else a CustomResourceDefinition says of values: `minimum`, `maxLength` and the like, as it says it.
    pub(crate) limits: BTreeMap<String, Value>,
}

/// What a value is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Type {
    /// Anything. For ownership of fields, a map is a granular map of anything and a list is atomic.
    #[default]
    Any,
    /// True or false.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// Any number.
    Double,
    /// A text.
    String,
    /// A point in time, as RFC 3339.
    Time,
    /// Bytes, as base64.
    Bytes,
    /// A whole number or a text: `80`, `"http"`.
    IntOrString,
    /// A quantity as a text, `"500m"`; it may be given as a number.
    Quantity,
    /// A list.
    List(List),
    /// Values of one type by any keys.
    Map(Box<Schema>),
    /// Named fields.
    Struct(Struct),
    /// A type of Kubernetes, looked up when it is needed, since types may contain themselves.
    Named(Named),
}

/// A list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List {
    pub(crate) items: Box<Schema>,
    pub(crate) kind: ListKind,
}

/// How the items of a list are told apart (`x-kubernetes-list-type`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Not at all: the list is one value.
    Atomic,
    /// By their value.
    Set,
    /// By these fields.
    Map(Vec<String>),
}

/// Named fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Struct {
    pub(crate) fields: BTreeMap<String, Field>,
    pub(crate) unknown: Unknown,
    /// Whether it is an object with `apiVersion`, `kind` and `metadata` of its own within another.
    pub(crate) embedded: bool,
    /// How it travels as protobuf; with nothing in it if it does not.
    pub(crate) message: Message,
}

/// What becomes of fields that a struct does not name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Unknown {
    /// They are left out.
    #[default]
    Dropped,
    /// They are kept, and are of any type (`x-kubernetes-preserve-unknown-fields`).
    Kept,
}

/// A field of a struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Field {
    pub(crate) schema: Schema,
    /// Whether an object without it is refused (custom resources), or is one that validation would refuse.
    pub(crate) required: bool,
    /// How it is patched strategically.
    pub(crate) patch: Patch,
    /// How Go has it, which decides how the server writes what is empty. Custom resources have [`Presence::Free`].
    pub(crate) presence: Presence,
}

/// How strategic merge patch treats a field (`x-kubernetes-patch-strategy` and `x-kubernetes-patch-merge-key`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patch {
    /// `merge`: items are merged by the key, or lists of scalars united.
    pub(crate) merge: bool,
    /// `retainKeys`: the patch may list the only keys to keep.
    pub(crate) retain_keys: bool,
    /// `replace`, which is also what lists without any strategy do.
    pub(crate) replace: bool,
    /// The field that tells items apart; not always one of the list's keys for ownership.
    pub(crate) key: Option<String>,
}

/// What the server writes for a field that is not given or empty, which follows from the struct in Go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Presence {
    /// As it is given: no Go struct is behind it.
    #[default]
    Free,
    /// A pointer with `omitempty`: nothing if not given; what is given stays, be it zero.
    Optional,
    /// `omitempty` without a pointer: zeros and empty lists and maps are not written. Structs always are.
    OmitEmpty,
    /// `omitzero`: nothing that is zero is written, structs included.
    OmitZero,
    /// Always written: zero if not given.
    Always,
    /// A pointer without `omitempty`: `null` if not given.
    Null,
}

/// A type of Kubernetes by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    types: &'static Types,
    name: &'static str,
    /// Where the type is; `None` if there is none of the name.
    entry: Option<&'static Entry>,
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && std::ptr::eq(self.types, other.types)
    }
}

impl Schema {
    /// A value of this type of which nothing else is said.
    pub(crate) fn new(of: Type) -> Self {
        Self { of, ..Self::default() }
    }

    /// The schema itself, or that of the named type that it refers to.
    pub(crate) fn resolved(&self) -> &Schema {
        let mut schema = self;
        while let Type::Named(named) = &schema.of {
            schema = named.types.schema(named.entry);
        }
        schema
    }

    /// The name of the type of Kubernetes that it refers to, if it does.
    pub(crate) fn type_name(&self) -> Option<&'static str> {
        match &self.of {
            Type::Named(named) => Some(named.name),
            _ => None,
        }
    }

    /// Whether the value is a type of Go that keeps any JSON as it is.
    pub(crate) fn is_raw_json(&self) -> bool {
        let name = self.type_name().and_then(|name| name.rsplit('.').next());
        matches!(name, Some("RawExtension" | "FieldsV1" | "JSON"))
    }

    /// Whether the value is a list, map or struct that is owned and replaced as a whole.
    pub(crate) fn is_atomic(&self) -> bool {
        let resolved = self.resolved();
        let is_atomic_list = matches!(&resolved.of, Type::List(List { kind: ListKind::Atomic, .. }));
        !self.granular && (self.atomic || resolved.atomic || is_atomic_list)
    }

    /// The type of Kubernetes of this name, among those of the version that this one is of.
    pub(crate) fn beside(&self, name: &str) -> Option<Schema> {
        match &self.of {
            Type::Named(named) => named.types.find(name),
            _ => None,
        }
    }

    /// The struct that the value is, if it is one.
    pub(crate) fn as_struct(&self) -> Option<&Struct> {
        match &self.resolved().of {
            Type::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// The field of this name, if the value is a struct that has it.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.as_struct()?.fields.get(name)
    }
}
