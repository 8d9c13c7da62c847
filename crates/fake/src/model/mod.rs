//! What a Kubernetes version serves: groups, resources, subresources and types, read from its data.
//!
//! The data is a line for each fact, in the notation that codegen's `emit/fake.rs` describes. Lines of types are read
//! when a type is first needed; all else is read once for each version that a program asks for.

mod generated;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use serde_json::Value;

use crate::{
    protobuf,
    schema::{Schema, Types},
    state::empty_object,
};

/// What one Kubernetes version serves.
#[derive(Debug)]
pub(crate) struct Model {
    /// The version: `1.37.2`.
    pub(crate) version: &'static str,
    /// The minor number of it: 37.
    pub(crate) minor: u32,
    /// The groups but for the core group in discovery's order, each with its versions, the preferred one first.
    pub(crate) groups: Vec<(&'static str, Vec<&'static str>)>,
    /// The resources, by `apiVersion` and plural.
    pub(crate) resources: BTreeMap<&'static str, BTreeMap<&'static str, Arc<Resource>>>,
    /// The same by what their objects are kept under.
    by_storage: BTreeMap<Arc<str>, Vec<Arc<Resource>>>,
    /// The types by name.
    pub(crate) types: &'static Types,
}

/// A resource, be it built in or a custom one.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// The group; empty for the core group.
    pub(crate) group: String,
    /// The version, such as `v1`.
    pub(crate) version: String,
    /// The plural: `deployments`.
    pub(crate) plural: String,
    /// The kind: `Deployment`.
    pub(crate) kind: String,
    /// Whether its objects are in namespaces.
    pub(crate) namespaced: bool,
    /// The type of its objects; of what is sent, if it has no objects that are kept.
    pub(crate) schema: Schema,
    /// What can be done with it, sorted: `create`, `delete`, `deletecollection`, `get`, `list`, `patch`, …
    pub(crate) verbs: Vec<String>,
    /// The singular: `deployment`.
    pub(crate) singular: String,
    /// Short names: `deploy`.
    pub(crate) short_names: Vec<String>,
    /// Categories: `all`.
    pub(crate) categories: Vec<String>,
    /// Its subresources by name.
    pub(crate) subresources: BTreeMap<String, Subresource>,
    /// What its objects are kept under: `deployments.apps`. Resources that are other forms of the same objects share
    /// it.
    pub(crate) storage: Arc<str>,
    /// The `apiVersion`, for objects to share.
    pub(crate) version_text: Arc<str>,
    /// In what it differs from other kinds.
    pub(crate) behaviour: Behaviour,
    /// What the CustomResourceDefinition adds, if it is a custom resource.
    pub(crate) custom: Option<Custom>,
    /// An object in which nothing is set, made when it is first asked for.
    pub(crate) nothing: OnceLock<Value>,
}

/// In what a kind differs from others: the words of codegen's `kinds.toml`, which has the reasons.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the table")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Behaviour {
    /// An update must have a resourceVersion.
    pub(crate) conditional: bool,
    /// An update of an object that is not there creates it.
    pub(crate) created_by_update: bool,
    /// A deletion answers with the object, not with a Status.
    pub(crate) answers_object: bool,
    /// `metadata.generation` counts changes.
    pub(crate) generation: bool,
    /// `metadata.generation` is there and counts nothing but the deletion.
    pub(crate) generation_of_creation: bool,
    /// And those of annotations too.
    pub(crate) generation_of_annotations: bool,
    /// A deletion leaves time to end.
    pub(crate) graceful: bool,
    /// A deletion that does not say what becomes of dependents leaves them.
    pub(crate) orphans_dependents: bool,
    /// A create keeps the status that it sends.
    pub(crate) status_of_creator: bool,
    /// What a name is.
    pub(crate) name: NameRule,
}

/// What the name of an object is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// A subdomain as in DNS.
    #[default]
    Subdomain,
    /// A label as in DNS.
    Label,
    /// What can stand in a URL's path.
    PathSegment,
}

/// What a CustomResourceDefinition says of a version.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Custom {
    /// The kind of lists.
    pub(crate) list_kind: String,
    /// Fields that field selectors can name, such as `spec.color`.
    pub(crate) selectable: Vec<String>,
    /// The paths of the scale subresource: the replicas of the spec, those of the status, and the selector.
    pub(crate) scale: Option<(String, String, Option<String>)>,
    /// The columns of tables, as the definition has them.
    pub(crate) columns: Vec<Value>,
}

/// A part of a resource's objects, or something that is done with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subresource {
    /// The group of what is sent and answered; `None` for the resource's own.
    pub(crate) group: String,
    /// The version of what is sent and answered.
    pub(crate) version: String,
    /// The kind of what is sent and answered: `Scale`.
    pub(crate) kind: String,
    /// The type of what is sent and answered.
    pub(crate) schema: Schema,
    /// What can be done with it, sorted.
    pub(crate) verbs: Vec<String>,
}

impl Model {
    /// What a version of Kubernetes serves, by its minor number; `None` if there is no data of it.
    pub(crate) fn of(minor: u32) -> Option<&'static Self> {
        static MODELS: Mutex<BTreeMap<u32, &'static Model>> = Mutex::new(BTreeMap::new());
        let data = generated::VERSIONS.iter().find(|(known, _)| *known == minor)?.1;
        let mut models = MODELS.lock().unwrap_or_else(PoisonError::into_inner);
        // It is kept for as long as the program runs: there are only as many as versions.
        Some(models.entry(minor).or_insert_with(|| Box::leak(Box::new(Self::read(data)))))
    }

    /// The minor number of the newest version that there is data of.
    pub(crate) fn newest() -> u32 {
        generated::VERSIONS.last().map_or(0, |(minor, _)| *minor)
    }

    /// The type of what says that it is of a kind, be it kept, an answer or a question.
    pub(crate) fn schema_of(&self, api_version: &str, kind: &str) -> Option<Schema> {
        let of_resource = |resource: &Arc<Resource>| {
            let is_it = resource.kind == kind && *resource.version_text == *api_version;
            is_it.then(|| resource.schema.clone())
        };
        let of_subresource = |resource: &Arc<Resource>| {
            let mut all = resource.subresources.values();
            let is_it = |it: &&Subresource| it.kind == kind && it.api_version() == api_version;
            all.find(is_it).map(|subresource| subresource.schema.clone())
        };
        let resources = || self.resources.values().flat_map(BTreeMap::values);
        let of_all_groups = || protobuf::of_all_groups(self.types, kind);
        resources().find_map(of_resource).or_else(|| resources().find_map(of_subresource)).or_else(of_all_groups)
    }

    fn read(data: &'static str) -> Self {
        let (facts, types) = data.split_once("\ntype ").unwrap_or((data, ""));
        let types: &'static Types = Box::leak(Box::new(read_types(types)));
        let (resources, by_storage) = (BTreeMap::new(), BTreeMap::new());
        let mut model = Self { version: "", minor: 0, groups: Vec::new(), resources, by_storage, types };
        let mut resource: Option<(&'static str, &'static str, Resource)> = None;
        for line in facts.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("version") => {
                    model.version = words.next().unwrap_or_default();
                    model.minor = model.version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0);
                }
                Some("group") => model.groups.push((words.next().unwrap_or_default(), words.collect())),
                Some("resource") => {
                    model.keep(resource.take());
                    resource = read_resource(words, types);
                }
                Some("sub") => {
                    if let Some((.., resource)) = &mut resource
                        && let Some((name, subresource)) = read_subresource(words, resource, types)
                    {
                        resource.subresources.insert(name, subresource);
                    }
                }
                _ => {}
            }
        }
        model.keep(resource);
        for resource in model.resources.values().flat_map(BTreeMap::values) {
            model.by_storage.entry(Arc::clone(&resource.storage)).or_default().push(Arc::clone(resource));
        }
        model
    }

    /// The resources that are forms of the same objects.
    pub(crate) fn forms(&self, storage: &str) -> &[Arc<Resource>] {
        self.by_storage.get(storage).map_or(&[], Vec::as_slice)
    }

    fn keep(&mut self, resource: Option<(&'static str, &'static str, Resource)>) {
        if let Some((api_version, plural, resource)) = resource {
            self.resources.entry(api_version).or_default().insert(plural, Arc::new(resource));
        }
    }
}

impl Resource {
    /// A resource of which nothing else is known yet.
    pub(crate) fn new(group: String, version: String, plural: String, kind: String) -> Self {
        let storage = match (group.as_str(), plural.as_str()) {
            // Events of the core group in another form.
            ("events.k8s.io", "events") | ("", _) => Arc::from(plural.as_str()),
            _ => Arc::from(format!("{plural}.{group}")),
        };
        Self {
            version_text: if group.is_empty() {
                Arc::from(version.as_str())
            } else {
                Arc::from(format!("{group}/{version}"))
            },
            storage,
            group,
            version,
            plural,
            kind,
            namespaced: false,
            schema: Schema::default(),
            verbs: Vec::new(),
            singular: String::new(),
            short_names: Vec::new(),
            categories: Vec::new(),
            subresources: BTreeMap::new(),
            behaviour: Behaviour::default(),
            custom: None,
            nothing: OnceLock::new(),
        }
    }

    /// An object in which nothing is set, with its `apiVersion` and `kind`.
    pub(crate) fn nothing(&self) -> &Value {
        self.nothing.get_or_init(|| {
            let mut object = empty_object(self);
            object["apiVersion"] = self.api_version().into();
            object["kind"] = self.kind.clone().into();
            object
        })
    }

    /// Whether something can be done with it.
    pub(crate) fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

impl Subresource {
    /// `autoscaling/v1`
    fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// The types of the text behind the first `type `.
fn read_types(text: &'static str) -> Types {
    let mut types = Types::default();
    for text in text.split("\ntype ") {
        let end = text.find([' ', '\n']).unwrap_or(text.len());
        types.add(&text[..end], &text[end..]);
    }
    types
}

fn list(words: &str) -> Vec<String> {
    words.split(',').map(str::to_owned).collect()
}

fn group_version(api_version: &str) -> (String, String) {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    (group.to_owned(), version.to_owned())
}

fn read_resource(
    mut words: impl Iterator<Item = &'static str>,
    types: &'static Types,
) -> Option<(&'static str, &'static str, Resource)> {
    let (api_version, plural, kind) = (words.next()?, words.next()?, words.next()?);
    let (group, version) = group_version(api_version);
    let mut resource = Resource::new(group, version, plural.to_owned(), kind.to_owned());
    for word in words {
        match word.split_once('=') {
            Some(("verbs", verbs)) => resource.verbs = list(verbs),
            Some(("singular", singular)) => singular.clone_into(&mut resource.singular),
            Some(("short", names)) => resource.short_names = list(names),
            Some(("categories", names)) => resource.categories = list(names),
            Some(("is", words)) => resource.behaviour = Behaviour::read(words),
            _ => match word.strip_prefix('@') {
                Some(name) => resource.schema = types.named(name),
                None => resource.namespaced = word == "namespaced",
            },
        }
    }
    Some((api_version, plural, resource))
}

impl Behaviour {
    fn read(words: &str) -> Self {
        let mut behaviour = Self::default();
        for word in words.split(',') {
            match word {
                "conditional" => behaviour.conditional = true,
                "created-by-update" => behaviour.created_by_update = true,
                "answers-object" => behaviour.answers_object = true,
                "generation" => behaviour.generation = true,
                "generation-of-creation" => behaviour.generation_of_creation = true,
                "generation-of-annotations" => behaviour.generation_of_annotations = true,
                "graceful" => behaviour.graceful = true,
                "orphans-dependents" => behaviour.orphans_dependents = true,
                "status-of-creator" => behaviour.status_of_creator = true,
                "name-label" => behaviour.name = NameRule::Label,
                "name-path-segment" => behaviour.name = NameRule::PathSegment,
                _ => {}
            }
        }
        behaviour
    }
}

fn read_subresource(
    mut words: impl Iterator<Item = &'static str>,
    of: &Resource,
    types: &'static Types,
) -> Option<(String, Subresource)> {
    let (name, api_version, kind) = (words.next()?, words.next()?, words.next()?);
    let (group, version) = group_version(api_version);
    let mut subresource =
        Subresource { group, version, kind: kind.to_owned(), schema: of.schema.clone(), verbs: Vec::new() };
    for word in words {
        match (word.strip_prefix("verbs="), word.strip_prefix('@')) {
            (Some(verbs), _) => subresource.verbs = list(verbs),
            (None, Some(name)) => subresource.schema = types.named(name),
            (None, None) => {}
        }
    }
    Some((name.to_owned(), subresource))
}

#[cfg(test)]
mod tests;
