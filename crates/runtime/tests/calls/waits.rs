//! Waiting for one object. No socket is involved, and time is paused.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Response;
use http_body_util::StreamBody;
use k8s_client_runtime::{
    ErrorKind,
    resource::{AnyScope, ResourceClient},
    rest::Body,
    schema::GroupVersionResource,
    wait::{WaitFor as _, conditions},
};
use k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::Instant;

use crate::{answered_by, config_maps, json, nowhere};

const NONE: &str = r#"{"metadata":{"resourceVersion":"5"},"items":[]}"#;
const ONE: &str = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"web","resourceVersion":"3"}}]}"#;
/// A server that does not know the selector.
const OTHERS: &str = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"other"}}]}"#;
const EXPIRED: &str =
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired","code":410}"#;

const LIST: &str = "GET http://nowhere/api/v1/namespaces/ns/configmaps?fieldSelector=metadata.name%3Dweb";

/// One event of a watch.
fn event(kind: &str, version: &str, data: &str) -> String {
    let metadata = format!(r#"{{"name":"web","resourceVersion":"{version}"}}"#);
    format!(
        r#"{{"type":"{kind}","object":{{"kind":"ConfigMap","apiVersion":"v1","metadata":{metadata},"data":{data}}}}}"#
    )
}

/// A watch with these events, which then ends or goes on for ever.
fn watch(events: &[String], ends: bool) -> Response<Body> {
    let chunks =
        events.iter().map(|event| Ok::<_, Infallible>(http_body::Frame::data(Bytes::from(format!("{event}\n")))));
    let chunks = stream::iter(chunks.collect::<Vec<_>>());
    let body = if ends {
        Body::new(StreamBody::new(chunks))
    } else {
        Body::new(StreamBody::new(chunks.chain(stream::pending())))
    };
    Response::builder().header("content-type", "application/json").body(body).expect("a valid answer")
}

fn has_data(object: Option<&ConfigMap>) -> bool {
    object.is_some_and(|object| object.data.is_some())
}

/// The versions that were watched from; a list is `list`.
fn asked(requests: &[String]) -> Vec<&str> {
    requests
        .iter()
        .map(|request| match request.split("resourceVersion=").nth(1) {
            Some(rest) => rest.split('&').next().unwrap_or_default(),
            None => "list",
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_as_it_should_be_is_given_at_once() {
    let (client, requests) = answered_by(&nowhere(), |_| async { json(200, ONE) });
    let object = config_maps(&client).wait_for("web", conditions::exists).await.expect("it is there");
    assert_eq!(object.and_then(|object| object.metadata.resource_version).as_deref(), Some("3"));
    assert_eq!(*requests.lock().expect("nobody panics"), [LIST]);
}

#[tokio::test(start_paused = true)]
async fn changes_are_watched_from_the_list_on_and_a_watch_that_ends_goes_on_where_it_was() {
    let (client, requests) = answered_by(&nowhere(), |number| async move {
        match number {
            1 => json(200, NONE),
            2 => watch(&[event("ADDED", "6", "null"), event("BOOKMARK", "8", "null")], true),
            3 => json(503, "{}"),
            4 => watch(&[], true),
            _ => watch(&[event("DELETED", "9", "null"), event("ADDED", "10", r#"{"a":"b"}"#)], false),
        }
    });
    let mut states = Vec::new();
    let object = config_maps(&client)
        .wait_for("web", |object| {
            states.push(object.and_then(|object| object.metadata.resource_version.clone()));
            has_data(object)
        })
        .await
        .expect("it gets its data");
    assert_eq!(object.and_then(|object| object.data).map(|data| data.len()), Some(1));
    // Nothing is told twice, and a deletion is a state.
    assert_eq!(states, [None, Some("6".to_owned()), None, Some("10".to_owned())]);
    let requests = requests.lock().expect("nobody panics");
    assert_eq!(asked(&requests), ["list", "5", "8", "8", "8"]);
    let options = "?allowWatchBookmarks=true&fieldSelector=metadata.name%3Dweb&resourceVersion=5&timeoutSeconds=";
    assert!(requests[1].contains(options) && requests[1].ends_with("&watch=true"), "{requests:?}");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_forgotten_or_not_there_yet_is_listed_again() {
    let too_large = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Timeout","code":504,
        "details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}}"#;
    let (client, requests) = answered_by(&nowhere(), move |number| async move {
        match number {
            1 | 3 | 5 => json(200, ONE),
            2 => json(410, EXPIRED),
            4 => json(504, too_large),
            6 => watch(&[format!(r#"{{"type":"ERROR","object":{EXPIRED}}}"#)], false),
            _ => json(200, NONE),
        }
    });
    let object = config_maps(&client).wait_for("web", conditions::deleted).await.expect("it goes");
    assert_eq!(object, None);
    assert_eq!(asked(&requests.lock().expect("nobody panics")), ["list", "7", "list", "7", "list", "7", "list"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_served_is_not_there() {
    let (client, requests) = answered_by(&nowhere(), |number| async move {
        match number {
            1..=3 => Response::builder().status(404).body(Body::from("404 page not found")).expect("a valid answer"),
            _ => json(200, ONE),
        }
    });
    let started = Instant::now();
    config_maps(&client).wait_for("web", conditions::deleted).await.expect("it is not there");
    assert_eq!((requests.lock().expect("nobody panics").len(), started.elapsed()), (1, Duration::ZERO));
    config_maps(&client).wait_for("web", conditions::exists).await.expect("it comes");
    let waited = started.elapsed().as_millis();
    // Two pauses.
    assert!((600..=1200).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn objects_of_other_names_do_not_count() {
    let (client, _) = answered_by(&nowhere(), |_| async { json(200, OTHERS) });
    assert_eq!(config_maps(&client).wait_for("web", conditions::deleted).await.expect("it is not there"), None);
}

#[tokio::test(start_paused = true)]
async fn errors_that_do_not_pass_end_the_wait() {
    let unreadable = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":7}}]}"#;
    for (code, body, kind) in
        [(403, "{}", ErrorKind::Api), (401, "{}", ErrorKind::Api), (200, unreadable, ErrorKind::Decode)]
    {
        let (client, requests) = answered_by(&nowhere(), move |_| async move { json(code, body) });
        let error = config_maps(&client).wait_for("web", conditions::exists).await.expect_err("it does not pass");
        assert_eq!((error.kind(), requests.lock().expect("nobody panics").len()), (kind, 1), "{error}");
    }
}

#[tokio::test]
async fn names_that_no_object_has_are_refused_before_anything_is_sent() {
    let (client, requests) = answered_by(&nowhere(), |_| async { json(200, NONE) });
    for name in ["", "a/b", ".."] {
        let error = config_maps(&client).wait_for(name, conditions::deleted).await.expect_err("it is wrong");
        assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    }
    let resource = GroupVersionResource::new("", "v1", "configmaps");
    let scope = AnyScope::known(k8s_client_runtime::schema::ResourceScope::Namespaced);
    let everywhere = ResourceClient::<ConfigMap>::at(&client, &resource, scope);
    let error = everywhere.wait_for("web", conditions::deleted).await.expect_err("a name means nothing there");
    assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    assert!(requests.lock().expect("nobody panics").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_takes_too_long_says_for_what_and_how_far_it_came() {
    let waited = async |limit: Option<u64>, answer: fn(usize) -> Response<Body>| {
        let (client, _) = answered_by(&nowhere(), move |number| async move { answer(number) });
        let started = Instant::now();
        let wait = config_maps(&client).wait_for("web", has_data);
        let wait = match limit {
            Some(seconds) => wait.within(Duration::from_secs(seconds)),
            None => wait,
        };
        let error = wait.await.expect_err("it takes too long");
        assert_eq!((error.kind(), error.is_timeout()), (ErrorKind::Timeout, true));
        (started.elapsed().as_secs(), error.to_string())
    };
    let object = "GET http://nowhere/api/v1/namespaces/ns/configmaps/web: waited";
    let (seconds, text) = waited(None, |number| if number == 1 { json(200, ONE) } else { watch(&[], false) }).await;
    assert_eq!((seconds, text), (30, format!("{object} 30s for has_data: it is there at resourceVersion 3")));

    let (seconds, text) = waited(Some(7), |number| match number {
        1 => json(200, ONE),
        2 => watch(&[event("DELETED", "8", "null")], true),
        _ => json(503, "{}"),
    })
    .await;
    let start =
        format!("{object} 7s for has_data: it is not there; the last try to look at it failed: GET {}", &LIST[4..50]);
    assert!(seconds == 7 && text.starts_with(&start) && text.contains("503"), "{seconds} {text}");

    let (seconds, text) = waited(Some(5), |_| json(503, "{}")).await;
    let start = format!("{object} 5s for has_data: the server has not said whether it is there; the last try");
    assert!(seconds == 5 && text.starts_with(&start), "{seconds} {text}");
}
