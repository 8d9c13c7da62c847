//! The server: a service of tower over a [`State`].

use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use k8s_client_runtime::{
    Config, RestClient,
    http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts},
    rest::{Body, BoxError},
};
use tokio::{
    sync::Notify,
    time::{self, Instant},
};
use tower_service::Service;

use crate::{
    api::{self, Call, WatchStream},
    clock::Clock,
    discovery,
    failure::{Failure, Result},
    garbage,
    http::{Answer, Path, Query, Representation, ResourcePath, render, response, warning},
    model::Model,
    state::State,
    table::Include,
    users::{Cut, Fault, Observers, RecordedRequest},
};

/// A Kubernetes API server in memory, for tests.
///
/// It is a service of [tower](tower_service): clients send their requests to it as they send them to a real server, and
/// [`client`](Self::client) makes one. Clones are the same server.
///
/// ```
/// use k8s_client_fake::FakeServer;
/// use serde_json::{Value, json};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let server = FakeServer::new();
/// let client = server.client()?;
/// let path = "/api/v1/namespaces/default/configmaps";
/// let settings = json!({"metadata": {"name": "settings"}, "data": {"color": "blue"}});
/// let created: Value = client.post().abs_path(path).json(&settings).send().await?.json().await?;
/// assert_eq!(created["metadata"]["namespace"], "default");
///
/// let again = client.post().abs_path(path).json(&settings).send().await.unwrap_err();
/// assert!(again.is_already_exists());
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct FakeServer(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Says that there is something new for watches.
    news: Notify,
    observers: Mutex<Observers>,
    start: Instant,
}

/// What the URL of a fake server is, where one is needed.
const URL: &str = "http://fake.invalid";

/// When the time of a seeded server begins: 1 January 2026.
pub(crate) const SEEDED_START: Duration = Duration::from_secs(1_767_225_600);

/// How a [`FakeServer`] is to be: see [`FakeServer::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct FakeServerBuilder {
    minor: u32,
    seed: Option<u64>,
    collects_garbage: bool,
    runs_controllers: bool,
}

impl FakeServerBuilder {
    /// The minor version of Kubernetes that is served: 37 for 1.37. The newest one that is known by default.
    pub fn kubernetes_minor(mut self, minor: u32) -> Self {
        self.minor = minor;
        self
    }

    /// Makes everything that the server draws — uids, generated names — follow from this number, and lets its clock
    /// begin at a fixed time. By default they differ each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Does what [`FakeServer::collect_garbage`] does after each write. By default nothing is deleted that a request
    /// does not delete, as on a server without controllers.
    pub fn collects_garbage(mut self) -> Self {
        self.collects_garbage = true;
        self
    }

    /// Does what a cluster would do after each write: controllers make what Deployments and their like want, pods run
    /// and are ready at once, those of Jobs succeed, those that are told to end do, and garbage is collected. All of it
    /// has happened when the write is answered. By default no controllers run.
    ///
    /// [`FakeServer::run_controllers`] and its neighbours do the same in steps, for tests of what happens in between.
    pub fn runs_controllers(mut self) -> Self {
        self.runs_controllers = true;
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// When there is no data of the version.
    pub fn start(self) -> FakeServer {
        let Some(model) = Model::of(self.minor) else {
            panic!("there is no data of Kubernetes 1.{}: the newest version is 1.{}", self.minor, Model::newest());
        };
        let (clock, random) = match self.seed {
            Some(seed) => (Clock::showing(UNIX_EPOCH + SEEDED_START), fastrand::Rng::with_seed(seed)),
            None => (Clock::showing(SystemTime::now()), fastrand::Rng::new()),
        };
        let mut state = State::new(model, clock, random);
        state.collects_garbage = self.collects_garbage;
        state.runs_controllers = self.runs_controllers;
        let state = Mutex::new(state);
        let start = Instant::now();
        FakeServer(Arc::new(Inner { state, news: Notify::new(), observers: Mutex::default(), start }))
    }
}

impl Default for FakeServer {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for FakeServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        let mut objects: Vec<(String, usize)> =
            state.store.counts().map(|(resource, count)| (resource.to_owned(), count)).collect();
        objects.sort();
        f.debug_struct("FakeServer")
            .field("version", &state.model.version)
            .field("revision", &state.store.revision())
            .field("objects", &objects)
            .finish()
    }
}

impl FakeServer {
    /// Starts a server of the newest Kubernetes version that is known, with nothing in it but the namespaces that a
    /// server makes itself.
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// Starts one with settings.
    pub fn builder() -> FakeServerBuilder {
        FakeServerBuilder { minor: Model::newest(), seed: None, collects_garbage: false, runs_controllers: false }
    }

    /// The configuration of a client of this server, for [`RestClient::from_service`] and this server as the service.
    ///
    /// JSON is asked for, which is what this server speaks. There is no rate limit.
    ///
    /// # Errors
    ///
    /// None that this server causes; see [`Config::new`].
    pub fn config(&self) -> k8s_client_runtime::Result<Config> {
        let mut config = Config::new(URL)?;
        config.disable_protobuf = true;
        config.rate_limit = None;
        Ok(config)
    }

    /// A client of this server.
    ///
    /// # Errors
    ///
    /// None that this server causes; see [`RestClient::from_service`].
    pub fn client(&self) -> k8s_client_runtime::Result<RestClient> {
        RestClient::from_service(&self.config()?, self.clone())
    }

    /// The revision of the last write: what a list has as its `resourceVersion`.
    pub fn revision(&self) -> u64 {
        self.state().store.revision()
    }

    /// Forgets what happened up to a revision, as etcd does from time to time: watches and lists that begin before it
    /// end with `410 Expired`.
    pub fn compact(&self, revision: u64) {
        self.state().store.compact(revision);
    }

    /// Forgets all that has happened up to now.
    pub fn compact_all(&self) {
        let mut state = self.state();
        let revision = state.store.revision();
        state.store.compact(revision);
    }

    /// Does what the garbage collector and the controller of namespaces would do now: objects whose owners are gone are
    /// deleted, those that are owned go before an owner that is deleted in the foreground, orphans are set free, and
    /// namespaces that end are emptied.
    pub fn collect_garbage(&self) {
        garbage::collect(&mut self.state());
        self.tell();
    }

    /// Ends the pods that are being deleted, as a kubelet does when their containers have stopped.
    pub fn end_terminating_pods(&self) {
        garbage::end_pods(&mut self.state());
        self.tell();
    }

    /// How long ago the server was started.
    pub(crate) fn age(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// Sets the server's clock forwards or back, as clocks of machines are set.
    pub fn step_clock(&self, forwards: bool, by: Duration) {
        self.state().clock.step(forwards, by);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn observers(&self) -> MutexGuard<'_, Observers> {
        self.0.observers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells watches, and those who observe writes, that something has happened without a request.
    pub(crate) fn tell(&self) {
        self.0.news.notify_waiters();
        self.report(None);
    }

    /// Answers a request as it should be, or as a test wants it to be. An error is a connection that breaks.
    ///
    /// `fault` decides over those that were injected.
    pub(crate) async fn meet(&self, head: Parts, body: Bytes, fault: Option<Fault>) -> io::Result<Response<Body>> {
        let mut request = recorded(&head, &body);
        let (number, met) = {
            let mut state = self.state();
            request.at = self.age();
            let mut met = state.faults.meet(&request);
            met.fault = fault.or(met.fault);
            request.fault.clone_from(&met.fault);
            (state.requests.push(request), met)
        };
        if !met.delay.is_zero() {
            time::sleep(met.delay).await;
        }
        let answer = |met: Option<&Fault>| {
            let answer = self.answer(&head, body, met).unwrap_or_else(|failure| failure.response());
            self.report(Some(number));
            answer
        };
        let answer = match met.fault {
            fault @ (None | Some(Fault::Delay(_) | Fault::StaleRead(_) | Fault::CutWatch(_))) => {
                Ok(answer(fault.as_ref()))
            }
            Some(Fault::Refuse(code, reason, message)) => {
                Ok(response(code, "application/json", Failure::injected(code, &reason, &message).to_string()))
            }
            Some(Fault::Answer(code, body)) => Ok(response(code, "application/json", body.to_string())),
            Some(Fault::Garbage) => Ok(response(StatusCode::OK, "application/json", "{\"kind\": \"Gar")),
            Some(Fault::DropRequest) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Fault::DropAnswer) => {
                answer(None);
                Err(io::ErrorKind::ConnectionReset.into())
            }
        };
        if let Some(request) = self.state().requests.get_mut(number) {
            request.code = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        }
        answer
    }

    /// Answers a request, whose body has been read.
    fn answer(&self, head: &Parts, body: Bytes, met: Option<&Fault>) -> Result<Response<Body>> {
        let path = Path::parse(head.uri.path());
        let query = Query::parse(head.uri.query().unwrap_or_default());
        let text = |name| header_text(head, name);
        let accept = text(header::ACCEPT);
        let representation = Representation::of(&accept);
        let path = match path {
            Path::Resource(path) => path,
            Path::Other(path) => return self.other(&head.method, &path),
            discovery => {
                let representation = representation.unwrap_or_default();
                let document = discovery::document(&self.state(), &discovery, representation)?;
                let media_type = match representation {
                    Representation::Aggregated => {
                        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
                    }
                    _ => "application/json",
                };
                let mut response = response(StatusCode::OK, media_type, document.to_string());
                response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
                return Ok(response);
            }
        };
        let mut state = self.state();
        let resource = state.resource(&path)?;
        let verb = api::verb(&head.method, &path, &query).ok_or_else(Failure::method_not_allowed)?;
        api::check_served(&resource, &path, verb)?;
        let representation =
            representation.ok_or_else(|| Failure::not_acceptable(&["application/json", "application/yaml"]))?;
        let call = Call {
            verb,
            resource,
            path,
            query,
            content_type: text(header::CONTENT_TYPE),
            user_agent: text(header::USER_AGENT),
            body,
        };
        let include = Include::parse(call.query.text("includeObject"));
        if verb == "watch" {
            let stream = api::open(&mut state, &call, representation, include)?;
            let cuts = state.cuts.len();
            let end = if let Some(Fault::CutWatch(after)) = met { Some(Instant::now() + *after) } else { None };
            return Ok(self.stream(stream, recorded(head, &Bytes::new()), cuts, end));
        }
        if let Some(Fault::StaleRead(writes)) = met
            && matches!(verb, "get" | "list")
        {
            let past = state.store.revision().saturating_sub(*writes).max(state.store.compacted());
            if let Some(past) = state.store.rewound(&call.resource.storage, past) {
                let present = std::mem::replace(&mut state.store, past);
                let answer = api::answer(&mut state, &call);
                state.store = present;
                return Ok(respond(&answer?, representation, include));
            }
        }
        let before = state.store.revision();
        let answer = api::answer(&mut state, &call);
        state.follow(before);
        let has_news = state.store.revision() != before;
        drop(state);
        if has_news {
            self.0.news.notify_waiters();
        }
        Ok(respond(&answer?, representation, include))
    }

    /// What is no part of the API.
    fn other(&self, method: &Method, path: &str) -> Result<Response<Body>> {
        if *method != Method::GET && *method != Method::HEAD {
            return Err(Failure::unknown_path());
        }
        let plain = |text: &'static str| Ok(response(StatusCode::OK, "text/plain; charset=utf-8", text));
        match path.trim_end_matches('/') {
            "/version" => {
                let version = discovery::version(&self.state());
                Ok(response(StatusCode::OK, "application/json", version.to_string()))
            }
            "/healthz" | "/livez" | "/readyz" => plain("ok"),
            other if other.starts_with("/openapi/") => Err(Failure::not_implemented("documents of OpenAPI")),
            _ => Err(Failure::unknown_path()),
        }
    }

    /// The answer to a watch, which goes on for as long as it is read.
    fn stream(
        &self,
        watch: WatchStream,
        request: RecordedRequest,
        cuts: usize,
        end: Option<Instant>,
    ) -> Response<Body> {
        let open = (self.clone(), watch, OpenedBy { request, cuts, end });
        let chunks = stream::unfold(open, |(server, mut watch, by)| async move {
            let bytes = server.next_event(&mut watch, &by).await?;
            Some((Ok::<_, Infallible>(Frame::data(bytes)), (server, watch, by)))
        });
        let mut response = response(StatusCode::OK, "application/json", Bytes::new());
        *response.body_mut() = Body::new(StreamBody::new(chunks));
        response
    }

    async fn next_event(&self, watch: &mut WatchStream, by: &OpenedBy) -> Option<Bytes> {
        loop {
            let mut news = pin!(self.0.news.notified());
            news.as_mut().enable();
            {
                let state = self.state();
                let is_late = by.end.is_some_and(|end| end <= Instant::now());
                match state.cuts.of(&by.request, by.cuts).or(is_late.then_some(Cut::Broken)) {
                    _ if watch.is_over() => {}
                    Some(Cut::Broken) => watch.cut(),
                    Some(Cut::Expired) => watch.expire(&state),
                    None => {}
                }
                if let Some(bytes) = watch.next(&state) {
                    return Some(bytes);
                }
            }
            if watch.is_over() {
                return None;
            }
            // Whether there is news or time is up, the watch sees what there is to do.
            let deadline = by.end.map_or(watch.deadline(), |end| end.min(watch.deadline()));
            let _ = time::timeout_at(deadline, news).await;
        }
    }
}

/// What a watch was opened by.
struct OpenedBy {
    request: RecordedRequest,
    /// How often watches had been cut by then.
    cuts: usize,
    /// When it is to be cut.
    end: Option<Instant>,
}

fn header_text(head: &Parts, name: header::HeaderName) -> String {
    head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// What tests are told of a request.
fn recorded(head: &Parts, body: &Bytes) -> RecordedRequest {
    let query = head.uri.query().unwrap_or_default();
    let (verb, path) = match Path::parse(head.uri.path()) {
        Path::Resource(path) => (api::verb(&head.method, &path, &Query::parse(query)), path),
        _ => (None, ResourcePath::default()),
    };
    RecordedRequest {
        method: head.method.clone(),
        path: head.uri.path().to_owned(),
        query: query.to_owned(),
        verb,
        group: path.group,
        version: path.version,
        resource: path.plural,
        subresource: path.subresource,
        namespace: path.namespace,
        name: path.name,
        user_agent: header_text(head, header::USER_AGENT),
        content_type: header_text(head, header::CONTENT_TYPE),
        body: serde_json::from_slice(body).unwrap_or_default(),
        at: Duration::ZERO,
        fault: None,
        code: None,
    }
}

fn respond(answer: &Answer, representation: Representation, include: Include) -> Response<Body> {
    let mut response = response(answer.code, "application/json", render(&answer.content, representation, include));
    for text in &answer.warnings {
        response.headers_mut().extend(warning(text).map(|value| (header::WARNING, value)));
    }
    response
}

/// The future of an answer.
pub type AnswerFuture = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

impl<B> Service<Request<B>> for FakeServer
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = AnswerFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> AnswerFuture {
        let server = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // Its error may be one that cannot be kept while something is waited for.
            let body = body.collect().await.ok().map(http_body_util::Collected::to_bytes);
            match body {
                Some(body) => server.meet(head, body, None).await,
                None => Ok(Failure::bad_request("the body of the request ended too soon").response()),
            }
        })
    }
}
