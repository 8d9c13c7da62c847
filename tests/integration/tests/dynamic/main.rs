//! The dynamic, metadata and scale clients on a real kube-apiserver, one module a capability.

mod custom;
mod metadata;
mod odd_objects;
mod scale;
mod streams;
mod undecodable;
mod verbs;

use k8s_client::{
    DynamicClient, Unstructured,
    dynamic::DynamicResource,
    schema::{GroupVersion, GroupVersionResource, ResourceScope, RestMapping},
};
use k8s_client_integration_tests::{Test, client, eventually, object};
use serde_json::{Value, json};

/// The group of the custom resources of these tests.
const GROUP: &str = "dynamic.example.com";

fn config_maps(test: &Test) -> DynamicResource {
    let config_maps = GroupVersionResource::new("", "v1", "configmaps");
    DynamicClient::new(test.client.rest_client()).resource(config_maps).namespace(&test.namespace)
}

/// A config map with one entry, `key`.
fn config_map(name: &str, value: &str) -> Unstructured {
    unstructured(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": name, "labels": { "app": "test" } },
        "data": { "key": value },
    }))
}

/// A widget of a number of replicas, with a field that its schema does not know but keeps.
fn widget(version: &str, name: &str, replicas: i64) -> Unstructured {
    unstructured(json!({
        "apiVersion": format!("{GROUP}/{version}"),
        "kind": "Widget",
        "metadata": { "name": name },
        "spec": { "replicas": replicas, "later": { "large": u64::from(u32::MAX) + 1, "float": 0.1, "list": [{}, "a"] } },
    }))
}

/// A deployment of this many pods.
fn deployment(name: &str, replicas: i64) -> Unstructured {
    unstructured(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "main", "image": "main:1" }] },
            },
        },
    }))
}

fn unstructured(json: Value) -> Unstructured {
    Unstructured::try_from(json).expect("an object")
}

fn deployments() -> GroupVersionResource {
    GroupVersionResource::new("apps", "v1", "deployments")
}

fn widgets(version: &str) -> GroupVersionResource {
    GroupVersionResource::new(GROUP, version, "widgets")
}

fn mapping(resource: GroupVersionResource, kind: &str, scope: ResourceScope) -> RestMapping {
    let kind = GroupVersion::new(&resource.group, &resource.version).with_kind(kind);
    RestMapping { resource, kind, scope }
}

/// Defines the widgets, unless they are, with two versions, a status and a scale, and waits until both versions are
/// served.
async fn define_widgets() {
    let definitions = client().apiextensions_v1().custom_resource_definitions();
    let version = |name: &str, storage: bool| {
        let spec = json!({
            "type": "object",
            "properties": { "replicas": { "type": "integer" } },
            "x-kubernetes-preserve-unknown-fields": true,
        });
        let status = json!({ "type": "object", "properties": { "ready": { "type": "integer" } } });
        json!({
            "name": name,
            "served": true,
            "storage": storage,
            "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": spec, "status": status } } },
            "subresources": {
                "status": {},
                "scale": { "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.ready" },
            },
        })
    };
    let definition = object(json!({
        "metadata": { "name": format!("widgets.{GROUP}") },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": { "plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"] },
            "versions": [version("v1alpha1", false), version("v1", true)],
        },
    }));
    match definitions.create(&definition).await {
        // Another test was quicker.
        Err(error) if error.is_already_exists() => {}
        created => drop(created.expect("an administrator may define a type")),
    }
    for version in ["v1alpha1", "v1"] {
        let widgets = DynamicClient::new(client().rest_client()).resource(widgets(version));
        eventually("the type is served", || async { widgets.list().limit(1).await.ok() }).await;
    }
}
