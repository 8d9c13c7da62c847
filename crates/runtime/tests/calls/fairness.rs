//! Services that are always ready, and whoever else wants to run. The tests would never end if nobody else did.

use std::{
    convert::Infallible,
    future::ready,
    iter::{once, repeat},
    time::Duration,
};

use futures_util::stream;
use http::Response;
use http_body::Frame;
use http_body_util::StreamBody;
use k8s_client_runtime::rest::Body;
use tokio::time::timeout;

use crate::{answered_by, config_maps, json, nowhere, pods};

const LIMIT: Duration = Duration::from_millis(50);

const LIST: &str = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#;

const EXPIRED: &str =
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired","code":410}"#;

#[tokio::test]
async fn loop_over_a_service_that_is_always_ready_can_be_ended() {
    let (client, seen) =
        answered_by(&nowhere(), |number| ready(if number % 2 == 1 { json(200, LIST) } else { json(410, EXPIRED) }));
    let config_maps = config_maps(&client);
    let reflector = async {
        loop {
            let list = config_maps.list().await.expect("a list");
            let version = list.metadata.resource_version.unwrap_or_default();
            let error = config_maps.watch().resource_version(version).await.expect_err("it is forgotten");
            assert!(error.must_list_again());
        }
    };
    timeout(LIMIT, reflector).await.expect_err("it goes on for ever");
    assert!(seen.lock().expect("nobody panics").len() > 2);
}

#[tokio::test]
async fn loop_over_a_call_that_is_never_sent_can_be_ended() {
    let (client, seen) = answered_by(&nowhere(), |_| ready(json(200, LIST)));
    let config_maps = config_maps(&client);
    let all = async { while config_maps.get("").await.is_err() {} };
    timeout(LIMIT, all).await.expect_err("it goes on for ever");
    assert!(seen.lock().expect("nobody panics").is_empty());
}

/// An answer without an end: the first piece, and the others for ever.
fn endless(first: &'static str, others: &'static str) -> Response<Body> {
    let pieces = once(first).chain(repeat(others)).map(|piece| Ok::<_, Infallible>(Frame::data(piece.into())));
    let answer = Response::builder().header("content-type", "application/json");
    answer.body(Body::new(StreamBody::new(stream::iter(pieces)))).expect("a valid answer")
}

#[tokio::test]
async fn streams_of_a_service_that_is_always_ready_can_be_ended() {
    const EVENT: &str = r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}"#;
    for piece in [EVENT, "\n", r#"{"type":"BOOKMARK","object":{"metadata":{}}}"#] {
        let (client, _) = answered_by(&nowhere(), move |_| ready(endless(piece, piece)));
        let mut events = config_maps(&client).watch().await.expect("a watch");
        let all = async { while events.try_next().await.expect("bookmarks").is_some() {} };
        timeout(LIMIT, all).await.expect_err("it goes on for ever");
    }

    let (client, _) = answered_by(&nowhere(), |_| ready(endless("line\n", "line\n")));
    let mut lines = pods(&client).logs("web").lines().await.expect("a log");
    let all = async { while lines.try_next().await.expect("lines").is_some() {} };
    timeout(LIMIT, all).await.expect_err("it goes on for ever");

    let (client, _) = answered_by(&nowhere(), |_| ready(endless(r#"{"items":[{}"#, ",{}")));
    let mut items = config_maps(&client).list().stream().await.expect("a list");
    let all = async { while items.try_next().await.expect("items").is_some() {} };
    timeout(LIMIT, all).await.expect_err("it goes on for ever");
}
