//! Custom resources, which come and go with their definitions.

use k8s_client_fake::FakeServer;
use serde_json::{Value, json};

use super::{ask, names, object, refusal, server};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WIDGETS: &str = "/apis/example.com/v1/namespaces/default/widgets";

pub(super) async fn define(server: &FakeServer) -> Value {
    let spec = json!({
        "type": "object", "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1},
            "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "parts": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "properties": {"name": {"type": "string"}}},
            },
        },
    });
    let status = json!({"type": "object", "properties": {"replicas": {"type": "integer"}}});
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}});
    let version = json!({
        "name": "v1", "served": true, "storage": true, "schema": schema,
        "selectableFields": [{"jsonPath": ".spec.color"}],
        "subresources": {
            "status": {}, "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.replicas"},
        },
    });
    let definition = json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "names": {"plural": "widgets", "kind": "Widget"}, "scope": "Namespaced",
            "versions": [version],
        },
    });
    object(server, "POST", DEFINITIONS, definition).await
}

fn widget(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

#[tokio::test]
async fn a_definition_is_served_until_it_is_gone() {
    let server = server();
    assert_eq!(ask(&server, "GET", WIDGETS, Value::Null).await.0, 404);
    define(&server).await;
    let definition = object(&server, "GET", &format!("{DEFINITIONS}/widgets.example.com"), Value::Null).await;
    let conditions = definition["status"]["conditions"].as_array().unwrap();
    assert!(conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True"));
    let groups = object(&server, "GET", "/apis", Value::Null).await;
    assert!(groups["groups"].as_array().unwrap().iter().any(|group| group["name"] == "example.com"));

    let created = object(&server, "POST", WIDGETS, widget("w", &json!({"size": 3, "extra": 1}))).await;
    assert_eq!(created["spec"], json!({"size": 3, "color": "red"}));
    let list = object(&server, "GET", &format!("{WIDGETS}?fieldSelector=spec.color%3Dred"), Value::Null).await;
    assert_eq!((names(&list), &list["items"][0]["kind"]), (vec!["w"], &json!("Widget")));
    object(&server, "DELETE", &format!("{DEFINITIONS}/widgets.example.com"), Value::Null).await;
    assert_eq!(ask(&server, "GET", WIDGETS, Value::Null).await.0, 404);
}

#[tokio::test]
async fn what_the_schema_forbids_is_refused_with_all_causes() {
    let server = server();
    define(&server).await;
    let (_, status) = ask(&server, "POST", WIDGETS, widget("w", &json!({"size": "x", "color": "green"}))).await;
    let causes = status["details"]["causes"].as_array().unwrap();
    let causes: Vec<&str> = causes.iter().filter_map(|cause| cause["message"].as_str()).collect();
    assert_eq!(
        causes,
        [
            "Unsupported value: \"green\": supported values: \"red\", \"blue\"",
            "Invalid value: \"string\": spec.size in body must be of type integer: \"string\"",
        ]
    );
    let twice = widget("w", &json!({"size": 0, "parts": [{"name": "a"}, {"name": "a"}]}));
    let refused = refusal(&server, "POST", WIDGETS, twice).await;
    assert_eq!(
        refused.2,
        "Widget.example.com \"w\" is invalid: [spec.size: Invalid value: 0: spec.size in body should be greater than or \
         equal to 1, spec.parts[1]: Duplicate value: {\"name\":\"a\"}]"
    );
}

#[tokio::test]
async fn status_and_scale_are_subresources_of_their_own() {
    let server = server();
    define(&server).await;
    let mut sent = widget("w", &json!({"size": 3}));
    sent["status"] = json!({"replicas": 9});
    let created = object(&server, "POST", WIDGETS, sent).await;
    assert_eq!(created.get("status"), None);
    let patch = json!({"status": {"replicas": 2}, "spec": {"size": 9}, "metadata": {"labels": {"a": "b"}}});
    let status = object(&server, "PATCH:merge", &format!("{WIDGETS}/w/status"), patch).await;
    assert_eq!((&status["status"]["replicas"], &status["spec"]["size"]), (&json!(2), &json!(3)));
    assert_eq!(status["metadata"].get("labels"), None);
    assert_eq!(status["metadata"]["generation"], 1);
    let scale = object(&server, "PATCH:merge", &format!("{WIDGETS}/w/scale"), json!({"spec": {"replicas": 8}})).await;
    assert_eq!((&scale["spec"]["replicas"], &scale["status"]["replicas"]), (&json!(8), &json!(2)));
    let widget = object(&server, "GET", &format!("{WIDGETS}/w"), Value::Null).await;
    assert_eq!((&widget["spec"]["size"], &widget["metadata"]["generation"]), (&json!(8), &json!(2)));
}

#[tokio::test]
async fn a_watch_ends_with_the_definition_of_what_it_watches() {
    let server = server();
    define(&server).await;
    object(&server, "POST", WIDGETS, widget("w", &json!({"size": 3}))).await;
    let version = server.revision();
    let path = format!("{WIDGETS}?watch=true&resourceVersion={version}");
    // It would go on for half an hour.
    let (told, _) = tokio::join!(ask(&server, "GET", &path, Value::Null), async {
        tokio::task::yield_now().await;
        object(&server, "DELETE", &format!("{DEFINITIONS}/widgets.example.com"), Value::Null).await
    });
    assert_eq!((told.0, &told.1["type"]), (200, &json!("DELETED")));
    assert_eq!(ask(&server, "GET", WIDGETS, Value::Null).await.0, 404);
}
