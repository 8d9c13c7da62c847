//! What can be done at which path.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Kind, kind, types::Components};
use crate::model::Resource;

const JSON: &str = "application/json";

/// The types of patches of custom resources; those of Kubernetes' own have another one.
const PATCHES: [&str; 3] =
    ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];

const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";

/// The parameters of an action, each with its type.
fn parameters(action: &str) -> &'static [(&'static str, &'static str)] {
    match action {
        "post" | "put" => &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")],
        "patch" => {
            &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"), ("force", "boolean")]
        }
        "delete" => &[
            ("dryRun", "string"),
            ("gracePeriodSeconds", "integer"),
            ("orphanDependents", "boolean"),
            ("propagationPolicy", "string"),
        ],
        "list" | "deletecollection" => &[
            ("allowWatchBookmarks", "boolean"),
            ("continue", "string"),
            ("fieldSelector", "string"),
            ("labelSelector", "string"),
            ("limit", "integer"),
            ("resourceVersion", "string"),
            ("resourceVersionMatch", "string"),
            ("sendInitialEvents", "boolean"),
            ("timeoutSeconds", "integer"),
            ("watch", "boolean"),
        ],
        _ => &[],
    }
}

/// The method and the action of a verb, on a collection or an object.
fn of_verb(verb: &str, is_object: bool) -> Option<(&'static str, &'static str)> {
    Some(match (verb, is_object) {
        ("get", true) => ("get", "get"),
        ("update", true) => ("put", "put"),
        ("patch", true) => ("patch", "patch"),
        ("delete", true) => ("delete", "delete"),
        ("list", false) => ("get", "list"),
        ("create", false) => ("post", "post"),
        ("deletecollection", false) => ("delete", "deletecollection"),
        _ => return None,
    })
}

/// What is sent and answered.
struct Types<'a> {
    kind: Kind<'a>,
    /// The schema of an object, and of a list of them.
    object: Option<Value>,
    list: Option<Value>,
    is_custom: bool,
}

/// Adds the paths of a resource, and the types that they need.
pub(super) fn add(resource: &Resource, components: &mut Components<'_>, paths: &mut BTreeMap<String, Value>) {
    let base = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    let (object, list) = components.of_resource(resource);
    let types = Types {
        kind: (&resource.group, &resource.version, &resource.kind),
        object: Some(object),
        list,
        is_custom: resource.custom.is_some(),
    };
    let verbs = || resource.verbs.iter().map(String::as_str);
    let mut place = format!("{base}/{}", resource.plural);
    if resource.namespaced {
        add_path(paths, &place, verbs().filter(|verb| *verb == "list"), false, &types);
        place = format!("{base}/namespaces/{{namespace}}/{}", resource.plural);
    }
    add_path(paths, &place, verbs(), false, &types);
    add_path(paths, &format!("{place}/{{name}}"), verbs(), true, &types);
    for (name, subresource) in &resource.subresources {
        let types = Types {
            kind: (&subresource.group, &subresource.version, &subresource.kind),
            object: components.of_subresource(resource, subresource),
            list: None,
            is_custom: types.is_custom,
        };
        let verbs = || subresource.verbs.iter().map(String::as_str);
        let place = format!("{place}/{{name}}/{name}");
        add_path(paths, &place, verbs(), true, &types);
        // What is done with an object is created below it.
        add_path(paths, &place, verbs().filter(|verb| *verb == "create"), false, &types);
    }
}

fn add_path<'v>(
    paths: &mut BTreeMap<String, Value>,
    path: &str,
    verbs: impl Iterator<Item = &'v str>,
    is_object: bool,
    types: &Types<'_>,
) {
    let operations = verbs.filter_map(|verb| of_verb(verb, is_object));
    let operations: Map<String, Value> =
        operations.map(|(method, action)| (method.to_owned(), operation(action, types))).collect();
    if operations.is_empty() {
        return;
    }
    let of_path = paths.entry(path.to_owned()).or_insert_with(|| {
        let name = |name: &str| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "uniqueItems": true}})
        };
        let names = ["name", "namespace"].into_iter().filter(|name_of| path.contains(&format!("{{{name_of}}}")));
        json!({"parameters": names.map(name).collect::<Vec<_>>()})
    });
    if let Some(of_path) = of_path.as_object_mut() {
        of_path.extend(operations);
    }
}

fn operation(action: &str, types: &Types<'_>) -> Value {
    let parameter = |(name, kind): &(&str, &str)| json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}});
    let mut operation = json!({
        "x-kubernetes-action": action, "x-kubernetes-group-version-kind": kind(types.kind),
        "parameters": parameters(action).iter().map(parameter).collect::<Vec<_>>(),
    });
    let content = |media_types: &[&str], schema: &Value| -> Map<String, Value> {
        media_types.iter().map(|media_type| ((*media_type).to_owned(), json!({"schema": schema}))).collect()
    };
    match (action, &types.object) {
        ("patch", _) => {
            let mut media_types = PATCHES.to_vec();
            if !types.is_custom {
                media_types.push(STRATEGIC_PATCH);
            }
            let body = content(&media_types, &json!({"type": "object"}));
            operation["requestBody"] = json!({"content": body, "required": true});
        }
        ("post" | "put", Some(object)) => {
            operation["requestBody"] = json!({"content": content(&["*/*"], object), "required": true});
        }
        _ => {}
    }
    let answer = if action == "list" { &types.list } else { &types.object };
    let mut ok = json!({"description": "OK"});
    if let Some(answer) = answer {
        ok["content"] = content(&[JSON], answer).into();
    }
    operation["responses"] = json!({"200": ok});
    operation
}
