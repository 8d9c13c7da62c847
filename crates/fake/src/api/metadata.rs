//! The metadata of objects that are written: what the server sets, and what nobody changes.

use serde_json::{Map, Value, json};

use super::Call;
use crate::{
    breaks::{Break, is_broken},
    failure::{Cause, Failure, Result},
    model::Resource,
    state::{State, empty},
};

/// A text of an object's metadata; empty if it is not there.
pub(crate) fn meta<'a>(object: &'a Value, name: &str) -> &'a str {
    object["metadata"][name].as_str().unwrap_or_default()
}

/// The metadata, made if it is missing.
pub(super) fn meta_mut(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = json!({});
    }
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        *metadata = json!({});
    }
    metadata.as_object_mut().unwrap_or_else(|| unreachable!("it was just made"))
}

/// Sets a member, or takes it away.
pub(super) fn set_or_remove(object: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    match value.filter(|value| !value.is_null()) {
        Some(value) => drop(object.insert(name.to_owned(), value.clone())),
        None => drop(object.remove(name)),
    }
}

/// The texts of a list in the metadata.
pub(super) fn list<'a>(object: &'a Value, name: &str) -> Vec<&'a str> {
    object["metadata"][name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The namespace of an object must be that of the path, if it says one.
pub(super) fn check_namespace_of(call: &Call, object: &Value) -> Result<()> {
    let given = meta(object, "namespace");
    if call.resource.namespaced && !given.is_empty() && given != call.namespace() {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Failure::bad_request(message));
    }
    Ok(())
}

/// The same, and then it says it.
pub(super) fn check_namespace(call: &Call, object: &mut Value) -> Result<()> {
    check_namespace_of(call, object)?;
    let namespace = call.namespace().to_owned();
    let metadata = meta_mut(object);
    if call.resource.namespaced {
        metadata.insert("namespace".to_owned(), namespace.into());
    } else {
        metadata.remove("namespace");
    }
    Ok(())
}

/// The namespace must be there, and stay.
pub(super) fn check_namespace_lives(state: &State, call: &Call, name: &str) -> Result<()> {
    let (namespace, resource) = (call.namespace(), &call.resource);
    if !resource.namespaced {
        return Ok(());
    }
    let Some(namespaces) = state.built_in("v1", "namespaces") else { return Ok(()) };
    let object = state.object(&namespaces, "", namespace)?;
    if object.value["status"]["phase"] != "Terminating" {
        return Ok(());
    }
    let message = format!(
        "{} {name:?} is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
        resource.qualified()
    );
    let mut failure = Failure::new(k8s_client_runtime::http::StatusCode::FORBIDDEN, "Forbidden", message);
    let mut details = resource.details(name);
    details["causes"] = json!([{
        "reason": "NamespaceTerminating", "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace",
    }]);
    failure.details = Some(details);
    Err(failure)
}

/// The status of an object that has none yet.
pub(crate) fn empty_of(resource: &Resource, field: &str) -> Option<Value> {
    let field = resource.schema.field(field)?;
    (resource.custom.is_none()).then(|| empty(&field.schema, &resource.kind))
}

/// Takes the status away from an object whose status has a subresource of its own.
pub(super) fn reset_status(resource: &Resource, object: &mut Value, stored: Option<&Value>) {
    if !resource.subresources.contains_key("status") {
        return;
    }
    let Some(object) = object.as_object_mut() else { return };
    match stored {
        Some(stored) => set_or_remove(object, "status", stored.get("status")),
        None => set_or_remove(object, "status", empty_of(resource, "status").as_ref()),
    }
}

/// Whether the server counts changes of an object, and whether there is one between these two.
pub(super) fn counts_change(resource: &Resource, old: &Value, new: &Value) -> bool {
    let without_status = resource.subresources.contains_key("status");
    let differs = |name: &str| old.get(name) != new.get(name);
    if resource.custom.is_none() {
        let spec = if old.get("spec").is_some() || new.get("spec").is_some() {
            differs("spec")
        } else {
            members(old, new).into_iter().any(|name| !matches!(name, "metadata" | "status") && differs(name))
        };
        let annotations = resource.behaviour.generation_of_annotations
            && old["metadata"].get("annotations") != new["metadata"].get("annotations");
        return resource.behaviour.generation && (spec || annotations);
    }
    members(old, new)
        .into_iter()
        .any(|name| name != "metadata" && (name != "status" || !without_status) && differs(name))
}

fn members<'a>(old: &'a Value, new: &'a Value) -> Vec<&'a str> {
    let of = |value: &'a Value| value.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
    of(old).chain(of(new)).collect()
}

/// Whether objects of this resource have a generation.
pub(super) fn has_generation(resource: &Resource) -> bool {
    resource.custom.is_some() || resource.behaviour.generation || resource.behaviour.generation_of_creation
}

/// What has changed of an object's metadata that cannot: no finalizer may come to one that is being deleted, and a uid
/// stays.
pub(super) fn wrong_changes(resource: &Resource, old: &Value, new: &Value, uid: &str) -> Vec<Cause> {
    let mut causes: Vec<Cause> = new_finalizers(old, new).into_iter().collect();
    if !uid.is_empty() && uid != meta(old, "uid") {
        causes.push(Cause::invalid("metadata.uid", &uid.into(), "field is immutable"));
    }
    if resource.custom.is_some() {
        // Custom resources are looked at twice.
        causes.extend_from_within(..);
    }
    causes
}

fn new_finalizers(old: &Value, new: &Value) -> Option<Cause> {
    if meta(old, "deletionTimestamp").is_empty() || is_broken(Break::FinalizersCanBeAddedInTheEnd) {
        return None;
    }
    let before = list(old, "finalizers");
    let mut added: Vec<String> = Vec::new();
    for finalizer in list(new, "finalizers").into_iter().filter(|finalizer| !before.contains(finalizer)) {
        let shown = format!("{finalizer:?}");
        if !added.contains(&shown) {
            added.push(shown);
        }
    }
    if added.is_empty() {
        return None;
    }
    let problem = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    Some(Cause::forbidden("metadata.finalizers", &problem))
}
