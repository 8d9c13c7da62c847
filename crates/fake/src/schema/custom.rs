//! Schemas from the `openAPIV3Schema` of a CustomResourceDefinition.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Field, List, ListKind, Schema, Struct, Type, Types, Unknown};

/// The name of the type of all objects' metadata.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The keywords that limit values and are checked as they stand.
const LIMITS: [&str; 15] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
    "x-kubernetes-validations",
];

impl Schema {
    /// The schema of a custom resource's version, whose objects have `apiVersion`, `kind` and `metadata` beside what is
    /// declared; without a declaration, they may have anything.
    pub(crate) fn of_custom_resource(declared: Option<&Value>, types: &'static Types) -> Self {
        let mut schema = match declared {
            Some(declared) => read(declared, types),
            None => Self::new(Type::Struct(Struct { unknown: Unknown::Kept, ..Struct::default() })),
        };
        if !matches!(schema.of, Type::Struct(_)) {
            schema.of = Type::Struct(Struct { unknown: Unknown::Kept, ..Struct::default() });
        }
        if let Type::Struct(fields) = &mut schema.of {
            embed(fields, types);
        }
        schema
    }
}

/// Gives an object the fields that all objects have. What a declaration says of `metadata` beyond that are limits of
/// the name, which the server checks.
fn embed(fields: &mut Struct, types: &'static Types) {
    for name in ["apiVersion", "kind"] {
        fields.fields.insert(name.to_owned(), Field { schema: Schema::new(Type::String), ..Field::default() });
    }
    fields.fields.insert("metadata".to_owned(), Field { schema: types.named(OBJECT_META), ..Field::default() });
}

fn read(declared: &Value, types: &'static Types) -> Schema {
    let says = |key: &str| declared.get(key).and_then(Value::as_bool).unwrap_or(false);
    let text = |key: &str| declared.get(key).and_then(Value::as_str);
    let of = if says("x-kubernetes-int-or-string") {
        Type::IntOrString
    } else {
        match text("type") {
            Some("boolean") => Type::Bool,
            Some("integer") if text("format") == Some("int32") => Type::Int32,
            Some("integer") => Type::Int64,
            Some("number") => Type::Double,
            Some("string") => match text("format") {
                Some("date-time") => Type::Time,
                Some("byte") => Type::Bytes,
                _ => Type::String,
            },
            Some("array") => Type::List(List {
                items: Box::new(declared.get("items").map(|items| read(items, types)).unwrap_or_default()),
                kind: match text("x-kubernetes-list-type") {
                    Some("set") => ListKind::Set,
                    Some("map") => ListKind::Map(strings(declared.get("x-kubernetes-list-map-keys"))),
                    _ => ListKind::Atomic,
                },
            }),
            Some("object") => object(declared, types),
            _ => Type::Any,
        }
    };
    Schema {
        of,
        atomic: text("x-kubernetes-map-type") == Some("atomic"),
        granular: false,
        nullable: says("nullable"),
        default: declared.get("default").filter(|default| !default.is_null()).cloned(),
        values: declared.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
        limits: limits(declared),
    }
}

fn object(declared: &Value, types: &'static Types) -> Type {
    let properties = declared.get("properties").and_then(Value::as_object);
    let keeps = declared.get("x-kubernetes-preserve-unknown-fields").and_then(Value::as_bool) == Some(true);
    let is_embedded = declared.get("x-kubernetes-embedded-resource").and_then(Value::as_bool) == Some(true);
    match declared.get("additionalProperties") {
        Some(values) if properties.is_none() && values.is_object() => return Type::Map(Box::new(read(values, types))),
        Some(Value::Bool(true)) if properties.is_none() => return Type::Map(Box::default()),
        _ => {}
    }
    let required = strings(declared.get("required"));
    let mut fields: BTreeMap<String, Field> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.clone(), Field { schema: read(property, types), ..Field::default() }))
        .collect();
    for name in required {
        fields.entry(name).or_default().required = true;
    }
    let unknown = if keeps { Unknown::Kept } else { Unknown::Dropped };
    let mut fields = Struct { fields, unknown, embedded: is_embedded, ..Struct::default() };
    if is_embedded {
        embed(&mut fields, types);
    }
    Type::Struct(fields)
}

fn limits(declared: &Value) -> BTreeMap<String, Value> {
    let limits = LIMITS.iter().filter_map(|key| Some(((*key).to_owned(), declared.get(*key)?.clone())));
    limits.collect()
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
