//! The parameters of paths and operations: in the one form that is stored, and each that occurs often once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Object, PROSE, facts, references::References, schemas::schema};
use crate::{
    Error,
    spec::{json, load::PARAMETER_REFERENCE, node::Node, placeholders},
};

/// The parameters of a path or an operation.
#[derive(Default)]
pub(super) struct Parameters {
    /// As they are stored.
    pub(super) list: Vec<Object>,
    /// A request's body, which documents made from those of Swagger 2 may have among the parameters.
    pub(super) body: Option<Value>,
}

impl Parameters {
    /// Reads a list. Of two that would be sent in the same place by the same name, the first counts.
    pub(super) fn read<'a>(list: &Node<'a>, path: &str, references: &References<'a>) -> Result<Self, Error> {
        let mut parameters = Self::default();
        for item in list.items()? {
            let Some(node) = references.find(&item)? else {
                parameters.list.extend(lost(&item, path));
                continue;
            };
            let parameter = parameter(&node)?;
            match parameter.get("in").and_then(Value::as_str) {
                Some("body") => parameters.body = Some(json!({"content": {"*/*": {"schema": parameter["schema"]}}})),
                // A form of Swagger 2; no API of Kubernetes reads forms.
                Some("formData") => {}
                _ => parameters.list.push(parameter),
            }
        }
        let mut seen = BTreeSet::new();
        parameters.list.retain(|parameter| seen.insert(key(parameter)));
        Ok(parameters)
    }

    /// Makes the path's parameters those that its placeholders have, given the lists of all its operations: documents
    /// of aggregated servers leave some out, and describe others that the path does not have.
    pub(super) fn fit(&mut self, path: &str, operations: &mut [&mut Parameters]) {
        let placeholders = placeholders(path);
        let fits = |parameter: &Object| {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            !is_in_path(parameter) || placeholders.contains(&name)
        };
        self.list.retain(fits);
        for operation in operations.iter_mut() {
            operation.list.retain(fits);
        }
        for name in placeholders {
            let describes = |parameters: &Parameters| {
                parameters.list.iter().any(|parameter| is_in_path(parameter) && parameter["name"] == name)
            };
            let is_described = describes(self) || operations.iter().all(|operation| describes(operation));
            if !is_described {
                self.list.push(in_path(name));
            }
        }
    }
}

fn is_in_path(parameter: &Object) -> bool {
    parameter.get("in").and_then(Value::as_str) == Some("path")
}

fn in_path(name: &str) -> Object {
    let schema = json!({"type": "string"});
    object([("in", "path".into()), ("name", name.into()), ("required", true.into()), ("schema", schema)])
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Object {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Where a parameter is sent and by which name.
fn key(parameter: &Object) -> [String; 2] {
    ["in", "name"].map(|key| parameter.get(key).map(ToString::to_string).unwrap_or_default())
}

/// A parameter that the document refers to and does not have.
///
/// kube-apiserver makes documents for aggregated servers out of their Swagger 2, and leaves out what parameters refer
/// to. The reference is named after the parameter and a hash of eight characters: `watch-XNNPZGbK`.
fn lost(reference: &Node<'_>, path: &str) -> Option<Object> {
    let text = reference.get("$ref")?.string().ok()?;
    let last = text.rsplit('/').next().unwrap_or(text);
    let name = match last.len().checked_sub(9).and_then(|end| last.split_at_checked(end)) {
        Some((name, hash)) if hash.starts_with('-') => name,
        _ => last,
    };
    match name {
        // The body of a request, of which nothing is known.
        "" | "body" => None,
        name if placeholders(path).contains(&name) => Some(in_path(name)),
        // An empty schema is that of anything.
        name => Some(object([("in", "query".into()), ("name", name.into()), ("schema", json!({}))])),
    }
}

/// A parameter with its schema, wherever the document has that.
fn parameter(node: &Node<'_>) -> Result<Object, Error> {
    let mut stored = Object::new();
    let mut simple = Object::new();
    for (key, node) in facts(node, &PROSE)? {
        match key {
            "schema" => drop(stored.insert(key.to_owned(), schema(&node)?)),
            // The schema as Swagger 2 writes it: its keywords are the parameter's.
            "type" | "format" | "items" | "enum" | "default" | "collectionFormat" => {
                simple.insert(key.to_owned(), node.value().clone());
            }
            // The schema of what is sent as JSON in one parameter.
            "content" => {
                let first = node.entries()?.into_values().next();
                if let Some(node) = first.as_ref().and_then(|entry| entry.get("schema")) {
                    stored.insert("schema".to_owned(), schema(&node)?);
                }
            }
            _ => drop(stored.insert(key.to_owned(), node.value().clone())),
        }
    }
    stored.entry("schema").or_insert(Value::Object(simple));
    Ok(stored)
}

/// The parameters that occur more than once.
pub(super) struct SharedParameters {
    pub(super) by_name: Object,
    /// A parameter's text → its name in `by_name`.
    names: BTreeMap<String, String>,
}

impl SharedParameters {
    pub(super) fn of<'a>(documents: impl Iterator<Item = &'a Object>) -> Self {
        let mut counts: BTreeMap<String, (&Value, usize)> = BTreeMap::new();
        for parameter in documents.flat_map(parameter_lists).flatten() {
            counts.entry(json::one_line(parameter)).or_insert((parameter, 0)).1 += 1;
        }
        let text = |parameter: &Value, key: &str| {
            let text = parameter.get(key).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        // A name is the same in all versions as far as it can be: it depends on what else has it, not on counting.
        let mut same_name: BTreeMap<String, usize> = BTreeMap::new();
        for (parameter, _) in counts.values() {
            *same_name.entry(text(parameter, "name")).or_default() += 1;
        }

        let (mut by_name, mut names) = (Object::new(), BTreeMap::new());
        for (key, (parameter, _)) in counts.into_iter().filter(|(_, (_, count))| *count > 1) {
            let mut name = text(parameter, "name");
            if same_name.get(&name).is_some_and(|count| *count > 1) {
                name = format!("{name}.{}", text(parameter, "in"));
            }
            // Two of them may differ in other things than where they are sent.
            let free = (2..).map(|number| format!("{name}.{number}"));
            let name = [name.clone()].into_iter().chain(free).find(|name| !by_name.contains_key(name));
            let name = name.unwrap_or_default();
            by_name.insert(name.clone(), parameter.clone());
            names.insert(key, name);
        }
        Self { by_name, names }
    }

    /// Replaces the shared ones of a list by references.
    pub(super) fn hoist(&self, list: &mut [Value]) {
        for parameter in list {
            if let Some(name) = self.names.get(&json::one_line(parameter)) {
                *parameter = json!({"$ref": format!("{PARAMETER_REFERENCE}{name}")});
            }
        }
    }
}

/// The lists of a document's paths and operations.
fn parameter_lists(document: &Object) -> Vec<&Vec<Value>> {
    let mut lists = Vec::new();
    for item in document.values().filter_map(Value::as_object) {
        lists.extend(item.get("parameters").and_then(Value::as_array));
        lists.extend(item.values().filter_map(|operation| operation.get("parameters")?.as_array()));
    }
    lists
}

pub(super) fn for_each_parameter_list(document: &mut Object, change: &mut impl FnMut(&mut Vec<Value>)) {
    for item in document.values_mut().filter_map(Value::as_object_mut) {
        for (key, value) in item.iter_mut() {
            let list = if key == "parameters" { Some(value) } else { value.get_mut("parameters") };
            if let Some(list) = list.and_then(Value::as_array_mut) {
                change(list);
            }
        }
    }
}
