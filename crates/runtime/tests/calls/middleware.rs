//! Layers around the transport, and services in place of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use http::{HeaderName, HeaderValue, Request, Response, header::AUTHORIZATION};
use k8s_client_runtime::{
    Config, ErrorKind, RestClient,
    config::Credentials,
    rest::{Body, BoxError, HttpService},
};
use tower::{Layer, Service, ServiceBuilder};
use tower_http::{set_header::SetRequestHeaderLayer, trace::TraceLayer};

use crate::{
    CONFIG_MAP, config_maps, nowhere,
    support::{Answer, JSON, Server, http},
};

/// Counts what passes.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

#[derive(Clone)]
struct Counted<S> {
    count: Arc<AtomicUsize>,
    inner: S,
}

impl<S> Layer<S> for Counting {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { count: Arc::clone(&self.0), inner }
    }
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        assert!(request.headers()["authorization"].is_sensitive(), "a layer sees what is really sent");
        self.count.fetch_add(1, Ordering::SeqCst);
        self.inner.call(request)
    }
}

fn with_token(mut config: Config) -> Config {
    config.credentials = Credentials::Bearer("token".into());
    config
}

#[tokio::test]
async fn layer_sees_every_attempt() {
    let again = http("429 Too Many Requests", "Retry-After: 0\r\n", "");
    let good = http("200 OK", JSON, CONFIG_MAP);
    let server = Server::start(vec![Answer::Close(again.clone()), Answer::Close(again), Answer::Close(good)]).await;
    let counting = Counting::default();
    let config = with_token(server.config());
    let client = RestClient::builder(&config).layer(counting.clone()).build().expect("a client");
    config_maps(&client).get("web").await.expect("the third attempt succeeds");
    assert_eq!(counting.0.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn layers_of_tower_http_fit_alone_and_composed() {
    let header = |name: &'static str| {
        SetRequestHeaderLayer::overriding(HeaderName::from_static(name), HeaderValue::from_static("yes"))
    };
    let server = Server::answering("200 OK", JSON, CONFIG_MAP).await;
    let counting = Counting::default();
    let composed = ServiceBuilder::new()
        .layer(header("x-outer"))
        .layer(TraceLayer::new_for_http())
        .concurrency_limit(4)
        .layer(header("x-inner"));
    let client = RestClient::builder(&with_token(server.config()))
        .layer(header("x-alone"))
        .layer(composed)
        .layer(counting.clone())
        .build()
        .expect("a client");
    config_maps(&client).get("web").await.expect("a config map");
    let request = &server.requests()[0];
    for name in ["x-alone: yes", "x-outer: yes", "x-inner: yes", "authorization: Bearer token"] {
        assert!(request.contains(name), "{name} in {request}");
    }
    assert_eq!(counting.0.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn layer_may_bring_the_credentials_anew_for_each_attempt() {
    for credentials in [Credentials::None, Credentials::Bearer("other".into())] {
        let again = http("429 Too Many Requests", "Retry-After: 0\r\n", "");
        let good = http("200 OK", JSON, CONFIG_MAP);
        let server = Server::start(vec![Answer::Close(again), Answer::Close(good)]).await;
        let mut config = server.config();
        config.credentials = credentials;
        let renewed = Arc::new(AtomicUsize::new(0));
        let authorize = SetRequestHeaderLayer::overriding(AUTHORIZATION, move |_: &Request<Body>| {
            HeaderValue::try_from(format!("Mine {}", renewed.fetch_add(1, Ordering::SeqCst))).ok()
        });
        let client = RestClient::builder(&config).layer(authorize).build().expect("a client");
        config_maps(&client).get("web").await.expect("the second attempt succeeds");
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        for (request, expected) in requests.iter().zip(["Mine 0", "Mine 1"]) {
            assert!(request.contains(&format!("authorization: {expected}\r\n")), "{expected} in {request}");
            assert!(!request.contains("Bearer"), "{request}");
        }
    }
}

#[tokio::test]
async fn service_of_the_programs_own_needs_no_socket() {
    let list = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"web"}}]}"#;
    let service = tower::service_fn(move |request: Request<Body>| async move {
        assert_eq!(request.uri(), "http://nowhere/api/v1/namespaces/ns/configmaps");
        Response::builder().header("content-type", "application/json").body(Body::from(list))
    });
    let client = RestClient::from_service(&nowhere(), service).expect("a client");
    let list = config_maps(&client).list().await.expect("a list");
    assert_eq!(list.items[0].metadata.name.as_deref(), Some("web"));
}

#[tokio::test]
async fn builder_puts_layers_around_a_service_too() {
    let service = tower::service_fn(|request: Request<Body>| async move {
        assert_eq!(request.headers()["x-layer"], "yes");
        Response::builder().header("content-type", "application/json").body(Body::from(CONFIG_MAP))
    });
    let layer = SetRequestHeaderLayer::overriding(HeaderName::from_static("x-layer"), HeaderValue::from_static("yes"));
    let client = RestClient::builder(&nowhere()).layer(layer).service(service).build().expect("a client");
    config_maps(&client).get("web").await.expect("a config map");
}

#[tokio::test]
async fn error_of_a_layer_comes_out_with_its_text_and_is_not_tried_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let service = tower::service_fn(move |_: Request<Body>| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Err::<Response<Body>, BoxError>("the circuit is open".into()) }
    });
    let client = RestClient::from_service(&nowhere(), service).expect("a client");
    let error = config_maps(&client).get("web").await.expect_err("it fails");
    assert_eq!((error.kind(), calls.load(Ordering::SeqCst)), (ErrorKind::Transport, 1));
    assert!(
        error.to_string().ends_with("/configmaps/web: the request could not be sent: the circuit is open"),
        "{error}"
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn part_of_the_user_agent_is_added_to_the_default_or_to_what_is_configured() {
    for (configured, sent) in [
        (None, concat!("k8s-client/", env!("CARGO_PKG_VERSION"), "/leader-election")),
        (Some("me/1"), "me/1/leader-election"),
    ] {
        let server = Server::start(vec![Answer::Close(http("200 OK", JSON, CONFIG_MAP))]).await;
        let mut config = server.config();
        config.user_agent = configured.map(str::to_owned);
        let client = RestClient::builder(&config).add_user_agent("leader-election").build().expect("a client");
        config_maps(&client).get("web").await.expect("an answer");
        let requests = server.requests();
        let header = requests[0].lines().find_map(|line| line.strip_prefix("user-agent: ")).expect("it is sent");
        assert!(header.ends_with(sent), "{header}");
    }
}

#[tokio::test]
async fn own_error_passes_through_layers_unchanged() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        listener.local_addr().expect("a bound socket has an address")
    };
    let config = Config::new(&format!("http://{address}")).expect("a URL");
    let plain = RestClient::new(&config).expect("a client");
    let layered = RestClient::builder(&config)
        .layer(ServiceBuilder::new().layer(TraceLayer::new_for_http()).concurrency_limit(1))
        .layer(tower::layer::layer_fn(|inner: HttpService| inner))
        .build()
        .expect("a client");
    let error = config_maps(&layered).get("web").await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::Connect);
    let expected = config_maps(&plain).get("web").await.expect_err("nobody listens");
    assert_eq!(error.to_string(), expected.to_string());
}

#[tokio::test]
async fn lost_connection_is_known_behind_layers() {
    let good = http("200 OK", JSON, CONFIG_MAP);
    let server = Server::start(vec![Answer::Close(Vec::new()), Answer::Close(good)]).await;
    let client = RestClient::builder(&server.config()).layer(TraceLayer::new_for_http()).build().expect("a client");
    config_maps(&client).get("web").await.expect("the second attempt succeeds");
    assert_eq!(server.requests().len(), 2);
}
