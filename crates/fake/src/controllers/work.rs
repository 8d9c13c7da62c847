//! What controllers work on, and how they read and write.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    api::{self, Call, selects},
    http::{Content, Query, ResourcePath},
    model::Resource,
    state::State,
    store::{Object, prefix},
};

/// An object with its resource.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) resource: Arc<Resource>,
    pub(super) object: Arc<Object>,
}

/// The objects of a resource of Kubernetes, in all namespaces.
pub(super) fn all(state: &State, api_version: &str, plural: &str) -> Vec<Work> {
    let Some(resource) = state.built_in(api_version, plural) else { return Vec::new() };
    in_namespace(state, &resource, "")
}

/// Those of a namespace; of all, if it has no name.
fn in_namespace(state: &State, resource: &Arc<Resource>, namespace: &str) -> Vec<Work> {
    let prefix = prefix(Some(namespace));
    let objects = state.store.list(&resource.storage, &prefix, None);
    objects.map(|(_, object)| Work { resource: Arc::clone(resource), object: Arc::clone(object) }).collect()
}

/// A controller's request; what became of the object, if it was not refused.
fn ask(state: &mut State, agent: &str, verb: &'static str, place: Place<'_>, body: &Value) -> Option<Arc<Object>> {
    let resource = Arc::clone(place.resource);
    let optional = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let path = ResourcePath {
        group: resource.group.clone(),
        version: resource.version.clone(),
        plural: resource.plural.clone(),
        namespace: optional(place.namespace),
        name: optional(place.name),
        subresource: optional(place.subresource),
        is_watch: false,
    };
    let call = Call {
        verb,
        resource,
        path,
        query: Query::default(),
        content_type: "application/json".to_owned(),
        user_agent: agent.to_owned(),
        body: body.to_string().into(),
        types: state.model.types,
    };
    match api::answer(state, &call).ok()?.content {
        Content::Object(_, object) => Some(object),
        _ => None,
    }
}

/// Where a request goes.
#[derive(Clone, Copy)]
struct Place<'a> {
    resource: &'a Arc<Resource>,
    namespace: &'a str,
    name: &'a str,
    subresource: &'a str,
}

/// Creates an object of Kubernetes in a namespace.
pub(super) fn create(
    state: &mut State,
    agent: &str,
    (api_version, plural): (&str, &str),
    namespace: &str,
    body: &Value,
) -> Option<Arc<Object>> {
    let resource = state.built_in(api_version, plural)?;
    ask(state, agent, "create", Place { resource: &resource, namespace, name: "", subresource: "" }, body)
}

impl Work {
    pub(super) fn name(&self) -> &str {
        self.object.meta("name")
    }

    pub(super) fn namespace(&self) -> &str {
        self.object.meta("namespace")
    }

    pub(super) fn spec(&self) -> &Value {
        &self.object.value["spec"]
    }

    pub(super) fn status(&self) -> &Value {
        &self.object.value["status"]
    }

    /// A whole number of the spec or the status, given as a pointer; 0 if there is none.
    pub(super) fn number(&self, pointer: &str) -> i64 {
        self.object.value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
    }

    fn place<'a>(&'a self, subresource: &'a str) -> Place<'a> {
        Place { resource: &self.resource, namespace: self.namespace(), name: self.name(), subresource }
    }

    /// What it controls of a resource, in the order of names.
    pub(super) fn controlled(&self, state: &State, api_version: &str, plural: &str) -> Vec<Work> {
        let Some(resource) = state.built_in(api_version, plural) else { return Vec::new() };
        let uid = self.object.meta("uid");
        let is_own = |work: &Work| work.controller() == Some(uid);
        in_namespace(state, &resource, self.namespace()).into_iter().filter(is_own).collect()
    }

    /// What it controls of a resource from now on: what its selector finds and nobody controls comes to it, and what
    /// the selector does not find any more goes. `may_be` says what else must hold of what comes.
    pub(super) fn claimed(
        &self,
        state: &mut State,
        (api_version, plural): (&str, &str),
        may_be: impl Fn(&Work) -> bool,
    ) -> Vec<Work> {
        let Some(resource) = state.built_in(api_version, plural) else { return Vec::new() };
        let uid = self.object.meta("uid");
        for work in in_namespace(state, &resource, self.namespace()) {
            let owner = work.controller();
            if work.object.is_being_deleted() || owner.is_some_and(|owner| owner != uid) {
                continue;
            }
            let is_own = owner.is_some();
            if is_own == selects(&self.spec()["selector"], &work.object.value["metadata"]["labels"]) {
                continue;
            }
            if is_own {
                work.change(state, super::MANAGER, |object| {
                    if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
                        owners.retain(|owner| owner["uid"] != uid);
                    }
                });
            } else if may_be(&work) {
                work.change(state, super::MANAGER, |object| {
                    let owners = &mut object["metadata"]["ownerReferences"];
                    let others = owners.as_array().cloned().unwrap_or_default();
                    let own = self.as_owner().as_array().cloned().unwrap_or_default();
                    *owners = others.into_iter().chain(own).collect();
                });
            }
        }
        self.controlled(state, api_version, plural)
    }

    /// The uid of who controls it.
    fn controller(&self) -> Option<&str> {
        let owners = self.object.value["metadata"]["ownerReferences"].as_array()?;
        owners.iter().find(|owner| owner["controller"] == true)?["uid"].as_str()
    }

    /// The reference of what it controls.
    pub(super) fn as_owner(&self) -> Value {
        json!([{
            "apiVersion": self.resource.api_version(), "kind": self.resource.kind, "name": self.name(),
            "uid": self.object.meta("uid"), "controller": true, "blockOwnerDeletion": true,
        }])
    }

    /// Changes it, if that makes a difference, and says what it is then.
    pub(super) fn change(&self, state: &mut State, agent: &str, change: impl FnOnce(&mut Value)) -> Self {
        self.write(state, agent, "", change)
    }

    /// The same by the subresource of its status.
    pub(super) fn change_by_status(&self, state: &mut State, agent: &str, change: impl FnOnce(&mut Value)) -> Self {
        self.write(state, agent, "status", change)
    }

    /// Gives it a status, if it has another one.
    pub(super) fn set_status(&self, state: &mut State, agent: &str, status: Value) -> Self {
        self.write(state, agent, "status", |object| object["status"] = status)
    }

    fn write(&self, state: &mut State, agent: &str, subresource: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut value = self.object.value.clone();
        change(&mut value);
        if value == self.object.value {
            return self.clone();
        }
        let object = ask(state, agent, "update", self.place(subresource), &value);
        Self { resource: Arc::clone(&self.resource), object: object.unwrap_or_else(|| Arc::clone(&self.object)) }
    }

    /// Deletes it.
    pub(super) fn delete(&self, state: &mut State) {
        ask(state, super::MANAGER, "delete", self.place(""), &json!({"propagationPolicy": "Background"}));
    }

    /// Puts a pod on a node.
    pub(super) fn bind(&self, state: &mut State, node: &str) -> Option<Self> {
        let binding = json!({"metadata": {"name": self.name()}, "target": {"kind": "Node", "name": node}});
        ask(state, "kube-scheduler", "create", self.place("binding"), &binding);
        let object = state.object(&self.resource, self.namespace(), self.name()).ok()?;
        Some(Self { resource: Arc::clone(&self.resource), object })
    }

    /// Makes a pod of its template.
    pub(super) fn create_pod(&self, state: &mut State, change: impl FnOnce(&mut Value)) -> bool {
        let template = &self.spec()["template"];
        let mut pod = json!({
            "metadata": {"generateName": format!("{}-", self.name()), "ownerReferences": self.as_owner()},
            "spec": template["spec"],
        });
        for field in ["labels", "annotations", "finalizers"] {
            if let Some(value) = template["metadata"].get(field) {
                pod["metadata"][field] = value.clone();
            }
        }
        change(&mut pod);
        create(state, super::MANAGER, ("v1", "pods"), self.namespace(), &pod).is_some()
    }

    /// Whether a pod has neither ended nor been told to.
    pub(super) fn is_active(&self) -> bool {
        !self.object.is_being_deleted() && !matches!(self.phase(), "Succeeded" | "Failed")
    }

    pub(super) fn phase(&self) -> &str {
        self.status()["phase"].as_str().unwrap_or_default()
    }

    /// Whether a pod is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.ready_since().is_some()
    }

    fn ready_since(&self) -> Option<&str> {
        let conditions = self.status()["conditions"].as_array()?;
        let ready =
            conditions.iter().find(|condition| condition["type"] == "Ready" && condition["status"] == "True")?;
        Some(ready["lastTransitionTime"].as_str().unwrap_or_default())
    }

    /// Whether a pod has been ready for this many seconds.
    pub(super) fn is_available(&self, state: &State, seconds: i64) -> bool {
        // Texts of times are in the order of the times.
        let latest = state.clock.now().as_secs().saturating_sub(seconds.try_into().unwrap_or(0));
        self.ready_since().is_some_and(|since| seconds <= 0 || *since <= *crate::clock::timestamp(latest))
    }

    /// A label of it; empty if it has none.
    pub(super) fn label(&self, name: &str) -> &str {
        self.object.value["metadata"]["labels"][name].as_str().unwrap_or_default()
    }
}

/// A count as a status has it.
pub(super) fn count<'a>(pods: impl IntoIterator<Item = &'a Work>, is_counted: impl Fn(&Work) -> bool) -> i64 {
    let counted = pods.into_iter().filter(|work| is_counted(work)).count();
    counted.try_into().unwrap_or(i64::MAX)
}

/// A short name for a template, the same for the same one. Kubernetes hashes Go's print of its struct.
pub(super) fn hash(template: &Value) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let number = template.to_string().bytes().fold(0x811c_9dc5, step);
    number.to_string().bytes().map(|digit| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()])).collect()
}
