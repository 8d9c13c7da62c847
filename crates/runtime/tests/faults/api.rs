//! The store behind the fixture server: config maps, with what the tests need of kube-apiserver's behaviour.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// All objects, by namespace and name, and those who watch them.
pub(crate) struct Api {
    store: Mutex<Store>,
    events: broadcast::Sender<Event>,
}

#[derive(Default)]
struct Store {
    version: u64,
    objects: BTreeMap<(String, String), Value>,
}

/// A line of a watch, and the namespace that it is about.
pub(crate) type Event = (String, Bytes);

/// What the store says to a request.
pub(crate) enum Reply {
    /// A code and an object.
    Object(u16, Bytes),
    /// The lines that come first, and where the later ones come from.
    Watch { namespace: String, first: Vec<Bytes>, then: broadcast::Receiver<Event> },
}

/// Where a request goes.
struct Target {
    namespace: String,
    name: Option<String>,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self { store: Mutex::default(), events: broadcast::channel(16_384).0 }
    }

    /// Processes a request, once for each time it is called.
    pub(crate) fn process(&self, method: &str, path_and_query: &str, body: &[u8]) -> Reply {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let Some(Target { namespace, name }) = target(path) else {
            return failure(404, "NotFound", "the server could not find the requested resource");
        };
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        match (method, name) {
            ("GET", None) if query.split('&').any(|pair| pair == "watch=true" || pair == "watch=1") => {
                let first = store.of(&namespace).map(|object| line("ADDED", object)).collect();
                Reply::Watch { namespace, first, then: self.events.subscribe() }
            }
            ("GET", None) => {
                let items: Vec<_> = store.of(&namespace).cloned().collect();
                let metadata = json!({ "resourceVersion": store.version.to_string() });
                object(
                    200,
                    &json!({ "kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items }),
                )
            }
            ("GET", Some(name)) => match store.objects.get(&(namespace, name.clone())) {
                Some(found) => object(200, found),
                None => not_found(&name),
            },
            ("POST", None) => {
                let Ok(mut new) = serde_json::from_slice::<Value>(body) else { return unreadable() };
                store.version += 1;
                let name = match (new["metadata"]["name"].as_str(), new["metadata"]["generateName"].as_str()) {
                    (Some(name), _) => name.to_owned(),
                    (None, Some(prefix)) => format!("{prefix}{}", store.version),
                    (None, None) => return unreadable(),
                };
                new["metadata"]["name"] = json!(name);
                new["metadata"]["uid"] = json!(format!("uid-{}", store.version));
                let key = (namespace, name);
                if store.objects.contains_key(&key) {
                    return failure(409, "AlreadyExists", &format!("configmaps {:?} already exists", key.1));
                }
                self.write(&mut store, key, new, "ADDED", 201)
            }
            ("PUT" | "PATCH", Some(name)) => {
                let Ok(change) = serde_json::from_slice::<Value>(body) else { return unreadable() };
                let key = (namespace, name);
                let Some(old) = store.objects.get(&key) else { return not_found(&key.1) };
                let mut new = if method == "PUT" { change } else { merged(old.clone(), change) };
                new["metadata"]["uid"] = old["metadata"]["uid"].clone();
                store.version += 1;
                self.write(&mut store, key, new, "MODIFIED", 200)
            }
            ("DELETE", Some(name)) => {
                let key = (namespace, name);
                let Some(old) = store.objects.remove(&key) else { return not_found(&key.1) };
                store.version += 1;
                // Nobody watches: nobody misses it.
                let _ = self.events.send((key.0, line("DELETED", &old)));
                object(200, &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" }))
            }
            _ => failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource"),
        }
    }

    fn write(&self, store: &mut Store, key: (String, String), mut new: Value, event: &str, code: u16) -> Reply {
        new["kind"] = json!("ConfigMap");
        new["apiVersion"] = json!("v1");
        new["metadata"]["namespace"] = json!(key.0);
        new["metadata"]["resourceVersion"] = json!(store.version.to_string());
        let _ = self.events.send((key.0.clone(), line(event, &new)));
        let reply = object(code, &new);
        store.objects.insert(key, new);
        reply
    }
}

impl Store {
    fn of<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |(key, _)| key.0 == namespace).map(|(_, object)| object)
    }
}

/// The answer of a server that is too busy to process a request.
pub(crate) fn busy(code: u16) -> Bytes {
    let reason = if code == 429 { "TooManyRequests" } else { "ServiceUnavailable" };
    status(code, reason, "too busy")
}

fn target(path: &str) -> Option<Target> {
    let rest = path.strip_prefix("/api/v1/namespaces/")?;
    let mut segments = rest.split('/');
    let namespace = segments.next()?.to_owned();
    if segments.next()? != "configmaps" {
        return None;
    }
    Some(Target { namespace, name: segments.next().map(str::to_owned) })
}

/// RFC 7396.
fn merged(mut old: Value, change: Value) -> Value {
    let Value::Object(change) = change else { return change };
    if !old.is_object() {
        old = json!({});
    }
    for (key, value) in change {
        old[&key] = merged(old[&key].take(), value);
    }
    old
}

fn line(event: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({ "type": event, "object": object })).into()
}

fn object(code: u16, object: &Value) -> Reply {
    Reply::Object(code, object.to_string().into())
}

fn not_found(name: &str) -> Reply {
    failure(404, "NotFound", &format!("configmaps {name:?} not found"))
}

fn unreadable() -> Reply {
    failure(400, "BadRequest", "the body could not be read")
}

fn failure(code: u16, reason: &str, message: &str) -> Reply {
    Reply::Object(code, status(code, reason, message))
}

fn status(code: u16, reason: &str, message: &str) -> Bytes {
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message })
    .to_string()
    .into()
}
