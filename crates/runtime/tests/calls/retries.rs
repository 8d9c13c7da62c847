//! What is sent again, how often, and what is not.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use k8s_client_runtime::{
    Config, ErrorKind, RestClient,
    resource::Patch,
    rest::{Body, BoxError},
};
use tokio::net::TcpListener;

use crate::{
    CONFIG_MAP, answered_by, config_maps, count, json, later, nowhere, pods,
    support::{Answer, JSON, Server, endless, http},
    web,
};

fn good() -> Answer {
    Answer::Close(http("200 OK", JSON, CONFIG_MAP))
}

fn asks(status: &str, seconds: &str) -> Answer {
    Answer::Close(http(status, &format!("Retry-After: {seconds}\r\n"), ""))
}

/// The connection ends where the answer should be.
fn nothing() -> Answer {
    Answer::Close(Vec::new())
}

#[tokio::test]
async fn server_that_asks_is_asked_again_with_every_verb_and_the_same_body() {
    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let server = Server::start(vec![
            asks("429 Too Many Requests", "0"),
            asks("500 Internal Server Error", "0"),
            asks("503 Service Unavailable", "0"),
            good(),
        ])
        .await;
        let request = server.client().verb(method.clone()).abs_path("/x").json(&serde_json::json!({"a": "b"}));
        let response = request.send().await.expect("the fourth attempt succeeds");
        assert_eq!(response.retries(), 3, "{method}");
        let requests = server.requests();
        assert_eq!(requests.len(), 4, "{method}");
        assert!(requests.iter().all(|request| request.ends_with(r#"{"a":"b"}"#)), "{requests:?}");
    }
}

#[tokio::test]
async fn builders_of_all_verbs_repeat_what_the_server_asks_for() {
    let patch = Patch::Merge(serde_json::json!({}));
    let again = || async { Server::start(vec![asks("429 Too Many Requests", "0"), good()]).await };
    for verb in 0..5 {
        let server = again().await;
        let config_maps = config_maps(&server.client());
        match verb {
            0 => drop(config_maps.get("web").await.expect("the second attempt succeeds")),
            1 => drop(config_maps.create(&web()).await.expect("the second attempt succeeds")),
            2 => drop(config_maps.update(&web()).await.expect("the second attempt succeeds")),
            3 => drop(config_maps.patch("web", &patch).await.expect("the second attempt succeeds")),
            _ => drop(config_maps.delete("web").await.expect("the second attempt succeeds")),
        }
        assert_eq!(server.requests().len(), 2, "{verb}");
    }
}

#[tokio::test]
async fn answer_that_does_not_ask_in_seconds_is_final() {
    for (status, header) in [
        ("429 Too Many Requests", ""),
        ("503 Service Unavailable", ""),
        ("500 Internal Server Error", ""),
        ("429 Too Many Requests", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n"),
        ("429 Too Many Requests", "Retry-After: -1\r\n"),
        ("503 Service Unavailable", "Retry-After: 1.5\r\n"),
        ("404 Not Found", "Retry-After: 0\r\n"),
        ("409 Conflict", "Retry-After: 0\r\n"),
    ] {
        let server = Server::answering(status, header, "").await;
        let error = config_maps(&server.client()).get("web").await.expect_err(status);
        assert_eq!((server.requests().len(), error.retries()), (1, 0), "{status} {header}");
    }
}

#[tokio::test]
async fn wait_is_at_least_what_the_server_asks() {
    let server = Server::start(vec![asks("429 Too Many Requests", "1"), good()]).await;
    let started = Instant::now();
    config_maps(&server.client()).get("web").await.expect("the second attempt succeeds");
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn server_that_always_asks_is_sent_eleven_requests() {
    let (client, seen) = answered_by(&nowhere(), |_| async { later(429, "0") });
    let error = config_maps(&client).create(&web()).await.expect_err("it never succeeds");
    assert_eq!((count(&seen), error.retries()), (11, 10));
    assert!(error.is_too_many_requests() && error.is_transient(), "{error}");
    assert!(error.to_string().ends_with("(in the end, after 11 attempts)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_the_time_for_retries() {
    let (client, seen) = answered_by(&nowhere(), |_| async { later(503, "25") });
    let started = tokio::time::Instant::now();
    let error = config_maps(&client).get("web").await.expect_err("it never succeeds");
    assert_eq!((count(&seen), error.retries()), (3, 2));
    // It does not wait for an attempt that will not be.
    assert!((50..60).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn number_of_retries_is_the_configurations_or_the_calls() {
    let server = Server::answering("429 Too Many Requests", "Retry-After: 0\r\n", "").await;
    let mut config = server.config();
    config.retry.max_retries = 1;
    let config_maps = config_maps(&RestClient::new(&config).expect("a valid configuration"));
    assert_eq!(config_maps.get("web").await.expect_err("too many").retries(), 1);
    assert_eq!(config_maps.get("web").with_max_retries(0).await.expect_err("too many").retries(), 0);
    assert_eq!(config_maps.list().with_max_retries(2).await.expect_err("too many").retries(), 2);
    assert_eq!(server.requests().len(), 2 + 1 + 3);
}

#[tokio::test]
async fn wait_beyond_the_time_limit_is_not_begun() {
    let server = Server::answering("429 Too Many Requests", "Retry-After: 30\r\n", "").await;
    let mut config = server.config();
    config.timeout = Some(Duration::from_secs(20));
    let limited = config_maps(&RestClient::new(&config).expect("a valid configuration"));
    let started = Instant::now();
    let call = config_maps(&server.client()).get("web").with_timeout(Duration::from_secs(20)).await;
    assert_eq!(call.expect_err("too many").retry_after(), Some(Duration::from_secs(30)));
    assert_eq!(limited.get("web").await.expect_err("too many").code(), Some(429));
    assert_eq!(server.requests().len(), 2);
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[tokio::test]
async fn lost_connection_is_replaced_for_a_read() {
    let server = Server::start(vec![nothing(), Answer::Reset, nothing(), good()]).await;
    config_maps(&server.client()).get("web").await.expect("the fourth attempt succeeds");
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn change_whose_connection_was_lost_is_sent_once_and_reported() {
    for lost in [nothing(), Answer::Reset] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let server = Server::start(vec![lost.clone(), good()]).await;
            let request = server.client().verb(method.clone()).abs_path("/x").json(&serde_json::json!({}));
            let error = request.send().await.expect_err("the answer was lost");
            assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
            assert!(error.is_transient(), "{error}");
            assert_eq!((server.requests().len(), error.retries()), (1, 0), "{method}");
        }
    }
}

#[tokio::test]
async fn stream_is_not_opened_again_after_a_lost_connection_but_when_the_server_asks() {
    let server = Server::start(vec![nothing(), good()]).await;
    let error = pods(&server.client()).logs("web").await.expect_err("the connection was lost");
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Transport, 1));

    let server = Server::start(vec![asks("503 Service Unavailable", "0"), good()]).await;
    pods(&server.client()).logs("web").await.expect("the second attempt succeeds");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn watch_is_opened_again_after_a_lost_connection() {
    let server = Server::start(vec![nothing(), Answer::Close(endless("200 OK"))]).await;
    let mut events = config_maps(&server.client()).watch().await.expect("the second attempt succeeds");
    assert!(events.try_next().await.expect("it ends").is_none());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn watch_is_opened_again_after_a_time_limit_and_a_read_is_not() {
    let server = Server::start(vec![Answer::Hang(Vec::new()), Answer::Close(endless("200 OK"))]).await;
    let mut config = server.config();
    config.response_header_timeout = Some(Duration::from_millis(300));
    let client = RestClient::new(&config).expect("a valid configuration");
    let _ = config_maps(&client).watch().await.expect("the second attempt succeeds");
    assert_eq!(server.requests().len(), 2);

    let server = Server::start(vec![Answer::Hang(Vec::new()), good()]).await;
    config.server = server.config().server;
    let client = RestClient::new(&config).expect("a valid configuration");
    let error = config_maps(&client).get("web").await.expect_err("it hangs");
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Timeout, 1));
}

/// A service of the program's own whose first answer is an error.
fn failing_once(error: fn() -> BoxError) -> (RestClient, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let service = tower::service_fn(move |_: http::Request<Body>| {
        let first = seen.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(error()) } else { Ok(json(200, CONFIG_MAP)) } }
    });
    (RestClient::from_service(&nowhere(), service).expect("a client"), calls)
}

#[tokio::test(start_paused = true)]
async fn time_limit_of_a_service_is_a_loss() {
    let errors: [fn() -> BoxError; 3] = [
        || io::Error::from(io::ErrorKind::TimedOut).into(),
        || Box::new(tower::timeout::error::Elapsed::new()),
        || Box::new(io::Error::other(tower::timeout::error::Elapsed::new())),
    ];
    for error in errors {
        let (client, calls) = failing_once(error);
        config_maps(&client).get("web").await.expect("the second attempt succeeds");
        assert_eq!(calls.load(Ordering::SeqCst), 2);

        let (client, calls) = failing_once(error);
        let _ = config_maps(&client).watch().await.expect("the second attempt succeeds");
        assert_eq!(calls.load(Ordering::SeqCst), 2);

        let (client, calls) = failing_once(error);
        let error = config_maps(&client).create(&web()).await.expect_err("nobody knows what became of it");
        assert_eq!((error.kind(), calls.load(Ordering::SeqCst)), (ErrorKind::Timeout, 1));
        assert!(error.is_transient(), "{error}");
        assert!(error.to_string().ends_with("; the server may have processed the request"), "{error}");
    }
}

#[tokio::test]
async fn body_of_a_service_that_fails_is_not_a_request_that_failed() {
    let broken = || {
        let chunks = [Ok(http_body::Frame::data(Bytes::from("{\"kind\":"))), Err("the cache is gone")];
        let body = Body::new(http_body_util::StreamBody::new(futures_util::stream::iter(chunks)));
        Response::builder().header("content-type", "application/json").body(body).expect("an answer")
    };
    let (client, _) = answered_by(&nowhere(), move |_| async move { broken() });
    for (error, words) in [
        (config_maps(&client).get("web").await.expect_err("it breaks off"), "the cache is gone"),
        (
            config_maps(&client).create(&web()).await.expect_err("it breaks off"),
            "the cache is gone; the server has processed the request, only its answer is lost",
        ),
        (
            config_maps(&client).watch().await.expect("a head").try_next().await.expect_err("it breaks off"),
            "the cache is gone",
        ),
    ] {
        let text = error.to_string();
        assert!(text.contains(": the body could not be read to its end: ") && text.ends_with(words), "{text}");
        assert!(error.kind() == ErrorKind::Transport && error.is_transient(), "{text}");
    }
}

/// The answer's head, and a part of its body.
fn half(head: &str) -> Answer {
    Answer::Close(format!("HTTP/1.1 200 OK\r\n{JSON}{head}Connection: close\r\n\r\n{}", &CONFIG_MAP[..40]).into_bytes())
}

#[tokio::test]
async fn answer_to_a_read_that_is_lost_inside_is_read_again() {
    for lost in [half("Content-Length: 100\r\n"), half("")] {
        let server = Server::start(vec![lost.clone(), nothing(), lost.clone(), good()]).await;
        let got = config_maps(&server.client()).get("web").await.expect("the fourth attempt succeeds");
        assert_eq!((got, server.requests().len()), (web(), 4));

        let server = Server::start(vec![lost.clone(), good()]).await;
        let response = server.client().get().abs_path("/x").send().await.expect("a head");
        assert_eq!(response.bytes().await.expect("the second attempt succeeds"), CONFIG_MAP);
        assert_eq!(server.requests().len(), 2);

        let server = Server::start(vec![lost.clone()]).await;
        let error = config_maps(&server.client()).get("web").with_max_retries(2).await.expect_err("it never comes");
        assert_eq!((error.kind(), error.retries(), server.requests().len()), (ErrorKind::Transport, 2, 3), "{error}");
        assert!(error.to_string().ends_with("(in the end, after 3 attempts)"), "{error}");

        let server = Server::start(vec![lost.clone(), good()]).await;
        let error = config_maps(&server.client()).create(&web()).await.expect_err("its answer is lost");
        assert!(
            error.to_string().ends_with("the server has processed the request, only its answer is lost"),
            "{error}"
        );
        assert_eq!((error.is_transient(), server.requests().len()), (true, 1), "{error}");

        let server = Server::start(vec![lost, Answer::Close(http("403 Forbidden", JSON, ""))]).await;
        let error = config_maps(&server.client()).get("web").await.expect_err("it is forbidden by then");
        assert!(error.is_forbidden() && error.to_string().contains("the one before: "), "{error}");
    }
}

#[tokio::test]
async fn list_that_is_lost_inside_is_read_again_unless_it_is_a_stream() {
    let list =
        format!(r#"{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{}},"items":[{CONFIG_MAP},{CONFIG_MAP}]}}"#);
    let whole = || Answer::Close(http("200 OK", JSON, &list));
    let half = || Answer::Close([endless("200 OK"), list.as_bytes()[..list.len() - 30].to_vec()].concat());
    let server = Server::start(vec![half(), half(), whole()]).await;
    let got = config_maps(&server.client()).list().await.expect("the third attempt succeeds");
    assert_eq!((got.items, server.requests().len()), (vec![web(), web()], 3));

    let server = Server::start(vec![half(), half(), whole(), half(), whole()]).await;
    let mut pages = config_maps(&server.client()).list().pages();
    assert_eq!(pages.try_next().await.expect("the third attempt succeeds").expect("a page").items.len(), 2);
    let config_maps = config_maps(&server.client());
    let names: serde_json::Value = config_maps.list().json().await.expect("the second attempt succeeds");
    assert_eq!((names["items"].as_array().expect("items").len(), server.requests().len()), (2, 5));

    let server = Server::start(vec![half(), whole()]).await;
    let mut items = self::config_maps(&server.client()).list().stream().await.expect("a list");
    items.try_next().await.expect("the first item is whole").expect("an item");
    let error = items.try_next().await.expect_err("the second is not");
    assert_eq!(
        (error.kind(), error.is_transient(), server.requests().len()),
        (ErrorKind::Transport, true, 1),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn time_limit_holds_for_what_is_read_again() {
    let (client, seen) = answered_by(&nowhere(), |_| async {
        let chunks = futures_util::stream::iter([Ok::<_, io::Error>(http_body::Frame::data(Bytes::from("{")))]);
        let lost = futures_util::stream::once(async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        });
        let body = http_body_util::StreamBody::new(futures_util::StreamExt::chain(chunks, lost));
        Response::builder().header("content-type", "application/json").body(Body::new(body)).expect("an answer")
    });
    let started = tokio::time::Instant::now();
    let error = config_maps(&client).get("web").with_timeout(Duration::from_secs(10)).await.expect_err("it is late");
    assert_eq!((error.kind(), count(&seen), started.elapsed().as_secs()), (ErrorKind::Timeout, 3, 10), "{error}");
}

#[tokio::test]
async fn server_that_ran_out_of_time_may_still_be_at_work() {
    let status = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Timeout","code":504,
        "message":"Timeout: request did not complete within the allotted timeout"}"#;
    let (client, _) = answered_by(&nowhere(), |_| async { json(504, status) });
    let error = config_maps(&client).create(&web()).await.expect_err("it took too long").to_string();
    assert!(error.ends_with("the allotted timeout; the server may still be processing the request"), "{error}");
    let error = config_maps(&client).get("web").await.expect_err("it took too long").to_string();
    assert!(error.ends_with("the allotted timeout"), "{error}");
}

#[tokio::test]
async fn refused_connection_is_not_tried_again() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        listener.local_addr().expect("a bound socket has an address")
    };
    let client = RestClient::new(&Config::new(&format!("http://{address}")).expect("a URL")).expect("a client");
    let error = config_maps(&client).get("web").await.expect_err("nobody listens");
    assert_eq!((error.kind(), error.retries()), (ErrorKind::Connect, 0));
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn error_after_several_attempts_tells_of_the_one_before() {
    let server = Server::start(vec![asks("503 Service Unavailable", "0"), nothing()]).await;
    let error = config_maps(&server.client()).create(&web()).await.expect_err("the answer was lost");
    assert_eq!((error.kind(), error.retries()), (ErrorKind::Transport, 1));
    let text = error.to_string();
    assert!(text.contains("/api/v1/namespaces/ns/configmaps: the connection broke"), "{text}");
    assert!(text.contains("(in the end, after 2 attempts; the one before: 503 ServiceUnavailable: "), "{text}");
}

#[tokio::test]
async fn answer_that_is_not_http_is_not_transient() {
    let server = Server::start(vec![Answer::Close(b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec())]).await;
    let error = config_maps(&server.client()).get("web").await.expect_err("that is no HTTP");
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Transport, 1));
    assert!(!error.is_transient(), "{error}");
}

/// A server that keeps connections alive and answers 429 with this many bytes, then 200; and its connections so far.
async fn keeping_alive(bytes: usize) -> (Config, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    let connections = Arc::new(AtomicUsize::new(0));
    let (opened, answered) = (Arc::clone(&connections), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            opened.fetch_add(1, Ordering::SeqCst);
            let answered = Arc::clone(&answered);
            let service = service_fn(move |_| {
                let first = answered.fetch_add(1, Ordering::SeqCst) == 0;
                let response = if first {
                    Response::builder()
                        .status(429)
                        .header("retry-after", "0")
                        .body(Full::new(Bytes::from(vec![b'.'; bytes])))
                } else {
                    Response::builder().body(Full::new(Bytes::from("{}")))
                };
                async move { Ok::<_, Infallible>(response.expect("a valid answer")) }
            });
            let stream = TokioIo::new(stream);
            tokio::spawn(
                async move { auto::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await },
            );
        }
    });
    (Config::new(&format!("http://{address}")).expect("a URL"), connections)
}

#[tokio::test]
async fn short_answer_is_read_so_that_its_connection_is_used_again() {
    for (bytes, expected) in [(0, 1), (1000, 1), (8 << 20, 2)] {
        let (config, connections) = keeping_alive(bytes).await;
        let client = RestClient::new(&config).expect("a valid configuration");
        let response = client.get().abs_path("/x").send().await.expect("the second attempt succeeds");
        assert_eq!(response.retries(), 1);
        assert_eq!(connections.load(Ordering::SeqCst), expected, "{bytes} bytes");
    }
}
