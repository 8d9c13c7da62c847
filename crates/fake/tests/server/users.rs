//! What tests do with a server: objects to begin with, requests that came, faults.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_client_fake::{FakeServer, Fault, RequestFilter};
use k8s_client_runtime::{http::Request, k8s_openapi::api::core::v1::ConfigMap};
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

#[test]
fn text_that_is_not_yaml_adds_nothing() {
    let server = server();
    let good = "--- # the first\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n...\n---\n---\n";
    let problem = server.add_yaml(&format!("{good}apiVersion: [v1\n")).unwrap_err().to_string();
    assert!(problem.starts_with("the text cannot be read as YAML: "), "{problem}");
    assert_eq!(server.object("v1", "ConfigMap", "default", "a"), None);
    server.add_yaml(good).unwrap();
    assert!(server.object("v1", "ConfigMap", "default", "a").is_some());
}

#[test]
fn a_document_that_cannot_be_added_is_named_and_items_of_a_list_are_added_one_by_one() {
    let server = server();
    let text = "
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
- {apiVersion: v1, kind: Secret, metadata: {name: c}}
---
{apiVersion: apps/v1, kind: Deployement, metadata: {name: d}}
";
    let problem = server.add_yaml(text).unwrap_err().to_string();
    assert!(problem.starts_with("document 3: "), "{problem}");
    assert!(problem.contains("serves no kind \"Deployement\" of \"apps/v1\""), "{problem}");
    assert_eq!(server.objects("v1", "ConfigMap").len(), 2);
    assert!(server.object("v1", "Secret", "default", "c").is_some());
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
    let filter = || RequestFilter::verb("create").resource("", "configmaps").name("a");
    server.inject(filter().nth(2), Fault::refuse(503, "ServiceUnavailable", "come back later"));
    let a = json!({"metadata": {"name": "a"}});
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "b"}})).await;
    object(&server, "POST", CONFIG_MAPS, a.clone()).await;
    let refused = refusal(&server, "POST", CONFIG_MAPS, a.clone()).await;
    assert_eq!(refused, (503, "ServiceUnavailable".to_owned(), "come back later".to_owned()));
    assert_eq!(refusal(&server, "POST", CONFIG_MAPS, a).await.1, "AlreadyExists");
}

#[test]
fn a_filter_that_would_match_nothing_is_refused() {
    let refused = |problem: &str, filter: fn() -> RequestFilter| {
        let panic = std::panic::catch_unwind(filter).unwrap_err();
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        assert!(text.is_some_and(|text| text.contains(problem)), "{text:?}");
    };
    let verbs = "there is no verb \"PUT\": it is one of get, list, watch, create";
    refused(verbs, || RequestFilter::verb("PUT"));
    refused("there is no request 0: they are counted from 1", || RequestFilter::any().nth(0));
}

#[test]
fn the_clock_is_set_forward_and_back_within_the_times_that_can_be_written() {
    let server = server();
    let created_now = |name: &str| {
        server.add(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})).unwrap();
        let object = server.object("v1", "ConfigMap", "default", name).unwrap();
        object["metadata"]["creationTimestamp"].as_str().unwrap().to_owned()
    };
    let hour = Duration::from_secs(3_600);
    for (step, by, text) in [
        ("forward", hour, "2026-01-01T01:00:00Z"),
        ("back", 2 * hour, "2025-12-31T23:00:00Z"),
        ("forward", Duration::MAX, "9999-12-31T23:59:59Z"),
        ("back", hour, "9999-12-31T22:59:59Z"),
        ("back", Duration::MAX, "1970-01-01T00:00:00Z"),
    ] {
        if step == "forward" {
            server.set_clock_forward(by);
        } else {
            server.set_clock_back(by);
        }
        assert_eq!(created_now(&text.replace(':', ".").to_lowercase()), text, "{step} by {by:?}");
    }
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
        server.inject(RequestFilter::verb("create").first(1), fault);
        assert!(create(&server).await.is_err());
        assert_eq!(server.object("v1", "ConfigMap", "default", "a").is_some(), is_written);
        assert_eq!(server.requests()[0].code, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_takes_its_time() {
    let server = server();
    server.inject(RequestFilter::any(), Fault::Delay(Duration::from_secs(20)));
    let start = tokio::time::Instant::now();
    assert_eq!(create(&server).await.unwrap(), 201);
    assert_eq!(start.elapsed(), Duration::from_secs(20));
    server.clear_faults();
    assert_eq!(create(&server).await.unwrap(), 409);
    assert_eq!(start.elapsed(), Duration::from_secs(20));
}

#[tokio::test]
async fn single_watches_are_cut_and_expire_while_others_go_on() {
    let server = server();
    let watch = |path: &str, program: &str| {
        let request = Request::get(format!("http://fake{path}?watch=true&resourceVersion={}", server.revision()))
            .header("user-agent", format!("{program}/1"))
            .body(k8s_client_runtime::rest::Body::from(""))
            .unwrap();
        let mut server = server.clone();
        async move { server.call(request).await.unwrap().into_body() }
    };
    let [mut cut, mut expired, mut other] =
        [watch(CONFIG_MAPS, "cut").await, watch(CONFIG_MAPS, "expired").await, watch("/api/v1/secrets", "cut").await];
    server.cut_watches_of(RequestFilter::any().resource("", "configmaps").sent_by("cut"));
    server.expire_watches_of(RequestFilter::any().sent_by("expired"));
    server.add(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})).unwrap();
    server.add(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})).unwrap();
    assert!(cut.chunk().await.is_none());
    let event: Value = serde_json::from_slice(&expired.chunk().await.unwrap().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["object"]["reason"]), (&json!("ERROR"), &json!("Expired")));
    assert!(expired.chunk().await.is_none());
    let event: Value = serde_json::from_slice(&other.chunk().await.unwrap().unwrap()).unwrap();
    assert_eq!(event["object"]["metadata"]["name"], "a");
    // One that is opened afterwards is not meant.
    let mut later = watch(CONFIG_MAPS, "cut").await;
    server.add(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}})).unwrap();
    assert!(later.chunk().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_cut_after_its_time() {
    let server = server();
    server.inject(RequestFilter::verb("watch").nth(1), Fault::CutWatch(Duration::from_secs(7)));
    let start = tokio::time::Instant::now();
    object(&server, "GET", &format!("{CONFIG_MAPS}?watch=true"), Value::Null).await;
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

#[tokio::test]
async fn a_stale_read_shows_what_was_and_a_write_is_never_stale() {
    let server = server();
    for value in 1..=3 {
        server
            .add(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"v": value.to_string()}}))
            .unwrap();
    }
    let newest = server.revision();
    server.inject(RequestFilter::any(), Fault::StaleRead(2));
    let list = object(&server, "GET", CONFIG_MAPS, Value::Null).await;
    assert_eq!(list["items"][0]["data"]["v"], "1");
    assert_eq!(list["metadata"]["resourceVersion"], (newest - 2).to_string());
    let path = format!("{CONFIG_MAPS}/a");
    assert_eq!(object(&server, "GET", &path, Value::Null).await["data"]["v"], "1");
    let patched = object(&server, "PATCH:merge", &path, json!({"data": {"w": "1"}})).await;
    assert_eq!(patched["data"], json!({"v": "3", "w": "1"}));
    // What is forgotten cannot be shown.
    server.compact_all();
    assert_eq!(object(&server, "GET", &path, Value::Null).await["data"]["v"], "3");
}

#[tokio::test]
async fn writes_are_told_with_what_they_change_and_the_request_they_come_of() {
    let server = server();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let telling = Arc::clone(&told);
    server.on_write(move |write| {
        let value = |object: Option<&Value>| object.map_or("-".to_owned(), |object| object["data"]["v"].to_string());
        let sender = write.request().map_or("nobody", |request| &request.user_agent);
        let line = format!("{write} {} {} by {sender}", value(write.before()), value(write.after()));
        telling.lock().unwrap().push(line);
    });
    server
        .add(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"v": "1"}}))
        .unwrap();
    let path = format!("{CONFIG_MAPS}/a");
    object(&server, "PATCH:merge", &path, json!({"data": {"v": "2"}})).await;
    object(&server, "PATCH:merge", &path, json!({"data": {"v": "2"}})).await;
    object(&server, "DELETE", &path, Value::Null).await;
    assert_eq!(
        *told.lock().unwrap(),
        [
            "create configmaps default/a - \"1\" by nobody",
            "update configmaps default/a \"1\" \"2\" by test/1",
            "delete configmaps default/a \"2\" - by test/1",
        ]
    );
}

fn panic_of(work: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

#[tokio::test]
async fn assertions_say_what_differs() {
    let server = server();
    let deployment = |image: &str, replicas: u32| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]},
                },
            },
        })
    };
    server.add(&deployment("web:1", 2)).unwrap();
    server.assert_has(&deployment("web:1", 2));
    assert_eq!(
        panic_of(|| server.assert_has(&deployment("web:2", 3))),
        "the Deployment web is not as expected:\n  spec.replicas: 3 expected, 2 found\n  \
         spec.template.spec.containers[0].image: \"web:2\" expected, \"web:1\" found\n"
    );
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "y"}});
    assert_eq!(panic_of(|| server.assert_has(&other)), "there is no ConfigMap y/x of v1");

    for name in ["a", "b", "c"] {
        object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": name}})).await;
    }
    server.assert_writes(&[
        "create configmaps default/a",
        "create configmaps default/b",
        "create configmaps default/c",
    ]);
    let expected = ["create configmaps default/b", "delete configmaps default/b", "create configmaps default/c"];
    assert_eq!(
        panic_of(|| server.assert_writes(&expected)),
        "other writes than expected:\n + create configmaps default/a\n   create configmaps default/b\n - delete configmaps \
         default/b\n   create configmaps default/c\n"
    );
    let sent: ConfigMap = server.requests()[0].object().unwrap();
    assert_eq!(sent.metadata.name.as_deref(), Some("a"));
    let kept: Vec<ConfigMap> = server.list();
    assert_eq!(kept.len(), 3);
    assert_eq!(server.get::<ConfigMap>("default", "b").unwrap().metadata.name.as_deref(), Some("b"));
}
