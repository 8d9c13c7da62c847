//! What the garbage collector, the controller of namespaces and a kubelet do when something is deleted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use crate::{
    api::{self, Deletion},
    model::Resource,
    state::State,
    store::{Event, Object},
};

/// Goes on until nothing is left to do: what is found by its owner, and what is in a namespace that ends, is deleted;
/// what waits for the collector waits no longer. Finalizers of others keep what they keep.
pub(crate) fn collect(state: &mut State) {
    while collect_once(state) {}
}

/// The same after the writes since a revision, if they can have made garbage: looking through everything takes time.
pub(crate) fn collect_after(state: &mut State, since: u64) {
    let concerns = |event: &Arc<Event>| {
        let Some(after) = &event.after else { return true };
        // Who has the owners that it had before has them still.
        let same_owners = event.before.as_ref().is_some_and(|before| owners(&before.value).eq(owners(&after.value)));
        after.is_being_deleted() || (!same_owners && owners(&after.value).next().is_some())
    };
    if state.store.after(since).is_none_or(|mut events| events.any(concerns)) {
        collect(state);
    }
}

/// An object with the resource that it is of.
struct Found {
    resource: Arc<Resource>,
    object: Arc<Object>,
}

/// All objects, each once: a resource that is served in several versions is looked at in its first.
fn everything(state: &State) -> Vec<Found> {
    let mut kinds: BTreeMap<&str, Arc<Resource>> = BTreeMap::new();
    for storage in state.store.resources() {
        let mut forms = state.model.forms(storage).iter().chain(state.custom.values());
        let resource = forms.find(|resource| &*resource.storage == storage && resource.has_verb("delete"));
        kinds.extend(resource.map(|resource| (storage, Arc::clone(resource))));
    }
    let of = |resource: Arc<Resource>| {
        let objects = state.store.list(&resource.storage, "", None);
        objects
            .map(|(_, object)| Found { resource: Arc::clone(&resource), object: Arc::clone(object) })
            .collect::<Vec<_>>()
    };
    kinds.into_values().flat_map(of).collect()
}

fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["ownerReferences"].as_array().into_iter().flatten()
}

fn is_owned_by(object: &Value, uid: &str) -> bool {
    owners(object).any(|owner| owner["uid"] == uid)
}

fn finalizers(object: &Value) -> Vec<&str> {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Does the first thing that there is to do, and says whether there was one.
fn collect_once(state: &mut State) -> bool {
    let all = everything(state);
    let uids: BTreeSet<&str> = all.iter().map(|found| found.object.meta("uid")).collect();
    for Found { resource, object } in &all {
        let value = &object.value;
        if object.is_being_deleted() {
            let uid = object.meta("uid");
            let owned = || all.iter().filter(|found| is_owned_by(&found.object.value, uid));
            if finalizers(value).contains(&"orphan") {
                owned().for_each(|found| set_free(state, found, uid));
                release(state, resource, object, "orphan");
                return true;
            }
            if finalizers(value).contains(&"foregroundDeletion") {
                let first = owned().find(|found| !found.object.is_being_deleted());
                match first {
                    Some(found) => return delete(state, found, Deletion::Foreground),
                    None if owned().next().is_none() => {
                        release(state, resource, object, "foregroundDeletion");
                        return true;
                    }
                    None => {}
                }
            }
            if resource.storage.as_ref() == "namespaces" && empty_namespace(state, &all, object) {
                return true;
            }
        } else if owners(value).next().is_some()
            && !owners(value).any(|owner| owner["uid"].as_str().is_some_and(|uid| uids.contains(uid)))
            && delete(
                state,
                &Found { resource: Arc::clone(resource), object: Arc::clone(object) },
                Deletion::Background,
            )
        {
            return true;
        }
    }
    false
}

fn delete(state: &mut State, found: &Found, deletion: Deletion) -> bool {
    api::delete_one(state, &found.resource, &found.object, &deletion.into()).is_ok()
}

/// Takes an owner's reference out of an object.
fn set_free(state: &mut State, found: &Found, uid: &str) {
    let mut value = found.object.value.clone();
    let left: Vec<Value> = owners(&value).filter(|owner| owner["uid"] != uid).cloned().collect();
    if let Some(metadata) = value["metadata"].as_object_mut() {
        if left.is_empty() {
            metadata.remove("ownerReferences");
        } else {
            metadata.insert("ownerReferences".to_owned(), left.into());
        }
    }
    state.put_as(&found.resource, value, &found.object.version);
}

/// Takes a finalizer out of an object, which is gone if it was the last thing that it waited for.
fn release(state: &mut State, resource: &Arc<Resource>, object: &Arc<Object>, finalizer: &str) {
    let mut value = object.value.clone();
    let left: Vec<&str> = finalizers(&object.value).into_iter().filter(|other| *other != finalizer).collect();
    if let Some(metadata) = value["metadata"].as_object_mut() {
        if left.is_empty() {
            metadata.remove("finalizers");
        } else {
            metadata.insert("finalizers".to_owned(), json!(left));
        }
    }
    if api::is_finished(resource, &value) {
        state.remove(resource, &value);
    } else {
        state.put_as(resource, value, &object.version);
    }
}

/// Deletes what is in a namespace that ends, and then lets it end.
fn empty_namespace(state: &mut State, all: &[Found], namespace: &Arc<Object>) -> bool {
    let name = namespace.meta("name");
    let inside = || all.iter().filter(|found| found.resource.namespaced && found.object.meta("namespace") == name);
    if let Some(found) = inside().find(|found| !found.object.is_being_deleted()) {
        return delete(state, found, Deletion::Background);
    }
    // Pods have nobody to end for in a namespace that is gone.
    if let Some(found) = inside().find(|found| found.resource.storage.as_ref() == "pods") {
        return delete(state, found, Deletion::Now);
    }
    if inside().next().is_some() || namespace.value["spec"].get("finalizers").is_none() {
        return false;
    }
    let Some(resource) = state.built_in("v1", "namespaces") else { return false };
    let mut value = namespace.value.clone();
    if let Some(spec) = value["spec"].as_object_mut() {
        spec.remove("finalizers");
    }
    if api::is_finished(&resource, &value) {
        state.remove(&resource, &value);
    } else {
        state.put(&resource, value);
    }
    true
}

/// Ends the pods that are being deleted, as a kubelet does when their containers have stopped.
pub(crate) fn end_pods(state: &mut State) {
    let Some(resource) = state.built_in("v1", "pods") else { return };
    let pods: Vec<Arc<Object>> =
        state.store.list(&resource.storage, "", None).map(|(_, pod)| Arc::clone(pod)).collect();
    for object in pods.into_iter().filter(|pod| pod.is_being_deleted()) {
        delete(state, &Found { resource: Arc::clone(&resource), object }, Deletion::Now);
    }
}
