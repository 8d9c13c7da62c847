//! A server whose pods are made while they are read, so that the heap has nothing of it.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use k8s_client_runtime::{
    Config, RestClient,
    k8s_openapi::api::core::v1::Pod,
    resource::{AllNamespaces, ResourceClient},
    rest::{Body, BoxError},
};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// The server. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Server(Arc<State>);

struct State {
    pods: AtomicUsize,
    /// How often it was told to forget its versions, and so which version is the newest.
    round: AtomicUsize,
    forgets: Notify,
    watch_lists: bool,
}

impl Server {
    pub(crate) fn new(pods: usize, watch_lists: bool) -> Self {
        Self(Arc::new(State {
            pods: AtomicUsize::new(pods),
            round: AtomicUsize::new(1),
            forgets: Notify::new(),
            watch_lists,
        }))
    }

    pub(crate) fn pods(&self) -> ResourceClient<Pod, AllNamespaces> {
        let mut config = Config::new("http://server").expect("a URL");
        config.disable_protobuf = true;
        let server = self.clone();
        let answer = move |request| {
            let answer = server.answer(&request);
            async { Ok::<_, BoxError>(answer) }
        };
        let client = RestClient::from_service(&config, tower::service_fn(answer)).expect("the configuration is good");
        ResourceClient::all_namespaces(&client)
    }

    /// From now on there are so many pods. Watches end, and all pods must be read again; those that are the same have
    /// the versions that they had. The version that will be the newest.
    pub(crate) fn become_of(&self, pods: usize) -> String {
        self.0.pods.store(pods, Ordering::SeqCst);
        let round = self.0.round.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.forgets.notify_waiters();
        version(round)
    }

    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let query = request.uri().query().unwrap_or_default();
        let answer = Response::builder().header("content-type", "application/json");
        let has = |part: &str| query.split('&').any(|it| it == part);
        let initial = has("sendInitialEvents=true");
        let (pods, version) = (self.0.pods.load(Ordering::SeqCst), version(self.0.round.load(Ordering::SeqCst)));
        let parts = if initial && !self.0.watch_lists {
            return answer.status(422).body(Body::from(failure(422, "Invalid"))).expect("a valid answer");
        } else if has("watch=true") {
            let begin = (0..if initial { pods } else { 0 }).map(|number| event("ADDED", &pod(number)));
            let metadata =
                json!({ "resourceVersion": version, "annotations": { "k8s.io/initial-events-end": "true" } });
            let mark = event("BOOKMARK", &json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata }));
            let server = self.clone();
            let end = async move {
                server.0.forgets.notified().await;
                format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", failure(410, "Expired"))
            };
            stream::iter(begin.chain(initial.then_some(mark))).chain(stream::once(end)).boxed()
        } else {
            let head = format!(
                "{{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"metadata\":{{\"resourceVersion\":\"{version}\"}},\"items\":["
            );
            let items = (0..pods).map(|number| format!("{}{}", if number == 0 { "" } else { "," }, pod(number)));
            stream::iter(std::iter::once(head).chain(items).chain(["]}".to_owned()])).boxed()
        };
        let frames = parts.map(|part| Ok::<_, Infallible>(Frame::data(Bytes::from(part))));
        answer.body(Body::new(StreamBody::new(frames))).expect("a valid answer")
    }
}

fn version(round: usize) -> String {
    (1_000_000 + round).to_string()
}

fn event(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({ "type": kind, "object": object }))
}

fn failure(code: u16, reason: &str) -> String {
    json!({ "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason }).to_string()
}

/// A pod as a Deployment makes it, in about 3 KB, of which `managedFields` are a third.
fn pod(number: usize) -> Value {
    let name = format!("web-7d4b9c6f5d-{number:05}");
    let environment: Vec<Value> = (0..10)
        .map(|it| json!({ "name": format!("SETTING_{it}"), "value": format!("value {it} of {name}") }))
        .collect();
    let fields: serde_json::Map<String, Value> = (0..10)
        .map(|it| (format!("k:{{\"name\":\"SETTING_{it}\"}}"), json!({ ".": {}, "f:name": {}, "f:value": {} })))
        .collect();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "default", "uid": format!("0d3f9a52-6b1c-4c7e-8f00-0000000{number:05}"),
            "resourceVersion": (1000 + number).to_string(), "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": { "app": "web", "pod-template-hash": "7d4b9c6f5d" },
            "managedFields": [{
                "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1",
                "fieldsV1": { "f:spec": { "f:containers": { "k:{\"name\":\"web\"}": { "f:env": fields } } } },
            }],
        },
        "spec": {
            "nodeName": format!("node-{}", number % 100),
            "containers": [{
                "name": "web", "image": "registry.example.com/team/web:1.2.3", "env": environment,
                "resources": { "requests": { "cpu": "100m", "memory": "128Mi" } },
            }],
        },
        "status": {
            "phase": "Running", "podIP": format!("10.0.{}.{}", number / 250, number % 250),
            "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T03:04:15Z" }],
        },
    })
}
