//! From the stored files of a version to a [`Spec`], with all references followed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Action, Answer, Body, Content, Files, GroupVersionKind, Location, Method, Operation, Parameter, Schema, Spec, Type,
    discovery::{self, Discovery},
    intake::NO_PACKAGE,
    markers::{self, Markers},
    media_type,
    node::Node,
    placeholders, proto, source,
};
use crate::Error;

/// The file of the parameters that operations share, and what a reference to one begins with.
pub(super) const PARAMETERS: &str = "parameters.json";
pub(super) const PARAMETER_REFERENCE: &str = "#/components/parameters/";

/// Reads the stored files of a version. An error names the file and the JSON path of the first thing that is wrong.
pub fn load(files: &Files) -> Result<Spec, Error> {
    let text = |name: &str| files.get(name).ok_or_else(|| Error::file(name, "the file is missing"));
    let source = text(source::FILE)?.parse()?;
    let protobuf = proto::Table::parse(proto::FILE, text(proto::FILE)?)?;
    protobuf.check_embedded(proto::FILE)?;

    let json = parse(files)?;
    let schemas = read_schemas(&json)?;
    let context =
        Context { schemas: schemas.keys().cloned().collect(), parameters: shared_parameters(&json, &schemas)? };
    let mut documents = BTreeMap::new();
    for (file, value) in &json {
        if let Some(name) = file.strip_prefix("paths/").and_then(|name| name.strip_suffix(".json")) {
            documents.insert(name.to_owned(), context.document(name, &Node::root(file, value))?);
        }
    }
    let discovery = json.get(discovery::FILE).map(|value| Discovery::load(&Node::root(discovery::FILE, value)));
    let markers = json.get(markers::FILE).map(|value| Markers::load(&Node::root(markers::FILE, value)));
    Ok(Spec {
        source,
        documents,
        schemas,
        discovery: discovery.transpose()?.unwrap_or_default(),
        markers: markers.transpose()?,
        protobuf,
    })
}

/// The schemas in the stored files of a version, by full name.
pub fn schemas(files: &Files) -> Result<BTreeMap<String, Schema>, Error> {
    read_schemas(&parse(files)?)
}

fn parse(files: &Files) -> Result<BTreeMap<&str, Value>, Error> {
    let mut values = BTreeMap::new();
    for (file, text) in files.iter().filter(|(file, _)| file.strip_suffix(".json").is_some()) {
        let value = serde_json::from_str(text).map_err(|error| Error::file(file, format!("not JSON: {error}")))?;
        values.insert(file.as_str(), value);
    }
    Ok(values)
}

fn read_schemas(json: &BTreeMap<&str, Value>) -> Result<BTreeMap<String, Schema>, Error> {
    let mut nodes = BTreeMap::new();
    for (file, value) in json {
        if let Some(package) = file.strip_prefix("schemas/").and_then(|name| name.strip_suffix(".json")) {
            for (name, node) in Node::root(file, value).entries()? {
                let full = if package == NO_PACKAGE { name.to_owned() } else { format!("{package}.{name}") };
                nodes.insert(full, node);
            }
        }
    }
    let known = nodes.keys().cloned().collect();
    let mut schemas = BTreeMap::new();
    for (name, node) in &nodes {
        schemas.insert(name.clone(), Schema::read(node, &known)?);
    }
    for (name, node) in &nodes {
        check_ends(name, node, &schemas)?;
    }
    Ok(schemas)
}

/// A type that stands for another must lead to one that stands for itself: an object, or a scalar in the end.
fn check_ends(name: &str, node: &Node<'_>, schemas: &BTreeMap<String, Schema>) -> Result<(), Error> {
    let (mut seen, mut next) = (BTreeSet::new(), Some(name));
    while let Some(name) = next {
        if !seen.insert(name) {
            return Err(node.error(format!("`{name}` stands for itself: the references have no end")));
        }
        let schema = schemas.get(name).filter(|schema| schema.kind != Some(Type::Object));
        next = schema.and_then(Schema::stands_for);
    }
    Ok(())
}

fn shared_parameters(
    json: &BTreeMap<&str, Value>,
    schemas: &BTreeMap<String, Schema>,
) -> Result<BTreeMap<String, Parameter>, Error> {
    let Some(value) = json.get(PARAMETERS) else {
        return Err(Error::file(PARAMETERS, "the file is missing"));
    };
    let known = schemas.keys().cloned().collect();
    let entries = Node::root(PARAMETERS, value).entries()?;
    entries.iter().map(|(name, node)| Ok(((*name).to_owned(), parameter(node, &known)?))).collect()
}

/// What paths refer to.
struct Context {
    schemas: BTreeSet<String>,
    parameters: BTreeMap<String, Parameter>,
}

impl Context {
    fn document(&self, name: &str, root: &Node<'_>) -> Result<Vec<Operation>, Error> {
        let mut operations = Vec::new();
        for (path, item) in root.entries()? {
            let shared = item.get("parameters").map(|node| self.parameters(&node)).transpose()?.unwrap_or_default();
            let first = operations.len();
            for (key, node) in item.entries()?.into_iter().filter(|(key, _)| *key != "parameters") {
                let method = Method::parse(key).ok_or_else(|| node.error(format!("unknown HTTP method `{key}`")))?;
                operations.push(self.operation(name, path, method, &shared, &node)?);
            }
            operations[first..].sort_by_key(|operation| operation.method);
        }
        Ok(operations)
    }

    fn operation(
        &self,
        document: &str,
        path: &str,
        method: Method,
        shared: &[Parameter],
        node: &Node<'_>,
    ) -> Result<Operation, Error> {
        let own = node.get("parameters").map(|node| self.parameters(&node)).transpose()?.unwrap_or_default();
        let same = |a: &Parameter, b: &Parameter| a.name == b.name && a.location == b.location;
        let inherited = shared.iter().filter(|shared| !own.iter().any(|own| same(own, shared)));
        let parameters: Vec<_> = inherited.cloned().chain(own.iter().cloned()).collect();
        check_placeholders(path, &parameters, node)?;

        let mut answers = BTreeMap::new();
        let responses = node.get("responses").map(|node| node.entries()).transpose()?.unwrap_or_default();
        for (code, answer) in responses {
            let code = code.parse().map_err(|_| answer.error(format!("`{code}` is not a status code")))?;
            answers.insert(code, Answer { contents: self.contents(&answer)? });
        }
        Ok(Operation {
            document: document.to_owned(),
            path: path.to_owned(),
            method,
            id: node
                .get("operationId")
                .map_or_else(|| Ok(format!("{method} {path}")), |id| id.string().map(str::to_owned))?,
            action: node.get("x-kubernetes-action").map(|node| action(&node)).transpose()?,
            kind: node.get("x-kubernetes-group-version-kind").map(|node| group_version_kind(&node)).transpose()?,
            parameters,
            body: node.get("requestBody").map(|node| self.body(&node)).transpose()?,
            answers,
        })
    }

    fn parameters(&self, node: &Node<'_>) -> Result<Vec<Parameter>, Error> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for item in node.items()? {
            let parameter = match item.get("$ref") {
                Some(reference) => self.shared(&reference)?.clone(),
                None => parameter(&item, &self.schemas)?,
            };
            if parameters.iter().any(|other| other.name == parameter.name && other.location == parameter.location) {
                return Err(item.error(format!("the parameter `{}` is given twice", parameter.name)));
            }
            parameters.push(parameter);
        }
        Ok(parameters)
    }

    fn shared(&self, reference: &Node<'_>) -> Result<&Parameter, Error> {
        let text = reference.string()?;
        let parameter = text.strip_prefix(PARAMETER_REFERENCE).and_then(|name| self.parameters.get(name));
        parameter.ok_or_else(|| reference.error(format!("`{text}` does not refer to an entry of {PARAMETERS}")))
    }

    fn body(&self, node: &Node<'_>) -> Result<Body, Error> {
        let required = node.get("required").map(|node| node.bool()).transpose()?.unwrap_or(false);
        Ok(Body { required, contents: self.contents(node)? })
    }

    fn contents(&self, node: &Node<'_>) -> Result<Vec<Content>, Error> {
        let Some(contents) = node.get("content") else {
            return Ok(Vec::new());
        };
        let mut list = Vec::new();
        for (key, content) in contents.entries()? {
            let schema = content.get("schema").map(|node| Schema::read(&node, &self.schemas)).transpose()?;
            list.push(Content { media_types: media_type::expand(key), schema });
        }
        Ok(list)
    }
}

/// A path whose placeholder no parameter describes would make a client that cannot fill it.
fn check_placeholders(path: &str, parameters: &[Parameter], node: &Node<'_>) -> Result<(), Error> {
    let mut described: BTreeSet<&str> =
        parameters.iter().filter(|p| p.location == Location::Path).map(|p| p.name.as_str()).collect();
    for name in placeholders(path) {
        if !described.remove(name) {
            return Err(node.error(format!("no parameter describes `{{{name}}}` of the path")));
        }
    }
    match described.first() {
        Some(name) => Err(node.error(format!("the path parameter `{name}` is not in the path"))),
        None => Ok(()),
    }
}

fn parameter(node: &Node<'_>, known: &BTreeSet<String>) -> Result<Parameter, Error> {
    let location = node.require("in")?;
    let text = location.string()?;
    Ok(Parameter {
        name: node.require("name")?.string()?.to_owned(),
        location: Location::parse(text).ok_or_else(|| location.error(format!("unknown location `{text}`")))?,
        required: node.get("required").map(|node| node.bool()).transpose()?.unwrap_or(false),
        schema: Schema::read(&node.require("schema")?, known)?,
    })
}

fn action(node: &Node<'_>) -> Result<Action, Error> {
    let text = node.string()?;
    Action::parse(text).ok_or_else(|| node.error(format!("unknown x-kubernetes-action `{text}`")))
}

pub(super) fn group_version_kind(node: &Node<'_>) -> Result<GroupVersionKind, Error> {
    let text = |key| Ok::<_, Error>(node.require(key)?.string()?.to_owned());
    Ok(GroupVersionKind { group: text("group")?, version: text("version")?, kind: text("kind")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: &str = r##"{
        "/api/v1/pods/{name}": {
            "get": {
                "operationId": "readPod",
                "parameters": [{"in": "query", "name": "pretty", "required": true, "schema": {"type": "string"}}],
                "responses": {"200": {"content": {
                    "json": {"schema": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Pod"}}
                }}},
                "x-kubernetes-action": "get",
                "x-kubernetes-group-version-kind": {"group": "", "kind": "Pod", "version": "v1"}
            },
            "parameters": [
                {"in": "path", "name": "name", "required": true, "schema": {"type": "string"}},
                {"$ref": "#/components/parameters/pretty"}
            ]
        }
    }"##;
    const SCHEMAS: &str = r##"{
        "Pod": {"properties": {
            "spec": {"allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}], "default": {}},
            "labels": {"additionalProperties": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Label"}}
        }, "type": "object"},
        "PodSpec": {"type": "object"},
        "Label": {"type": "string"}
    }"##;
    const FILE: &str = "paths/api.v1.json";

    fn files(paths: &str, schemas: &str) -> Files {
        let parameters = r#"{"pretty": {"in": "query", "name": "pretty", "schema": {"type": "string"}}}"#;
        let files = [
            ("SOURCE", "version: 1.37.0\nopenapi: a test\n"),
            ("protobuf.txt", "k8s.io.api.core.v1.Label\n"),
            ("parameters.json", parameters),
            ("schemas/io.k8s.api.core.v1.json", schemas),
            (FILE, paths),
        ];
        files.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
    }

    fn error(paths: &str, schemas: &str) -> String {
        load(&files(paths, schemas)).unwrap_err().to_string()
    }

    #[test]
    fn an_operations_own_parameter_replaces_that_of_the_path() {
        let spec = load(&files(PATHS, SCHEMAS)).unwrap();
        let operation = &spec.documents["api.v1"][0];
        assert_eq!((operation.method, operation.action), (Method::Get, Some(Action::Get)));
        assert_eq!(operation.kind.as_ref().map(|kind| kind.kind.as_str()), Some("Pod"));
        let parameters: Vec<_> =
            operation.parameters.iter().map(|p| (p.name.as_str(), p.location, p.required)).collect();
        assert_eq!(parameters, [("name", Location::Path, true), ("pretty", Location::Query, true)]);
    }

    #[test]
    fn both_spellings_of_a_reference_are_one() {
        let spec = load(&files(PATHS, SCHEMAS)).unwrap();
        let pod = &spec.schemas["io.k8s.api.core.v1.Pod"];
        assert_eq!(pod.properties["spec"].reference.as_deref(), Some("io.k8s.api.core.v1.PodSpec"));
        assert!(pod.properties["spec"].all_of.is_empty());
        let references: Vec<_> = pod.references().into_iter().collect();
        assert_eq!(references, ["io.k8s.api.core.v1.Label", "io.k8s.api.core.v1.PodSpec"]);
    }

    #[test]
    fn errors_name_file_and_place() {
        let get = "paths/api.v1.json: $[\"/api/v1/pods/{name}\"].get";
        assert!(error("{", SCHEMAS).starts_with("paths/api.v1.json: not JSON: EOF"));
        assert_eq!(
            error(&PATHS.replace("core.v1.Pod\"", "core.v1.Gone\""), SCHEMAS),
            format!(
                "{get}.responses.200.content.json.schema.$ref: refers to the schema `io.k8s.api.core.v1.Gone`, \
                 which no file under schemas/ has"
            )
        );
        assert_eq!(
            error(PATHS, &SCHEMAS.replace("v1.Label", "v1.Gone")),
            "schemas/io.k8s.api.core.v1.json: $.Pod.properties.labels.additionalProperties.$ref: refers to the schema \
             `io.k8s.api.core.v1.Gone`, which no file under schemas/ has"
        );
        assert_eq!(
            error(&PATHS.replace("action\": \"get", "action\": \"look"), SCHEMAS),
            format!("{get}.x-kubernetes-action: unknown x-kubernetes-action `look`")
        );
        assert_eq!(
            error(&PATHS.replace("\"get\": {", "\"look\": {"), SCHEMAS),
            "paths/api.v1.json: $[\"/api/v1/pods/{name}\"].look: unknown HTTP method `look`"
        );
        assert_eq!(
            error(&PATHS.replace("parameters/pretty", "parameters/gone"), SCHEMAS),
            "paths/api.v1.json: $[\"/api/v1/pods/{name}\"].parameters[1].$ref: `#/components/parameters/gone` does \
             not refer to an entry of parameters.json"
        );
        assert_eq!(
            error(&PATHS.replace("pods/{name}", "pods/{pod}"), SCHEMAS),
            format!("{}: no parameter describes `{{pod}}` of the path", get.replace("{name}", "{pod}"))
        );
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let mut files = files(PATHS, SCHEMAS);
        files.remove("SOURCE");
        assert_eq!(load(&files).unwrap_err().to_string(), "SOURCE: the file is missing");
    }
}
