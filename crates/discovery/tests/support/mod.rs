//! A small API server on a real socket: it answers discovery requests by a function.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use k8s_client_discovery::DiscoveryClient;
use k8s_client_runtime::{Config, RestClient};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What is asked for: the path with its query, and what is accepted.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) accept: String,
}

impl Asked {
    /// Whether aggregated discovery would be welcome.
    pub(crate) fn aggregated(&self) -> bool {
        self.accept.contains("as=APIGroupDiscoveryList")
    }

    /// The path without its query.
    pub(crate) fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

/// What is answered.
pub(crate) enum Reply {
    /// A plain JSON document.
    Json(Value),
    /// A document of aggregated discovery.
    Aggregated(Value),
    /// A status line, headers and a body.
    Raw(&'static str, String, String),
    /// Nothing, ever.
    Silence,
}

impl Reply {
    pub(crate) fn error(status: &'static str) -> Self {
        Self::Raw(status, String::new(), String::new())
    }
}

/// The server. It ends with its value.
pub(crate) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&asked), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, &seen, &*answer).await });
            }
        });
        Self { address, asked, task }
    }

    pub(crate) fn discovery(&self) -> DiscoveryClient {
        let config = Config::new(&format!("http://{}", self.address)).expect("the address makes a URL");
        DiscoveryClient::new(&RestClient::new(&config).expect("the configuration is valid"))
    }

    /// The paths that were asked for, in the order of the alphabet.
    pub(crate) fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("no test panics while it holds this");
        let mut paths: Vec<_> = asked.iter().map(|asked| asked.route().to_owned()).collect();
        paths.sort();
        paths
    }

    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.paths().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Asked>>, answer: &(dyn Fn(&Asked) -> Reply + Send + Sync)) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let accept =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("accept:").map(|_| line[7..].trim().to_owned()));
    let asked = Asked { path, accept: accept.unwrap_or_default() };
    let reply = answer(&asked);
    seen.lock().expect("no test panics while it holds this").push(asked);
    let (status, headers, body) = match reply {
        Reply::Json(body) => ("200 OK", "Content-Type: application/json\r\n".to_owned(), body.to_string()),
        Reply::Aggregated(body) => {
            let parameters = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
            ("200 OK", format!("Content-Type: application/json;{parameters}\r\n"), body.to_string())
        }
        Reply::Raw(status, headers, body) => (status, headers, body),
        Reply::Silence => return std::future::pending().await,
    };
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}");
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A server with pods, and with deployments in two versions, that speaks version 1 of discovery only.
pub(crate) fn plain(asked: &Asked) -> Reply {
    match asked.route() {
        "/api" => Reply::Json(json!({ "kind": "APIVersions", "versions": ["v1"] })),
        "/apis" => Reply::Json(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [{
            "name": "apps",
            "versions": [
                { "groupVersion": "apps/v1beta1", "version": "v1beta1" },
                { "groupVersion": "apps/v1", "version": "v1" },
            ],
            "preferredVersion": { "groupVersion": "apps/v1", "version": "v1" },
        }] })),
        "/api/v1" => Reply::Json(json!({ "kind": "APIResourceList", "groupVersion": "v1", "resources": [
            { "name": "pods", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["list"],
              "shortNames": ["po"] },
            { "name": "pods/eviction", "singularName": "", "namespaced": true, "group": "policy", "version": "v1",
              "kind": "Eviction", "verbs": ["create"] },
        ] })),
        path @ ("/apis/apps/v1" | "/apis/apps/v1beta1") => Reply::Json(json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": &path[6..],
            "resources": [{ "name": "deployments", "singularName": "deployment", "namespaced": true,
                "kind": "Deployment", "verbs": ["get"], "shortNames": ["deploy"] }],
        })),
        _ => Reply::error("404 Not Found"),
    }
}

/// The same with aggregated discovery.
pub(crate) fn aggregated(asked: &Asked) -> Reply {
    match asked.route() {
        "/api" if asked.aggregated() => Reply::Aggregated(group_list(&[group("", &[("v1", &["Pod"])])])),
        "/apis" if asked.aggregated() => {
            Reply::Aggregated(group_list(&[group("apps", &[("v1", &["Deployment"]), ("v1beta1", &["Deployment"])])]))
        }
        _ => plain(asked),
    }
}

pub(crate) fn group_list(groups: &[Value]) -> Value {
    json!({ "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": groups })
}

/// A group with its versions and their kinds; a version without kinds is stale.
pub(crate) fn group(name: &str, versions: &[(&str, &[&str])]) -> Value {
    let resource = |kind: &&str| {
        let singular = kind.to_lowercase();
        json!({ "resource": format!("{singular}s"), "singularResource": singular, "scope": "Namespaced",
            "responseKind": { "group": name, "version": "", "kind": kind }, "verbs": ["get"] })
    };
    let version = |(version, kinds): &(&str, &[&str])| {
        let freshness = if kinds.is_empty() { "Stale" } else { "Current" };
        let resources: Vec<Value> = kinds.iter().map(resource).collect();
        json!({ "version": version, "freshness": freshness, "resources": resources })
    };
    let versions: Vec<Value> = versions.iter().map(version).collect();
    json!({ "metadata": { "name": name }, "versions": versions })
}

/// A server with aggregated discovery that serves widgets from when it is told to.
pub(crate) async fn with_widgets() -> (Server, Arc<AtomicBool>) {
    let there = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&there);
    let server = Server::start(move |asked| match asked.route() {
        "/apis" if there.load(Ordering::SeqCst) => {
            let widgets = group("example.com", &[("v1", &["Widget"])]);
            Reply::Aggregated(group_list(&[group("apps", &[("v1", &["Deployment"])]), widgets]))
        }
        _ => aggregated(asked),
    });
    (server.await, switch)
}

/// All files below a folder with their texts.
pub(crate) fn files(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("it is a folder") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(directory).expect("it is below").display().to_string();
                found.push((name, std::fs::read_to_string(&path).expect("it is text")));
            }
        }
    }
    found.sort();
    found
}
