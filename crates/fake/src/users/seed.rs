//! Objects to begin with.

use std::{fmt, sync::Arc};

use k8s_client_runtime::k8s_openapi::{
    Resource,
    serde::{Serialize, de::DeserializeOwned},
};
use serde_json::{Value, json};

use crate::{
    hooks, schema,
    server::FakeServer,
    state::{State, in_version},
    store::Object,
};

/// Why an object could not be added to a [`FakeServer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedError(String);

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SeedError {}

impl FakeServer {
    /// Puts an object into the server as it is, without a request: with its status, its owners, and its
    /// `deletionTimestamp` if it is being deleted. What it lacks of a namespace, a uid and a time is filled in. One of
    /// the same name is replaced.
    ///
    /// Typed objects of k8s-openapi can be given, and JSON.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = k8s_client_fake::FakeServer::new();
    /// server.add(&serde_json::json!({
    ///     "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"}, "status": {"phase": "Running"},
    /// }))?;
    /// let pod = server.object("v1", "Pod", "default", "web-0").ok_or("it is there")?;
    /// assert_eq!(pod["status"]["phase"], "Running");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the server has no such kind, the object has no name, or a field is of a wrong type.
    pub fn add(&self, object: &impl Serialize) -> Result<(), SeedError> {
        let object = serde_json::to_value(object)
            .map_err(|error| SeedError(format!("the object cannot be written as JSON: {error}")))?;
        {
            let mut state = self.state();
            add(&mut state, object)?;
            if state.runs_controllers {
                state.follow();
            }
        }
        self.tell();
        Ok(())
    }

    /// The same for the documents of a text of YAML, which `---` separates, and for the items of a `List`, as
    /// `kubectl get -o yaml` writes it.
    ///
    /// # Errors
    ///
    /// When the text is not YAML: then nothing is added. As for [`add`](Self::add) otherwise, with the number of the
    /// document: those before the one that cannot be added have been added.
    pub fn add_yaml(&self, text: &str) -> Result<(), SeedError> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text)
            .map_err(|error| SeedError(format!("the text cannot be read as YAML: {error}")))?;
        let documents = documents.iter().filter(|document| !document.is_null());
        for (number, document) in documents.enumerate() {
            let is_list = document["apiVersion"] == "v1" && document["kind"] == "List";
            let items = document["items"].as_array().filter(|_| is_list);
            let mut objects = items.map_or(std::slice::from_ref(document), Vec::as_slice).iter();
            objects
                .try_for_each(|object| self.add(object))
                .map_err(|error| SeedError(format!("document {}: {error}", number + 1)))?;
        }
        Ok(())
    }

    /// An object as it is kept now; `None` if it is not there. The namespace of one of the cluster is empty.
    pub fn object(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let state = self.state();
        let resource = state.resource_of_kind(api_version, kind)?;
        let object = state.object(&resource, namespace, name).ok()?;
        Some(with_type(&object, api_version, kind))
    }

    /// The same as a type of k8s-openapi, which says the kind.
    ///
    /// ```
    /// # use k8s_client_runtime::k8s_openapi::api::core::v1::Namespace;
    /// let server = k8s_client_fake::FakeServer::new();
    /// let namespace: Namespace = server.get("", "default").unwrap();
    /// assert_eq!(namespace.status.unwrap().phase.as_deref(), Some("Active"));
    /// ```
    ///
    /// # Panics
    ///
    /// When the object does not fit the type: the server may serve another version of Kubernetes than that whose types
    /// are compiled in.
    pub fn get<T: Resource + DeserializeOwned>(&self, namespace: &str, name: &str) -> Option<T> {
        self.object(T::API_VERSION, T::KIND, namespace, name).map(decoded)
    }

    /// All objects of a type, in the order of a list.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    pub fn list<T: Resource + DeserializeOwned>(&self) -> Vec<T> {
        self.objects(T::API_VERSION, T::KIND).into_iter().map(decoded).collect()
    }

    /// All objects of a kind as they are kept now, in the order of a list. None if there is no such kind.
    ///
    /// ```
    /// let server = k8s_client_fake::FakeServer::new();
    /// let names: Vec<_> = server.objects("v1", "Namespace").iter().map(|it| it["metadata"]["name"].clone()).collect();
    /// assert_eq!(names, ["default", "kube-node-lease", "kube-public", "kube-system"]);
    /// ```
    pub fn objects(&self, api_version: &str, kind: &str) -> Vec<Value> {
        let state = self.state();
        let Some(resource) = state.resource_of_kind(api_version, kind) else { return Vec::new() };
        let objects = state.store.list(&resource.storage, "", None);
        objects.map(|(_, object)| with_type(&in_version(object, &resource), api_version, kind)).collect()
    }
}

fn decoded<T: Resource + DeserializeOwned>(object: Value) -> T {
    let name = object["metadata"]["name"].clone();
    serde_json::from_value(object).unwrap_or_else(|error| {
        panic!("the {} {name} cannot be read as {}: {error}", T::KIND, std::any::type_name::<T>())
    })
}

/// An object's JSON with the type, which is not kept with it.
fn with_type(object: &Object, api_version: &str, kind: &str) -> Value {
    let mut value = object.value.clone();
    value["apiVersion"] = api_version.into();
    value["kind"] = kind.into();
    value
}

fn add(state: &mut State, mut object: Value) -> Result<(), SeedError> {
    let text = |object: &Value, key: &str| object[key].as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object, "apiVersion"), text(&object, "kind"));
    let resource = state.resource_of_kind(&api_version, &kind).ok_or_else(|| {
        let version = state.model.version;
        SeedError(format!("Kubernetes {version} serves no kind {kind:?} of {api_version:?}, and no definition does"))
    })?;
    let name = text(&object["metadata"], "name");
    let wrong = |problem: &str| SeedError(format!("{kind} {name:?}: {problem}"));
    if name.is_empty() {
        return Err(wrong("it has no metadata.name"));
    }
    if let Some(members) = object.as_object_mut() {
        members.remove("apiVersion");
        members.remove("kind");
    }
    if resource.namespaced && text(&object["metadata"], "namespace").is_empty() {
        object["metadata"]["namespace"] = "default".into();
    }
    for (field, value) in [("uid", state.uid()), ("creationTimestamp", state.clock.timestamp())] {
        if text(&object["metadata"], field).is_empty() {
            object["metadata"][field] = value.into();
        }
    }
    hooks::default_fields(&resource, &mut object, state.minor());
    let value = if resource.custom.is_some() {
        schema::prune(object, &resource.schema, &mut Vec::new())
    } else {
        schema::decode(object, &resource.schema, &resource.kind, &mut Vec::new())
    };
    let value = value.map_err(|error| wrong(&error))?;
    // A namespace that is not there would be a state that no server can be in.
    let namespace = text(&value["metadata"], "namespace");
    let has_namespace = |state: &State| state.store.get("namespaces", &namespace).is_some();
    if resource.namespaced && !has_namespace(state) {
        add(
            state,
            json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
            }),
        )?;
    }
    let before = state.object(&resource, &namespace, &name).ok();
    let after = state.put(&resource, value);
    hooks::after_write(state, &Arc::clone(&resource), before.as_ref(), Some(&after));
    Ok(())
}
