//! The server: a service of tower over a [`State`].

mod builder;
mod watching;

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

pub use builder::FakeServerBuilder;
pub(crate) use builder::SEEDED_START;
use bytes::Bytes;
use http_body_util::BodyExt;
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
use watching::OpenedBy;

use crate::{
    api::{self, Call},
    discovery,
    failure::{Failure, Result},
    garbage,
    http::{Answer, Asked, Form, JSON, Path, Query, Renderer, ResourcePath, response, warn},
    model::{Model, Resource},
    openapi,
    state::State,
    table::{Include, Rows},
    users::{Fault, Observers, RecordedRequest, SentBody},
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
    /// What is served, without the lock.
    model: &'static Model,
}

/// What the URL of a fake server is, where one is needed.
const URL: &str = "http://fake.invalid";

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
    fn of(state: State) -> Self {
        let model = state.model;
        let (state, observers) = (Mutex::new(state), Mutex::default());
        Self(Arc::new(Inner { state, news: Notify::new(), observers, start: Instant::now(), model }))
    }

    /// Starts a server of the newest Kubernetes version that is known, with nothing in it but the namespaces that a
    /// server makes itself.
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// Starts one with settings.
    pub fn builder() -> FakeServerBuilder {
        FakeServerBuilder::default()
    }

    /// The configuration of a client of this server, for [`RestClient::from_service`] and this server as the service.
    ///
    /// There is no rate limit. All else is as it is for a real server: objects of Kubernetes' own kinds travel as
    /// protobuf, unless [`Config::disable_protobuf`] is set.
    ///
    /// # Errors
    ///
    /// None that this server causes; see [`Config::new`].
    pub fn config(&self) -> k8s_client_runtime::Result<Config> {
        let mut config = Config::new(URL)?;
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

    /// The same, if the writes since a revision can have made garbage.
    pub(crate) fn collect_garbage_after(&self, revision: u64) {
        garbage::collect_after(&mut self.state(), revision);
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

    /// Sets the server's clock forward, as clocks of machines are set. It stops at the end of the year 9999.
    pub fn set_clock_forward(&self, by: Duration) {
        self.state().clock.set_forward(by);
    }

    /// Sets the server's clock back, but not before 1970.
    pub fn set_clock_back(&self, by: Duration) {
        self.state().clock.set_back(by);
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
        let mut request = recorded(&head, body.clone(), self.0.model);
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
            let refused = |failure: Box<Failure>| failure.response(&header_text(&head, header::ACCEPT), self.0.model);
            let answer = self.answer(&head, body, met).unwrap_or_else(refused);
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
    fn answer(&self, head: &Parts, body: Bytes, fault: Option<&Fault>) -> Result<Response<Body>> {
        let path = match Path::parse(head.uri.path()) {
            Path::Resource(path) => path,
            Path::Other(path) => return self.other(&head.method, &path),
            discovery => return self.discover(&header_text(head, header::ACCEPT), &discovery),
        };
        let mut state = self.state();
        let (call, form) = understood(&state, head, path, body)?;
        let include = Include::parse(call.query.text("includeObject"));
        let rows = Rows { include, now: state.clock.now().as_secs() };
        let renderer = Renderer { form, rows, model: self.0.model };
        let answer = match (call.verb, fault) {
            ("watch", fault) => {
                let stream = api::open(&mut state, &call, renderer)?;
                let end = match fault {
                    Some(Fault::CutWatch(after)) => Instant::now().checked_add(*after),
                    _ => None,
                };
                let request = recorded(head, Bytes::new(), self.0.model);
                return Ok(self.stream(stream, OpenedBy { request, cuts: state.cuts.len(), end }));
            }
            ("get" | "list", Some(Fault::StaleRead(writes))) => stale(&mut state, &call, *writes),
            _ => self.done(state, &call),
        };
        Ok(respond(&answer?, renderer))
    }

    /// Answers a discovery client.
    fn discover(&self, accept: &str, path: &Path) -> Result<Response<Body>> {
        let form = Form::of(accept, Asked::Discovery).unwrap_or(JSON);
        let document = discovery::document(&self.state(), path, form.representation)?;
        let renderer = Renderer { form, rows: Rows::default(), model: self.0.model };
        let mut response = response(StatusCode::OK, form.content_type(), renderer.value(&document));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
        Ok(response)
    }

    /// Does what is asked for, and tells watches if something was written.
    fn done(&self, mut state: MutexGuard<'_, State>, call: &Call) -> Result<Answer> {
        let before = state.store.revision();
        let answer = api::answer(&mut state, call);
        let has_news = state.store.revision() != before;
        if has_news {
            state.follow();
        }
        drop(state);
        if has_news {
            self.0.news.notify_waiters();
        }
        answer
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
            other if other.starts_with("/openapi/") => {
                let (document, hash) = openapi::document(&self.state(), other)?;
                let mut response = response(StatusCode::OK, "application/json", document.to_string());
                response
                    .headers_mut()
                    .extend(HeaderValue::from_str(&format!("{hash:?}")).map(|tag| (header::ETAG, tag)));
                Ok(response)
            }
            _ => Err(Failure::unknown_path()),
        }
    }
}

fn header_text(head: &Parts, name: header::HeaderName) -> String {
    head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// What a request asks for, and in which form, as far as that can be said without looking at objects.
fn understood(state: &State, head: &Parts, path: ResourcePath, body: Bytes) -> Result<(Call, Form)> {
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let text = |name| header_text(head, name);
    let resource = state.resource(&path)?;
    let verb = api::verb(&head.method, &path, &query).ok_or_else(Failure::method_not_allowed)?;
    let content_type = text(header::CONTENT_TYPE);
    if verb == "patch" && resource.custom.is_some() {
        api::check_patch_type(&resource, &content_type)?;
    }
    api::check_served(&resource, &path, verb)?;
    let form = form(&text(header::ACCEPT), &resource, verb)?;
    let (user_agent, types) = (text(header::USER_AGENT), state.model.types);
    Ok((Call { verb, resource, path, query, content_type, user_agent, body, types }, form))
}

/// Reads what there was so many writes ago, or as far back as is still known.
fn stale(state: &mut State, call: &Call, writes: u64) -> Result<Answer> {
    let past = state.store.revision().saturating_sub(writes).max(state.store.compacted());
    let Some(past) = state.store.rewound(&call.resource.storage, past) else { return api::answer(state, call) };
    let present = std::mem::replace(&mut state.store, past);
    let answer = api::answer(state, call);
    state.store = present;
    answer
}

/// The form that an answer is wanted in.
fn form(accept: &str, resource: &Resource, verb: &str) -> Result<Form> {
    if resource.custom.is_some() {
        return Form::of(accept, Asked::Custom).ok_or_else(|| Failure::not_acceptable(&api::MEDIA_TYPES));
    }
    // Built-in kinds have a layer before their handlers, which does not look at what is to be made of objects.
    if !Form::is_known(accept) {
        return Err(Failure::no_representation(matches!(verb, "list" | "watch")));
    }
    Form::of(accept, Asked::BuiltIn).ok_or_else(|| Failure::not_acceptable(&api::MEDIA_TYPES))
}

/// What tests are told of a request.
fn recorded(head: &Parts, body: Bytes, model: &'static Model) -> RecordedRequest {
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
        sent: SentBody::new(body, model),
        at: Duration::ZERO,
        fault: None,
        code: None,
    }
}

fn respond(answer: &Answer, renderer: Renderer) -> Response<Body> {
    let mut response = response(answer.code, renderer.form.content_type(), renderer.render(&answer.content));
    warn(response.headers_mut(), &answer.warnings);
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
            let Some(body) = body else {
                let failure = Failure::bad_request("the body of the request ended too soon");
                return Ok(failure.response(&header_text(&head, header::ACCEPT), server.0.model));
            };
            server.meet(head, body, None).await
        })
    }
}
