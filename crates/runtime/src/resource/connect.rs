//! Proxy: requests that go through the API server to something behind it.

use std::{fmt::Display, future::IntoFuture};

use bytes::Bytes;
use http::Method;

use super::CallFuture;
use crate::rest::{Request, Response};

/// Sends an HTTP request to a pod, a service or a node, through the API server.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// let answer = pods.proxy("web").port(8080).path("healthz").await?;
/// println!("{}", answer.status_code());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct ProxyRequest {
    request: Request,
    scheme: Option<String>,
    name: String,
    port: Option<String>,
    path: String,
}

impl ProxyRequest {
    pub(super) fn new(request: Request, name: &str) -> Self {
        Self { request: request.streaming(), scheme: None, name: name.to_owned(), port: None, path: String::new() }
    }

    /// The method. Default: GET.
    pub fn method(self, method: Method) -> Self {
        Self { request: self.request.with_method(method), ..self }
    }

    /// Speaks `https` or `http` to the target. Default: `http`.
    pub fn scheme(self, scheme: &str) -> Self {
        Self { scheme: Some(scheme.to_owned()), ..self }
    }

    /// The port of the target, by number or by name. Default: the first.
    pub fn port(self, port: impl Display) -> Self {
        Self { port: Some(port.to_string()), ..self }
    }

    /// The path at the target.
    pub fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// Adds a query parameter for the target.
    pub fn query(self, key: impl Into<String>, value: &str) -> Self {
        Self { request: self.request.query(key.into(), value), ..self }
    }

    /// The body, and its content type.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { request: self.request.body(content_type, body), ..self }
    }

    /// The plain request.
    pub fn into_request(self) -> Request {
        let Self { request, scheme, name, port, path } = self;
        let target = match (scheme, port) {
            (None, None) => name,
            (None, Some(port)) => format!("{name}:{port}"),
            (Some(scheme), port) => format!("{scheme}:{name}:{}", port.unwrap_or_default()),
        };
        request.name(&target).subresource("proxy").suffix(&path).header("accept", "*/*")
    }
}

/// Awaiting it sends it and gives the target's answer.
impl IntoFuture for ProxyRequest {
    type Output = crate::Result<Response>;
    type IntoFuture = CallFuture<Response>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.into_request().send())
    }
}
