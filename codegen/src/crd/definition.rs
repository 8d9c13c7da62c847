//! CustomResourceDefinitions: what a definition says of its resource, checked as far as the generator relies on it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Operations, yaml::documents};
use crate::{
    Error,
    model::Scope,
    spec::{Schema, Type, node::Node},
};

/// A resource as its definition describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The file that it comes from.
    pub file: String,
    /// `cert-manager.io`
    pub group: String,
    /// Whether its objects live in namespaces.
    pub scope: Scope,
    /// What it is called.
    pub names: DefinitionNames,
    /// Its versions, in the order of the definition.
    pub versions: Vec<DefinitionVersion>,
}

/// What a resource is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionNames {
    /// `Certificate`
    pub kind: String,
    /// `CertificateList`
    pub list_kind: String,
    /// `certificates`
    pub plural: String,
    /// `certificate`
    pub singular: String,
    /// `cert`
    pub short_names: Vec<String>,
    /// `all`
    pub categories: Vec<String>,
}

/// One version of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct DefinitionVersion {
    /// `v1`
    pub name: String,
    /// Whether servers have it.
    pub served: bool,
    /// Whether it is on its way out, and what servers say then.
    pub deprecated: Option<String>,
    /// The schema of a whole object.
    pub schema: Schema,
    /// Whether the status is a subresource.
    pub has_status: bool,
    /// Whether there is a scale.
    pub has_scale: bool,
    /// What can be done with it, if that is not what a server has for every custom resource.
    pub(super) operations: Option<Operations>,
    /// Where it stands in the file.
    pub location: String,
}

impl Definition {
    /// The definitions in a file of YAML or JSON, which may have many documents, lists, and objects of other kinds.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or definitions are not such that a server would take: all of them are named.
    pub fn read(file: &str, text: &str) -> Result<Vec<Self>, Error> {
        let mut reader = Reader::default();
        reader.text(file, text);
        reader.finish()
    }
}

/// Reads definitions of several files or answers, and says all that is wrong with them at once.
#[derive(Debug, Default)]
pub struct Reader {
    groups: Vec<String>,
    found: usize,
    definitions: Vec<Definition>,
    errors: Vec<Error>,
}

impl Reader {
    /// Reads the definitions of these groups alone, or of all if none is named. What other groups have may be wrong.
    pub fn new(groups: &[String]) -> Self {
        Self { groups: groups.to_owned(), ..Self::default() }
    }

    /// Reads a file of YAML or JSON, which may have many documents, lists, and objects of other kinds.
    pub fn text(&mut self, file: &str, text: &str) {
        match documents(file, text) {
            Ok(documents) => documents.iter().for_each(|document| self.value(&document.place, &document.value)),
            Err(error) => self.errors.push(error),
        }
    }

    /// Reads an object or a list that a server answered with. `source` is for messages.
    pub fn value(&mut self, source: &str, value: &Value) {
        if let Err(error) = self.object(source, &Node::root(source, value)) {
            self.errors.push(error);
        }
    }

    /// Takes what is wrong with a file that cannot even be opened.
    pub fn error(&mut self, error: Error) {
        self.errors.push(error);
    }

    /// How many definitions there were, those of other groups included.
    pub fn found(&self) -> usize {
        self.found
    }

    /// What was read.
    ///
    /// # Errors
    ///
    /// When something was wrong: all of it, a line each.
    pub fn finish(self) -> Result<Vec<Definition>, Error> {
        Error::all(self.errors)?;
        Ok(self.definitions)
    }

    fn object(&mut self, file: &str, node: &Node<'_>) -> Result<(), Error> {
        let text = |key| node.value()[key].as_str().unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        match (api_version.split_once('/'), kind) {
            (Some((GROUP, "v1")), "CustomResourceDefinition") => self.definition(file, node),
            (Some((GROUP, "v1")), "CustomResourceDefinitionList") | (None, "List") => {
                for item in node.get("items").map_or_else(|| Ok(Vec::new()), |items| items.items())? {
                    // A name says more than a number in the list of a whole server.
                    let named = item.value()["metadata"]["name"].as_str().map(|name| format!("{file} ({name})"));
                    let (file, item) = match &named {
                        Some(named) => (named.as_str(), Node::root(named, item.value())),
                        None => (file, item),
                    };
                    let in_list = item.value()["kind"].is_null() && kind != "List";
                    if in_list {
                        self.definition(file, &item);
                    } else if let Err(error) = self.object(file, &item) {
                        self.errors.push(error);
                    }
                }
            }
            (Some((GROUP, version)), "CustomResourceDefinition" | "CustomResourceDefinitionList") => {
                return Err(node.error(format!(
                    "is of {GROUP}/{version}, which no server since Kubernetes 1.22 takes: convert it to {GROUP}/v1, where each \
                     version has its schema, or take the definition from a server that has it (`kubectl get crd NAME -o yaml`)"
                )));
            }
            // What else an installation consists of.
            _ => {}
        }
        Ok(())
    }

    fn definition(&mut self, file: &str, node: &Node<'_>) {
        self.found += 1;
        let group = node.value()["spec"]["group"].as_str();
        if self.groups.is_empty() || group.is_none_or(|group| self.groups.iter().any(|wanted| wanted == group)) {
            match definition(file, node) {
                Ok(definition) => self.definitions.push(definition),
                Err(error) => self.errors.push(error),
            }
        }
    }
}

const GROUP: &str = "apiextensions.k8s.io";

/// A text that is there and not empty.
fn text(node: &Node<'_>, key: &str) -> Result<String, Error> {
    let value = node.require(key)?;
    match value.string()? {
        "" => Err(value.error("is empty")),
        text => Ok(text.to_owned()),
    }
}

fn texts(node: &Node<'_>, key: &str) -> Result<Vec<String>, Error> {
    match node.get(key).filter(|node| !node.value().is_null()) {
        Some(node) => node.strings(),
        None => Ok(Vec::new()),
    }
}

fn flag(node: &Node<'_>, key: &str) -> Result<bool, Error> {
    match node.get(key).filter(|node| !node.value().is_null()) {
        Some(node) => node.bool(),
        None => Ok(false),
    }
}

/// Refuses what is not a label or, with dots, not a subdomain of DNS: no name of the API is otherwise.
fn check(node: &Node<'_>, key: &str, name: &str, dots: bool) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(plain) && !label.starts_with('-') && !label.ends_with('-');
    if if dots { name.split('.').all(is_label) } else { is_label(name) } {
        return Ok(());
    }
    let what = if dots { "letters, digits, dashes and dots" } else { "letters, digits and dashes" };
    let place = node.require(key)?;
    Err(place.error(format!("`{}` cannot be a name of the API: it needs {what}", name.escape_debug())))
}

fn definition(file: &str, node: &Node<'_>) -> Result<Definition, Error> {
    let spec = node.require("spec")?;
    if ["group", "names", "scope"].iter().all(|key| spec.get(key).is_none()) {
        return Err(spec.error(
            "has no group, names and scope: this is a part of a definition, such as a patch of kustomize. Leave the file out, \
             or give what `kubectl kustomize` makes of all parts",
        ));
    }
    let group = text(&spec, "group")?;
    check(&spec, "group", &group, true)?;
    let names = names(&spec.require("names")?)?;
    let scope = spec.require("scope")?;
    let scope = match scope.string()? {
        "Namespaced" => Scope::Namespaced,
        "Cluster" => Scope::Cluster,
        other => {
            return Err(scope.error(format!("is `{}`; a scope is `Namespaced` or `Cluster`", other.escape_debug())));
        }
    };
    if flag(&spec, "preserveUnknownFields")? {
        return Err(spec.require("preserveUnknownFields")?.error(
            "is true, which servers no longer take: set it to false, and `x-kubernetes-preserve-unknown-fields: true` in the \
             schema where unknown fields are kept",
        ));
    }
    let place = spec.require("versions")?;
    let versions = place.items()?;
    if versions.is_empty() {
        return Err(place.error("is empty: a definition needs a version"));
    }
    let mut seen = BTreeSet::new();
    let mut read = Vec::new();
    for version_node in &versions {
        let version = version(version_node, &group, &names.kind)?;
        if !seen.insert(version.name.clone()) {
            return Err(version_node.error(format!("the version `{}` is there twice", version.name)));
        }
        read.push(version);
    }
    Ok(Definition { file: file.to_owned(), group, scope, names, versions: read })
}

fn names(node: &Node<'_>) -> Result<DefinitionNames, Error> {
    let kind = text(node, "kind")?;
    let plural = text(node, "plural")?;
    check(node, "kind", &kind, false)?;
    check(node, "plural", &plural, false)?;
    let or = |key: &str, default: String| match node.get(key).filter(|node| !node.value().is_null()) {
        Some(value) => Ok(Some(value.string()?.to_owned()).filter(|text| !text.is_empty()).unwrap_or(default)),
        None => Ok(default),
    };
    Ok(DefinitionNames {
        list_kind: or("listKind", format!("{kind}List"))?,
        singular: or("singular", kind.to_lowercase())?,
        short_names: texts(node, "shortNames")?,
        categories: texts(node, "categories")?,
        kind,
        plural,
    })
}

fn version(node: &Node<'_>, group: &str, kind: &str) -> Result<DefinitionVersion, Error> {
    let name = text(node, "name")?;
    check(node, "name", &name, false)?;
    let schema = node.get("schema").and_then(|schema| schema.get("openAPIV3Schema"));
    let schema = schema.filter(|schema| schema.value().is_object()).ok_or_else(|| {
        node.error(format!(
            "the version `{name}` has no schema (`schema.openAPIV3Schema`), which servers require: where anything is allowed, it \
             is `type: object` with `x-kubernetes-preserve-unknown-fields: true`"
        ))
    })?;
    let location = schema.location().to_owned();
    let root = Schema::read(&schema, &BTreeSet::new())?;
    if root.kind != Some(Type::Object) {
        return Err(schema.error("the schema of an object needs `type: object`"));
    }
    let subresource =
        |key| node.get("subresources").and_then(|all| all.get(key)).is_some_and(|one| !one.value().is_null());
    let warning = node.value()["deprecationWarning"].as_str().filter(|warning| !warning.is_empty());
    let deprecated = flag(node, "deprecated")?
        .then(|| warning.map_or_else(|| format!("{group}/{name} {kind} is deprecated"), str::to_owned));
    Ok(DefinitionVersion {
        served: node.require("served")?.bool()?,
        deprecated,
        has_status: subresource("status"),
        has_scale: subresource("scale"),
        schema: root,
        operations: None,
        name,
        location,
    })
}
