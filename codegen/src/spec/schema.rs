//! Schemas: the types that bodies, answers and parameters have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{GroupVersionKind, load::group_version_kind, node::Node, operation::texts};
use crate::Error;

/// What a reference to a schema begins with.
const REFERENCE: &str = "#/components/schemas/";

/// A type as `OpenAPI` describes it.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a keyword")]
pub struct Schema {
    /// The full name of the schema referred to, be it by `$ref` or by an `allOf` of one `$ref`, which upstream writes
    /// where other keywords (`default`) stand beside it.
    pub reference: Option<String>,
    /// The `type`.
    pub kind: Option<Type>,
    /// The `format`: `int32`, `date-time`, `byte`, `int-or-string` …
    pub format: Option<String>,
    /// An array's items.
    pub items: Option<Box<Schema>>,
    /// An object's properties.
    pub properties: BTreeMap<String, Schema>,
    /// The properties an object must have.
    pub required: BTreeSet<String>,
    /// What an object may have beside its properties.
    pub additional_properties: Option<AdditionalProperties>,
    /// The value of what is not given.
    pub default: Option<Value>,
    /// The values allowed, if they are listed.
    pub values: Vec<Value>,
    /// An `allOf` that is more than a reference.
    pub all_of: Vec<Schema>,
    /// An `anyOf`.
    pub any_of: Vec<Schema>,
    /// A `oneOf`.
    pub one_of: Vec<Schema>,
    /// The `x-kubernetes-group-version-kind` list: the kinds an object of this schema may be.
    pub kinds: BTreeSet<GroupVersionKind>,
    /// The `x-kubernetes-list-type`: `atomic`, `set` or `map`.
    pub list_type: Option<String>,
    /// The `x-kubernetes-list-map-keys`.
    pub list_map_keys: Vec<String>,
    /// The `x-kubernetes-map-type`: `atomic` or `granular`.
    pub map_type: Option<String>,
    /// The `x-kubernetes-patch-strategy`: `merge`, `replace`, `retainKeys`, or two with a comma between.
    pub patch_strategy: Option<String>,
    /// The `x-kubernetes-patch-merge-key`.
    pub patch_merge_key: Option<String>,
    /// The `nullable`: null is a value, and not the absence of one.
    pub nullable: bool,
    /// The `x-kubernetes-int-or-string`.
    pub int_or_string: bool,
    /// The `x-kubernetes-preserve-unknown-fields`: what the schema does not name is kept.
    pub preserves_unknown: bool,
    /// The `x-kubernetes-embedded-resource`: it has `apiVersion`, `kind` and `metadata`.
    pub embedded_resource: bool,
    /// Keywords that no field stands for, such as `x-kubernetes-unions` and `uniqueItems`.
    pub other: BTreeMap<String, Value>,
}

texts! {
    /// The `type` of a schema.
    Type {
        /// An array.
        Array = "array",
        /// True or false.
        Boolean = "boolean",
        /// A whole number.
        Integer = "integer",
        /// Any number.
        Number = "number",
        /// An object or map.
        Object = "object",
        /// A string.
        String = "string",
    }
}

/// What an object may have beside its named properties.
#[derive(Clone, Debug, PartialEq)]
pub enum AdditionalProperties {
    /// Anything, or nothing.
    Any(bool),
    /// Values of one type: the object is a map.
    Of(Box<Schema>),
}

impl Schema {
    /// Every schema that this one refers to, itself or in its parts.
    pub fn references(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.collect_references(&mut names);
        names
    }

    /// The schema that this one is, or that its items or values are, in any depth.
    pub(super) fn stands_for(&self) -> Option<&str> {
        let mut schema = self;
        loop {
            schema = match (&schema.reference, schema.kind, &schema.additional_properties) {
                (Some(name), ..) => return Some(name),
                (None, Some(Type::Array), _) => schema.items.as_deref()?,
                (None, Some(Type::Object), Some(AdditionalProperties::Of(values))) => values,
                _ => return None,
            };
        }
    }

    fn collect_references<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        names.extend(self.reference.as_deref());
        let parts = self.items.as_deref().into_iter().chain(self.properties.values());
        let parts = parts.chain(&self.all_of).chain(&self.any_of).chain(&self.one_of);
        let values = match &self.additional_properties {
            Some(AdditionalProperties::Of(values)) => Some(values.as_ref()),
            _ => None,
        };
        parts.chain(values).for_each(|part| part.collect_references(names));
    }

    /// Reads a schema; a reference to one that is not `known` is an error.
    pub(crate) fn read(node: &Node<'_>, known: &BTreeSet<String>) -> Result<Self, Error> {
        let mut schema = Self::default();
        // In Go, where schemas are made, null is what is not there.
        for (keyword, value) in node.entries()?.into_iter().filter(|(_, value)| !value.value().is_null()) {
            schema.read_keyword(keyword, &value, known)?;
        }
        if schema.reference.is_none()
            && let [Schema { reference: Some(name), .. }] = schema.all_of.as_slice()
        {
            schema.reference = Some(name.clone());
            schema.all_of.clear();
        }
        Ok(schema)
    }

    fn read_keyword(&mut self, keyword: &str, value: &Node<'_>, known: &BTreeSet<String>) -> Result<(), Error> {
        let schema = |node: &Node<'_>| Self::read(node, known);
        let schemas = |node: &Node<'_>| node.items()?.iter().map(schema).collect::<Result<Vec<_>, Error>>();
        let string = |node: &Node<'_>| node.string().map(|text| Some(text.to_owned()));
        match keyword {
            "$ref" => self.reference = Some(reference(value, known)?),
            "type" => self.kind = kind(value)?,
            "format" => self.format = string(value)?,
            "items" if value.value().is_object() => self.items = Some(Box::new(schema(value)?)),
            "properties" => {
                let properties = value.entries()?;
                let properties = properties.iter().map(|(name, node)| Ok(((*name).to_owned(), schema(node)?)));
                self.properties = properties.collect::<Result<_, Error>>()?;
            }
            "required" => self.required = value.strings()?.into_iter().collect(),
            "additionalProperties" => {
                self.additional_properties = Some(match value.value() {
                    Value::Bool(any) => AdditionalProperties::Any(*any),
                    _ => AdditionalProperties::Of(Box::new(schema(value)?)),
                });
            }
            "default" => self.default = Some(value.value().clone()),
            "enum" => self.values = value.items()?.iter().map(|item| item.value().clone()).collect(),
            "allOf" => self.all_of = schemas(value)?,
            "anyOf" => self.any_of = schemas(value)?,
            "oneOf" => self.one_of = schemas(value)?,
            "x-kubernetes-group-version-kind" => {
                self.kinds = value.items()?.iter().map(group_version_kind).collect::<Result<_, Error>>()?;
            }
            "x-kubernetes-list-type" => self.list_type = string(value)?,
            "x-kubernetes-list-map-keys" => self.list_map_keys = value.strings()?,
            "x-kubernetes-map-type" => self.map_type = string(value)?,
            "x-kubernetes-patch-strategy" => self.patch_strategy = string(value)?,
            "x-kubernetes-patch-merge-key" => self.patch_merge_key = string(value)?,
            "nullable" => self.nullable = value.bool()?,
            "x-kubernetes-int-or-string" => self.int_or_string = value.bool()?,
            "x-kubernetes-preserve-unknown-fields" => self.preserves_unknown = value.bool()?,
            "x-kubernetes-embedded-resource" => self.embedded_resource = value.bool()?,
            other => {
                self.other.insert(other.to_owned(), value.value().clone());
            }
        }
        Ok(())
    }
}

/// The type; `None` where there is more than one, or an empty one, which documents made from those of Swagger 2 have.
fn kind(node: &Node<'_>) -> Result<Option<Type>, Error> {
    let named = |node: &Node<'_>| {
        let text = node.string()?;
        Type::parse(text).ok_or_else(|| node.error(format!("unknown type `{}`", text.escape_debug())))
    };
    match node.value() {
        Value::String(text) if text.is_empty() => Ok(None),
        // A value that may be null is a type beside `null` in OpenAPI 3.1.
        Value::Array(_) => {
            let types = node.items()?;
            match types.iter().filter(|item| item.value() != "null").collect::<Vec<_>>().as_slice() {
                [only] => named(only).map(Some),
                _ => Ok(None),
            }
        }
        _ => named(node).map(Some),
    }
}

fn reference(node: &Node<'_>, known: &BTreeSet<String>) -> Result<String, Error> {
    let text = node.string()?;
    let Some(name) = text.strip_prefix(REFERENCE) else {
        return Err(node.error(format!("`{text}` does not refer to a schema (`{REFERENCE}…`)")));
    };
    if !known.contains(name) {
        return Err(node.error(format!("refers to the schema `{name}`, which no file under schemas/ has")));
    }
    Ok(name.to_owned())
}
