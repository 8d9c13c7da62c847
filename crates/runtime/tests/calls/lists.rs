//! Lists as they arrive, and answers of other types than the builder's own. No socket is involved.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{Response, header};
use http_body_util::StreamBody;
use k8s_client_runtime::{
    Error, ErrorKind, RestClient,
    codec::{self, Codec, Listable, MediaType},
    resource::{AnyScope, ListOptions, Lists, Patch, ResourceClient, ResourceVersionMatch},
    rest::{Body, BoxError},
    schema::GroupVersionResource,
};
use k8s_openapi::{List, api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ListMeta};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{answered_by, config_maps, json, nowhere, nowhere_but};

const LIST: &str = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"more"},
    "items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}"#;

const EXPIRED: &str =
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired","code":410}"#;

/// What a program reads that needs names only.
#[derive(Debug, Deserialize, PartialEq)]
struct Named {
    metadata: Name,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Name {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Names {
    items: Vec<Named>,
}

fn named(name: &str) -> Named {
    Named { metadata: Name { name: name.to_owned() } }
}

/// Config maps of a codec that would rather have protobuf.
enum InProtobuf {}

impl Codec for InProtobuf {
    type Object = ConfigMap;

    const ACCEPT: &'static [MediaType] = MediaType::PROTOBUF_OR_JSON;

    fn encode_json(object: &ConfigMap) -> codec::Result<Vec<u8>> {
        codec::to_json(object)
    }

    fn decode_json(body: &[u8]) -> codec::Result<ConfigMap> {
        codec::from_json(body)
    }

    fn encode_protobuf(_: &ConfigMap) -> codec::Result<Vec<u8>> {
        Ok(b"k8s\0".to_vec())
    }
}

impl Listable for InProtobuf {
    type List = List<ConfigMap>;

    fn decode_list_json(body: &[u8]) -> codec::Result<List<ConfigMap>> {
        codec::from_json(body)
    }
}

/// A client that is answered with a list in JSON, and the `Accept` headers that were sent.
fn listing() -> (ResourceClient<InProtobuf, AnyScope>, Arc<Mutex<Vec<String>>>) {
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&accepted);
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let accept = request.headers()[header::ACCEPT].to_str().expect("it is text").to_owned();
        seen.lock().expect("nobody panics").push(accept);
        async move { Ok::<_, BoxError>(json(200, LIST)) }
    });
    let client = RestClient::from_service(&nowhere(), service).expect("a valid configuration");
    let resource = GroupVersionResource::new("", "v1", "configmaps");
    (ResourceClient::at(&client, &resource, AnyScope::unknown().namespace("ns")), accepted)
}

/// Any client of lists will do.
async fn names(client: &impl Lists<Kind = ConfigMap>) -> Vec<Option<String>> {
    let items = client.list().stream().await.expect("a list");
    items.map_ok(|item| item.metadata.name).try_collect().await.expect("all of it")
}

#[tokio::test]
async fn stream_is_one_request_and_ends_in_the_metadata() {
    let (client, requests) = answered_by(&nowhere(), |_| async { json(200, LIST) });
    let mut items = config_maps(&client).list().limit(2).label_selector("app=web").stream().await.expect("a list");
    let mut names = Vec::new();
    while let Some(item) = items.try_next().await.expect("it is good") {
        assert_eq!(items.metadata(), None);
        names.push(item.metadata.name.expect("it has a name"));
    }
    assert_eq!(names, ["a", "b"]);
    let metadata = items.metadata().expect("it ended well");
    assert_eq!((metadata.resource_version.as_deref(), metadata.continue_.as_deref()), (Some("7"), Some("more")));
    let request = "GET http://nowhere/api/v1/namespaces/ns/configmaps?labelSelector=app%3Dweb&limit=2";
    assert_eq!(*requests.lock().expect("nobody panics"), [request]);
}

#[tokio::test]
async fn generic_code_streams_lists_too() {
    let (client, _) = answered_by(&nowhere(), |_| async { json(200, LIST) });
    assert_eq!(names(&config_maps(&client)).await, [Some("a".to_owned()), Some("b".to_owned())]);
}

#[tokio::test]
async fn refusal_and_web_page_are_errors_before_there_is_a_stream() {
    let (client, _) = answered_by(&nowhere(), |number| async move {
        if number == 1 { json(403, "") } else { Response::new(Body::from("<html>")) }
    });
    assert!(config_maps(&client).list().stream().await.expect_err("it is refused").is_forbidden());
    let error = config_maps(&client).list().stream().await.expect("it may be JSON").try_next().await.expect_err("not");
    assert_eq!((error.kind(), error.url().is_some()), (ErrorKind::Decode, true));
}

#[tokio::test(start_paused = true)]
async fn limit_of_the_call_holds_to_the_end_of_the_stream_for_what_has_not_come() {
    let start = r#"{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}},{"#;
    let config = nowhere_but(|config| config.timeout = Some(Duration::from_secs(20)));
    let (client, _) = answered_by(&config, move |_| async move {
        let chunk = Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(start.as_bytes())));
        let body = StreamBody::new(stream::iter([chunk]).chain(stream::pending()));
        Response::builder().header("content-type", "application/json").body(Body::new(body)).expect("a valid answer")
    });
    let started = Instant::now();
    let mut items = config_maps(&client).list().stream().await.expect("a head");
    assert!(items.try_next().await.expect("it has come").is_some());
    let error = {
        assert!(items.try_next().await.expect("it has come").is_some());
        items.try_next().await.expect_err("nothing more comes")
    };
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 20));

    // Who takes long is not late for what has come.
    let mut items = config_maps(&client).list().with_timeout(Duration::from_secs(5)).stream().await.expect("a head");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(items.try_next().await.expect("it has come").is_some());
    assert!(items.try_next().await.expect("it has come").is_some());
    let error = items.try_next().await.expect_err("nothing more comes");
    assert!(error.kind() == ErrorKind::Timeout && error.url().is_some(), "{error}");
}

#[tokio::test]
async fn only_the_builders_own_answer_may_be_protobuf() {
    let (client, accepted) = listing();
    let list = || client.list();
    assert_eq!(list().await.expect("a list").items.len(), 2);
    assert_eq!(list().stream().await.expect("a list").try_collect::<Vec<_>>().await.expect("all of it").len(), 2);
    let both = "application/vnd.kubernetes.protobuf,application/json";
    assert_eq!(accepted.lock().expect("nobody panics").split_off(0), [both, both]);

    assert_eq!(list().json::<Names>().await.expect("a list").items, [named("a"), named("b")]);
    assert_eq!(list().raw().await.expect("a list"), LIST);
    let plain = list().into_request().send().await.expect("an answer");
    assert_eq!(plain.json::<Names>().await.expect("a list").items.len(), 2);
    let items = list().stream_json::<Named>().await.expect("a list");
    assert_eq!(items.try_collect::<Vec<_>>().await.expect("all of it"), [named("a"), named("b")]);

    let object = ConfigMap::default();
    client.get("web").raw().await.expect("an answer");
    client.create(&object).raw().await.expect("an answer");
    client.delete("web").raw().await.expect("an answer");
    client.delete_collection().raw().await.expect("an answer");
    let patch = Patch::Merge(serde_json::json!({}));
    client.patch("web", &patch).json::<Names>().await.expect("an answer");
    let accepted = accepted.lock().expect("nobody panics").split_off(0);
    assert_eq!(accepted.len(), 9);
    assert!(accepted.iter().all(|accept| accept == "application/json"), "{accepted:?}");
}

#[tokio::test]
async fn header_that_the_caller_set_says_what_is_accepted() {
    let (client, accepted) = listing();
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    client.list().with_header("accept", table).raw().await.expect("an answer");
    assert_eq!(*accepted.lock().expect("nobody panics"), [table]);
}

#[tokio::test]
async fn failure_with_a_good_code_is_an_error_of_the_stream() {
    let (client, _) = answered_by(&nowhere(), |_| async { json(200, EXPIRED) });
    let mut items = config_maps(&client).list().stream().await.expect("an answer");
    let error = items.try_next().await.expect_err("it failed");
    assert!(error.must_list_again() && error.url().is_some(), "{error}");
}

/// Lists all pages from a server that answers so, and says what it was asked. The first answer that is missing is 410.
async fn all_pages(
    options: ListOptions,
    answers: &'static [&'static str],
) -> (Result<List<ConfigMap>, Error>, Vec<String>) {
    let (client, requests) = answered_by(&nowhere(), move |number| async move {
        answers.get(number - 1).map_or_else(|| json(410, EXPIRED), |answer| json(200, answer))
    });
    let list = config_maps(&client).list().options(options).all_pages().await;
    let requests = requests.lock().expect("nobody panics");
    let queries = requests.iter().map(|request| request.split_once('?').map_or("", |(_, query)| query).to_owned());
    (list, queries.collect())
}

fn names_of(list: &List<ConfigMap>) -> Vec<&str> {
    list.items.iter().filter_map(|item| item.metadata.name.as_deref()).collect()
}

const FIRST: &str = r#"{"metadata":{"resourceVersion":"7","continue":"t","remainingItemCount":2},
    "items":[{"metadata":{"name":"a"}}]}"#;
const SECOND: &str = r#"{"metadata":{"resourceVersion":"7","continue":"u","remainingItemCount":1},
    "items":[{"metadata":{"name":"b"}}]}"#;
/// An empty token is the end, as if there were none.
const LAST: &str = r#"{"metadata":{"resourceVersion":"7","continue":""},"items":[{"metadata":{"name":"c"}}]}"#;

fn newer_than_5() -> ListOptions {
    let resource_version_match = Some(ResourceVersionMatch::NotOlderThan);
    ListOptions { resource_version: Some("5".to_owned()), resource_version_match, ..ListOptions::default() }
}

#[tokio::test]
async fn all_pages_are_one_list_and_only_the_first_is_asked_for_with_a_version() {
    let (list, queries) = all_pages(newer_than_5(), &[FIRST, SECOND, LAST]).await;
    let list = list.expect("all of it");
    assert_eq!(names_of(&list), ["a", "b", "c"]);
    let metadata = ListMeta { resource_version: Some("7".to_owned()), ..ListMeta::default() };
    assert_eq!(list.metadata, metadata);
    assert_eq!(
        queries,
        [
            "limit=500&resourceVersion=5&resourceVersionMatch=NotOlderThan",
            "continue=t&limit=500",
            "continue=u&limit=500",
        ]
    );
}

#[tokio::test]
async fn page_that_expired_ends_in_one_whole_list() {
    let (client, requests) = answered_by(&nowhere(), |number| async move {
        match number {
            1 => json(200, FIRST),
            2 => json(200, SECOND),
            3 => json(410, EXPIRED),
            _ => json(200, r#"{"metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"b"}}]}"#),
        }
    });
    let list = config_maps(&client).list().options(newer_than_5()).limit(1).all_pages().await.expect("all of it");
    // What the pages brought is not there twice, and what was deleted since is not there.
    assert_eq!((names_of(&list), list.metadata.resource_version.as_deref()), (vec!["b"], Some("9")));
    let requests = requests.lock().expect("nobody panics");
    assert_eq!(requests.len(), 4);
    assert!(requests[3].ends_with("/configmaps?resourceVersion=5&resourceVersionMatch=NotOlderThan"), "{requests:?}");
}

#[tokio::test]
async fn what_a_whole_list_cannot_mend_is_an_error() {
    let from_token = || ListOptions { continue_token: Some("s".to_owned()), ..ListOptions::default() };
    for (options, answers, requests) in [
        // The first page, and then the whole list itself.
        (newer_than_5(), &[][..], 1),
        (newer_than_5(), &[FIRST], 3),
        // The caller has the pages before.
        (from_token(), &[], 1),
        (from_token(), &[FIRST], 2),
    ] {
        let (list, queries) = all_pages(options, answers).await;
        assert!(list.expect_err("it has expired").must_list_again(), "{queries:?}");
        assert_eq!(queries.len(), requests, "{queries:?}");
    }
}
