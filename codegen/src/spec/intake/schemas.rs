//! The schemas of all documents.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Object, facts};
use crate::{
    Error,
    spec::{is_plain, json, node::Node},
};

/// Keywords of schemas that hold prose, not facts.
const PROSE: [&str; 4] = ["description", "example", "externalDocs", "title"];
const KINDS: &str = "x-kubernetes-group-version-kind";

/// Schemas every document has, each with the kinds of its own group version only.
const PARTIAL_KINDS: [&str; 2] =
    ["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent"];

/// The package under which schemas are stored whose names have none.
pub(in crate::spec) const NO_PACKAGE: &str = "_";

/// The schemas of all documents, each once.
#[derive(Default)]
pub(super) struct Schemas {
    /// Package → short name → schema.
    pub(super) packages: BTreeMap<String, Object>,
}

impl Schemas {
    pub(super) fn add(&mut self, name: &str, node: &Node<'_>) -> Result<(), Error> {
        // The package becomes a file's name, the whole a type's.
        if name.split('.').any(|part| !is_plain(part) || part == NO_PACKAGE) {
            return Err(node.error(format!(
                "the schema's name `{}` has other characters than letters, digits, `-` and `_` between its dots",
                name.escape_debug()
            )));
        }
        let (package, short) = name.rsplit_once('.').unwrap_or((NO_PACKAGE, name));
        let mut new = schema(node)?;
        let package = self.packages.entry(package.to_owned()).or_default();
        if let Some(old) = package.get(short).filter(|old| **old != new) {
            new = union(name, old, &new).ok_or_else(|| {
                node.error(format!("`{name}` differs from the schema of the same name in a document before this one"))
            })?;
        }
        package.insert(short.to_owned(), new);
        Ok(())
    }
}

/// Strips prose from a schema's keywords, and from those of its parts; a property's name is not a keyword.
pub(super) fn schema(node: &Node<'_>) -> Result<Value, Error> {
    let mut stored = Object::new();
    for (key, node) in facts(node, &PROSE)? {
        let value = match key {
            "properties" => {
                let properties = node.entries()?;
                let properties = properties.iter().map(|(name, node)| Ok(((*name).to_owned(), schema(node)?)));
                Value::Object(properties.collect::<Result<_, Error>>()?)
            }
            "allOf" | "anyOf" | "oneOf" => Value::Array(node.items()?.iter().map(schema).collect::<Result<_, _>>()?),
            "items" | "not" | "additionalProperties" if node.value().is_object() => schema(&node)?,
            _ => node.value().clone(),
        };
        stored.insert(key.to_owned(), value);
    }
    Ok(Value::Object(stored))
}

/// Joins two forms of one schema that differ in their lists of kinds only, where that is known to happen.
fn union(name: &str, a: &Value, b: &Value) -> Option<Value> {
    if !PARTIAL_KINDS.contains(&name) {
        return None;
    }
    let (mut a, mut b) = (a.as_object()?.clone(), b.as_object()?.clone());
    let (a_kinds, b_kinds) = (a.remove(KINDS), b.remove(KINDS));
    if a != b {
        return None;
    }
    let mut kinds = BTreeMap::new();
    for list in a_kinds.iter().chain(&b_kinds) {
        // Their text sorts them by group, kind and version.
        kinds.extend(list.as_array()?.iter().map(|kind| (json::one_line(kind), kind.clone())));
    }
    a.insert(KINDS.to_owned(), kinds.into_values().collect());
    Some(Value::Object(a))
}
