//! Custom resources, and their definitions.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{one, some, text};

pub(super) fn widget(rng: &mut Rng) -> Value {
    let part = |rng: &mut Rng, name: &str| {
        let mut part = some(json!({"size": rng.u8(..3), "note": "n"}), rng);
        part["name"] = name.into();
        part
    };
    let names: Vec<&str> = ["p", "q", "r"].into_iter().filter(|_| rng.bool()).collect();
    let parts: Vec<Value> = names.into_iter().map(|name| part(rng, name)).collect();
    let tags: Vec<&str> = ["t", "u", "v"].into_iter().filter(|_| rng.bool()).collect();
    let members = json!({
        "color": one(rng, &["red", "blue"]), "replicas": rng.u8(..3), "parts": parts, "tags": tags,
        "labels": some(json!({"l": "1", "m": "2"}), rng), "atomic": some(json!({"x": 1, "y": 2}), rng),
        "maybe": one(rng, &[None, Some(1), Some(2)]), "port": if rng.bool() { json!(80) } else { json!("http") },
        "free": some(json!({"a": [1, {"b": null}], "c": {"d": 1.5}}), rng), "steps": ["s", one(rng, &["s", "z"])],
    });
    json!({"spec": some(members, rng)})
}

pub(super) fn widget_status(rng: &mut Rng) -> Value {
    some(json!({"replicas": rng.u8(..3), "selector": "app=x", "phase": one(rng, &["New", "Old"])}), rng)
}

pub(super) fn gadget(rng: &mut Rng) -> Value {
    let members = json!({
        "spec": {"a": text(rng), "list": [{"name": "x"}, 1], "deep": {"b": rng.u8(..3)}}, "top": rng.bool(),
        "status": {"seen": rng.u8(..3)},
    });
    some(members, rng)
}

/// The definitions of the custom resources.
pub(crate) fn definitions() -> [Value; 3] {
    let part = json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": {"type": "string"}, "size": {"type": "integer", "minimum": 0, "default": 1},
            "note": {"type": "string", "maxLength": 5},
        },
    });
    let spec = json!({
        "type": "object",
        "properties": {
            "color": {"type": "string", "enum": ["red", "blue"]},
            "replicas": {"type": "integer", "format": "int32", "maximum": 100},
            "parts": {
                "type": "array", "maxItems": 4, "items": part, "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "steps": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "atomic": {"type": "object", "additionalProperties": {"type": "integer"}, "x-kubernetes-map-type": "atomic"},
            "maybe": {"type": "integer", "nullable": true},
            "port": {"x-kubernetes-int-or-string": true},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "defaulted": {
                "type": "object", "default": {}, "properties": {"mode": {"type": "string", "default": "auto"}},
            },
        },
    });
    let status = json!({
        "type": "object",
        "properties": {
            "replicas": {"type": "integer"}, "selector": {"type": "string"}, "phase": {"type": "string"},
        },
    });
    let columns = json!([
        {"name": "Color", "type": "string", "jsonPath": ".spec.color"},
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
    ]);
    let widgets = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.diff.example.com"},
        "spec": {
            "group": "diff.example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    },
                },
                "selectableFields": [{"jsonPath": ".spec.color"}],
                "additionalPrinterColumns": columns,
            }],
        },
    });
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let gadgets = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.diff.example.com"},
        "spec": {
            "group": "diff.example.com", "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetCollection"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": free}}],
        },
    });
    let mut globes = widgets.clone();
    globes["metadata"]["name"] = "globes.diff.example.com".into();
    globes["spec"]["scope"] = "Cluster".into();
    globes["spec"]["names"] = json!({"plural": "globes", "singular": "globe", "kind": "Globe"});
    if let Some(subresources) = globes["spec"]["versions"][0]["subresources"].as_object_mut() {
        subresources.remove("scale");
    }
    [widgets, gadgets, globes]
}
