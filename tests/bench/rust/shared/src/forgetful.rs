//! A server that forgets: what makes a client ask for everything anew.

use std::{
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::future::Either;
use http::{Request, Response, Uri, header::CONTENT_TYPE, uri::PathAndQuery};
use tower::Service;

/// How long watches last, in seconds: so long a client takes to notice that it was forgotten.
const WATCH_SECONDS: &str = "10";

/// What a server that has forgotten a version says to a watch from there: an event, behind the status 200.
const EXPIRED: &str = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#,
    r#""message":"too old resource version","reason":"Expired","code":410}}"#,
    "\n"
);

/// Whether the server has forgotten the version of the next watch. A clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<AtomicBool>);

impl Memory {
    /// The next watch cannot go on from its version.
    pub fn lose(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The service below, with watches that end soon and a version that is forgotten when the [`Memory`] says so.
#[derive(Debug)]
pub struct Forgetful<S, R> {
    service: S,
    memory: Memory,
    body: fn(&'static str) -> R,
}

impl<S, R> Forgetful<S, R> {
    /// The service with this memory, and how a text becomes a body of it.
    pub fn new(service: S, memory: &Memory, body: fn(&'static str) -> R) -> Self {
        Self { service, memory: memory.clone(), body }
    }
}

impl<S: Clone, R> Clone for Forgetful<S, R> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), memory: self.memory.clone(), body: self.body }
    }
}

impl<S, B, R> Service<Request<B>> for Forgetful<S, R>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response<R>, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let query = request.uri().query().unwrap_or_default();
        if !query.contains("watch=true") {
            return Either::Right(self.service.call(request));
        }
        if !query.contains("sendInitialEvents=true") && self.memory.0.swap(false, Ordering::Relaxed) {
            let mut answer = Response::new((self.body)(EXPIRED));
            answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
            return Either::Left(ready(Ok(answer)));
        }
        if let Some(uri) = with_short_limit(request.uri()) {
            *request.uri_mut() = uri;
        }
        Either::Right(self.service.call(request))
    }
}

fn with_short_limit(uri: &Uri) -> Option<Uri> {
    let limited = uri.query()?.split('&').filter(|pair| !pair.starts_with("timeoutSeconds="));
    let query = limited.collect::<Vec<_>>().join("&");
    let path = format!("{}?{query}&timeoutSeconds={WATCH_SECONDS}", uri.path());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}
