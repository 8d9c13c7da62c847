//! Answers that a healthy API server never gives, and what becomes of them.

#[path = "../support/mod.rs"]
mod support;

mod deletes;
mod proxied;
mod watches;

use std::{future::IntoFuture as _, time::Duration};

use k8s_client_runtime::{
    ErrorKind, RestClient,
    resource::{Cluster, LogStream, Namespaced, Patch, ResourceClient},
    retry::{Backoff, retry_on_conflict},
};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use support::{Answer, JSON, Server, http};

fn config_maps(client: &RestClient) -> ResourceClient<ConfigMap, Namespaced> {
    ResourceClient::<ConfigMap>::namespaced(client, "ns")
}

/// What applies to the `ConfigMap`.
fn configuration() -> serde_json::Value {
    serde_json::json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "web" } })
}

fn namespaces(client: &RestClient) -> ResourceClient<Namespace, Cluster> {
    ResourceClient::<Namespace>::cluster(client)
}

const CONFIG_MAP: &str = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"web","resourceVersion":"7"}}"#;

const SUCCESS: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}"#;

const FAILURE: &str =
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Conflict","code":409}"#;

#[tokio::test]
async fn error_without_a_status_keeps_code_text_method_and_url() {
    let server = Server::answering("404 Not Found", "Content-Type: text/plain\r\n", "404 page not found\n").await;
    let error = config_maps(&server.client()).get("web").await.expect_err("it is not there");
    assert!(error.is_not_found() && error.is_unexpected_server_error());
    let text = error.to_string();
    assert!(text.starts_with("GET http://127.0.0.1:"), "{text}");
    assert!(text.contains("/api/v1/namespaces/ns/configmaps/web: 404 NotFound"), "{text}");
    assert!(text.contains("404 page not found"), "{text}");
    assert!(text.ends_with("a custom resource needs its CRD to be installed first"), "{text}");
}

#[tokio::test]
async fn web_page_in_place_of_an_object_is_named_as_such() {
    let server = Server::answering("200 OK", "Content-Type: text/html\r\n", "<html>log in</html>").await;
    let error = config_maps(&server.client()).get("web").await.expect_err("that is no object");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("text/html"), "{error}");
}

#[tokio::test]
async fn what_does_not_speak_http_is_named_as_such() {
    for answer in
        [&b"SSH-2.0-OpenSSH_9.9\r\n"[..], b"<html>log in</html>", b"\x15\x03\x01\0\x02\x02\x16", b"\0\0\x12\x04\0\0"]
    {
        let server = Server::start(vec![Answer::Close(answer.to_vec())]).await;
        let error = config_maps(&server.client()).get("web").await.expect_err("that is no answer");
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        let text = error.to_string();
        assert!(text.contains("does not speak HTTP that can be read; is this the URL of an API server?"), "{text}");
    }
}

#[tokio::test]
async fn redirects_are_errors_and_not_followed() {
    let server = Server::answering("302 Found", "Location: http://127.0.0.1:1/login\r\n", "").await;
    let error = config_maps(&server.client()).get("web").await.expect_err("it is a redirect");
    assert_eq!(error.code(), Some(302));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn empty_answer_is_an_error_with_its_code() {
    let server = Server::answering("200 OK", JSON, "").await;
    let error = config_maps(&server.client()).get("web").await.expect_err("there is nothing");
    assert!(error.to_string().contains("0-length response with status code: 200"), "{error}");
}

#[tokio::test]
async fn failure_with_a_good_code_is_an_error() {
    let server = Server::answering("200 OK", JSON, FAILURE).await;
    let client = server.client();
    assert!(config_maps(&client).get("web").await.expect_err("it failed").is_conflict());
    assert!(config_maps(&client).delete("web").await.expect_err("it failed").is_conflict());
}

#[tokio::test]
async fn status_is_never_taken_for_an_object() {
    let server = Server::answering("200 OK", JSON, SUCCESS).await;
    let error = config_maps(&server.client()).get("web").await.expect_err("a Status is no ConfigMap");
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn list_in_place_of_an_object_is_an_error() {
    let body = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[]}"#;
    let server = Server::answering("200 OK", JSON, body).await;
    let error = config_maps(&server.client()).get("web").await.expect_err("a list is no ConfigMap");
    assert!(error.to_string().contains("ConfigMapList"), "{error}");
}

#[tokio::test]
async fn null_and_missing_items_are_an_empty_list() {
    for body in [
        r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":null}"#,
        r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"}}"#,
    ] {
        let server = Server::answering("200 OK", JSON, body).await;
        assert!(config_maps(&server.client()).list().await.expect(body).items.is_empty());
    }
}

#[tokio::test]
async fn retry_after_is_told() {
    let server = Server::answering("429 Too Many Requests", "Retry-After: 3\r\n", "").await;
    let error = config_maps(&server.client()).get("web").with_max_retries(0).await.expect_err("too many");
    assert!(error.is_too_many_requests());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn create_that_lost_its_answer_is_sent_once_and_reported() {
    let server = Server::start(vec![Answer::Close(Vec::new())]).await;
    let error = config_maps(&server.client()).create(&ConfigMap::default()).await.expect_err("no answer came");
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(error.to_string().starts_with("POST http://"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn answer_that_breaks_off_is_an_error() {
    let whole = http("200 OK", JSON, CONFIG_MAP);
    let server = Server::start(vec![Answer::Close(whole[..whole.len() - 20].to_vec())]).await;
    let error = config_maps(&server.client()).get("web").with_max_retries(1).await.expect_err("half an object");
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

#[tokio::test]
async fn time_limit_covers_head_and_body() {
    for sent in [Vec::new(), http("200 OK", JSON, CONFIG_MAP)[..90].to_vec()] {
        let server = Server::start(vec![Answer::Hang(sent)]).await;
        let limit = Duration::from_millis(200);
        let error = config_maps(&server.client()).get("web").with_timeout(limit).await.expect_err("it hangs");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(server.requests()[0].starts_with("GET /api/v1/namespaces/ns/configmaps/web?timeout=0.2s "));
    }
}

#[tokio::test]
async fn requests_say_what_they_are() {
    let server = Server::answering("200 OK", JSON, CONFIG_MAP).await;
    let config_maps = config_maps(&server.client());
    let patch = Patch::StrategicMerge(serde_json::json!({"data": {"a": "b"}}));
    config_maps.patch("web", &patch).field_manager("me").dry_run().await.expect("a ConfigMap");
    config_maps.apply(&configuration()).field_manager("me").await.expect("a ConfigMap");
    let requests = server.requests();
    let head = requests[0].to_lowercase();
    assert!(requests[0].starts_with("PATCH /api/v1/namespaces/ns/configmaps/web?dryRun=All&fieldManager=me HTTP/1.1"));
    assert!(head.contains("content-type: application/strategic-merge-patch+json"), "{head}");
    assert!(head.contains("accept: application/json"), "{head}");
    assert!(head.contains("user-agent: "), "{head}");
    assert!(requests[0].ends_with(r#"{"data":{"a":"b"}}"#));
    assert!(requests[1].starts_with("PATCH /api/v1/namespaces/ns/configmaps/web?fieldManager=me&force=false HTTP/1.1"));
    assert!(requests[1].to_lowercase().contains("content-type: application/apply-patch+yaml"));
}

#[tokio::test]
async fn apply_without_a_manager_is_refused_before_anything_is_sent() {
    let server = Server::answering("200 OK", JSON, CONFIG_MAP).await;
    let error = config_maps(&server.client()).apply(&configuration()).await.expect_err("nobody owns it");
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().contains("field_manager"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn configurations_that_no_server_takes_are_refused_before_anything_is_sent() {
    let server = Server::answering("200 OK", JSON, CONFIG_MAP).await;
    let client = server.client();
    let with = |path: &str, value: serde_json::Value| {
        let mut configuration = configuration();
        *configuration.pointer_mut(path).expect("it is there") = value;
        configuration
    };
    for (configuration, text) in [
        (with("/metadata/name", "".into()), "metadata.name of the configuration is not set"),
        (
            with("/metadata", serde_json::json!({ "name": "web", "namespace": "other" })),
            "\"other\", the client of \"ns\"",
        ),
        (with("/apiVersion", "".into()), ".apiVersion: is not set"),
        (with("/kind", serde_json::Value::Null), ".kind: is not set"),
        (
            with("/metadata", serde_json::json!({ "name": "web", "managedFields": [{}] })),
            ".metadata.managedFields: is set",
        ),
    ] {
        let error = config_maps(&client).apply(&configuration).field_manager("me").await.expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(error.to_string().contains(text), "{error}");
    }
    let elsewhere = with("/metadata", serde_json::json!({ "name": "web", "namespace": "ns" }));
    let error = namespaces(&client).apply(&elsewhere).field_manager("me").await.expect_err("it has a namespace");
    assert!(error.to_string().contains("of namespace \"ns\", but the client of none"), "{error}");
    assert!(server.requests().is_empty());
    config_maps(&client).apply(&elsewhere).field_manager("me").await.expect("the same namespace");
}

#[tokio::test]
async fn empty_names_and_namespaces_are_refused_before_anything_is_sent() {
    let server = Server::answering("200 OK", JSON, CONFIG_MAP).await;
    let client = server.client();
    let nowhere = ResourceClient::<ConfigMap>::namespaced(&client, "");
    for error in [
        nowhere.get("web").await.expect_err("no namespace"),
        config_maps(&client).get("").await.expect_err("no name"),
        config_maps(&client).update(&ConfigMap::default()).await.expect_err("no name in the object"),
        namespaces(&client).delete("a/b").await.expect_err("a path in place of a name"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    }
    assert!(nowhere.list().await.is_err());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn modify_reads_again_after_a_conflict() {
    let server = Server::start(vec![
        Answer::Close(http("200 OK", JSON, CONFIG_MAP)),
        Answer::Close(http("409 Conflict", JSON, FAILURE)),
        Answer::Close(http("200 OK", JSON, &CONFIG_MAP.replace('7', "8"))),
        Answer::Close(http("200 OK", JSON, &CONFIG_MAP.replace('7', "9"))),
    ])
    .await;
    let value = &String::from("b")[..];
    let modified = config_maps(&server.client())
        .modify("web", |config_map| {
            // A borrowed value: the closure need not own what it uses.
            config_map.data.get_or_insert_default().insert("a".to_owned(), value.to_owned());
        })
        .field_manager("me")
        .await
        .expect("the second try succeeds");
    assert_eq!(modified.metadata.resource_version.as_deref(), Some("9"));
    let methods: Vec<_> = server.requests().iter().map(|request| request[..4].trim().to_owned()).collect();
    assert_eq!(methods, ["GET", "PUT", "GET", "PUT"]);
    assert!(server.requests()[3].contains(r#""resourceVersion":"8""#));
    assert!(server.requests()[3].contains("?fieldManager=me "));
}

#[tokio::test]
async fn pages_are_fetched_one_by_one_and_the_version_is_not_repeated() {
    let page = |name: &str, token: &str| {
        http(
            "200 OK",
            JSON,
            &format!(
                r#"{{"kind":"NamespaceList","apiVersion":"v1","metadata":{{"continue":"{token}"}},
                    "items":[{{"metadata":{{"name":"{name}"}}}}]}}"#
            ),
        )
    };
    let pages = [page("a", "one"), page("b", "two"), page("c", "")];
    let server = Server::start(pages.map(Answer::Close).to_vec()).await;
    let mut items = namespaces(&server.client()).list().limit(1).resource_version("5").items();
    let mut names = Vec::new();
    while let Some(namespace) = items.try_next().await.expect("three pages") {
        names.extend(namespace.metadata.name);
    }
    assert_eq!(names, ["a", "b", "c"]);
    let lines: Vec<_> =
        server.requests().iter().filter_map(|request| request.lines().next().map(str::to_owned)).collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/namespaces?limit=1&resourceVersion=5 HTTP/1.1",
            "GET /api/v1/namespaces?continue=one&limit=1 HTTP/1.1",
            "GET /api/v1/namespaces?continue=two&limit=1 HTTP/1.1",
        ]
    );
}

#[tokio::test]
async fn page_whose_version_was_forgotten_ends_the_pages() {
    let expired =
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired","code":410}"#;
    let first = r#"{"kind":"NamespaceList","apiVersion":"v1","metadata":{"continue":"one"},"items":[]}"#;
    let server =
        Server::start(vec![Answer::Close(http("200 OK", JSON, first)), Answer::Close(http("410 Gone", JSON, expired))])
            .await;
    let mut pages = namespaces(&server.client()).list().pages();
    assert!(pages.try_next().await.expect("the first page").is_some());
    assert!(pages.try_next().await.expect_err("the second is gone").must_list_again());
    assert!(pages.try_next().await.expect("nothing more").is_none());
}

/// A body without a length ends with its connection, so that nothing but the event itself says that it is not whole.
#[tokio::test]
async fn logs_come_as_text_and_as_lines() {
    let body = "one\r\ntwo\n\nlast";
    let server = Server::answering("200 OK", "Content-Type: text/plain\r\n", body).await;
    let pods = ResourceClient::<Pod>::namespaced(&server.client(), "ns");
    assert_eq!(pods.logs("web").tail_lines(4).container("c").await.expect("text"), body);
    let mut lines = pods.logs("web").lines().await.expect("a stream");
    let mut read = Vec::new();
    while let Some(line) = lines.try_next().await.expect("whole lines") {
        read.push(line);
    }
    // A carriage return is the container's own.
    assert_eq!(read, ["one\r", "two", "", "last"]);
    pods.logs("web").stream_name(LogStream::Stderr).await.expect("text");
    assert!(server.requests()[0].starts_with("GET /api/v1/namespaces/ns/pods/web/log?container=c&tailLines=4 "));
    assert!(server.requests()[2].starts_with("GET /api/v1/namespaces/ns/pods/web/log?stream=Stderr "));
}

#[tokio::test]
async fn log_that_breaks_off_says_which() {
    let text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\none\nhalf";
    let server = Server::start(vec![Answer::Close(text.as_bytes().to_vec())]).await;
    let pods = ResourceClient::<Pod>::namespaced(&server.client(), "ns");
    let mut lines = pods.logs("web").follow().lines().await.expect("a stream");
    assert!(lines.try_next().await.expect("the first line is whole").is_some_and(|line| line == "one"));
    let error = lines.try_next().await.expect_err("the second is not");
    assert!(error.to_string().contains("/pods/web/log?follow=true: "), "{error}");
}

#[tokio::test]
async fn refused_connection_says_where_to() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        listener.local_addr().expect("a bound socket has an address")
    };
    let config = k8s_client_runtime::Config::new(&format!("http://{address}")).expect("a URL");
    let client = RestClient::new(&config).expect("a valid configuration");
    let error = namespaces(&client).get("default").await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn futures_and_streams_can_be_spawned() {
    fn spawnable<T: Send + 'static>(_: T) {}

    let server = Server::answering("200 OK", JSON, CONFIG_MAP).await;
    let config_maps = config_maps(&server.client());
    spawnable(config_maps.get("web").into_future());
    spawnable(config_maps.list().into_future());
    spawnable(config_maps.list().items());
    spawnable(config_maps.watch().into_future());
    spawnable(config_maps.create(&ConfigMap::default()).into_future());
    spawnable(config_maps.delete("web").into_future());
    spawnable(config_maps.delete_collection().into_future());
    spawnable(config_maps.modify("web", |_| ()).into_future());
    spawnable(ResourceClient::<Pod>::namespaced(&server.client(), "ns").logs("web").lines());
    spawnable(retry_on_conflict(Backoff::DEFAULT_RETRY, move || config_maps.get("web").into_future()));
}

#[tokio::test]
async fn answer_that_is_kept_whole_ends_at_the_limit_of_bytes() {
    let item = r#"{"metadata":{"name":"web"},"data":{"key":"value"}}"#;
    let list =
        format!(r#"{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{}},"items":[{}]}}"#, [item; 100].join(","));
    let object = format!(r#"{{"kind":"ConfigMap","apiVersion":"v1","data":{{"key":"{}"}}}}"#, "x".repeat(list.len()));
    let server = Server::start(vec![
        Answer::Close(http("200 OK", JSON, &object)),
        Answer::Close(http("200 OK", JSON, &list)),
        Answer::Close(http("200 OK", JSON, &list)),
        Answer::Close(http("200 OK", JSON, &list)),
    ])
    .await;
    let mut config = server.config();
    config.max_response_bytes = Some(list.len() as u64 - 1);
    let config_maps = config_maps(&RestClient::new(&config).expect("a client"));
    for error in [
        config_maps.get("web").await.expect_err("it is too long"),
        config_maps.list().await.expect_err("it is too long"),
        // A time limit is kept by a body around the answer's.
        config_maps.list().with_timeout(Duration::from_secs(60)).await.expect_err("it is too long"),
    ] {
        assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("max_response_bytes"), "{error}");
    }
    let mut items = config_maps.list().stream().await.expect("a stream");
    let mut count = 0;
    while items.try_next().await.expect("an item is short").is_some() {
        count += 1;
    }
    assert_eq!(count, 100);
}
