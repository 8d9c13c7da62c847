//! The seam for middleware: what sends requests, as a tower service.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::Body;

/// Any error of a service or a layer.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An answer under way.
pub type HttpFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

type Sending = dyn Fn(Request<Body>) -> HttpFuture + Send + Sync;

/// What sends HTTP requests, whichever service does it: the connections to a server, those with layers around them, or
/// a service of the program's own.
///
/// A layer of the program wraps one of these. It sees each attempt of each call, with all its headers; those that are
/// secret are marked sensitive. What it does not know in the extensions of a request or a response it must leave there.
#[derive(Clone)]
pub struct HttpService(Arc<Sending>);

impl HttpService {
    /// Takes in any service of HTTP.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::of(move |request| {
            let mut service = service.clone();
            Box::pin(async move {
                poll_fn(|context| service.poll_ready(context)).await.map_err(Into::into)?;
                let response = service.call(request).await.map_err(Into::into)?;
                Ok(response.map(Body::new))
            })
        })
    }

    pub(super) fn of(send: impl Fn(Request<Body>) -> HttpFuture + Send + Sync + 'static) -> Self {
        Self(Arc::new(send))
    }
}

impl Service<Request<Body>> for HttpService {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = HttpFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> HttpFuture {
        (self.0)(request)
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService").finish_non_exhaustive()
    }
}
