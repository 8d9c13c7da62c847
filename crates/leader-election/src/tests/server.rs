//! A server of one lease, and lines to it on which things go wrong.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Method, Request, Response};
use k8s_client_runtime::{
    Config, RestClient,
    rest::{Body, BoxError},
};
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::sleep};

pub(super) fn config() -> Config {
    let mut config = Config::new("http://leases").expect("a URL");
    config.disable_protobuf = true;
    config
}

/// The lease as a real server keeps it: a write must have the version that it replaces.
#[derive(Clone, Default)]
pub(super) struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    requests: usize,
    /// The candidate of a coordinated election.
    candidate: Option<Value>,
}

impl Server {
    pub(super) fn holder(&self) -> String {
        self.field("holderIdentity").as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn field(&self, name: &str) -> Value {
        self.0.lock().unwrap().lease.as_ref().map(|lease| lease["spec"][name].clone()).unwrap_or_default()
    }

    pub(super) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }

    /// Changes the lease's record by hand.
    pub(super) fn change(&self, spec: &Value) {
        let state = &mut *self.0.lock().unwrap();
        let mut lease = state.lease.take().unwrap_or_else(|| json!({ "metadata": { "name": "x" }, "spec": {} }));
        for (key, value) in spec.as_object().expect("fields") {
            lease["spec"][key] = value.clone();
        }
        state.keep(lease);
    }

    pub(super) fn delete(&self) {
        self.0.lock().unwrap().lease = None;
    }

    /// Whether a candidate of a coordinated election is there.
    #[cfg(feature = "coordinated")]
    pub(super) fn has_candidate(&self) -> bool {
        self.0.lock().unwrap().candidate.is_some()
    }

    fn process(&self, method: &Method, path: &str, body: &[u8]) -> (u16, Value) {
        let state = &mut *self.0.lock().unwrap();
        if path.contains("/leasecandidates") {
            return state.process_candidate(method, body);
        }
        state.requests += 1;
        let sent = || serde_json::from_slice::<Value>(body).expect("a lease");
        match (method.as_str(), &state.lease) {
            ("GET", Some(lease)) => (200, lease.clone()),
            ("GET" | "PUT", None) => failure(404, "NotFound"),
            ("POST", Some(_)) => failure(409, "AlreadyExists"),
            ("POST", None) => (201, state.keep(sent())),
            ("PUT", Some(lease)) => {
                let sent = sent();
                let (old, new) = (&lease["metadata"]["resourceVersion"], &sent["metadata"]["resourceVersion"]);
                if old != new {
                    return failure(409, "Conflict");
                }
                // A write that changes nothing is none.
                if lease["spec"] == sent["spec"] { (200, sent) } else { (200, state.keep(sent)) }
            }
            _ => failure(405, "MethodNotAllowed"),
        }
    }
}

impl State {
    fn process_candidate(&mut self, method: &Method, body: &[u8]) -> (u16, Value) {
        match (method.as_str(), &self.candidate) {
            ("GET", Some(candidate)) => (200, candidate.clone()),
            ("DELETE", Some(_)) => (200, self.candidate.take().unwrap_or_default()),
            ("GET" | "DELETE", None) => failure(404, "NotFound"),
            _ => {
                let candidate = self.candidate.insert(serde_json::from_slice(body).expect("a candidate"));
                candidate["apiVersion"] = "coordination.k8s.io/v1beta1".into();
                candidate["kind"] = "LeaseCandidate".into();
                (200, candidate.clone())
            }
        }
    }

    fn keep(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = self.version.to_string().into();
        lease["apiVersion"] = "coordination.k8s.io/v1".into();
        lease["kind"] = "Lease".into();
        self.lease = Some(lease.clone());
        lease
    }
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({ "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason });
    (code, status)
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    /// The time to the server.
    pub(super) there: Duration,
    pub(super) processed: bool,
    /// The time until there is an end.
    pub(super) back: Duration,
    pub(super) answer: Answer,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// The server's.
    Own,
    /// The connection is lost.
    Lost,
    /// Nothing ever comes.
    None,
    /// An error of this code.
    Error(u16),
}

impl Fate {
    pub(super) const GOOD: Self =
        Self { there: Duration::from_millis(3), processed: true, back: Duration::from_millis(3), answer: Answer::Own };
    pub(super) const REFUSED: Self = Self { processed: false, answer: Answer::Lost, ..Self::GOOD };
    pub(super) const ANSWER_LOST: Self = Self { answer: Answer::Lost, ..Self::GOOD };
    pub(super) const HANGS: Self = Self { processed: false, answer: Answer::None, ..Self::GOOD };
    pub(super) const ANSWER_HANGS: Self = Self { answer: Answer::None, ..Self::GOOD };

    pub(super) fn error(code: u16) -> Self {
        Self { processed: false, answer: Answer::Error(code), ..Self::GOOD }
    }
}

type Fates = Box<dyn FnMut() -> Fate + Send>;

/// A line from one candidate to the server.
#[derive(Clone)]
pub(super) struct Line {
    server: Server,
    fates: Arc<Mutex<Fates>>,
}

impl Line {
    pub(super) fn new(server: &Server) -> Self {
        Self { server: server.clone(), fates: Arc::new(Mutex::new(Box::new(|| Fate::GOOD))) }
    }

    /// From now on this becomes of each request.
    pub(super) fn set(&self, fate: Fate) {
        self.decide(move || fate);
    }

    pub(super) fn decide(&self, fates: impl FnMut() -> Fate + Send + 'static) {
        *self.fates.lock().unwrap() = Box::new(fates);
    }

    pub(super) fn client(&self) -> RestClient {
        let line = self.clone();
        let service = tower::service_fn(move |request| line.clone().call(request));
        RestClient::from_service(&config(), service).expect("the configuration is good")
    }

    fn call(self, request: Request<Body>) -> Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>> {
        Box::pin(async move {
            let fate = (*self.fates.lock().unwrap())();
            let (head, body) = request.into_parts();
            let body = body.collect().await?;
            let (answer, answered) = oneshot::channel();
            // What is on the way goes on, whatever the candidate does meanwhile.
            tokio::spawn(async move {
                sleep(fate.there).await;
                let own = fate.processed.then(|| self.server.process(&head.method, head.uri.path(), &body));
                sleep(fate.back).await;
                let sent = match (fate.answer, own) {
                    (Answer::Own, Some(own)) => own,
                    (Answer::Error(code), _) => failure(code, "Unlucky"),
                    (Answer::None, _) => std::future::pending().await,
                    (Answer::Lost | Answer::Own, _) => return,
                };
                let _ = answer.send(sent);
            });
            let (code, value) = answered.await.map_err(|_| "the connection is lost")?;
            let answer = Response::builder().status(code).header("content-type", "application/json");
            Ok(answer.body(Body::from(value.to_string()))?)
        })
    }
}
