//! The scale of objects: their replicas in the form that all kinds share.

use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    json_path,
    model::Resource,
    store::Object,
};

/// Where a resource has its replicas: those of the spec, those of the status, and the selector as a text.
fn paths(resource: &Resource) -> (String, String, Option<String>) {
    let own = || (".spec.replicas".to_owned(), ".status.replicas".to_owned(), None);
    resource.custom.as_ref().map_or_else(own, |custom| custom.scale.clone().unwrap_or_else(own))
}

/// The scale of an object.
pub(crate) fn of(resource: &Resource, object: &Object) -> Result<Value> {
    let (spec, ..) = paths(resource);
    if number(object, &spec).is_none() {
        return Err(Failure::internal_error(&format!("the spec replicas field {spec:?} does not exist")));
    }
    Ok(before_update(resource, object))
}

fn number(object: &Object, path: &str) -> Option<i64> {
    json_path::get(&object.value, path).and_then(Value::as_i64)
}

/// What an update of the scale replaces: there may have been none so far.
pub(crate) fn before_update(resource: &Resource, object: &Object) -> Value {
    let (spec, status, selector) = paths(resource);
    let replicas = number(object, &spec).unwrap_or_default();
    let selector = match (&resource.custom, selector) {
        (Some(_), Some(path)) => {
            json_path::get(&object.value, &path).and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        (Some(_), None) => String::new(),
        (None, _) => selector_text(&object.value["spec"]["selector"]),
    };
    let mut metadata = json!({"name": object.meta("name"), "resourceVersion": object.meta("resourceVersion")});
    for field in ["namespace", "uid", "creationTimestamp"] {
        if !object.meta(field).is_empty() {
            metadata[field] = object.meta(field).into();
        }
    }
    let mut status = json!({"replicas": number(object, &status).unwrap_or_default()});
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    let mut spec = json!({});
    if replicas != 0 {
        spec["replicas"] = replicas.into();
    }
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status})
}

/// Sets the replicas of an object.
pub(crate) fn set(resource: &Resource, object: &mut Value, replicas: i64) -> Result<()> {
    let (spec, ..) = paths(resource);
    json_path::set(object, &spec, replicas.into())
        .ok_or_else(|| Failure::internal(format!("the path {spec:?} leads to no field")))
}

/// A selector as the text that requests have.
fn selector_text(selector: &Value) -> String {
    let mut terms = Vec::new();
    let labels = selector.get("matchLabels").unwrap_or(selector).as_object();
    for (key, value) in labels.into_iter().flatten() {
        if let Some(value) = value.as_str() {
            terms.push(format!("{key}={value}"));
        }
    }
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        terms.push(requirement_text(expression));
    }
    terms.sort();
    terms.join(",")
}

/// A requirement of a label selector, as requests have it: `tier in (back,front)`.
pub(crate) fn requirement_text(expression: &Value) -> String {
    let key = expression["key"].as_str().unwrap_or_default();
    let mut values: Vec<&str> =
        expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    values.sort_unstable();
    let values = values.join(",");
    match expression["operator"].as_str() {
        Some("In") => format!("{key} in ({values})"),
        Some("NotIn") => format!("{key} notin ({values})"),
        Some("DoesNotExist") => format!("!{key}"),
        _ => key.to_owned(),
    }
}
