//! The server, and what can happen to requests.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use k8s_client_runtime::{
    Config, RestClient,
    k8s_openapi::api::core::v1::ConfigMap,
    resource::{AllNamespaces, Namespaced, ResourceClient},
    rest::{Body, BoxError},
};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep, sleep},
};

/// The server. A clone is the same one. At first it answers as it should; [`decide`](Self::decide) changes that.
#[derive(Clone)]
pub struct Server(Arc<Mutex<State>>);

struct State {
    objects: BTreeMap<(String, String), Value>,
    version: u64,
    uids: u64,
    log: Vec<Logged>,
    /// Versions below this cannot be watched from.
    forgotten: u64,
    asked: Vec<Ask>,
    fates: Box<dyn FnMut(&Ask) -> Fate + Send>,
    watches: Vec<Watching>,
    live: usize,
}

struct Logged {
    version: u64,
    kind: &'static str,
    object: Value,
}

/// What a watch brings: `None` is its end, and an error a lost connection.
type Pieces = mpsc::UnboundedReceiver<Piece>;
type Piece = Option<Result<Bytes, &'static str>>;

struct Watching {
    namespace: Option<String>,
    pieces: mpsc::UnboundedSender<Piece>,
}

/// What a client has asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// When, since the test began.
    pub at: Instant,
    /// List, watch, or watch with initial events.
    pub what: What,
    /// `None` is all of them.
    pub namespace: Option<String>,
    /// Whatever the query has.
    pub query: BTreeMap<String, String>,
}

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A list.
    List,
    /// A watch.
    Watch,
    /// A watch with initial events.
    WatchList,
}

impl Ask {
    /// The version that was named.
    pub fn version(&self) -> Option<&str> {
        self.query.get("resourceVersion").map(String::as_str)
    }
}

/// What becomes of a request.
pub enum Fate {
    /// What the server has.
    Served,
    /// The same, after a while.
    Slow(Duration),
    /// A failure of this code and reason.
    Refused(u16, &'static str),
    /// The failure of a server that has not come to the version yet.
    TooLarge,
    /// A watch that opens and then brings the failure as an event.
    Event(u16, &'static str),
    /// No answer, since the connection is lost.
    Lost,
    /// A watch without the mark behind the initial events.
    Unmarked,
    /// A watch that ends at once and well.
    Over,
    /// A list or a watch of which this is the body.
    Said(String),
}

/// A server that does not know watches with initial events, as those before Kubernetes 1.27.
pub fn listing(mut fates: impl FnMut(&Ask) -> Fate + Send) -> impl FnMut(&Ask) -> Fate + Send {
    move |ask| match ask.what {
        What::WatchList => Fate::Refused(422, "Invalid"),
        What::List | What::Watch => fates(ask),
    }
}

/// A failure as the server words it.
pub fn status(code: u16, reason: &str) -> Value {
    let message = format!("the server says {reason}");
    json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message,
        "metadata": {},
    })
}

/// A line of a watch: an event of this type.
pub fn event(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({ "type": kind, "object": object }))
}

fn bookmark(version: u64, ends_initial: bool) -> String {
    let annotations = if ends_initial { json!({ "k8s.io/initial-events-end": "true" }) } else { json!({}) };
    let metadata = json!({ "resourceVersion": version.to_string(), "annotations": annotations });
    event("BOOKMARK", &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata }))
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// An empty server, at version 100.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            objects: BTreeMap::new(),
            version: 100,
            uids: 0,
            log: Vec::new(),
            forgotten: 0,
            asked: Vec::new(),
            fates: Box::new(|_| Fate::Served),
            watches: Vec::new(),
            live: 0,
        })))
    }

    /// Decides what becomes of requests from now on.
    pub fn decide(&self, fates: impl FnMut(&Ask) -> Fate + Send + 'static) {
        self.state().fates = Box::new(fates);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics")
    }

    /// A client of the server.
    ///
    /// # Panics
    ///
    /// When no client can be made of the configuration, which is the same each time.
    pub fn client(&self) -> RestClient {
        let mut config = Config::new("http://server").expect("a URL");
        config.disable_protobuf = true;
        let server = self.clone();
        let service = tower::service_fn(move |request| server.clone().answer(request));
        RestClient::from_service(&config, service).expect("the configuration is good")
    }

    /// A client of all config maps.
    pub fn config_maps(&self) -> ResourceClient<ConfigMap, AllNamespaces> {
        ResourceClient::all_namespaces(&self.client())
    }

    /// A client of the config maps of one namespace.
    pub fn config_maps_in(&self, namespace: &str) -> ResourceClient<ConfigMap, Namespaced> {
        ResourceClient::namespaced(&self.client(), namespace)
    }

    /// Makes or changes an object in the namespace `default`, and returns its version.
    pub fn set(&self, name: &str, value: &str) -> String {
        self.set_in("default", name, value)
    }

    /// The same in another namespace.
    pub fn set_in(&self, namespace: &str, name: &str, value: &str) -> String {
        self.write(namespace, name, |object| object["data"] = json!({ "value": value }))
    }

    /// Makes an object, or changes anything of one.
    pub fn write(&self, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) -> String {
        let state = &mut *self.state();
        let key = (namespace.to_owned(), name.to_owned());
        let (kind, mut object) = if let Some(old) = state.objects.get(&key) {
            ("MODIFIED", old.clone())
        } else {
            state.uids += 1;
            let metadata = json!({ "namespace": namespace, "name": name, "uid": format!("uid-{}", state.uids) });
            ("ADDED", json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata }))
        };
        change(&mut object);
        let version = state.log(kind, object.clone());
        object["metadata"]["resourceVersion"] = version.clone().into();
        state.objects.insert(key, object);
        version
    }

    /// Deletes an object of the namespace `default`.
    ///
    /// # Panics
    ///
    /// When it is not there.
    pub fn delete(&self, name: &str) {
        self.delete_in("default", name);
    }

    /// The same in another namespace.
    ///
    /// # Panics
    ///
    /// When it is not there.
    pub fn delete_in(&self, namespace: &str, name: &str) {
        let state = &mut *self.state();
        let object = state.objects.remove(&(namespace.to_owned(), name.to_owned())).expect("it is there");
        state.log("DELETED", object);
    }

    /// Whether there is an object of this name.
    pub fn has(&self, name: &str) -> bool {
        self.state().objects.contains_key(&("default".to_owned(), name.to_owned()))
    }

    /// The uids and versions of all objects by their names.
    pub fn contents(&self) -> BTreeMap<String, (String, String)> {
        let text = |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let state = self.state();
        let of = |object| (text(object, "name"), (text(object, "uid"), text(object, "resourceVersion")));
        state.objects.values().map(of).collect()
    }

    /// Raises the version, as changes of other objects do. Clients learn of it by bookmarks alone.
    pub fn advance(&self, versions: u64) {
        self.state().version += versions;
    }

    /// A bookmark for every watch. It is one that ends initial events only where they came.
    pub fn bookmark(&self) {
        let state = self.state();
        let piece = Bytes::from(bookmark(state.version, false));
        state.watches.iter().for_each(|watch| drop(watch.pieces.send(Some(Ok(piece.clone())))));
    }

    /// The mark behind initial events, for every watch.
    pub fn mark(&self) {
        let text = bookmark(self.state().version, true);
        self.say(&text);
    }

    /// Replaces an object by another one of its name, with another uid, and sends watches no event of that.
    pub fn remade(&self, name: &str, value: &str) -> Value {
        let state = &mut *self.state();
        state.uids += 1;
        state.version += 1;
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "namespace": "default", "name": name, "uid": format!("uid-{}", state.uids),
                "resourceVersion": state.version.to_string(),
            },
            "data": { "value": value },
        });
        state.objects.insert(("default".to_owned(), name.to_owned()), object.clone());
        object
    }

    /// Puts this into every watch.
    pub fn say(&self, text: &str) {
        let piece = Bytes::from(text.to_owned());
        self.state().watches.iter().for_each(|watch| drop(watch.pieces.send(Some(Ok(piece.clone())))));
    }

    /// Forgets all versions there were, so that watches must begin anew.
    pub fn forget(&self) {
        let state = &mut *self.state();
        state.version += 1;
        state.forgotten = state.version;
        state.log = Vec::new();
    }

    /// Ends all watches, well.
    pub fn end_watches(&self) {
        self.state().watches.drain(..).for_each(|watch| drop(watch.pieces.send(None)));
    }

    /// Loses the connections of all watches.
    pub fn lose_watches(&self) {
        self.state().watches.drain(..).for_each(|watch| drop(watch.pieces.send(Some(Err("the connection is lost")))));
    }

    /// Everything that was asked for so far.
    pub fn asked(&self) -> Vec<Ask> {
        self.state().asked.clone()
    }

    /// What was asked for so far, with the versions.
    pub fn steps(&self) -> Vec<(What, Option<String>)> {
        self.asked().iter().map(|ask| (ask.what, ask.version().map(str::to_owned))).collect()
    }

    /// How many watches somebody still reads.
    pub fn live_watches(&self) -> usize {
        self.state().live
    }

    /// The version of the last change.
    pub fn version(&self) -> String {
        self.state().version.to_string()
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let ask = Ask::of(&request);
        let fate = {
            let state = &mut *self.state();
            state.asked.push(ask.clone());
            (state.fates)(&ask)
        };
        let fate = match fate {
            Fate::Slow(time) => {
                sleep(time).await;
                Fate::Served
            }
            fate => fate,
        };
        let refused = |code, status: &Value| Ok(answered(code, Body::from(status.to_string())));
        match (ask.what, fate) {
            (_, Fate::Lost) => Err("the connection is lost".into()),
            (_, Fate::Refused(code, reason)) => refused(code, &status(code, reason)),
            (_, Fate::TooLarge) => refused(504, &too_large().1),
            (_, Fate::Said(text)) => Ok(answered(200, Body::from(text))),
            (What::List, _) => match self.state().list(&ask) {
                Ok(list) => Ok(answered(200, Body::from(list.to_string()))),
                Err((code, status)) => refused(code, &status),
            },
            (_, Fate::Event(code, reason)) => Ok(answered(200, Body::from(event("ERROR", &status(code, reason))))),
            (_, Fate::Over) => Ok(answered(200, Body::from(""))),
            (_, fate) => {
                let marked = !matches!(fate, Fate::Unmarked);
                let pieces = self.state().watch(&ask, marked);
                match pieces {
                    Ok(pieces) => Ok(answered(200, Body::new(self.watching(&ask, pieces)))),
                    Err((code, status)) => refused(code, &status),
                }
            }
        }
    }

    fn watching(&self, ask: &Ask, pieces: Pieces) -> WatchBody {
        self.state().live += 1;
        let seconds = ask.query.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).unwrap_or(3600);
        WatchBody { pieces, end: Box::pin(sleep(Duration::from_secs(seconds))), server: self.clone() }
    }
}

fn too_large() -> (u16, Value) {
    let mut status = status(504, "Timeout");
    status["details"] = json!({ "causes": [{ "reason": "ResourceVersionTooLarge", "message": "not yet" }] });
    (504, status)
}

fn answered(code: u16, body: Body) -> Response<Body> {
    let answer = Response::builder().status(code).header("content-type", "application/json");
    answer.body(body).expect("a valid answer")
}

impl Ask {
    fn of(request: &Request<Body>) -> Self {
        let query: BTreeMap<String, String> = request
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let has = |key: &str| query.get(key).is_some_and(|value| value == "true");
        let what = match (has("watch"), has("sendInitialEvents")) {
            (false, _) => What::List,
            (true, false) => What::Watch,
            (true, true) => What::WatchList,
        };
        let namespace =
            request.uri().path().strip_prefix("/api/v1/namespaces/").and_then(|path| path.split('/').next());
        Self { at: Instant::now(), what, namespace: namespace.map(str::to_owned), query }
    }

    fn means(&self, object: &Value) -> bool {
        means(self.namespace.as_deref(), object)
    }

    /// The version that was named, as a number: 0 if none was.
    fn version_number(&self) -> u64 {
        self.version().and_then(|version| version.parse().ok()).unwrap_or_default()
    }
}

fn means(namespace: Option<&str>, object: &Value) -> bool {
    namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace)
}

impl State {
    fn log(&mut self, kind: &'static str, mut object: Value) -> String {
        self.version += 1;
        let version = self.version.to_string();
        object["metadata"]["resourceVersion"] = version.clone().into();
        let piece = Bytes::from(event(kind, &object));
        for watch in self.watches.iter().filter(|watch| means(watch.namespace.as_deref(), &object)) {
            let _ = watch.pieces.send(Some(Ok(piece.clone())));
        }
        self.log.push(Logged { version: self.version, kind, object });
        version
    }

    fn list(&self, ask: &Ask) -> Result<Value, (u16, Value)> {
        if ask.version_number() > self.version {
            return Err(too_large());
        }
        let items: Vec<&Value> = self.objects.values().filter(|object| ask.means(object)).collect();
        Ok(json!({
            "apiVersion": "v1", "kind": "ConfigMapList",
            "metadata": { "resourceVersion": self.version.to_string() },
            "items": items,
        }))
    }

    /// What a watch brings at once, and then as it happens.
    fn watch(&mut self, ask: &Ask, marked: bool) -> Result<Pieces, (u16, Value)> {
        let from = ask.version_number();
        if from > self.version {
            return Err(too_large());
        }
        let mut text = String::new();
        if ask.what == What::WatchList {
            self.objects.values().filter(|object| ask.means(object)).for_each(|it| text += &event("ADDED", it));
            if marked {
                text += &bookmark(self.version, true);
            }
        } else if from < self.forgotten {
            return Err((410, status(410, "Expired")));
        } else {
            let missed = self.log.iter().filter(|logged| logged.version > from && ask.means(&logged.object));
            missed.for_each(|logged| text += &event(logged.kind, &logged.object));
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        if !text.is_empty() {
            let _ = sender.send(Some(Ok(Bytes::from(text))));
        }
        self.watches.retain(|watch| !watch.pieces.is_closed());
        self.watches.push(Watching { namespace: ask.namespace.clone(), pieces: sender });
        Ok(receiver)
    }
}

/// The body of a watch.
struct WatchBody {
    pieces: Pieces,
    end: Pin<Box<Sleep>>,
    server: Server,
}

impl http_body::Body for WatchBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(piece) = self.pieces.poll_recv(context) {
            return Poll::Ready(piece.flatten().map(|piece| piece.map(Frame::data).map_err(BoxError::from)));
        }
        self.end.as_mut().poll(context).map(|()| None)
    }
}

impl Drop for WatchBody {
    fn drop(&mut self) {
        self.server.state().live -= 1;
    }
}
