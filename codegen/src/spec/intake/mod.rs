//! From upstream's `OpenAPI` documents to the files that are stored: facts without prose, each once.
//!
//! Documents are Kubernetes' own and those of aggregated servers, which are less regular: they refer to parameters,
//! answers and bodies, or leave them out. What is stored has one form, which [`load`](super::load()) reads.

mod parameters;
mod references;
mod schemas;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use self::schemas::NO_PACKAGE;
use self::{
    parameters::{Parameters, SharedParameters, for_each_parameter_list},
    references::References,
    schemas::{Schemas, schema},
};
use super::{Files, Method, is_plain, json, load::PARAMETERS, media_type, node::Node};
use crate::Error;

/// Keywords of paths, operations, parameters, bodies and answers that hold prose, not facts.
const PROSE: [&str; 4] = ["description", "externalDocs", "summary", "tags"];

type Object = Map<String, Value>;

/// Turns upstream `OpenAPI` v3 documents, by the name a server has for them (`apis/apps/v1`), into files to store.
///
/// Those are the files with `OpenAPI`'s facts: `SOURCE` and `protobuf.txt` are the caller's.
///
/// # Errors
///
/// When a document says what has no stored form, or a name in it cannot be a file's. The message names document and
/// place.
pub fn intake(documents: &BTreeMap<String, String>) -> Result<Files, Error> {
    let mut paths = BTreeMap::new();
    let mut schemas = Schemas::default();
    for (name, text) in documents {
        let value: Value =
            serde_json::from_str(text).map_err(|error| Error::file(name, format!("not JSON: {error}")))?;
        let root = Node::root(name, &value);
        let references = References { root: root.clone() };
        paths.insert(stored_name(name)?, document(&root.require("paths")?, &references)?);
        if let Some(found) = root.get("components").and_then(|components| components.get("schemas")) {
            for (schema_name, node) in found.entries()? {
                schemas.add(schema_name, &node)?;
            }
        }
    }
    if paths.len() < documents.len() {
        return Err(Error::file("documents", "two names differ in `/` and `.` only"));
    }

    let shared = SharedParameters::of(paths.values());
    let mut files = Files::new();
    for (name, mut document) in paths {
        for_each_parameter_list(&mut document, &mut |list| shared.hoist(list));
        files.insert(format!("paths/{name}.json"), json::render(&Value::Object(document)));
    }
    for (package, schemas) in schemas.packages {
        files.insert(format!("schemas/{package}.json"), json::render(&Value::Object(schemas)));
    }
    files.insert(PARAMETERS.to_owned(), json::render(&Value::Object(shared.by_name)));
    Ok(files)
}

/// The name of the document that a file of the upstream repository holds: `apis__apps__v1_openapi.json` is
/// `apis/apps/v1`.
pub fn document_name(file_name: &str) -> Option<String> {
    Some(file_name.strip_suffix("_openapi.json")?.replace("__", "/"))
}

/// `/` would make folders, and a leading dot would hide the file.
fn stored_name(document: &str) -> Result<String, Error> {
    let name = document.replace('/', ".").trim_matches('.').to_owned();
    if name.split('.').all(is_plain) {
        Ok(name)
    } else {
        let problem =
            "the document's name has other characters than letters, digits, `-` and `_` between dots and slashes";
        Err(Error::file(document.escape_debug().to_string(), problem))
    }
}

fn document<'a>(paths: &Node<'a>, references: &References<'a>) -> Result<Object, Error> {
    let mut stored = Object::new();
    for (path, item) in facts(paths, &[])? {
        if !path.starts_with("x-") {
            stored.insert(path.to_owned(), Value::Object(path_item(path, &references.require(&item)?, references)?));
        }
    }
    Ok(stored)
}

fn path_item<'a>(path: &str, item: &Node<'a>, references: &References<'a>) -> Result<Object, Error> {
    let list = item.get("parameters").filter(|list| !list.value().is_null());
    let mut shared =
        list.as_ref().map(|list| Parameters::read(list, path, references)).transpose()?.unwrap_or_default();
    let mut operations = Vec::new();
    for (key, node) in facts(item, &PROSE)? {
        // What else a path may have is about the document, not about requests: `servers`, and extensions.
        if key == "parameters" || key == "servers" || key.starts_with("x-") {
            continue;
        }
        Method::parse(key).ok_or_else(|| node.error(format!("unknown HTTP method `{}`", key.escape_debug())))?;
        operations.push((key.to_owned(), Operation::read(&node, path, references)?));
    }
    let mut own: Vec<&mut Parameters> = operations.iter_mut().map(|(_, operation)| &mut operation.parameters).collect();
    shared.fit(path, &mut own);

    let mut stored = Object::new();
    if list.is_some() || !shared.list.is_empty() {
        stored.insert("parameters".to_owned(), objects(shared.list));
    }
    for (key, operation) in operations {
        let body = shared.body.as_ref().filter(|_| ["patch", "post", "put"].contains(&key.as_str()));
        let operation = operation.stored(body);
        stored.insert(key, operation);
    }
    Ok(stored)
}

/// An operation whose parameters may still change.
struct Operation {
    /// Everything but the parameters.
    stored: Object,
    /// Whether the document has a list of parameters.
    has_list: bool,
    parameters: Parameters,
}

impl Operation {
    fn read<'a>(node: &Node<'a>, path: &str, references: &References<'a>) -> Result<Self, Error> {
        let (mut stored, mut parameters) = (Object::new(), None);
        for (key, node) in facts(node, &PROSE)? {
            let value = match key {
                "parameters" => {
                    parameters = Some(Parameters::read(&node, path, references)?);
                    continue;
                }
                "requestBody" => with_content(&references.require(&node)?)?,
                "responses" => answers(&node, references)?,
                "servers" | "callbacks" => continue,
                _ => node.value().clone(),
            };
            stored.insert(key.to_owned(), value);
        }
        Ok(Self { stored, has_list: parameters.is_some(), parameters: parameters.unwrap_or_default() })
    }

    /// The form to store, given what the path says of the request's body.
    fn stored(self, body: Option<&Value>) -> Value {
        let mut stored = self.stored;
        if self.has_list {
            stored.insert("parameters".to_owned(), objects(self.parameters.list));
        }
        if let Some(body) = self.parameters.body.as_ref().or(body) {
            stored.entry("requestBody").or_insert_with(|| body.clone());
        }
        Value::Object(stored)
    }
}

fn objects(list: Vec<Object>) -> Value {
    list.into_iter().map(Value::Object).collect()
}

/// The answers by status code. `2XX` stands for 200; `default`, and other groups of codes, are errors.
fn answers<'a>(node: &Node<'a>, references: &References<'a>) -> Result<Value, Error> {
    let mut stored = Object::new();
    for (code, answer) in facts(node, &[])? {
        let code = match code {
            "2XX" | "2xx" => "200",
            "default" => continue,
            group if group.ends_with("XX") || group.ends_with("xx") || group.starts_with("x-") => continue,
            code => code,
        };
        let answer = with_content(&references.require(&answer)?)?;
        stored.entry(code).or_insert(answer);
    }
    Ok(Value::Object(stored))
}

/// One media type's entry of a `content` map.
fn with_schema(node: &Node<'_>) -> Result<Value, Error> {
    let mut stored = Object::new();
    for (key, node) in facts(node, &PROSE)? {
        let value = if key == "schema" { schema(&node)? } else { node.value().clone() };
        stored.insert(key.to_owned(), value);
    }
    Ok(Value::Object(stored))
}

/// A request's body or an answer.
fn with_content(node: &Node<'_>) -> Result<Value, Error> {
    let mut stored = Object::new();
    for (key, node) in facts(node, &PROSE)? {
        let value = if key == "content" { content(&node)? } else { node.value().clone() };
        stored.insert(key.to_owned(), value);
    }
    Ok(Value::Object(stored))
}

/// Joins the media types that have the same schema under one key.
fn content(node: &Node<'_>) -> Result<Value, Error> {
    let mut groups: BTreeMap<String, (Value, Vec<&str>)> = BTreeMap::new();
    for (media_type, entry) in node.entries()? {
        let value = with_schema(&entry)?;
        groups.entry(json::one_line(&value)).or_insert_with(|| (value, Vec::new())).1.push(media_type);
    }
    let mut stored = Object::new();
    for (value, media_types) in groups.into_values() {
        let key = media_type::join(media_types)
            .map_err(|media_type| node.error(format!("cannot store the media type `{media_type}`")))?;
        stored.insert(key, value);
    }
    Ok(Value::Object(stored))
}

/// The entries of `node` without those in `prose`, and without those that are null, which say nothing but in a
/// `default`.
fn facts<'a>(node: &Node<'a>, prose: &[&str]) -> Result<Vec<(&'a str, Node<'a>)>, Error> {
    let is_fact =
        |(key, node): &(&str, Node<'_>)| !prose.contains(key) && (*key == "default" || !node.value().is_null());
    Ok(node.entries()?.into_iter().filter(is_fact).collect())
}

#[cfg(test)]
mod tests;
