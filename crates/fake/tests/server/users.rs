//! What tests do with a server: objects to begin with, requests that came, faults.

use std::time::Duration;

use k8s_client_fake::{FakeServer, Fault, Which};
use k8s_client_runtime::http::Request;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::{CONFIG_MAPS, ask, names, object, refusal, server};

#[tokio::test]
async fn objects_are_added_as_they_are_and_watches_hear_of_them() {
    let server = server();
    let version = server.revision();
    server
        .add_yaml(
            "apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: made}
---
apiVersion: v1
kind: Pod
metadata: {name: ending, deletionTimestamp: 2026-01-01T00:00:00Z, deletionGracePeriodSeconds: 30}
status: {phase: Running}
",
        )
        .unwrap();
    let pod = server.object("v1", "Pod", "default", "ending").unwrap();
    assert_eq!(
        (&pod["status"]["phase"], &pod["metadata"]["deletionGracePeriodSeconds"]),
        (&json!("Running"), &json!(30))
    );
    assert_eq!(ask(&server, "GET", "/api/v1/namespaces/made", Value::Null).await.0, 200);
    let list = object(&server, "GET", "/api/v1/configmaps", Value::Null).await;
    assert_eq!(names(&list), ["a"]);
    assert!(server.revision() > version);

    for (wrong, problem) in [
        (json!({"apiVersion": "v1", "kind": "Nothing"}), "serves no kind \"Nothing\" of \"v1\""),
        (json!({"apiVersion": "v1", "kind": "Pod"}), "has no metadata.name"),
        (json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 5}}), "has no metadata.name"),
    ] {
        let error = server.add(&wrong).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[tokio::test]
async fn requests_are_remembered_with_what_they_were_and_what_became_of_them() {
    let server = server();
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
    refusal(&server, "PATCH:merge", &format!("{CONFIG_MAPS}/b"), json!({})).await;
    object(&server, "GET", CONFIG_MAPS, Value::Null).await;
    assert_eq!(server.writes(), ["create configmaps default/a", "patch configmaps default/b"]);
    let requests = server.take_requests();
    let codes: Vec<_> = requests.iter().map(|request| request.code).collect();
    assert_eq!(codes, [Some(201), Some(404), Some(200)]);
    assert_eq!(requests[1].content_type, "application/merge-patch+json");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_fault_is_for_the_requests_that_are_meant() {
    let server = server();
    let which = || Which::verb("create").resource("", "configmaps").name("a");
    server.inject(which().nth(2), Fault::refuse(503, "ServiceUnavailable", "come back later"));
    let a = json!({"metadata": {"name": "a"}});
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "b"}})).await;
    object(&server, "POST", CONFIG_MAPS, a.clone()).await;
    let refused = refusal(&server, "POST", CONFIG_MAPS, a.clone()).await;
    assert_eq!(refused, (503, "ServiceUnavailable".to_owned(), "come back later".to_owned()));
    assert_eq!(refusal(&server, "POST", CONFIG_MAPS, a).await.1, "AlreadyExists");
}

async fn create(server: &FakeServer) -> std::io::Result<u16> {
    let request = Request::post(format!("http://fake{CONFIG_MAPS}"))
        .body(k8s_client_runtime::rest::Body::from(json!({"metadata": {"name": "a"}}).to_string()))
        .unwrap();
    server.clone().call(request).await.map(|response| response.status().as_u16())
}

#[tokio::test]
async fn a_connection_breaks_before_or_after_the_write() {
    for (fault, is_written) in [(Fault::DropRequest, false), (Fault::DropAnswer, true)] {
        let server = server();
        server.inject(Which::verb("create").first(1), fault);
        assert!(create(&server).await.is_err());
        assert_eq!(server.object("v1", "ConfigMap", "default", "a").is_some(), is_written);
        assert_eq!(server.requests()[0].code, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_takes_its_time() {
    let server = server();
    server.inject(Which::any(), Fault::Delay(Duration::from_secs(20)));
    let start = tokio::time::Instant::now();
    assert_eq!(create(&server).await.unwrap(), 201);
    assert_eq!(start.elapsed(), Duration::from_secs(20));
    server.clear_faults();
    assert_eq!(create(&server).await.unwrap(), 409);
    assert_eq!(start.elapsed(), Duration::from_secs(20));
}
