//! From upstream's `OpenAPI` documents to the files that are stored: facts without prose, each once.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Files, json,
    load::{PARAMETER_REFERENCE, PARAMETERS},
    media_type,
    node::Node,
};
use crate::Error;

/// Keywords of paths, operations, parameters, bodies and answers that hold prose, not facts.
const PROSE: [&str; 4] = ["description", "externalDocs", "summary", "tags"];
/// The same of schemas.
const SCHEMA_PROSE: [&str; 4] = ["description", "example", "externalDocs", "title"];
const KINDS: &str = "x-kubernetes-group-version-kind";
/// Schemas every document has, each with the kinds of its own group version only.
const PARTIAL_KINDS: [&str; 2] =
    ["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent"];

type Object = Map<String, Value>;

/// Turns upstream `OpenAPI` v3 documents, by the name a server has for them (`apis/apps/v1`), into files to store.
///
/// Those are the files with `OpenAPI`'s facts: `SOURCE` and `protobuf.txt` are the caller's.
pub fn intake(documents: &BTreeMap<String, String>) -> Result<Files, Error> {
    let mut paths = BTreeMap::new();
    let mut schemas = Schemas::default();
    for (name, text) in documents {
        let value: Value =
            serde_json::from_str(text).map_err(|error| Error::file(name, format!("not JSON: {error}")))?;
        let root = Node::root(name, &value);
        paths.insert(stored_name(name), document(&root.require("paths")?)?);
        if let Some(found) = root.get("components").and_then(|components| components.get("schemas")) {
            for (schema_name, node) in found.entries()? {
                schemas.add(schema_name, &node)?;
            }
        }
    }
    if paths.len() < documents.len() {
        return Err(Error::file("documents", "two names differ in `/` and `.` only"));
    }

    let shared = SharedParameters::of(paths.values())?;
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

/// The name of the document that a file of the upstream repository holds: `apis__apps__v1_openapi.json` is `apis/apps/v1`.
pub fn document_name(file_name: &str) -> Option<String> {
    Some(file_name.strip_suffix("_openapi.json")?.replace("__", "/"))
}

/// `/` would make folders, and a leading dot would hide the file.
fn stored_name(document: &str) -> String {
    document.replace('/', ".").trim_matches('.').to_owned()
}

fn document(paths: &Node<'_>) -> Result<Object, Error> {
    let mut stored = Object::new();
    for (path, item) in paths.entries()? {
        let mut methods = Object::new();
        for (key, node) in facts(&item, &PROSE)? {
            let value = if key == "parameters" { parameters(&node)? } else { operation(&node)? };
            methods.insert(key.to_owned(), value);
        }
        stored.insert(path.to_owned(), Value::Object(methods));
    }
    Ok(stored)
}

fn operation(node: &Node<'_>) -> Result<Value, Error> {
    let mut stored = Object::new();
    for (key, node) in facts(node, &PROSE)? {
        let value = match key {
            "parameters" => parameters(&node)?,
            "requestBody" => with_content(&node)?,
            "responses" => {
                let answers = node.entries()?;
                let answers = answers.iter().map(|(code, answer)| Ok(((*code).to_owned(), with_content(answer)?)));
                Value::Object(answers.collect::<Result<_, Error>>()?)
            }
            _ => node.value().clone(),
        };
        stored.insert(key.to_owned(), value);
    }
    Ok(Value::Object(stored))
}

fn parameters(node: &Node<'_>) -> Result<Value, Error> {
    node.items()?.iter().map(with_schema).collect::<Result<_, _>>().map(Value::Array)
}

/// A parameter, or one media type's entry of a `content` map.
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

/// Strips prose from a schema's keywords, and from those of its parts; a property's name is not a keyword.
fn schema(node: &Node<'_>) -> Result<Value, Error> {
    let mut stored = Object::new();
    for (key, node) in facts(node, &SCHEMA_PROSE)? {
        let value = match key {
            "properties" => {
                let properties = node.entries()?;
                let properties = properties.iter().map(|(name, node)| Ok(((*name).to_owned(), schema(node)?)));
                Value::Object(properties.collect::<Result<_, Error>>()?)
            }
            "allOf" | "anyOf" | "oneOf" => Value::Array(node.items()?.iter().map(schema).collect::<Result<_, _>>()?),
            "items" | "not" => schema(&node)?,
            "additionalProperties" if node.value().is_object() => schema(&node)?,
            _ => node.value().clone(),
        };
        stored.insert(key.to_owned(), value);
    }
    Ok(Value::Object(stored))
}

/// The entries of `node` without those in `prose`.
fn facts<'a>(node: &Node<'a>, prose: &[&str]) -> Result<Vec<(&'a str, Node<'a>)>, Error> {
    Ok(node.entries()?.into_iter().filter(|(key, _)| !prose.contains(key)).collect())
}

/// The schemas of all documents, each once.
#[derive(Default)]
struct Schemas {
    /// Package → short name → schema.
    packages: BTreeMap<String, Object>,
}

impl Schemas {
    fn add(&mut self, name: &str, node: &Node<'_>) -> Result<(), Error> {
        let Some((package, short)) = name.rsplit_once('.') else {
            return Err(node.error(format!("the schema's name `{name}` has no package")));
        };
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

/// The parameters that occur more than once.
struct SharedParameters {
    by_name: Object,
    /// A parameter's text → its name in `by_name`.
    names: BTreeMap<String, String>,
}

impl SharedParameters {
    fn of<'a>(documents: impl Iterator<Item = &'a Object>) -> Result<Self, Error> {
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
            if by_name.insert(name.clone(), parameter.clone()).is_some() {
                return Err(Error::file(PARAMETERS, format!("two parameters would have the name `{name}`")));
            }
            names.insert(key, name);
        }
        Ok(Self { by_name, names })
    }

    /// Replaces the shared ones of a list by references.
    fn hoist(&self, list: &mut [Value]) {
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

fn for_each_parameter_list(document: &mut Object, change: &mut impl FnMut(&mut Vec<Value>)) {
    for item in document.values_mut().filter_map(Value::as_object_mut) {
        for (key, value) in item.iter_mut() {
            let list = if key == "parameters" { Some(value) } else { value.get_mut("parameters") };
            if let Some(list) = list.and_then(Value::as_array_mut) {
                change(list);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load;

    const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

    /// A document with one path, and `DeleteOptions` with the kind of its own group.
    fn document(group: &str, pod: &Value) -> String {
        let schema = json!({"schema": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Pod"}});
        let content = json!({"application/json": schema, "application/yaml": schema, "text/plain": schema});
        let text = json!({"type": "string"});
        let parameter =
            |name: &str, location: &str| json!({"name": name, "in": location, "description": group, "schema": text});
        let kinds = json!([{"group": group, "kind": "DeleteOptions", "version": "v1"}]);
        json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes"},
            "components": {"schemas": {
                "io.k8s.api.core.v1.Pod": pod,
                format!("{META}.DeleteOptions"): {"type": "object", KINDS: kinds},
            }},
            "paths": {format!("/apis/{group}/v1/pods/{{name}}"): {
                "parameters": [parameter("name", "path"), parameter("pretty", "query")],
                "get": {
                    "description": "Reads.", "summary": "Reads.", "tags": [group],
                    "operationId": format!("read{group}"),
                    "parameters": [parameter(group, "query")],
                    "responses": {"200": {"description": "OK", "content": content}, "401": {"description": "No."}},
                    "x-kubernetes-action": "get",
                },
            }},
        })
        .to_string()
    }

    fn pod() -> Value {
        json!({
            "description": "A pod.",
            "type": "object",
            "required": ["description"],
            "properties": {
                "description": {"description": "Prose.", "default": {"description": "a value, not prose"}},
                "items": {"description": "A map.", "additionalProperties": {"description": "Prose.", "type": "string"}},
            },
        })
    }

    fn documents() -> BTreeMap<String, String> {
        ["a", "b"].map(|group| (format!("apis/{group}/v1"), document(group, &pod()))).into()
    }

    #[test]
    fn prose_goes_and_facts_stay() {
        let files = intake(&documents()).unwrap();
        assert_eq!(
            files["schemas/io.k8s.api.core.v1.json"],
            r#"{
  "Pod": {
    "properties": {
      "description": {"default": {"description": "a value, not prose"}},
      "items": {"additionalProperties": {"type": "string"}}
    },
    "required": ["description"],
    "type": "object"
  }
}
"#
        );
        assert_eq!(
            files["paths/apis.a.v1.json"],
            r##"{
  "/apis/a/v1/pods/{name}": {
    "get": {
      "operationId": "reada",
      "parameters": [{"in": "query", "name": "a", "schema": {"type": "string"}}],
      "responses": {
        "200": {
          "content": {"json,yaml,text/plain": {"schema": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Pod"}}}
        },
        "401": {}
      },
      "x-kubernetes-action": "get"
    },
    "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/pretty"}]
  }
}
"##
        );
    }

    #[test]
    fn repeated_parameters_are_stored_once() {
        assert_eq!(
            intake(&documents()).unwrap()[PARAMETERS],
            r#"{
  "name": {"in": "path", "name": "name", "schema": {"type": "string"}},
  "pretty": {"in": "query", "name": "pretty", "schema": {"type": "string"}}
}
"#
        );
    }

    #[test]
    fn partial_lists_of_kinds_are_joined() {
        let files = intake(&documents()).unwrap();
        assert_eq!(
            files[&format!("schemas/{META}.json")],
            r#"{
  "DeleteOptions": {
    "type": "object",
    "x-kubernetes-group-version-kind": [
      {"group": "a", "kind": "DeleteOptions", "version": "v1"},
      {"group": "b", "kind": "DeleteOptions", "version": "v1"}
    ]
  }
}
"#
        );
    }

    #[test]
    fn another_difference_between_documents_is_an_error() {
        let mut documents = documents();
        documents.insert("apis/b/v1".to_owned(), document("b", &json!({"type": "string"})));
        assert_eq!(
            intake(&documents).unwrap_err().to_string(),
            "apis/b/v1: $.components.schemas[\"io.k8s.api.core.v1.Pod\"]: `io.k8s.api.core.v1.Pod` differs from the \
             schema of the same name in a document before this one"
        );
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        let error = intake(&BTreeMap::from([("version".to_owned(), "{".to_owned())])).unwrap_err().to_string();
        assert!(error.starts_with("version: not JSON: EOF"), "{error}");
    }

    #[test]
    fn the_same_documents_make_the_same_files_and_those_can_be_loaded() {
        let mut files = intake(&documents()).unwrap();
        assert_eq!(intake(&documents()).unwrap(), files);
        files.insert("SOURCE".to_owned(), "version: 1.37.0\nopenapi: a test\n".to_owned());
        files.insert("protobuf.txt".to_owned(), String::new());
        let spec = load(&files).unwrap();
        let operation = spec.operations().next().unwrap();
        assert_eq!(operation.parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["name", "pretty", "a"]);
        let answer = &operation.answers[&200];
        assert_eq!(answer.schema_name(), Some("io.k8s.api.core.v1.Pod"));
        assert_eq!(answer.contents[0].media_types, ["application/json", "application/yaml", "text/plain"]);
    }

    #[test]
    fn upstream_file_names_name_documents() {
        assert_eq!(document_name("apis__apps__v1_openapi.json").as_deref(), Some("apis/apps/v1"));
        assert_eq!(document_name("README.md"), None);
        assert_eq!(stored_name(".well-known/openid-configuration"), "well-known.openid-configuration");
    }
}
