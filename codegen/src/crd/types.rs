//! From the schema of a kind to types: each shape once, however often it stands in the schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    Error,
    model::{Merge, merge_of},
    spec::{AdditionalProperties, Schema, Type},
};

/// What a value is. Structs and enums are positions in [`Types`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    /// A type that the runtime knows.
    Known(&'static str),
    /// The metadata of an object inside of another.
    Metadata,
    Struct(usize),
    /// A struct that is too large to stand in others.
    Boxed(usize),
    Enum(usize),
    List(Box<Draft>),
    Map(Box<Draft>),
    Nullable(Box<Draft>),
}

/// A field of a struct, as far as it tells shapes apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    pub(super) value: Draft,
    /// Whether it is always there.
    pub(super) required: bool,
    pub(super) merge: Option<Merge>,
}

/// What makes two structs the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StructShape {
    pub(super) members: BTreeMap<String, Member>,
    /// Whether fields that the schema does not name are kept.
    pub(super) keeps_unknown: bool,
    pub(super) atomic: bool,
}

/// A step down a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Property(String),
    Item,
    Entry,
}

/// The way from a kind's root to a schema.
pub(super) type Path = Vec<Step>;

/// A struct or an enum, with the places where it stands.
#[derive(Clone, Debug)]
pub(super) struct Shared<T> {
    pub(super) shape: T,
    pub(super) paths: BTreeSet<Path>,
    /// The docs of its fields, from the first place.
    pub(super) docs: BTreeMap<String, Vec<String>>,
    /// About how many bytes a value has, without what it points to.
    size: usize,
}

/// The types of one kind.
#[derive(Debug, Default)]
pub(super) struct Types {
    pub(super) structs: Vec<Shared<StructShape>>,
    pub(super) enums: Vec<Shared<Vec<String>>>,
    known_structs: BTreeMap<StructShape, usize>,
    known_enums: BTreeMap<Vec<String>, usize>,
    /// Whether docs have the descriptions of the schema.
    descriptions: bool,
}

/// What a value of this many bytes does not stand in another for: a program's stack has two million.
const LARGE: usize = 4096;

/// The metadata of objects, the one schema that is referred to: Kubernetes' own kinds have it inside of others.
pub(super) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The pattern that says that an int-or-string is a quantity; it has the dashes of no other.
pub(super) const QUANTITY: &str = "([KMGTPE]i)|[numkMGTPE]";

impl Types {
    pub(super) fn new(descriptions: bool) -> Self {
        Self { descriptions, ..Self::default() }
    }

    /// Adds the type of a whole object. `location` is for messages.
    pub(super) fn root(&mut self, schema: &Schema, file: &str, location: &str) -> Result<usize, Error> {
        let mut root = schema.clone();
        for name in ["apiVersion", "kind", "metadata"] {
            root.properties.remove(name);
        }
        let at = Place { file, location };
        self.structure(&root, &mut Vec::new(), &at)
    }

    /// The type of a value.
    fn value(&mut self, schema: &Schema, path: &mut Path, at: &Place<'_>) -> Result<Draft, Error> {
        let value = self.non_null(schema, path, at)?;
        // What can be anything can be null.
        let is_any = value == Draft::Known("Value");
        Ok(if schema.nullable && !is_any { Draft::Nullable(Box::new(value)) } else { value })
    }

    fn non_null(&mut self, schema: &Schema, path: &mut Path, at: &Place<'_>) -> Result<Draft, Error> {
        if schema.reference.as_deref() == Some(OBJECT_META) {
            return Ok(Draft::Metadata);
        }
        if schema.reference.is_some() {
            return Err(at.error(path, "has a `$ref`, which the schema of a custom resource cannot have"));
        }
        if schema.int_or_string {
            return Ok(Draft::Known("Int64OrString"));
        }
        Ok(match (schema.kind, schema.format.as_deref()) {
            (Some(Type::Array), _) => {
                let Some(items) = &schema.items else { return Ok(list(Draft::Known("Value"))) };
                path.push(Step::Item);
                let items = self.value(items, path, at);
                path.pop();
                list(items?)
            }
            (Some(Type::String), Some("byte")) => Draft::Known("ByteString"),
            (Some(Type::String), Some("date-time" | "datetime")) => Draft::Known("Timestamp"),
            (Some(Type::String), _) => self.text(schema, path),
            (Some(Type::Boolean), _) => Draft::Known("bool"),
            (Some(Type::Integer), Some("int32")) => Draft::Known("i32"),
            (Some(Type::Integer), _) => Draft::Known("i64"),
            (Some(Type::Number), _) => Draft::Known("Number"),
            (None, _) if schema.properties.is_empty() => Draft::Known("Value"),
            (Some(Type::Object) | None, _) => return self.object(schema, path, at),
        })
    }

    fn object(&mut self, schema: &Schema, path: &mut Path, at: &Place<'_>) -> Result<Draft, Error> {
        if !schema.properties.is_empty() && !schema.embedded_resource {
            return self.structure(schema, path, at).map(Draft::Struct);
        }
        if schema.embedded_resource {
            // What every object has need not be said, and the server knows what metadata is.
            let mut schema = schema.clone();
            for (name, kind) in [("apiVersion", Type::String), ("kind", Type::String), ("metadata", Type::Object)] {
                schema
                    .properties
                    .entry(name.to_owned())
                    .or_insert_with(|| Schema { kind: Some(kind), ..Schema::default() });
            }
            return self.structure(&schema, path, at).map(Draft::Struct);
        }
        let Some(AdditionalProperties::Of(values)) = &schema.additional_properties else {
            return Ok(Draft::Map(Box::new(Draft::Known("Value"))));
        };
        path.push(Step::Entry);
        let values = self.value(values, path, at);
        path.pop();
        Ok(Draft::Map(Box::new(values?)))
    }

    fn structure(&mut self, schema: &Schema, path: &mut Path, at: &Place<'_>) -> Result<usize, Error> {
        let (mut members, mut docs) = (BTreeMap::new(), BTreeMap::new());
        for (name, property) in &schema.properties {
            path.push(Step::Property(name.clone()));
            let value = self.value(property, path, at);
            path.pop();
            let value = self.boxed(value?);
            // What has a default may be left out, so that the server sets it.
            let required = schema.required.contains(name) && property.default.is_none();
            docs.insert(name.clone(), self.docs(property));
            let value = if schema.embedded_resource && name == "metadata" { Draft::Metadata } else { value };
            members.insert(name.clone(), Member { value, required, merge: merge_of(property, |items| items) });
        }
        let shape = StructShape {
            members,
            keeps_unknown: schema.preserves_unknown
                || matches!(schema.additional_properties, Some(AdditionalProperties::Any(true))),
            atomic: schema.map_type.as_deref() == Some("atomic"),
        };
        let size = shape.members.values().map(|member| self.size(&member.value)).sum();
        let index = *self.known_structs.entry(shape.clone()).or_insert_with(|| {
            self.structs.push(Shared { shape, paths: BTreeSet::new(), docs, size });
            self.structs.len() - 1
        });
        self.structs[index].paths.insert(path.clone());
        Ok(index)
    }

    fn boxed(&self, value: Draft) -> Draft {
        match value {
            Draft::Struct(index) if self.structs[index].size > LARGE => Draft::Boxed(index),
            Draft::Nullable(inner) => Draft::Nullable(Box::new(self.boxed(*inner))),
            value => value,
        }
    }

    fn size(&self, value: &Draft) -> usize {
        match value {
            Draft::Known("bool" | "i32") | Draft::Boxed(_) => 8,
            Draft::Known("i64") => 16,
            Draft::Struct(index) => self.structs[*index].size,
            Draft::Nullable(inner) => 8 + self.size(inner),
            _ => 24,
        }
    }

    fn text(&mut self, schema: &Schema, path: &Path) -> Draft {
        let mut values: Vec<String> = schema.values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        values.sort();
        values.dedup();
        if values.is_empty() {
            return Draft::Known("String");
        }
        let index = *self.known_enums.entry(values.clone()).or_insert_with(|| {
            self.enums.push(Shared { shape: values, paths: BTreeSet::new(), docs: BTreeMap::new(), size: 24 });
            self.enums.len() - 1
        });
        self.enums[index].paths.insert(path.clone());
        Draft::Enum(index)
    }

    /// What is said of a field beside its name.
    fn docs(&self, schema: &Schema) -> Vec<String> {
        let mut docs = Vec::new();
        if self.descriptions
            && let Some(text) = schema.other.get("description").and_then(Value::as_str)
        {
            docs.extend(super::docs::of_description(text));
        }
        if schema.int_or_string
            && schema.other.get("pattern").and_then(Value::as_str).is_some_and(|pattern| pattern.contains(QUANTITY))
        {
            docs.push("A quantity, such as `2` or `\"100m\"`.".to_owned());
        }
        match &schema.default {
            Some(default @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
                docs.push(format!("Default: `{}`", default.to_string().replace('`', "'")));
            }
            Some(_) => docs.push("The server has a default for it.".to_owned()),
            None => {}
        }
        docs
    }
}

fn list(items: Draft) -> Draft {
    Draft::List(Box::new(items))
}

/// Where a schema stands, for messages.
struct Place<'a> {
    file: &'a str,
    location: &'a str,
}

impl Place<'_> {
    fn error(&self, path: &Path, message: &str) -> Error {
        Error::at(self.file, format!("{}: {}", self.location, written(path)), message)
    }
}

/// A path as the names file has it: `spec.rules[].matches{}`.
pub(super) fn written(path: &Path) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Property(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Item => text.push_str("[]"),
            Step::Entry => text.push_str("{}"),
        }
    }
    text
}
