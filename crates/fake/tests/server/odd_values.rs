//! Objects in which one value is another than it should be: they are refused or taken, and never end the server.

use k8s_client_fake::FakeServer;
use serde_json::{Value, json};

use super::ask;

/// Says which request it was, when that panics.
struct Asking<'a>(&'a str, &'a str, &'a Value);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} {}: {}", self.0, self.1, self.2);
        }
    }
}

/// Objects with the collections that they are created in. The definition is that of the last one.
fn objects() -> Vec<(&'static str, Value)> {
    let container = json!({"name": "web", "image": "nginx", "ports": [{"containerPort": 80, "name": "http"}],
        "env": [{"name": "A", "value": "1"}], "resources": {"limits": {"cpu": "1"}}});
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}});
    let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template});
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {"replicas": {"type": "integer"}, "names": {"type": "array",
            "items": {"type": "string"}, "x-kubernetes-list-type": "set"}}},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    vec![
        (
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            json!({"metadata": {"name": "widgets.example.com"}, "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets", "shortNames": ["wg"], "categories": ["all"]},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
                    "additionalPrinterColumns": [{"name": "N", "type": "integer", "jsonPath": ".spec.replicas"}],
                    "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
                        "statusReplicasPath": ".status.replicas"}}}],
            }}),
        ),
        (
            "/api/v1/namespaces/default/configmaps",
            json!({"metadata": {"name": "a", "namespace": "default", "generateName": "a-", "labels": {"a": "b"},
                "annotations": {"a": "b"}, "finalizers": ["example.com/a"], "deletionGracePeriodSeconds": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "", "uid": "",
                "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "b", "uid": "u"}],
                "managedFields": [{"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:data": {"f:a": {}}}}]}, "data": {"a": "b"}, "binaryData": {"b": "YQ=="}}),
        ),
        ("/api/v1/namespaces", json!({"metadata": {"name": "made"}, "spec": {"finalizers": ["kubernetes"]}})),
        (
            "/api/v1/namespaces/default/pods",
            json!({"metadata": {"name": "web-0"}, "spec": {"nodeName": "", "containers": [container]}}),
        ),
        (
            "/api/v1/namespaces/default/services",
            json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}}}),
        ),
        ("/apis/apps/v1/namespaces/default/deployments", json!({"metadata": {"name": "web"}, "spec": spec})),
        (
            "/apis/batch/v1/namespaces/default/jobs",
            json!({"metadata": {"name": "once"}, "spec": {"completions": 2, "parallelism": 1, "template": template}}),
        ),
        (
            "/apis/example.com/v1/namespaces/default/widgets",
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"},
                "spec": {"replicas": 1, "names": ["a"]}, "status": {"replicas": 1}}),
        ),
    ]
}

/// Each value inside of this one, by its place.
fn places(value: &Value, place: &str, all: &mut Vec<String>) {
    all.push(place.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| places(value, &format!("{place}/{}", key.replace('/', "~1")), all));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{place}/{index}"), all));
        }
        _ => {}
    }
}

async fn send(server: &FakeServer, collection: &str, name: &str, object: &Value) {
    let (path, status, scale) =
        (format!("{collection}/{name}"), format!("{collection}/{name}/status"), format!("{collection}/{name}/scale"));
    let applied = format!("{path}?fieldManager=me&force=true");
    for (method, path) in [
        ("POST", collection),
        ("PUT", &*path),
        ("PUT", &*status),
        ("PUT", &*scale),
        ("PATCH:merge", &*path),
        ("PATCH:strategic-merge", &*path),
        ("PATCH:json", &*path),
        ("PATCH:apply", &*applied),
        ("PATCH:merge", &*status),
        ("DELETE", &*path),
    ] {
        let _asking = Asking(method, path, object);
        ask(server, method, path, object.clone()).await;
    }
    let _asking = Asking("add", collection, object);
    let _ = server.add(object);
    ask(server, "GET", collection, Value::Null).await;
}

#[tokio::test]
async fn no_value_in_an_object_ends_the_server() {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!("x"),
        json!([]),
        json!([null]),
        json!({}),
        json!({"a": null}),
        json!({"": {"a/b": [[]]}}),
    ];
    let objects = objects();
    let (definitions, definition) = &objects[0];
    for (collection, object) in &objects {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let mut all = Vec::new();
        places(object, "", &mut all);
        for place in &all {
            let server = FakeServer::builder().seed(1).collects_garbage().runs_controllers().start();
            if collection != definitions {
                ask(&server, "POST", definitions, definition.clone()).await;
            }
            for value in &odd {
                let mut changed = object.clone();
                *changed.pointer_mut(place).expect("it is a place of it") = value.clone();
                send(&server, collection, name, &changed).await;
            }
        }
    }
}
