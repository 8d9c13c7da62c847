//! What a client reports of its requests. No socket is involved, and time is paused.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Response, StatusCode};
use k8s_client_runtime::{
    Config, Error,
    config::RateLimit,
    metrics::{Metrics, RequestLabels},
    rest::Body,
};
use tokio::time::{Instant, sleep};

use crate::{CONFIG_MAP, answered_by, config_maps, json, later, nowhere, pods, web};

/// Everything that is reported, as text.
#[derive(Default)]
struct Recording(Mutex<Vec<String>>);

impl Recording {
    fn note(&self, request: &RequestLabels<'_>, what: &str, value: impl std::fmt::Debug) {
        let RequestLabels { method, host, resource, .. } = request;
        assert_eq!(*host, "nowhere");
        let resource = resource.unwrap_or("none");
        self.0.lock().expect("nobody panics").push(format!("{method} {resource} {what} {value:?}"));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics"))
    }
}

impl Metrics for Recording {
    fn request_latency(&self, request: &RequestLabels<'_>, latency: Duration) {
        self.note(request, "latency", latency.as_secs());
    }

    fn rate_limiter_latency(&self, request: &RequestLabels<'_>, latency: Duration) {
        self.note(request, "waited", latency.as_secs());
    }

    fn request_size(&self, request: &RequestLabels<'_>, bytes: u64) {
        self.note(request, "sent", bytes);
    }

    fn response_size(&self, request: &RequestLabels<'_>, bytes: u64) {
        self.note(request, "received", bytes);
    }

    fn request_result(&self, request: &RequestLabels<'_>, result: Result<StatusCode, &Error>) {
        self.note(request, "result", result.map_or(0, |code| code.as_u16()));
    }

    fn request_retry(&self, request: &RequestLabels<'_>, because: &Error) {
        self.note(request, "retry", because.code());
    }
}

fn recorded(mut config: Config) -> (Config, Arc<Recording>) {
    let recording = Arc::new(Recording::default());
    config.metrics = Some(recording.clone());
    (config, recording)
}

#[tokio::test(start_paused = true)]
async fn a_call_is_reported_with_its_attempts_and_ends_with_its_body() {
    let (config, recording) = recorded(nowhere());
    let (client, _) = answered_by(&config, |number| async move {
        sleep(Duration::from_secs(2)).await;
        if number == 1 { later(429, "3") } else { json(200, CONFIG_MAP) }
    });
    config_maps(&client).get("web").await.expect("the second attempt succeeds");
    let received = format!("GET configmaps received {}", CONFIG_MAP.len());
    assert_eq!(
        recording.take(),
        [
            "GET configmaps sent 0",
            "GET configmaps result 429",
            "GET configmaps retry Some(429)",
            "GET configmaps sent 0",
            "GET configmaps result 200",
            received.as_str(),
            "GET configmaps latency 7",
        ]
    );

    let answer = client.get().abs_path("/version").send().await.expect("an answer");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(recording.take(), ["GET none sent 0", "GET none result 200"]);
    drop(answer);
    assert_eq!(recording.take(), ["GET none received 0", "GET none latency 7"]);
}

#[tokio::test(start_paused = true)]
async fn errors_are_reported_by_their_code_or_by_none() {
    let (config, recording) = recorded(nowhere());
    let (client, _) = answered_by(&config, |number| async move {
        match number {
            1 => json(409, "{}"),
            _ => std::future::pending().await,
        }
    });
    let create = || config_maps(&client).create(&web());
    let size = create().into_request().body_bytes().len();
    create().with_header("content-type", "application/json").await.expect_err("it is there");
    let sent = format!("POST configmaps sent {size}");
    // The answer is read for the words of the error before the call has ended.
    let told = [sent.as_str(), "POST configmaps result 409", "POST configmaps received 2", "POST configmaps latency 0"];
    assert_eq!(recording.take(), told);

    let limited = create().with_timeout(Duration::from_secs(4));
    limited.await.expect_err("it takes too long");
    assert_eq!(recording.take(), [sent.as_str(), "POST configmaps result 0", "POST configmaps latency 4"]);
}

#[tokio::test(start_paused = true)]
async fn waits_for_the_rate_limit_are_reported_and_count() {
    let mut config = nowhere();
    config.rate_limit = Some(RateLimit { qps: 0.5, burst: 1 });
    let (config, recording) = recorded(config);
    let (client, _) = answered_by(&config, |_| async { json(200, CONFIG_MAP) });
    let mut waits = Vec::new();
    for _ in 0..2 {
        config_maps(&client).get("web").await.expect("a config map");
        let told = recording.take();
        waits.extend([told[0].clone(), told[told.len() - 1].clone()]);
    }
    let expected = ["waited 0", "latency 0", "waited 2", "latency 2"].map(|what| format!("GET configmaps {what}"));
    assert_eq!(waits, expected);
}

#[tokio::test(start_paused = true)]
async fn watches_and_streams_are_reported_as_attempts_only() {
    let (config, recording) = recorded(nowhere());
    let (client, _) = answered_by(&config, |_| async { Response::new(Body::from("line\n")) });
    assert!(config_maps(&client).watch().await.expect("a watch").try_next().await.is_err());
    assert_eq!(recording.take(), ["GET configmaps sent 0", "GET configmaps result 200"]);
    let mut lines = pods(&client).logs("web").lines().await.expect("a stream");
    assert!(lines.try_next().await.expect("a line").is_some_and(|line| line == "line"));
    assert_eq!(recording.take(), ["GET pods sent 0", "GET pods result 200"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_receiver_bodies_are_as_they_came() {
    let (client, _) = answered_by(&nowhere(), |_| async { json(200, CONFIG_MAP) });
    let started = Instant::now();
    config_maps(&client).get("web").await.expect("a config map");
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert!(format!("{:?}", recorded(nowhere()).0).contains("metrics: Some(Metrics)"));
}
