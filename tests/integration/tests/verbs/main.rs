//! The typed clients on a real kube-apiserver, one module a capability.

mod apply;
mod authentication;
mod concurrency;
mod conflicts;
mod contexts;
mod custom_resources;
mod deletion;
mod errors;
mod every_verb;
mod expiry;
mod kubelet;
mod lists;
mod logs;
mod many_watches;
mod middleware;
mod patches;
mod proxies;
mod scale;
mod status;
mod subresources;
mod tls;
mod waits;
mod watches;

use k8s_client_integration_tests::object;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod},
};
use serde_json::json;

/// A config map with one entry, `key`.
fn config_map(name: &str, value: &str) -> ConfigMap {
    object(json!({ "metadata": { "name": name, "labels": { "app": "test" } }, "data": { "key": value } }))
}

/// A pod of one container.
fn pod(name: &str) -> Pod {
    object(json!({
        "metadata": { "name": name },
        "spec": { "containers": [{ "name": "main", "image": "main:1" }] },
    }))
}

/// A deployment of this many pods.
fn deployment(name: &str, replicas: i32) -> Deployment {
    object(json!({
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
