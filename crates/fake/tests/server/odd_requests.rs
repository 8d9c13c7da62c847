//! Requests that nobody sends on purpose: whatever comes, the server answers, in time, and says why it refuses.
//!
//! `K8S_CLIENT_FAKE_REQUESTS` sets how many are sent, `K8S_CLIENT_FAKE_SEED` with which seed they begin.

use std::{env, time::Duration};

use fastrand::Rng;
use k8s_client_fake::FakeServer;
use k8s_client_runtime::{http::Request, rest::Body};
use serde_json::{Value, json};
use tower_service::Service as _;

/// How many requests a server gets before a new one begins.
const OF_ONE_SERVER: u64 = 200;

const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "NONSENSE"];

/// What paths are made of.
const SEGMENTS: [&str; 40] = [
    "api",
    "apis",
    "v1",
    "apps",
    "namespaces",
    "default",
    "pods",
    "configmaps",
    "deployments",
    "a",
    "b",
    "status",
    "scale",
    "log",
    "eviction",
    "binding",
    "finalize",
    "token",
    "openapi",
    "v3",
    "v2",
    "version",
    "healthz",
    "apiextensions.k8s.io",
    "customresourcedefinitions",
    "widgets.example.com",
    "example.com",
    "widgets",
    "nodes",
    "watch",
    "",
    ".",
    "..",
    "%2F",
    "%00",
    "%",
    "ä",
    "exec",
    "autoscaling",
    "resourcequotas",
];

const QUERY_NAMES: [&str; 22] = [
    "watch",
    "limit",
    "continue",
    "labelSelector",
    "fieldSelector",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "allowWatchBookmarks",
    "timeoutSeconds",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "propagationPolicy",
    "orphanDependents",
    "gracePeriodSeconds",
    "includeObject",
    "pretty",
    "as",
    "container",
    "",
];

const QUERY_VALUES: [&str; 26] = [
    "true",
    "false",
    "0",
    "1",
    "-1",
    "18446744073709551616",
    "All",
    "Strict",
    "Exact",
    "NotOlderThan",
    "a=b",
    "a in (b,c)",
    "!a",
    "a=",
    "a in (",
    "metadata.name=a",
    "metadata.name!=a",
    "spec.nodeName=",
    "=",
    "Foreground",
    "Orphan",
    "x",
    "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYVx1MDAwMCJ9",
    "%",
    "%FF",
    "",
];

const MEDIA_TYPES: [&str; 12] = [
    "application/json",
    "application/yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    "*/*",
    "text/plain",
];

/// Members of objects, of patches and of operations of patches.
const KEYS: [&str; 44] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "generateName",
    "labels",
    "annotations",
    "finalizers",
    "uid",
    "ownerReferences",
    "managedFields",
    "resourceVersion",
    "deletionTimestamp",
    "creationTimestamp",
    "generation",
    "spec",
    "status",
    "data",
    "replicas",
    "selector",
    "matchLabels",
    "template",
    "containers",
    "image",
    "ports",
    "containerPort",
    "env",
    "volumes",
    "resources",
    "requests",
    "cpu",
    "$patch",
    "$setElementOrder/containers",
    "$retainKeys",
    "$deleteFromPrimitiveList/finalizers",
    "op",
    "path",
    "from",
    "value",
    "preconditions",
    "dryRun",
    "items",
    "",
];

const TEXTS: [&str; 34] = [
    "a",
    "b",
    "default",
    "v1",
    "apps/v1",
    "example.com/v1",
    "ConfigMap",
    "Pod",
    "Deployment",
    "Widget",
    "Scale",
    "List",
    "DeleteOptions",
    "Eviction",
    "Binding",
    "1",
    "-1",
    "500m",
    "1e400",
    "2026-01-01T00:00:00Z",
    "9999-99-99T99:99:99Z",
    "replace",
    "delete",
    "merge",
    "add",
    "remove",
    "move",
    "/metadata/labels/a",
    "/spec/-",
    "/~2",
    "All",
    "nginx",
    "\u{0}\u{202e}ä",
    "",
];

fn one_of<'a>(rng: &mut Rng, all: &[&'a str]) -> &'a str {
    all[rng.usize(..all.len())]
}

/// A path: half of them are those of resources, of which some part may be wrong.
fn path(rng: &mut Rng) -> String {
    const KNOWN: [&str; 9] = [
        "/api/v1/namespaces/default/configmaps",
        "/api/v1/namespaces/default/pods",
        "/apis/apps/v1/namespaces/default/deployments",
        "/apis/example.com/v1/namespaces/default/widgets",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/api/v1/namespaces",
        "/api/v1/nodes",
        "/api/v1/pods",
        "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    ];
    let mut path = if rng.bool() { one_of(rng, &KNOWN).to_owned() } else { String::new() };
    let more = if path.is_empty() { rng.usize(0..9) } else { rng.usize(0..3) };
    for _ in 0..more {
        path.push('/');
        path.push_str(one_of(rng, &SEGMENTS));
    }
    for number in 0..rng.usize(0..4) {
        path.push(if number == 0 { '?' } else { '&' });
        path.push_str(one_of(rng, &QUERY_NAMES));
        path.push('=');
        path.extend(one_of(rng, &QUERY_VALUES).chars().filter(char::is_ascii_graphic));
    }
    // What is no URI never comes as far as a server.
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Any JSON, of the words that servers look for.
fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.usize(0..if depth == 0 { 6 } else { 12 }) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => rng.i64(..).into(),
        3 => rng.i64(-2..20).into(),
        4 => rng.f64().into(),
        5 => one_of(rng, &TEXTS).into(),
        6 | 7 => (0..rng.usize(0..4)).map(|_| value(rng, depth - 1)).collect(),
        _ => (0..rng.usize(0..6)).map(|_| (one_of(rng, &KEYS).to_owned(), value(rng, depth - 1))).collect(),
    }
}

/// An object that would be taken, with something else in one or more of its places.
fn object(rng: &mut Rng) -> Value {
    let container = json!({"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]});
    let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}});
    let mut object = match rng.usize(0..4) {
        0 => json!({"metadata": {"name": "a", "labels": {"a": "b"}}, "data": {"a": "b"}}),
        1 => json!({"metadata": {"name": "a"}, "spec": {"containers": [container]}}),
        2 => json!({"metadata": {"name": "a"}, "spec": spec}),
        _ => json!({"metadata": {"generateName": "a-", "finalizers": ["example.com/x"]}, "spec": {"replicas": 1}}),
    };
    (0..rng.usize(0..4)).for_each(|_| change(rng, &mut object));
    object
}

/// Puts something else into one of the places of a value.
fn change(rng: &mut Rng, place: &mut Value) {
    if rng.usize(0..3) > 0 {
        match place {
            Value::Object(members) if !members.is_empty() => {
                let number = rng.usize(..members.len());
                return members.values_mut().nth(number).into_iter().for_each(|member| change(rng, member));
            }
            Value::Array(items) if !items.is_empty() => {
                let number = rng.usize(..items.len());
                return change(rng, &mut items[number]);
            }
            _ => {}
        }
    }
    match place {
        Value::Object(members) if rng.bool() => drop(members.insert(one_of(rng, &KEYS).to_owned(), value(rng, 2))),
        place => *place = value(rng, 2),
    }
}

fn body(rng: &mut Rng) -> Vec<u8> {
    match rng.usize(0..10) {
        0 => Vec::new(),
        1 => (0..rng.usize(0..50)).map(|_| rng.u8(..)).collect(),
        2 => {
            let mut message = b"k8s\0".to_vec();
            message.extend((0..rng.usize(0..50)).map(|_| rng.u8(..)));
            message
        }
        3 => {
            let mut text = object(rng).to_string().into_bytes();
            text.truncate(rng.usize(..=text.len()));
            text
        }
        4 => "[".repeat(rng.usize(0..20_000)).into_bytes(),
        5 | 6 => value(rng, 4).to_string().into_bytes(),
        _ => object(rng).to_string().into_bytes(),
    }
}

/// Sends a request of this seed; what is wrong with the answer.
async fn problem(server: &FakeServer, rng: &mut Rng) -> Result<(), String> {
    let (method, path, body) = (one_of(rng, &METHODS), path(rng), body(rng));
    let (content_type, accept) = (one_of(rng, &MEDIA_TYPES), one_of(rng, &MEDIA_TYPES));
    let shown = format!(
        "{method} {path} as {accept}: {content_type} {}",
        String::from_utf8_lossy(&body[..body.len().min(500)])
    );
    let request = Request::builder().method(method).uri(format!("http://fake{path}"));
    let request = request.header("content-type", content_type).header("accept", accept).body(Body::from(body));
    let Ok(request) = request else { return Ok(()) };
    let mut server = server.clone();
    // A task, so that a panic is noticed with what was asked.
    let answer = tokio::spawn(async move {
        let response = server.call(request).await.map_err(|error| error.to_string())?;
        let (head, mut body) = response.into_parts();
        let mut text = Vec::new();
        while let Some(chunk) = body.chunk().await {
            text.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
        }
        Ok::<_, String>((head, text))
    });
    // Watches end with the time that nobody waits for here: the clock jumps.
    let answer = tokio::time::timeout(Duration::from_secs(24 * 3_600), answer).await;
    let answer = answer.map_err(|_| format!("{shown}: no end within a day"))?;
    let (head, text) =
        answer.map_err(|panic| format!("{shown}: {panic}"))?.map_err(|error| format!("{shown}: {error}"))?;
    let media_type = head.headers.get("content-type").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let code = head.status.as_u16();
    let shown = || format!("{shown}: {code} {media_type} {}", String::from_utf8_lossy(&text));
    if media_type.starts_with("application/json") && code >= 400 {
        let status: Value = serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", shown()))?;
        let says_why = status["message"].as_str().is_some_and(|message| !message.is_empty());
        if status["kind"] != "Status" || status["code"] != code || !says_why {
            return Err(shown());
        }
    } else if code >= 400 {
        let may_be = media_type.starts_with("text/plain") || media_type.contains("protobuf");
        if !may_be || text.is_empty() {
            return Err(shown());
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn any_request_is_answered() {
    let number = |name: &str, default: u64| env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (count, first) = (number("K8S_CLIENT_FAKE_REQUESTS", 4_000), number("K8S_CLIENT_FAKE_SEED", 0));
    let mut problems = Vec::new();
    for seed in first..first + count.div_ceil(OF_ONE_SERVER) {
        let mut rng = Rng::with_seed(seed);
        let builder = FakeServer::builder().seed(seed);
        let server = if rng.bool() { builder.runs_controllers().start() } else { builder.start() };
        server.add_yaml(WIDGETS).unwrap();
        for _ in 0..OF_ONE_SERVER {
            problems.extend(problem(&server, &mut rng).await.err().map(|problem| format!("seed {seed}: {problem}")));
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems[..problems.len().min(10)].join("\n"));
}

const WIDGETS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties: {replicas: {type: integer}, names: {type: array, items: {type: string}, x-kubernetes-list-type: set}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
";
