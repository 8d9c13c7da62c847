//! Time limits, by the kind of call. Time is paused: no socket is involved.

use std::{convert::Infallible, future::pending, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body_util::StreamBody;
use k8s_client_runtime::{
    Config, ErrorKind, RestClient,
    resource::ListOptions,
    rest::{Body, CallKind},
};
use tokio::time::{Instant, timeout};

use crate::{CONFIG_MAP, answered_by, config_maps, json, later, nowhere, nowhere_but, pods, web};

const HOUR: Duration = Duration::from_secs(3600);

/// A client of a server that takes requests and never answers.
fn silent(config: &Config) -> RestClient {
    answered_by(config, |_| pending()).0
}

/// A client of a server that answers with a head and nothing else.
fn headed(config: &Config) -> RestClient {
    let answer = || {
        let nothing = stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>();
        let answer = Response::builder().header("content-type", "application/json");
        answer.body(Body::new(StreamBody::new(nothing))).expect("a valid answer")
    };
    answered_by(config, move |_| async move { answer() }).0
}

#[tokio::test(start_paused = true)]
async fn head_is_waited_for_as_long_as_the_configuration_says() {
    for (limit, seconds) in [(nowhere().response_header_timeout, 75), (Some(Duration::from_secs(5)), 5)] {
        let config = nowhere_but(|config| config.response_header_timeout = limit);
        let started = Instant::now();
        let error = config_maps(&silent(&config)).get("web").await.expect_err("no answer comes");
        assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, seconds));
        assert!(error.to_string().contains("response_header_timeout"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn head_of_a_watch_is_waited_for_no_longer() {
    let started = Instant::now();
    let error = config_maps(&silent(&nowhere())).watch().await.expect_err("no answer comes");
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 75));
}

#[tokio::test(start_paused = true)]
async fn longer_limit_of_the_call_is_not_undercut() {
    let started = Instant::now();
    let limit = Duration::from_secs(300);
    let error = config_maps(&silent(&nowhere())).get("web").with_timeout(limit).await.expect_err("no answer comes");
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 300));
}

#[tokio::test(start_paused = true)]
async fn limit_beyond_all_times_is_none() {
    for limit in [Duration::MAX, Duration::from_secs(u64::MAX / 2), Duration::from_secs(i64::MAX as u64 - 1)] {
        let config = nowhere_but(|config| {
            (config.timeout, config.response_header_timeout) = (Some(limit), Some(limit));
            config.retry.max_elapsed = limit;
        });
        let (client, seen) = answered_by(&config, |number| async move {
            if number % 2 == 1 { later(503, "1") } else { json(200, CONFIG_MAP) }
        });
        config_maps(&client).get("web").await.expect("a config map");
        config_maps(&client).get("web").with_timeout(limit).await.expect("a config map");
        config_maps(&client).create(&web()).with_timeout(limit).await.expect("a config map");
        let _ = config_maps(&client).watch().with_timeout(limit).await.expect("a watch");
        let seen = seen.lock().expect("nobody panics").clone();
        assert!(seen.len() == 8 && seen.iter().all(|request| !request.contains("timeout=")), "{seen:?}");
        assert!(timeout(HOUR, config_maps(&silent(&config)).get("web").with_timeout(limit)).await.is_err());
    }
}

#[tokio::test]
async fn time_that_the_server_may_take_is_said_in_the_way_it_heeds() {
    let list = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[]}"#;
    let (client, seen) = answered_by(&nowhere(), move |_| async move { json(200, list) });
    let config_maps = config_maps(&client);
    let options = || ListOptions { timeout_seconds: Some(90), ..Default::default() };
    config_maps.list().timeout_seconds(90).await.expect("a list");
    config_maps.list().timeout_seconds(90).with_timeout(Duration::from_secs(5)).await.expect("a list");
    config_maps.list().timeout_seconds(90).pages().try_next().await.expect("a list");
    config_maps.list().timeout_seconds(0).await.expect("a list");
    config_maps.delete_collection().list_options(options()).await.expect("a list");
    let _ = config_maps.watch().timeout_seconds(90).await.expect("a watch");
    let queries: Vec<_> = seen
        .lock()
        .expect("nobody panics")
        .iter()
        .map(|it| it.rsplit('?').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        queries,
        [
            "timeoutSeconds=90&timeout=90s",
            "timeoutSeconds=90&timeout=5s",
            "limit=500&timeoutSeconds=90&timeout=90s",
            "timeoutSeconds=0",
            "timeoutSeconds=90&timeout=90s",
            "timeoutSeconds=90&watch=true",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn streams_have_no_limit() {
    let config = nowhere_but(|config| config.timeout = Some(Duration::from_secs(1)));
    for client in [silent(&config), headed(&config)] {
        assert!(timeout(HOUR, pods(&client).logs("web").bytes()).await.is_err(), "logs");
        let proxy = async { pods(&client).proxy("web").await?.bytes().await };
        assert!(timeout(HOUR, proxy).await.is_err(), "proxy");
        let exec = async { pods(&client).exec("web").command(["sh"]).into_request().send().await?.bytes().await };
        assert!(timeout(HOUR, exec).await.is_err(), "exec");
        let raw = async { client.get().abs_path("/logs/x").streaming().send().await?.bytes().await };
        assert!(timeout(HOUR, raw).await.is_err(), "a request that says so");
    }
}

#[tokio::test(start_paused = true)]
async fn whole_call_is_limited_by_the_configuration() {
    let config = nowhere_but(|config| config.timeout = Some(Duration::from_secs(20)));
    for client in [silent(&config), headed(&config)] {
        let started = Instant::now();
        let error = config_maps(&client).get("web").await.expect_err("it takes too long");
        assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 20));
        assert!(error.url().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn body_that_is_streamed_is_not_limited() {
    let config = nowhere_but(|config| config.timeout = Some(Duration::from_secs(20)));
    let response = headed(&config).get().abs_path("/x").send().await.expect("a head");
    assert!(timeout(HOUR, response.into_body().chunk()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn watch_that_the_server_does_not_end_is_ended() {
    let config = nowhere_but(|config| config.timeout = Some(Duration::from_secs(1)));
    let started = Instant::now();
    let watch = config_maps(&headed(&config)).watch().timeout_seconds(300);
    let mut events = watch.await.expect("a watch");
    let error = events.try_next().await.expect_err("it is too late");
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 330));
    assert!(error.to_string().contains("timeoutSeconds=300"), "{error}");
    assert!(events.try_next().await.expect("it has ended").is_none());
}

#[tokio::test(start_paused = true)]
async fn head_of_a_watch_that_comes_too_late_is_not_waited_for() {
    let config = nowhere_but(|config| config.response_header_timeout = None);
    let started = Instant::now();
    let watch = config_maps(&silent(&config)).watch().timeout_seconds(60).with_max_retries(0);
    let error = watch.await.expect_err("no answer comes");
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 90));
}

#[tokio::test(start_paused = true)]
async fn watch_without_an_end_goes_on() {
    let config = nowhere_but(|config| config.timeout = Some(Duration::from_secs(1)));
    let client = headed(&config);
    let mut events = config_maps(&client).watch().await.expect("a watch");
    assert!(timeout(24 * HOUR, events.try_next()).await.is_err());
    let limited = config_maps(&client).watch().with_timeout(Duration::from_secs(5));
    let mut events = limited.await.expect("a watch");
    assert!(timeout(24 * HOUR, events.try_next()).await.is_err(), "the limit is that of opening it");
}

#[tokio::test(start_paused = true)]
async fn raw_request_is_an_ordinary_call_unless_it_says_otherwise() {
    let config = nowhere_but(|config| config.timeout = Some(Duration::from_secs(1)));
    let client = headed(&config);
    let watch = || client.get().abs_path("/api/v1/pods").query("watch", "true");
    let error = watch().send().await.expect("a head").bytes().await.expect_err("it takes too long");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let response = watch().kind(CallKind::Watch).send().await.expect("a head");
    assert!(timeout(HOUR, response.bytes()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn bad_answer_whose_words_do_not_come_is_told_by_its_code() {
    let (client, _) = answered_by(&nowhere(), |_| async {
        let nothing = stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>();
        Response::builder().status(403).body(Body::new(StreamBody::new(nothing))).expect("a valid answer")
    });
    let started = Instant::now();
    let error = config_maps(&client).get("web").await.expect_err("it is forbidden");
    assert!(error.is_forbidden(), "{error}");
    assert_eq!(started.elapsed().as_secs(), 10);
}
