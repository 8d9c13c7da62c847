//! Calls from their beginning to their end: attempts, limits, warnings, traces, and what a program puts in between.

#[path = "../support/mod.rs"]
mod support;

mod clear_text;
mod content_types;
mod fairness;
mod http2;
mod limits;
mod lists;
mod logs;
mod metrics;
mod middleware;
mod rate_limit;
mod retries;
mod traces;
mod unauthorized;
mod undecodable;
mod waits;
mod warnings;

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use http::Response;
use k8s_client_runtime::{
    Config, RestClient,
    resource::{Namespaced, ResourceClient},
    rest::{Body, BoxError},
};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};

const CONFIG_MAP: &str = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"web","resourceVersion":"7"}}"#;

fn config_maps(client: &RestClient) -> ResourceClient<ConfigMap, Namespaced> {
    ResourceClient::<ConfigMap>::namespaced(client, "ns")
}

fn pods(client: &RestClient) -> ResourceClient<Pod, Namespaced> {
    ResourceClient::<Pod>::namespaced(client, "ns")
}

/// The object that the tests write.
fn web() -> ConfigMap {
    serde_json::from_str(CONFIG_MAP).expect("it is one")
}

/// A configuration for a client without sockets.
fn nowhere() -> Config {
    Config::new("http://nowhere").expect("a URL")
}

/// Such a configuration with a change.
fn nowhere_but(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = nowhere();
    change(&mut config);
    config
}

/// A client whose requests are answered by a function, and the requests that it has seen.
fn answered_by<F, A>(config: &Config, answer: F) -> (RestClient, Arc<Mutex<Vec<String>>>)
where
    F: Fn(usize) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&seen);
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let mut requests = requests.lock().expect("nobody panics");
        requests.push(format!("{} {}", request.method(), request.uri()));
        let answer = answer(requests.len());
        async move { Ok::<_, BoxError>(answer.await) }
    });
    (RestClient::from_service(config, service).expect("a valid configuration"), seen)
}

/// An answer with a JSON body.
fn json(status: u16, body: &'static str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .expect("a valid answer")
}

/// An answer that asks to come again.
fn later(status: u16, seconds: &str) -> Response<Body> {
    Response::builder().status(status).header("retry-after", seconds).body(Body::default()).expect("a valid answer")
}

fn count(seen: &Mutex<Vec<String>>) -> usize {
    seen.lock().expect("nobody panics").len()
}
