//! Specs from a few lines of text.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{collections::BTreeMap, fmt::Write as _};

use k8s_client_codegen::{
    Error,
    spec::{self, Files, Spec},
};
use serde_json::{Map, Value, json};

/// The lines of `golden/spec.txt`'s form that a version has, as a spec.
pub(crate) fn spec(version: &str, lines: &str) -> Result<Spec, Error> {
    spec::load(&files(version, lines))
}

/// The files of that spec, as they are stored.
pub(crate) fn files(version: &str, lines: &str) -> Files {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    let mut messages: BTreeMap<String, String> = BTreeMap::new();
    for line in lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words[0] != "all" && words[0] != version {
            continue;
        }
        let (method, action, path, kind, body, answer) = match *words.as_slice() {
            [_, "field", name, field, text] => {
                schema_of(&mut schemas, name)["properties"][field] = schema(text);
                continue;
            }
            [_, "type", name, text] => {
                let keywords = schema(text);
                let keywords = keywords.as_object().expect("keywords").clone();
                schema_of(&mut schemas, name).as_object_mut().expect("a schema").extend(keywords);
                continue;
            }
            [_, "number", name, ref number @ ..] => {
                let fields = messages.entry(full(name)).or_default();
                let expanded = number.iter().map(|word| match word.strip_prefix('@') {
                    Some(name) => message(&full(name)),
                    None => (*word).to_owned(),
                });
                let _ = writeln!(fields, "  {}", expanded.collect::<Vec<_>>().join(" "));
                continue;
            }
            [_, method, action, path, kind, body, answer] => (method, action, path, kind, body, answer),
            _ => panic!("{line}"),
        };
        for name in [body, answer].into_iter().filter(|name| !["-", "~"].contains(name)) {
            schema_of(&mut schemas, name);
        }
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method.to_lowercase()] = operation(action, path, kind, body, answer);
    }
    for (package, types) in &schemas {
        for name in types.as_object().into_iter().flat_map(Map::keys) {
            messages.entry(format!("{package}.{name}")).or_default();
        }
    }
    let messages = messages.iter().fold(String::new(), |mut text, (name, fields)| {
        let _ = write!(text, "{}\n{fields}", message(name));
        text
    });
    let mut files = Files::from([
        ("SOURCE".to_owned(), format!("version: {version}.0\nopenapi: made by hand\n")),
        ("protobuf.txt".to_owned(), messages),
        ("parameters.json".to_owned(), "{}".to_owned()),
        ("paths/hand.made.json".to_owned(), Value::Object(paths).to_string()),
    ]);
    schemas.into_iter().for_each(|(package, schemas)| {
        files.insert(format!("schemas/{package}.json"), schemas.to_string());
    });
    files
}

/// The schema of a type among those of all packages.
fn schema_of<'a>(schemas: &'a mut Map<String, Value>, name: &str) -> &'a mut Value {
    let (package, name) = full(name).rsplit_once('.').map(|(p, n)| (p.to_owned(), n.to_owned())).unwrap();
    let package = schemas.entry(package).or_insert_with(|| json!({}));
    let schema = &mut package[name];
    if schema.is_null() {
        *schema = json!({"type": "object"});
    }
    schema
}

/// A schema, of which references begin with an `@`.
fn schema(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).expect("a schema is JSON");
    expand(&mut value);
    value
}

fn expand(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix('@') {
                *text = format!("#/components/schemas/{}", full(name));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(expand),
        Value::Object(fields) => fields.values_mut().for_each(expand),
        _ => {}
    }
}

fn operation(action: &str, path: &str, kind: &str, body: &str, answer: &str) -> Value {
    let mut parts = path.trim_start_matches("/apis/").trim_start_matches("/api/").split('/');
    let group = if path.starts_with("/apis/") { parts.next().unwrap() } else { "" };
    let parameter =
        |name: &str, place: &str| json!({"name": name, "in": place, "required": true, "schema": {"type": "string"}});
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names.map(|name| parameter(name, "path")).collect();
    parameters.extend((action == "list").then(|| parameter("watch", "query")));
    let schema = |name: &str| match name {
        "~" => json!({"type": "string"}),
        name => json!({"$ref": format!("#/components/schemas/{}", full(name))}),
    };
    let mut operation = json!({
        "operationId": format!("{action} {path}"),
        "parameters": parameters,
        "responses": {"200": {"content": {"json": {"schema": schema(answer)}}}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": group, "version": parts.next(), "kind": kind},
    });
    if action == "patch" {
        operation["requestBody"] =
            json!({"content": {"apply-patch+yaml,merge-patch+json": {"schema": {"type": "object"}}}});
    } else if body != "-" {
        operation["requestBody"] = json!({"content": {"*/*": {"schema": schema(body)}}});
    }
    operation
}

/// The name that a type has in protobuf.
fn message(name: &str) -> String {
    name.replacen("io.k8s.", "k8s.io.", 1)
}

fn full(name: &str) -> String {
    match name.strip_prefix("meta.") {
        Some(rest) => format!("io.k8s.apimachinery.pkg.apis.meta.{rest}"),
        None if name.starts_with("com.") => name.to_owned(),
        None => format!("io.k8s.api.{name}"),
    }
}
