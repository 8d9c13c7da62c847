//! What `tracing` is told of calls, and what it is not.

use std::{
    io,
    sync::{Arc, Mutex, Once},
};

use http::{HeaderName, HeaderValue, Method};
use k8s_client_runtime::{
    RestClient,
    config::{Credentials, Impersonation},
    resource::{Namespaced, ResourceClient},
    rest::{Body, BoxError},
};
use k8s_openapi::{
    ByteString,
    api::{authentication::v1::TokenReview, core::v1::Secret},
};
use tower_http::set_header::SetRequestHeaderLayer;
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, Interest},
};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::{
    CONFIG_MAP, config_maps,
    http2::{Reply, Server as Http2Server},
    json, pods,
    support::{Answer, JSON, Server, endless, http},
};

/// All that is told on this thread, at every level and by every crate.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

/// Takes nothing, but keeps `tracing` asking.
///
/// A place in the code that is met for the first time on a thread without a subscriber, while another thread
/// subscribes, can be stored as of no interest to anybody. With this subscriber beside them there is always some.
struct Asking;

impl Subscriber for Asking {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn keep_asking() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Asking).expect("no other test sets one"));
}

impl Captured {
    pub(crate) fn subscribe(&self) -> DefaultGuard {
        keep_asking();
        let captured = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(move || captured.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics")).into_owned()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn secrets(client: &RestClient) -> ResourceClient<Secret, Namespaced> {
    ResourceClient::<Secret>::namespaced(client, "ns")
}

/// `hunter2` as secrets hold it.
const ENCODED: &str = "aHVudGVyMg==";

fn secret() -> Secret {
    let data = [("password".to_owned(), ByteString(b"hunter2".to_vec()))];
    let metadata = serde_json::from_value(serde_json::json!({"name": "web"})).expect("metadata");
    Secret { metadata, data: Some(data.into()), ..Secret::default() }
}

fn assert_nothing_secret(captured: &Captured, of: &str) {
    let text = captured.text();
    assert!(text.contains("k8s_client.request"), "something is told of {of}: {text}");
    for secret in ["hunter2", ENCODED, "aHVudGVyMg", "open sesame", "b3BlbiBzZXNhbWU"] {
        assert!(!text.contains(secret), "{secret} of {of} is told: {text}");
    }
}

#[tokio::test]
async fn secrets_are_told_at_no_level() {
    let object = serde_json::to_string(&secret()).expect("JSON");
    assert!(object.contains(ENCODED));
    let list = format!(r#"{{"kind":"SecretList","apiVersion":"v1","metadata":{{}},"items":[{object}]}}"#);
    let server = Server::start(vec![Answer::Close(http("200 OK", JSON, &object))]).await;
    let lists = Server::start(vec![Answer::Close(http("200 OK", JSON, &list))]).await;
    let mut events = endless("200 OK");
    events.extend(format!("{{\"type\":\"ADDED\",\"object\":{object}}}\n").into_bytes());
    let watches = Server::start(vec![Answer::Close(events)]).await;

    let captured = Captured::default();
    let _guard = captured.subscribe();
    let client = secrets(&server.client());
    client.get("web").await.expect("a secret");
    client.create(&secret()).await.expect("a secret");
    client.update(&secret()).await.expect("a secret");
    client.apply(&serde_json::to_value(secret()).expect("JSON")).field_manager("me").await.expect("a secret");
    client.delete("web").await.expect("a secret");
    secrets(&lists.client()).list().await.expect("a list");
    secrets(&watches.client()).watch().await.expect("a watch").try_next().await.expect("an event").expect("one");
    let raw = server.client().get().abs_path("/api/v1/namespaces/ns/secrets/web");
    raw.send().await.expect("an answer").bytes().await.expect("a body");
    assert_nothing_secret(&captured, "secrets");
    assert!(captured.text().contains("not shown since it may hold secrets"), "{}", captured.text());
}

#[tokio::test]
async fn tokens_and_streams_are_told_at_no_level() {
    let token =
        r#"{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","metadata":{},"spec":{"token":"hunter2"}}"#;
    let server = Server::start(vec![Answer::Close(http("200 OK", JSON, token))]).await;
    let captured = Captured::default();
    let _guard = captured.subscribe();
    let client = server.client();
    let review: TokenReview = serde_json::from_str(token).expect("a review");
    ResourceClient::<TokenReview>::cluster(&client).create(&review).await.expect("a review");
    let body = serde_json::json!({"status": {"token": "hunter2"}});
    let path = "/api/v1/namespaces/ns/serviceaccounts/web/token";
    client.post().abs_path(path).json(&body).send().await.expect("an answer").bytes().await.expect("a body");
    pods(&client).logs("web").await.expect("a log");
    let proxied = pods(&client).proxy("web").method(Method::POST).query("key", "hunter2").body("text/plain", "hunter2");
    proxied.await.expect("an answer").bytes().await.expect("a body");
    pods(&client).exec("web").command(["login", "hunter2"]).into_request().send().await.expect("an answer");
    assert_nothing_secret(&captured, "tokens and streams");
}

#[tokio::test]
async fn credentials_are_told_at_no_level_over_either_http() {
    let server = Server::start(vec![Answer::Close(http("401 Unauthorized", "Set-Cookie: hunter2\r\n", ""))]).await;
    let http2 = Http2Server::start(vec![Reply::Good]).await;
    let captured = Captured::default();
    let _guard = captured.subscribe();
    for mut config in [server.config(), http2.config()] {
        for credentials in [
            Credentials::Bearer("hunter2".into()),
            Credentials::Basic { username: "ali".to_owned(), password: "open sesame".into() },
        ] {
            config.credentials = credentials;
            let client = RestClient::new(&config).expect("a client");
            let _ = config_maps(&client).get("web").await;
            let own = config_maps(&client).get("web").with_header("Authorization", "Bearer hunter2");
            let _ = own.with_header("X-Auth-Token", "hunter2").with_header("Cookie", "hunter2").await;
        }
    }
    assert_nothing_secret(&captured, "credentials");
    assert!(!captured.text().contains("YWxpOm9wZW4gc2VzYW1l"), "basic credentials are told");
    assert_eq!((server.requests().len(), http2.seen()), (4, 4));
}

#[tokio::test]
async fn call_is_a_span_with_its_attempts_and_its_status() {
    let again = http("429 Too Many Requests", "Retry-After: 0\r\n", "");
    let good = http("200 OK", JSON, CONFIG_MAP);
    let server = Server::start(vec![Answer::Close(again), Answer::Close(good)]).await;
    let captured = Captured::default();
    let guard = captured.subscribe();
    config_maps(&server.client()).get("web").await.expect("the second attempt succeeds");
    drop(guard);
    let text = captured.text();
    let closed = text.lines().find(|line| line.contains("k8s_client.request") && line.contains("close time."));
    let closed = closed.expect("the span is closed");
    for field in ["method=GET", "/configmaps/web\"", r#"resource="configmaps""#, r#"namespace="ns""#, r#"name="web""#] {
        assert!(closed.contains(field), "{field} in {closed}");
    }
    assert!(closed.contains("attempts=2") && closed.contains("status=200"), "{closed}");
    let retried = text.lines().find(|line| line.contains("sending the request again")).expect("the retry is told");
    assert!(retried.contains("INFO") && retried.contains("retry=1") && retried.contains("429"), "{retried}");
    assert!(text.contains(r#""resourceVersion":"7""#), "the body is told: {text}");
}

#[tokio::test]
async fn headers_are_told_as_they_are_sent() {
    let server = Server::answering("200 OK", JSON, CONFIG_MAP).await;
    let mut config = server.config();
    config.credentials = Credentials::Bearer("hunter2".into());
    config.user_agent = Some("nightly/1.0".to_owned());
    config.impersonate = Some(Impersonation::user("jane"));
    let layer = SetRequestHeaderLayer::overriding(HeaderName::from_static("x-layer"), HeaderValue::from_static("yes"));
    let answer = |_: http::Request<Body>| async { Ok::<_, BoxError>(json(200, CONFIG_MAP)) };
    let connected = RestClient::builder(&config).layer(layer.clone()).build().expect("a client");
    let without_socket =
        RestClient::builder(&config).layer(layer).service(tower::service_fn(answer)).build().expect("a client");
    for client in [connected, without_socket] {
        let captured = Captured::default();
        let guard = captured.subscribe();
        config_maps(&client).get("web").await.expect("a config map");
        drop(guard);
        let text = captured.text();
        let told: Vec<_> = text.lines().filter(|line| line.contains("headers of the request")).collect();
        assert_eq!(told.len(), 1, "{text}");
        for header in [
            r#""accept": "application/json""#,
            r#""user-agent": "nightly/1.0""#,
            r#""impersonate-user": "jane""#,
            r#""x-layer": "yes""#,
            r#""authorization": <hidden>"#,
        ] {
            assert!(told[0].contains(header), "{header} in {}", told[0]);
        }
        assert_nothing_secret(&captured, "headers");
    }
}

#[tokio::test]
async fn request_is_named_once_a_line() {
    let again = http("503 Service Unavailable", "Retry-After: 0\r\n", "");
    let good = http("200 OK", JSON, CONFIG_MAP);
    let server = Server::start(vec![Answer::Close(again), Answer::Close(good)]).await;
    let captured = Captured::default();
    let guard = captured.subscribe();
    config_maps(&server.client()).get("web").await.expect("the second attempt succeeds");
    drop(guard);
    let text = captured.text();
    for event in ["answered", "sending the request again"] {
        let line = text.lines().find(|line| line.contains("k8s_client.request") && line.contains(event));
        let line = line.expect("the event is told");
        assert_eq!(line.matches("/configmaps/web").count(), 1, "{line}");
    }
}

#[tokio::test]
async fn retry_names_its_request_where_the_span_does_not() {
    keep_asking();
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(false);
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
    let again = http("503 Service Unavailable", "Retry-After: 0\r\n", "");
    let good = http("200 OK", JSON, CONFIG_MAP);
    let server = Server::start(vec![Answer::Close(again), Answer::Close(good)]).await;
    config_maps(&server.client()).get("web").await.expect("the second attempt succeeds");
    let text = captured.text();
    assert!(text.contains("method=GET") && text.contains("/configmaps/web"), "{text}");
}

#[tokio::test]
async fn body_of_an_error_is_told() {
    let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}"#;
    let server = Server::answering("404 Not Found", JSON, body).await;
    let captured = Captured::default();
    let _guard = captured.subscribe();
    config_maps(&server.client()).get("web").await.expect_err("it is not there");
    secrets(&server.client()).get("web").await.expect_err("it is not there");
    let text = captured.text();
    let told = text.lines().filter(|line| line.contains("body of the answer") && line.contains(body));
    assert_eq!(told.count(), 1, "{text}");
}

#[tokio::test]
async fn body_in_protobuf_says_how_to_see_it() {
    let captured = Captured::default();
    let _guard = captured.subscribe();
    let server = Server::answering("200 OK", "Content-Type: application/vnd.kubernetes.protobuf\r\n", "k8s\0").await;
    let request = server.client().get().abs_path("/api/v1/pods");
    request.send().await.expect("an answer").bytes().await.expect("a body");
    assert!(captured.text().contains("set Config::disable_protobuf to see it"), "{}", captured.text());
}

#[tokio::test]
async fn debug_of_an_answer_hides_its_secrets() {
    let server = Server::answering("200 OK", "Set-Cookie: hunter2\r\nX-Auth-Token: hunter2\r\n", "hunter2").await;
    let response = server.client().get().abs_path("/x").send().await.expect("an answer");
    let text = format!("{response:?} {response:#?}");
    assert!(!text.contains("hunter2") && text.contains("200") && text.contains("content-length"), "{text}");
}

#[tokio::test]
async fn long_body_is_cut() {
    let server = Server::answering("200 OK", JSON, CONFIG_MAP).await;
    let captured = Captured::default();
    let _guard = captured.subscribe();
    let request = server.client().put().abs_path("/x").json(&serde_json::json!({"text": "é".repeat(20_000)}));
    request.send().await.expect("an answer");
    let shown = captured.text().matches('é').count();
    assert!((5_000..=5_120).contains(&shown), "{shown}");
}
