//! What single kinds do beyond the rules that all have: namespaces, services, CustomResourceDefinitions, reviews.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    custom, defaults,
    failure::{Cause, Failure, Result},
    http::Answer,
    model::Resource,
    state::State,
    store::Object,
};

fn is(resource: &Resource, group: &str, plural: &str) -> bool {
    resource.group == group && resource.plural == plural
}

pub(crate) fn is_namespace(resource: &Resource) -> bool {
    is(resource, "", "namespaces")
}

fn is_definition(resource: &Resource) -> bool {
    is(resource, "apiextensions.k8s.io", "customresourcedefinitions")
}

/// Fills in what is filled in as soon as an object is read: these fields are their sender's.
pub(crate) fn default_fields(resource: &Resource, object: &mut Value, minor: u32) {
    if is_namespace(resource) {
        name_label(object);
    } else if is_definition(resource) {
        custom::default_fields(object);
    } else {
        defaults::fill(resource, object, minor);
    }
}

/// The label that says a namespace's name.
fn name_label(object: &mut Value) {
    if let Some(name) = object["metadata"].get("name").filter(|name| **name != "").cloned() {
        object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    }
}

/// Sets what the server itself decides, which is nobody's. `old` is the object that is replaced, if there is one.
pub(crate) fn decide(state: &mut State, resource: &Resource, object: &mut Value, old: Option<&Value>) {
    if is_definition(resource) {
        custom::decide(object);
    }
    if !is_namespace(resource) {
        defaults::decide(state, resource, object, old);
        return;
    }
    match old {
        None => {
            // The name may just have been drawn.
            name_label(object);
            object["spec"]["finalizers"] = json!(["kubernetes"]);
            object["status"]["phase"] = json!("Active");
        }
        // Only the finalize subresource changes them.
        Some(old) => {
            if let Some(spec) = object["spec"].as_object_mut() {
                spec.remove("finalizers");
                spec.extend(old["spec"].get("finalizers").map(|list| ("finalizers".to_owned(), list.clone())));
            }
        }
    }
}

/// What the writer of an object is told beside the answer.
pub(crate) fn warnings(resource: &Resource, object: &Value) -> Vec<String> {
    if is_definition(resource) { custom::warnings(object) } else { Vec::new() }
}

/// Adds to the metadata of an object in which nothing is set what its conversion to a version adds.
pub(crate) fn convert_nothing(resource: &Resource, metadata: &mut Value) {
    if is(resource, "apps", "daemonsets") {
        defaults::count_no_templates(metadata);
    }
}

/// What is wrong with a new object, of some kinds.
pub(crate) fn before_create(resource: &Resource, object: &Value) -> Result<Vec<Cause>> {
    if is_definition(resource) {
        return custom::check(object);
    }
    Ok(defaults::wrong(resource, object))
}

/// What is wrong with a change by a subresource or, if that is empty, of the object itself.
pub(crate) fn before_update(resource: &Resource, old: &Value, new: &Value, subresource: &str) -> Result<Vec<Cause>> {
    match subresource {
        "" if is_definition(resource) => custom::check(new),
        "" => Ok(defaults::wrong_change(resource, old, new)),
        "status" => Ok(defaults::wrong_status(resource, old, new)),
        _ => Ok(Vec::new()),
    }
}

/// What must hold before a deletion.
pub(crate) fn before_delete(resource: &Resource, object: &Object) -> Result<()> {
    let name = object.meta("name");
    if is_namespace(resource) && matches!(name, "default" | "kube-public" | "kube-system") {
        let message = format!("namespaces {name:?} is forbidden: this namespace may not be deleted");
        let code = k8s_client_runtime::http::StatusCode::FORBIDDEN;
        let mut failure = Failure::new(code, "Forbidden", message);
        failure.details = Some(resource.details(name));
        return Err(failure);
    }
    Ok(())
}

/// Whether something beside finalizers keeps an object that is being deleted.
pub(crate) fn holds(resource: &Resource, object: &Value) -> bool {
    is_namespace(resource) && object["spec"]["finalizers"].as_array().is_some_and(|list| !list.is_empty())
}

/// What a deletion that has to wait changes.
pub(crate) fn terminating(resource: &Resource, object: &mut Value) {
    if is_namespace(resource) {
        object["status"]["phase"] = json!("Terminating");
    }
}

/// What follows from a write.
pub(crate) fn after_write(
    state: &mut State,
    resource: &Arc<Resource>,
    before: Option<&Arc<Object>>,
    after: Option<&Arc<Object>>,
) {
    if is_definition(resource) {
        custom::follow(state, resource, before, after);
    }
}

/// Who everybody is.
fn user() -> Value {
    json!({"username": "admin", "groups": ["system:masters", "system:authenticated"]})
}

/// What is only created, and answered at once. There is no authorization: everybody may do everything.
pub(crate) fn review(state: &State, resource: &Resource, mut object: Value) -> Result<Answer> {
    match resource.plural.as_str() {
        "subjectaccessreviews" | "selfsubjectaccessreviews" | "localsubjectaccessreviews" => {
            object["status"] = json!({"allowed": true});
        }
        "selfsubjectreviews" => {
            object["metadata"]["creationTimestamp"] = state.clock.timestamp().into();
            object["status"] = json!({"userInfo": user()});
        }
        "selfsubjectrulesreviews" => {
            object["status"] = json!({
                "incomplete": false,
                "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            });
        }
        // Whoever asks with what is let in with it too.
        "tokenreviews" => object["status"] = json!({"authenticated": true, "user": user()}),
        _ => return Err(Failure::not_implemented(&format!("create {}", resource.qualified()))),
    }
    object["apiVersion"] = resource.api_version().into();
    object["kind"] = resource.kind.clone().into();
    Ok(Answer::value(object).created())
}
