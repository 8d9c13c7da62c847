//! Objects that travel as protobuf.

use bytes::Bytes;
use k8s_client_api_core::v1::{CoreV1Client, kinds};
use k8s_client_runtime::{
    codec::Codec,
    k8s_openapi::api::core::v1::{ConfigMap, Pod},
    protobuf,
    watch::WatchEvent,
};
use serde_json::json;

use super::*;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// Sends bytes; the code, the `Content-Type` and the body of the answer.
async fn send(
    server: &FakeServer,
    (method, path): (&str, &str),
    (content_type, accept): (&str, &str),
    body: impl Into<Bytes>,
) -> (u16, String, Bytes) {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://fake{path}"))
        .header("content-type", content_type)
        .header("accept", accept)
        .body(Body::from(body.into()))
        .unwrap();
    let response = server.clone().call(request).await.unwrap();
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), content_type, response.into_body().collect().await.unwrap())
}

/// A Status in protobuf: its reason and its message.
fn refused(body: &[u8]) -> (String, String) {
    let status = protobuf::read_kind::<protobuf::Status>(body, "v1", "Status").unwrap();
    (status.reason.unwrap_or_default(), status.message.unwrap_or_default())
}

fn settings(color: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": "settings"}, "data": {"color": color}})).unwrap()
}

#[tokio::test]
async fn typed_clients_speak_protobuf_with_it() {
    let server = server();
    let client = CoreV1Client::new(&server.client().unwrap());
    let maps = client.config_maps("default");
    let created = maps.create(&settings("blue")).await.unwrap();
    let recorded = server.requests().pop().unwrap();
    assert_eq!(recorded.content_type, PROTOBUF);
    assert_eq!(recorded.body()["data"]["color"], "blue");
    assert_eq!((&recorded.body()["apiVersion"], &recorded.body()["kind"]), (&json!("v1"), &json!("ConfigMap")));

    let mut changed = created.clone();
    changed.data = settings("red").data;
    let changed = maps.update(&changed).await.unwrap();
    assert_eq!(maps.get("settings").await.unwrap(), changed);
    assert!(maps.update(&created).await.unwrap_err().is_conflict());
    let patch = k8s_client_runtime::resource::Patch::Merge(json!({"data": {"color": "green"}}));
    let patched = maps.patch("settings", &patch).await.unwrap();
    assert_eq!(patched.data.unwrap()["color"], "green");

    let list = maps.list().await.unwrap();
    assert_eq!(list.items.len(), 1);
    let mut events = maps.watch().resource_version(created.metadata.resource_version.unwrap()).await.unwrap();
    for color in ["red", "green"] {
        let WatchEvent::Modified(map) = events.try_next().await.unwrap().unwrap() else { panic!("it was modified") };
        assert_eq!(map.data.unwrap()["color"], color);
    }
    maps.delete("settings").await.unwrap();
    assert!(matches!(events.try_next().await.unwrap().unwrap(), WatchEvent::Deleted(_)));
    assert!(maps.get("settings").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn answers_come_in_the_form_that_is_wanted_most() {
    let server = server();
    let path = format!("{CONFIG_MAPS}/settings");
    let body = settings("blue");
    let json_body = kinds::ConfigMap::encode_json(&body).unwrap();
    let (code, content_type, created) =
        send(&server, ("POST", CONFIG_MAPS), ("application/json", PROTOBUF), json_body).await;
    assert_eq!((code, content_type.as_str()), (201, PROTOBUF));
    let created = kinds::ConfigMap::decode_protobuf(&created).unwrap();
    for (accept, expected) in [
        ("application/json", "application/json"),
        ("application/vnd.kubernetes.protobuf;q=0.5,application/json;q=0.6", "application/json"),
        ("application/json;q=0.5,application/vnd.kubernetes.protobuf", PROTOBUF),
        // There are no rows in protobuf.
        (
            "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json;as=Table;g=meta.k8s.io;v=v1",
            "application/json",
        ),
    ] {
        let (code, content_type, body) = send(&server, ("GET", &path), ("", accept), "").await;
        assert_eq!((code, content_type.as_str()), (200, expected), "{accept}");
        if expected == PROTOBUF {
            assert_eq!(kinds::ConfigMap::decode_protobuf(&body).unwrap(), created);
        }
    }
    for (accept, streams) in [("text/html", ""), ("application/*", ", application/json;stream=watch")] {
        let path = if streams.is_empty() { &path } else { CONFIG_MAPS };
        let (code, _, body) = send(&server, ("GET", path), ("", accept), "").await;
        assert_eq!(code, 406, "{accept}");
        let text =
            format!("Available representations: application/json, application/yaml, {PROTOBUF}, application/cbor");
        assert!(String::from_utf8_lossy(&body).contains(&format!("{text}{streams}")), "{accept}: {body:?}");
    }
    let rows = "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1";
    let (code, content_type, body) = send(&server, ("GET", &path), ("", rows), "").await;
    assert_eq!((code, content_type.as_str()), (406, "application/json"));
    assert!(String::from_utf8_lossy(&body).contains("only the following media types are accepted: application/json"));

    let (code, content_type, body) = send(&server, ("GET", &format!("{CONFIG_MAPS}/x")), ("", PROTOBUF), "").await;
    assert_eq!((code, content_type.as_str()), (404, PROTOBUF));
    assert_eq!(refused(&body), ("NotFound".to_owned(), "configmaps \"x\" not found".to_owned()));
}

#[tokio::test]
async fn options_of_deletions_are_read_from_protobuf() {
    let server = server();
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "one"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
    }))
    .unwrap();
    let pods = "/api/v1/namespaces/default/pods";
    let body = kinds::Pod::encode_protobuf(&pod).unwrap();
    assert_eq!(send(&server, ("POST", pods), (PROTOBUF, PROTOBUF), body).await.0, 201);
    // `gracePeriodSeconds` is 7.
    let options = b"k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12\x02\x08\x07";
    let path = format!("{pods}/one");
    let (code, _, body) = send(&server, ("DELETE", &path), (PROTOBUF, PROTOBUF), &options[..]).await;
    assert_eq!(code, 200);
    let deleted = kinds::Pod::decode_protobuf(&body).unwrap();
    assert_eq!(deleted.metadata.deletion_grace_period_seconds, Some(7));
}

#[tokio::test]
async fn bodies_that_are_no_protobuf_are_refused() {
    let server = server();
    let pod = kinds::Pod::encode_protobuf(&Pod::default()).unwrap();
    let mut damaged = kinds::ConfigMap::encode_protobuf(&settings("blue")).unwrap();
    damaged.truncate(damaged.len() - 3);
    for (body, message) in [
        (Vec::new(), "the object provided is unrecognized (must be of type ConfigMap): empty data (<empty>)"),
        (
            b"{}".to_vec(),
            "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a \
             protobuf message, expected prefix [107 56 115 0] ({})",
        ),
        (
            pod,
            "Pod in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown \
             conversion",
        ),
    ] {
        let (code, content_type, answer) =
            send(&server, ("POST", CONFIG_MAPS), (PROTOBUF, PROTOBUF), body.clone()).await;
        assert_eq!((code, content_type.as_str()), (400, PROTOBUF), "{body:?}");
        assert_eq!(refused(&answer), ("BadRequest".to_owned(), message.to_owned()), "{body:?}");
    }
    let (code, _, answer) = send(&server, ("POST", CONFIG_MAPS), (PROTOBUF, PROTOBUF), damaged).await;
    assert_eq!((code, refused(&answer).0.as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn custom_resources_have_protobuf_of_their_metadata_alone() {
    let server = server();
    custom_resources::define(&server).await;
    let path = "/apis/example.com/v1/namespaces/default/widgets";
    let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"}});
    let both = format!("{PROTOBUF},application/json");
    let (code, content_type, _) = send(&server, ("POST", path), ("application/json", &both), widget.to_string()).await;
    assert_eq!((code, content_type.as_str()), (201, "application/json"));
    let (code, content_type, _) = send(&server, ("GET", path), ("", PROTOBUF), "").await;
    assert_eq!((code, content_type.as_str()), (406, PROTOBUF));
    let body = &b"k8s\0\x0a\x18\x0a\x0eexample.com/v1\x12\x06Widget\x12\0"[..];
    assert_eq!(send(&server, ("POST", path), (PROTOBUF, "application/json"), body).await.0, 415);
    let of_metadata = format!("{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
    let (code, content_type, list) = send(&server, ("GET", path), ("", &of_metadata), "").await;
    assert_eq!((code, content_type.as_str()), (200, PROTOBUF));
    assert!(list.starts_with(b"k8s\0\x0a\x2b\x0a\x0emeta.k8s.io/v1\x12\x19PartialObjectMetadataList"), "{list:?}");
}
