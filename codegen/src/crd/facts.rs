//! Definitions as tests store them: what types and clients follow from, without prose and without rules about values.

use serde_json::{Map, Value, json};

use super::{types::QUANTITY, yaml::documents};
use crate::{Error, spec::json};

/// What is kept of a schema, beside the schemas in it.
const OF_SCHEMAS: [&str; 13] = [
    "default",
    "enum",
    "format",
    "nullable",
    "required",
    "type",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "additionalProperties",
];

/// The definitions of a file as texts of JSON, by their names (`certificates.cert-manager.io`).
///
/// # Errors
///
/// When the file cannot be read.
pub fn facts(file: &str, text: &str) -> Result<Vec<(String, String)>, Error> {
    let documents = documents(file, text)?;
    let definitions = documents.iter().filter(|document| document.value["kind"] == "CustomResourceDefinition");
    let facts = definitions.map(|document| {
        let object = &document.value;
        let spec = kept(&object["spec"], &["group", "names", "preserveUnknownFields", "scope"]);
        let versions: Vec<Value> = object["spec"]["versions"].as_array().into_iter().flatten().map(version).collect();
        let mut spec = spec;
        spec.insert("versions".to_owned(), versions.into());
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let object = json!({
            "apiVersion": object["apiVersion"],
            "kind": object["kind"],
            "metadata": {"name": name},
            "spec": spec,
        });
        (name, json::render(&object))
    });
    Ok(facts.collect())
}

fn kept(value: &Value, names: &[&str]) -> Map<String, Value> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| names.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn version(value: &Value) -> Value {
    let mut version = kept(value, &["deprecated", "name", "selectableFields", "served", "storage", "subresources"]);
    if value["schema"]["openAPIV3Schema"].is_object() {
        version.insert("schema".to_owned(), json!({"openAPIV3Schema": schema(&value["schema"]["openAPIV3Schema"])}));
    }
    version.into()
}

fn schema(value: &Value) -> Value {
    let mut facts = kept(value, &OF_SCHEMAS);
    // It says whether it is a quantity.
    if value["pattern"].as_str().is_some_and(|pattern| pattern.contains(QUANTITY)) {
        facts.extend(kept(value, &["pattern"]));
    }
    for name in ["items", "additionalProperties"] {
        if value[name].is_object() {
            facts.insert(name.to_owned(), schema(&value[name]));
        }
    }
    if let Some(properties) = value["properties"].as_object() {
        let properties: Map<String, Value> =
            properties.iter().map(|(name, property)| (name.clone(), schema(property))).collect();
        facts.insert("properties".to_owned(), properties.into());
    }
    facts.into()
}
