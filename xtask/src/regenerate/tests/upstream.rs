//! A source tree of Kubernetes, made of the facts that `api-specs` has of a version: what `spec update --from-dir`
//! reads.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use k8s_client_codegen::spec::{Files, proto::Table};
use serde_json::{Map, Value, json};

/// The facts of a version in a form that is easy to change.
pub(super) struct Upstream {
    /// Paths by document: `apis.apps.v1`.
    pub(super) documents: BTreeMap<String, Map<String, Value>>,
    /// Schemas by full name.
    pub(super) schemas: Map<String, Value>,
    /// Lines of fields by message, as `protobuf.txt` has them.
    pub(super) messages: BTreeMap<String, Vec<String>>,
}

impl Upstream {
    /// Reads the stored files of a version.
    pub(super) fn of(files: &Files) -> Self {
        let object = |text: &str| -> Map<String, Value> { serde_json::from_str(text).unwrap() };
        let parameters = object(&files["parameters.json"]);
        let mut upstream = Self { documents: BTreeMap::new(), schemas: Map::new(), messages: BTreeMap::new() };
        for (file, text) in files {
            if let Some(document) = file.strip_prefix("paths/").and_then(|name| name.strip_suffix(".json")) {
                let mut paths = object(text);
                paths.values_mut().for_each(|item| write_out(item, &parameters));
                upstream.documents.insert(document.to_owned(), paths);
            } else if let Some(package) = file.strip_prefix("schemas/").and_then(|name| name.strip_suffix(".json")) {
                upstream.schemas.extend(object(text).into_iter().map(|(name, it)| (format!("{package}.{name}"), it)));
            }
        }
        for line in files["protobuf.txt"].lines() {
            match line.strip_prefix("  ") {
                Some(field) => upstream.messages.last_entry().unwrap().get_mut().push(field.to_owned()),
                None => drop(upstream.messages.insert(line.to_owned(), Vec::new())),
            }
        }
        upstream
    }

    /// Writes the tree's files: the documents, and the definitions of messages with Go's structs beside them.
    pub(super) fn write(&self, tree: &Path) {
        let folder = tree.join("api/openapi-spec/v3");
        fs::create_dir_all(&folder).unwrap();
        for (index, (name, paths)) in self.documents.iter().enumerate() {
            // Upstream's documents have the schemas that they need, all the same wherever they are.
            let schemas = if index == 0 { self.schemas.clone() } else { Map::new() };
            let document = json!({"openapi": "3.0.0", "paths": paths, "components": {"schemas": schemas}});
            fs::write(folder.join(format!("{name}_openapi.json")), document.to_string()).unwrap();
        }
        let discovery = tree.join("api/discovery");
        fs::create_dir_all(&discovery).unwrap();
        fs::write(discovery.join("aggregated_v2.json"), r#"{"items": []}"#).unwrap();
        fs::write(discovery.join("api__v1.json"), r#"{"resources": []}"#).unwrap();
        let features = tree.join("pkg/features");
        fs::create_dir_all(&features).unwrap();
        fs::write(features.join("kube_features.go"), "package features\n").unwrap();
        let staging = tree.join("staging/src/k8s.io");
        for module in ["api", "apiextensions-apiserver", "apimachinery", "kube-aggregator"] {
            fs::create_dir_all(staging.join(module)).unwrap();
        }
        let mut packages: BTreeMap<&str, (String, String)> = BTreeMap::new();
        for (message, fields) in &self.messages {
            let (package, name) = message.rsplit_once('.').unwrap();
            let (definition, structs) = packages
                .entry(package)
                .or_insert_with(|| (format!("syntax = \"proto2\";\npackage {package};\n"), "package p\n".to_owned()));
            let _ = writeln!(definition, "message {name} {{");
            let _ = writeln!(structs, "type {name} struct {{");
            for field in fields {
                let (of_proto, of_go) = written_out(field);
                let _ = writeln!(definition, "  {of_proto}");
                let _ = writeln!(structs, "\t{of_go}");
            }
            definition.push_str("}\n");
            structs.push_str("}\n");
        }
        for (package, (definition, structs)) in packages {
            let folder = staging.join("api").join(package);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("generated.proto"), definition).unwrap();
            fs::write(folder.join("types.go"), structs).unwrap();
        }
        // The table can be read back: what a field is written out from is one of its lines.
        let lines = self
            .messages
            .iter()
            .flat_map(|(name, fields)| [name.clone()].into_iter().chain(fields.iter().map(|it| format!("  {it}"))));
        Table::parse("protobuf.txt", &lines.collect::<Vec<_>>().join("\n")).unwrap();
    }
}

/// Puts parameters where they are referred to, and a media type of its own before each schema.
fn write_out(value: &mut Value, parameters: &Map<String, Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| write_out(item, parameters)),
        Value::Object(fields) => {
            let shared =
                fields.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix("#/components/parameters/"));
            if let Some(name) = shared {
                *value = parameters[name].clone();
                return;
            }
            if let Some(Value::Object(content)) = fields.get_mut("content") {
                let full =
                    |short: &str| if short.contains('/') { short.to_owned() } else { format!("application/{short}") };
                let types = |(key, it): (&String, &Value)| {
                    key.split(',').map(|short| (full(short), it.clone())).collect::<Vec<_>>()
                };
                *content = content.iter().flat_map(types).collect();
            }
            fields.values_mut().for_each(|field| write_out(field, parameters));
        }
        _ => {}
    }
}

/// A line of `protobuf.txt` as a field of a definition and of a struct.
fn written_out(line: &str) -> (String, String) {
    let (number, rest) = line.split_once(' ').unwrap();
    let (name, rest) = rest.split_once(' ').unwrap();
    let (mut kind, mut pointer, mut inline, mut omit) = (rest, "", false, String::new());
    for (word, text) in [("inline", ""), ("omitzero", ",omitzero"), ("omitempty", ",omitempty"), ("pointer", "")] {
        if let Some(shorter) = kind.strip_suffix(word) {
            kind = shorter.trim_end();
            omit.insert_str(0, text);
            inline |= word == "inline";
            pointer = if word == "pointer" { "*" } else { pointer };
        }
    }
    let full = |of: &str| if of.contains('.') { format!(".{of}") } else { of.to_owned() };
    let of_proto = match (kind.strip_prefix("map<"), kind.strip_prefix("repeated ")) {
        (Some(entry), _) => {
            let (key, value) = entry.trim_end_matches('>').split_once(", ").unwrap();
            format!("map<{key}, {}>", full(value))
        }
        (_, Some(of)) => format!("repeated {}", full(of)),
        _ => format!("optional {}", full(kind)),
    };
    let go_name = if inline { "" } else { "Field " };
    let json_name = if inline { "" } else { name };
    (
        // The name in JSON, which Go's struct has, is not always one in protobuf.
        format!("{of_proto} {} = {number};", name.replace(['$', '-'], "_")),
        format!("{go_name}{pointer}T `json:\"{json_name}{omit}\" protobuf:\"bytes,{number},opt,name={name}\"`"),
    )
}
