//! HTTP requests to pods, services and nodes, through the API server.

use std::{fmt::Display, future::IntoFuture};

use bytes::Bytes;
use http::Method;

use super::CallFuture;
use crate::{
    error::Result,
    rest::{Request, Response},
    transport::Upgraded,
};

/// Sends an HTTP request to a pod, a service or a node, through the API server. Awaiting it gives the target's answer,
/// whatever its status is: a 404 of the target is an answer, and an error of the API server is an error.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// let answer = pods.proxy("web").port(8080).path("healthz").await?;
/// if answer.status_code().is_success() {
///     println!("{:?}", answer.bytes().await?);
/// }
/// # Ok(())
/// # }
/// ```
///
/// What the API server does on the way:
///
/// * It takes off the client's `Authorization`, and adds `X-Forwarded-…` headers. `Host` stays the API server's own.
/// * Redirects come back as answers, which nobody follows. Their paths, and links in HTML, are rewritten so that they
///   lead through the proxy.
/// * It refuses loopback and link-local addresses of pods and nodes.
/// * It needs the verb `get` on `pods/proxy` (`services/proxy`, `nodes/proxy`) for GET, `create` for POST, and so on.
///
/// # Errors
///
/// A Status that the API server answers with: [`is_service_unavailable`](crate::Error::is_service_unavailable) if it
/// does not reach the target. A target that answers with a Status of its own, as another API server does, cannot be
/// told from it. An answer of 429, or from 500 on, with `Retry-After` is waited for and asked again, whoever sends it;
/// see [`Request::send`].
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
        Self {
            request: request.streaming().proxied(),
            scheme: None,
            name: name.to_owned(),
            port: None,
            path: String::new(),
        }
    }

    /// The method. Default: GET.
    pub fn method(self, method: Method) -> Self {
        Self { request: self.request.with_method(method), ..self }
    }

    /// Speaks `https` or `http` to the target. Default: `http`. The certificate of a pod or a service is not checked.
    pub fn scheme(self, scheme: &str) -> Self {
        Self { scheme: Some(scheme.to_owned()), ..self }
    }

    /// The port of the target.
    ///
    /// * Of a pod it is a number. Default: the first port of the first container that has one, otherwise 80.
    /// * Of a service it is the number or the name of one of the service's ports. It may be left out only if the
    ///   service has one port without a name.
    /// * Of a node it is a number. Default: the kubelet's, to which the API server speaks with its own certificate.
    pub fn port(self, port: impl Display) -> Self {
        Self { port: Some(port.to_string()), ..self }
    }

    /// The path at the target, in plain characters: what has a meaning in URLs is escaped. Default: `/`.
    pub fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// Adds a query parameter for the target.
    pub fn query(self, key: impl Into<String>, value: &str) -> Self {
        Self { request: self.request.query(key.into(), value), ..self }
    }

    /// Sets a header for the target.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// The body, and its content type.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { request: self.request.body(content_type, body), ..self }
    }

    /// Has the target switch to another protocol, and gives the connection to it. The header `Upgrade` says which one;
    /// by default it is `websocket`. What a handshake needs beside it is the caller's.
    ///
    /// kube-apiserver loses the query on the way, as of 1.37, so the target must not need one.
    ///
    /// ```no_run
    /// # use k8s_client_runtime::{Error, resource::ResourceClient};
    /// # use k8s_openapi::api::core::v1::Pod;
    /// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
    /// let connection = pods
    ///     .proxy("web")
    ///     .path("events")
    ///     .header("Sec-WebSocket-Version", "13")
    ///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .upgrade()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Every answer but 101 is one, the target's too.
    pub async fn upgrade(self) -> Result<Upgraded> {
        self.into_request().upgrade().await
    }

    /// The plain request.
    pub fn into_request(self) -> Request {
        let Self { request, scheme, name, port, path } = self;
        let wrong = wrong(&request, scheme.as_deref(), port.as_deref());
        let target = match (scheme, port) {
            (None, None) => name,
            (None, Some(port)) => format!("{name}:{port}"),
            (Some(scheme), port) => format!("{scheme}:{name}:{}", port.unwrap_or_default()),
        };
        let request = request.name(&target).subresource("proxy").rooted_suffix(&path);
        let request = if request.headers().contains_key("accept") { request } else { request.header("accept", "*/*") };
        match wrong {
            Some(problem) => request.wrong(problem),
            None => request,
        }
    }
}

/// What the server does not refuse in words that help.
fn wrong(request: &Request, scheme: Option<&str>, port: Option<&str>) -> Option<String> {
    if let Some(scheme) = scheme.filter(|scheme| !matches!(*scheme, "http" | "https")) {
        return Some(format!("invalid scheme {scheme:?}: a proxy speaks http or https"));
    }
    let port = port.filter(|port| port.parse::<u16>().is_err())?;
    match request.resource_set()? {
        resource @ ("pods" | "nodes") => {
            Some(format!("invalid port {port:?}: the proxy of {resource} takes a number and looks up no names"))
        }
        _ => None,
    }
}

/// Awaiting it sends it and gives the target's answer.
impl IntoFuture for ProxyRequest {
    type Output = Result<Response>;
    type IntoFuture = CallFuture<Response>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.into_request().send())
    }
}
