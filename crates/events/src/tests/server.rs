//! A server of events, on which things go wrong as a test says.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use k8s_client_runtime::{
    Config, RestClient,
    rest::{Body, BoxError},
};
use serde_json::{Value, json};

#[derive(Clone)]
pub(super) struct Server(Arc<Mutex<State>>);

type Decision = Box<dyn FnMut(&Method, &Value) -> Fate + Send>;

struct State {
    fate: Decision,
    requests: Vec<Sent>,
}

/// A request that has come to the server.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Good,
    Failure(u16, &'static str),
    ConnectionLost,
    Hangs,
}

impl Server {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { fate: Box::new(|_, _| Fate::Good), requests: Vec::new() })))
    }

    /// From now on this becomes of each request.
    pub(super) fn decide(&self, fate: impl FnMut(&Method, &Value) -> Fate + Send + 'static) {
        self.0.lock().unwrap().fate = Box::new(fate);
    }

    pub(super) fn always(&self, fate: Fate) {
        self.decide(move |_, _| fate);
    }

    pub(super) fn requests(&self) -> Vec<Sent> {
        self.0.lock().unwrap().requests.clone()
    }

    /// Method and count of each request.
    pub(super) fn brief(&self) -> Vec<String> {
        let brief = |sent: Sent| {
            let number = |pointer| sent.body.pointer(pointer).and_then(Value::as_u64);
            let count = number("/series/count").or(number("/count")).unwrap_or(1);
            format!("{} x{count}", sent.method)
        };
        self.requests().into_iter().map(brief).collect()
    }

    pub(super) fn client(&self) -> RestClient {
        let server = self.clone();
        let service = tower::service_fn(move |request| server.clone().call(request));
        let mut config = Config::new("http://events").expect("a URL");
        config.rate_limit = None;
        RestClient::from_service(&config, service).expect("the configuration is good")
    }

    async fn call(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let (head, body) = request.into_parts();
        let body: Value = serde_json::from_slice(&body.collect().await?).expect("JSON");
        let fate = {
            let state = &mut *self.0.lock().unwrap();
            let sent = Sent { method: head.method.clone(), path: head.uri.path().to_owned(), body: body.clone() };
            state.requests.push(sent);
            (state.fate)(&head.method, &body)
        };
        let (code, answer) = match fate {
            Fate::Good => (200, json!({ "metadata": { "name": "x" }, "involvedObject": {}, "eventTime": null })),
            Fate::Failure(code, reason) => {
                let message = "not now";
                (
                    code,
                    json!({ "kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": message }),
                )
            }
            Fate::ConnectionLost => return Err("the connection is lost".into()),
            Fate::Hangs => std::future::pending().await,
        };
        let response = Response::builder().status(code).header("content-type", "application/json");
        Ok(response.body(Body::from(answer.to_string()))?)
    }
}
