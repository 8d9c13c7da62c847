//! All that a server has and is, behind one lock.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use crate::{
    clock::Clock,
    controllers,
    failure::{Failure, Result},
    garbage,
    http::ResourcePath,
    model::{Model, Resource},
    schema::{self, Schema},
    store::{Object, Store, key},
    users::{Cuts, Faults, Requests},
};

/// What a server has and is.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) model: &'static Model,
    /// The custom resources by group, version and plural.
    pub(crate) custom: BTreeMap<(String, String, String), Arc<Resource>>,
    pub(crate) clock: Clock,
    pub(crate) random: fastrand::Rng,
    /// The requests that came.
    pub(crate) requests: Requests,
    /// What is to go wrong with requests.
    pub(crate) faults: Faults,
    /// Which watches were cut.
    pub(crate) cuts: Cuts,
    /// Whether what controllers of a cluster delete is deleted at once.
    pub(crate) collects_garbage: bool,
    /// Whether controllers, a scheduler and a kubelet do at once what there is to do.
    pub(crate) runs_controllers: bool,
    /// The revision up to which that has been done.
    followed: u64,
}

/// The namespaces that a server makes itself.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

impl State {
    pub(crate) fn new(model: &'static Model, clock: Clock, random: fastrand::Rng) -> Self {
        let mut state = Self {
            store: Store::default(),
            model,
            custom: BTreeMap::new(),
            clock,
            random,
            requests: Requests::default(),
            faults: Faults::default(),
            cuts: Cuts::default(),
            collects_garbage: false,
            runs_controllers: false,
            followed: 0,
        };
        if let Some(namespaces) = state.built_in("v1", "namespaces") {
            for name in NAMESPACES {
                let value = json!({
                    "metadata": {
                        "name": name, "uid": state.uid(), "creationTimestamp": state.clock.timestamp(),
                        "labels": {"kubernetes.io/metadata.name": name},
                    },
                    "spec": {"finalizers": ["kubernetes"]},
                    "status": {"phase": "Active"},
                });
                let version = Arc::from("v1");
                state.store.put(&namespaces.storage, name, |revision| Object::new(value, &version, revision));
            }
        }
        // What was before a server's start is forgotten.
        let revision = state.store.revision();
        state.store.compact(revision);
        state
    }

    /// Does what a cluster does by itself after the writes that it has not followed yet, as far as this one is to.
    pub(crate) fn follow(&mut self) {
        if self.runs_controllers {
            controllers::follow(self, self.followed);
        } else if self.collects_garbage {
            garbage::collect_after(self, self.followed);
        }
        self.followed = self.store.revision();
    }

    /// The minor number of the Kubernetes version that is served.
    pub(crate) fn minor(&self) -> u32 {
        self.model.minor
    }

    /// A resource of Kubernetes itself.
    pub(crate) fn built_in(&self, api_version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.model.resources.get(api_version)?.get(plural).map(Arc::clone)
    }

    /// The resource of a path.
    pub(crate) fn resource(&self, path: &ResourcePath) -> Result<Arc<Resource>> {
        let api_version =
            if path.group.is_empty() { path.version.clone() } else { format!("{}/{}", path.group, path.version) };
        self.resource_of(&api_version, &path.plural).ok_or_else(|| {
            // A group of Kubernetes' own has a handler that answers for all that is below it.
            let is_own = path.group.is_empty() || self.model.groups.iter().any(|(group, _)| *group == path.group);
            if is_own { Failure::unknown_resource() } else { Failure::unknown_path() }
        })
    }

    /// A resource by `apiVersion` and plural, be it built in or custom.
    pub(crate) fn resource_of(&self, api_version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.built_in(api_version, plural).or_else(|| {
            let (group, version) = api_version.split_once('/')?;
            self.custom.get(&(group.to_owned(), version.to_owned(), plural.to_owned())).map(Arc::clone)
        })
    }

    /// The resource that has a kind.
    pub(crate) fn resource_of_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let built_in = self.model.resources.get(api_version).into_iter().flat_map(BTreeMap::values);
        let own = |resource: &&Arc<Resource>| resource.kind == kind && resource.verbs.iter().any(|verb| verb == "get");
        built_in
            .chain(self.custom.values().filter(|resource| resource.api_version() == api_version))
            .find(own)
            .map(Arc::clone)
    }

    /// All resources.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.model.resources.values().flat_map(BTreeMap::values).chain(self.custom.values())
    }

    /// A resource in all versions that are served.
    pub(crate) fn versions(&self, of: &Resource) -> impl Iterator<Item = &Arc<Resource>> {
        let custom = of.custom.is_some().then(|| self.custom.values()).into_iter().flatten();
        let is_same = |other: &&Arc<Resource>| other.storage == of.storage && other.group == of.group;
        self.model.forms(&of.storage).iter().chain(custom).filter(is_same)
    }

    /// A new uid.
    pub(crate) fn uid(&mut self) -> String {
        let random = self.random.u128(..);
        // The version and the variant of a random uid.
        let bits = (random & !(0xf000 << 64) & !(0xc << 60)) | (0x4000 << 64) | (0x8 << 60);
        let text = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
    }

    /// The random end of a generated name.
    pub(crate) fn name_suffix(&mut self) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..5).map(|_| char::from(ALPHABET[self.random.usize(..ALPHABET.len())])).collect()
    }

    /// An object of a resource as that version has it.
    pub(crate) fn object(&self, resource: &Resource, namespace: &str, name: &str) -> Result<Arc<Object>> {
        let object = self.store.get(&resource.storage, &key(namespace, name));
        object.map(|object| in_version(object, resource)).ok_or_else(|| Failure::not_found(resource, name))
    }

    /// Writes an object.
    pub(crate) fn put(&mut self, resource: &Resource, value: Value) -> Arc<Object> {
        self.put_as(resource, value, &resource.version_text)
    }

    /// Writes an object that has the fields of another version.
    pub(crate) fn put_as(&mut self, resource: &Resource, value: Value, version: &Arc<str>) -> Arc<Object> {
        let text = |name: &str| value["metadata"][name].as_str().unwrap_or_default();
        let key = key(text("namespace"), text("name"));
        self.store.put(&resource.storage, &key, |revision| Object::new(value, version, revision))
    }

    /// Takes an object away. Watches are told of `last`, with the revision of the deletion.
    pub(crate) fn remove(&mut self, resource: &Resource, last: &Value) -> Option<Arc<Object>> {
        let text = |name: &str| last["metadata"][name].as_str().unwrap_or_default();
        let key = key(text("namespace"), text("name"));
        let version = &resource.version_text;
        self.store.remove(&resource.storage, &key, |revision| Object::new(last.clone(), version, revision))
    }
}

/// An object as a version of its resource has it. Where the versions differ, fields that one lacks are lost.
pub(crate) fn in_version(object: &Arc<Object>, resource: &Resource) -> Arc<Object> {
    if *object.version == *resource.version_text || resource.custom.is_some() {
        return Arc::clone(object);
    }
    let value = crate::convert::convert(object.value.clone(), resource, &object.version);
    let value = match schema::decode(value.clone(), &resource.schema, &resource.kind, &mut Vec::new()) {
        Ok(value) => value,
        Err(_) => value,
    };
    let revision = object.meta("resourceVersion").parse().unwrap_or_default();
    Arc::new(Object::new(value, &resource.version_text, revision))
}

/// An object of a resource in which nothing is set.
pub(crate) fn empty_object(resource: &Resource) -> Value {
    if resource.custom.is_some() { json!({"metadata": {}}) } else { empty(&resource.schema, &resource.kind) }
}

/// What nothing is, of a type: for a status that was not given.
pub(crate) fn empty(schema: &Schema, kind: &str) -> Value {
    schema::decode(json!({}), schema, kind, &mut Vec::new()).unwrap_or_default()
}
