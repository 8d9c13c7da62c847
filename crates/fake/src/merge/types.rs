//! What merging asks of a schema: of each value, which forms it may have, and how its parts belong together.

use serde_json::Value;

use crate::schema::{self, ListKind, Patch, Schema, Struct, Unknown};

/// The type whose content is one value, whatever it is.
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/// The type of a value.
#[derive(Clone, Copy)]
pub(crate) enum Type<'s> {
    /// What a schema says.
    Of {
        /// The schema.
        schema: &'s Schema,
        /// Whether unknown fields are kept: that holds in everything that is declared within such a schema.
        keeps: bool,
    },
    /// Nothing is known: maps are granular, lists are atomic.
    Deduced,
    /// Nothing is known, and it is one value.
    Untyped,
}

/// The forms that a value may have.
#[derive(Clone, Copy)]
pub(super) struct Atom<'s> {
    pub(super) scalar: Option<Scalar>,
    pub(super) list: Option<List<'s>>,
    pub(super) map: Option<Map<'s>>,
}

/// What a scalar may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scalar {
    Numeric,
    String,
    Boolean,
    /// Any of them.
    Untyped,
}

/// A list.
#[derive(Clone, Copy)]
pub(super) struct List<'s> {
    kind: &'s ListKind,
    element: Type<'s>,
}

/// A map or struct.
#[derive(Clone, Copy)]
pub(super) struct Map<'s> {
    fields: Option<&'s Struct>,
    /// The type of entries that are no fields.
    element: Option<Type<'s>>,
    atomic: bool,
    keeps: bool,
}

impl<'s> From<&'s Schema> for Type<'s> {
    fn from(schema: &'s Schema) -> Self {
        Self::Of { schema, keeps: false }
    }
}

impl<'s> Type<'s> {
    pub(super) fn atom(self) -> Atom<'s> {
        let Self::Of { schema, keeps } = self else {
            let element = self;
            let map = Map { fields: None, element: Some(element), atomic: self.is_untyped(), keeps: false };
            return Atom { scalar: Some(Scalar::Untyped), list: Some(List::untyped()), map: Some(map) };
        };
        let name = schema.type_name();
        if name == Some(RAW_EXTENSION) {
            return Self::Untyped.atom();
        }
        let atomic = schema.is_atomic();
        let resolved = schema.resolved();
        let keeps = keeps && name.is_none();
        let scalar = |scalar| Atom { scalar: Some(scalar), list: None, map: None };
        match &resolved.of {
            schema::Type::Any | schema::Type::IntOrString | schema::Type::Named(_) => Self::Deduced.atom(),
            schema::Type::Bool => scalar(Scalar::Boolean),
            schema::Type::Int32 | schema::Type::Int64 | schema::Type::Double => scalar(Scalar::Numeric),
            schema::Type::String if resolved.limits.contains_key("format") => scalar(Scalar::Untyped),
            schema::Type::String | schema::Type::Bytes => scalar(Scalar::String),
            schema::Type::Time | schema::Type::Quantity => scalar(Scalar::Untyped),
            schema::Type::List(list) => {
                let kind = if atomic { &ListKind::Atomic } else { &list.kind };
                let element = Self::Of { schema: &list.items, keeps };
                Atom { scalar: None, list: Some(List { kind, element }), map: None }
            }
            schema::Type::Map(values) => {
                let element = Some(Self::Of { schema: values, keeps });
                Atom { scalar: None, list: None, map: Some(Map { fields: None, element, atomic, keeps }) }
            }
            schema::Type::Struct(fields) => {
                let keeps = keeps || fields.unknown == Unknown::Kept;
                let element = (keeps || fields.fields.is_empty()).then_some(Self::Deduced);
                Atom { scalar: None, list: None, map: Some(Map { fields: Some(fields), element, atomic, keeps }) }
            }
        }
    }

    fn is_untyped(self) -> bool {
        matches!(self, Self::Untyped)
    }

    /// Whether a schema says nothing of the value where it stands.
    fn is_deduced(self) -> bool {
        match self {
            Self::Deduced => true,
            Self::Untyped => false,
            Self::Of { schema, .. } => schema.type_name().is_none() && self.atom().scalar == Some(Scalar::Untyped),
        }
    }

    /// A field that a strategic merge patch has a map for, and how it is patched.
    pub(super) fn struct_field(self, name: &str) -> Result<(Self, Patch), String> {
        let map = match self {
            Self::Of { schema, .. } if !matches!(schema.resolved().of, schema::Type::Map(_)) => self.atom().map,
            _ => None,
        };
        let Some(map) = map else {
            return Err(format!(
                "merging an object in json but data type is not struct, instead is: {}",
                self.go_kind()
            ));
        };
        let Some(field) = map.fields.and_then(|fields| fields.fields.get(name)) else {
            let kind = match self {
                Self::Of { schema, .. } => schema.type_name().and_then(|name| name.rsplit('.').next()),
                _ => None,
            };
            let kind = kind.unwrap_or_default();
            return Err(format!("unable to find api field in struct {kind} for the json field {name:?}"));
        };
        Ok((Self::Of { schema: &field.schema, keeps: map.keeps }, field.patch.clone()))
    }

    /// The items of a field that a strategic merge patch has a list for, and how it is patched.
    pub(super) fn list_field(self, name: &str) -> Result<(Self, Patch), String> {
        let (field, patch) = self.struct_field(name)?;
        Ok((field.atom().list.map_or(Self::Deduced, List::element), patch))
    }

    /// What Go has for such a value.
    pub(super) fn go_kind(self) -> &'static str {
        let Self::Of { schema, .. } = self else { return "struct" };
        match &schema.resolved().of {
            schema::Type::Map(_) => "map",
            schema::Type::List(_) => "slice",
            schema::Type::String => "string",
            schema::Type::Bool => "bool",
            schema::Type::Int32 => "int32",
            schema::Type::Int64 => "int64",
            schema::Type::Double => "float64",
            _ => "struct",
        }
    }
}

impl<'s> List<'s> {
    fn untyped() -> Self {
        Self { kind: &ListKind::Atomic, element: Type::Untyped }
    }

    /// How the items are told apart.
    pub(super) fn kind(self) -> &'s ListKind {
        self.kind
    }

    /// Whether the list is one value.
    pub(super) fn is_atomic(self) -> bool {
        *self.kind == ListKind::Atomic
    }

    /// The type of the items.
    pub(super) fn element(self) -> Type<'s> {
        self.element
    }
}

impl<'s> Map<'s> {
    /// Whether the map is one value.
    pub(super) fn is_atomic(self) -> bool {
        self.atomic
    }

    /// The type of a field of a struct.
    pub(super) fn field(self, name: &str) -> Option<Type<'s>> {
        Some(Type::Of { schema: &self.fields?.fields.get(name)?.schema, keeps: self.keeps })
    }

    /// The value of a field that is not given.
    pub(super) fn default(self, name: &str) -> Option<&'s Value> {
        self.fields?.fields.get(name)?.schema.default.as_ref()
    }

    /// The type of entries that are no fields; `None` where there may be none.
    pub(super) fn element(self) -> Option<Type<'s>> {
        self.element
    }

    /// The type of a field or an entry.
    pub(super) fn at(self, name: &str) -> Option<Type<'s>> {
        self.field(name).or(self.element)
    }

    /// Whether the schema says nothing of the entries, so that no set of fields can contradict it.
    pub(super) fn is_deduced(self) -> bool {
        self.fields.is_none_or(|fields| fields.fields.is_empty()) && self.element.is_some_and(Type::is_deduced)
    }
}
