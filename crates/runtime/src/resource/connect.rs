//! Exec, attach, port-forward and proxy: requests that connect through the API server.
//!
//! The first three are typed requests with all their parameters: [`Exec::into_request`] and its like give the request
//! whose connection is to be upgraded. A proxied request needs no upgrade and can be sent as it is.

use std::{fmt::Display, future::IntoFuture};

use bytes::Bytes;
use http::Method;

use super::CallFuture;
use crate::rest::{Request, Response};

/// Runs a command in a container. [`into_request`](Exec::into_request) gives the request, whose
/// [`upgrade`](Request::upgrade) gives the connection; what is spoken over it is the caller's.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// let exec = pods.exec("web").container("nginx").command(["nginx", "-T"]).stdout(true).stderr(true);
/// let connection = exec
///     .into_request()
///     .header("Sec-WebSocket-Version", "13")
///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .header("Sec-WebSocket-Protocol", "v5.channel.k8s.io")
///     .upgrade()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Exec {
    request: Request,
}

/// Attaches to a container that runs.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// // Sent as that of `Exec`.
/// let request = pods.attach("web").container("nginx").stdin(true).tty(true).into_request();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Attach {
    request: Request,
}

/// Forwards ports of a pod.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// // Sent as that of `Exec`.
/// let request = pods.port_forward("web").ports([80, 443]).into_request();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct PortForward {
    request: Request,
}

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

macro_rules! upgraded {
    ($builder:ident) => {
        impl $builder {
            pub(super) fn new(request: Request) -> Self {
                Self { request: request.streaming() }
            }

            fn set(self, key: &'static str, value: impl Into<String>) -> Self {
                Self { request: self.request.with_query(|query| query.set(key, value)) }
            }

            /// Connects with POST, as SPDY clients do. Default: GET, which WebSockets need.
            pub fn post(self) -> Self {
                Self { request: self.request.with_method(Method::POST) }
            }

            /// The plain request, to be sent on a connection that is upgraded.
            pub fn into_request(self) -> Request {
                self.request
            }
        }
    };
}

macro_rules! container_streams {
    ($builder:ident) => {
        impl $builder {
            /// The container. It may be left out when the pod has one only.
            pub fn container(self, container: &str) -> Self {
                self.set("container", container)
            }

            /// Sends standard input. Default: no.
            pub fn stdin(self, on: bool) -> Self {
                self.set("stdin", on.to_string())
            }

            /// Receives standard output. Default: no. A connection without any stream is refused by the server.
            pub fn stdout(self, on: bool) -> Self {
                self.set("stdout", on.to_string())
            }

            /// Receives standard error. Default: no.
            pub fn stderr(self, on: bool) -> Self {
                self.set("stderr", on.to_string())
            }

            /// Allocates a terminal, in which standard error is part of standard output. Default: no.
            pub fn tty(self, on: bool) -> Self {
                self.set("tty", on.to_string())
            }
        }
    };
}

upgraded!(Exec);
upgraded!(Attach);
upgraded!(PortForward);
container_streams!(Exec);
container_streams!(Attach);

impl Exec {
    /// The program and its arguments. No shell is involved.
    pub fn command<I, T>(self, command: I) -> Self
    where
        I: IntoIterator<Item = T>,
        T: Into<String>,
    {
        let words = command.into_iter();
        Self { request: self.request.with_query(|query| words.for_each(|word| query.push("command", word))) }
    }
}

impl PortForward {
    /// The ports of the pod.
    pub fn ports(self, ports: impl IntoIterator<Item = u16>) -> Self {
        let ports: Vec<_> = ports.into_iter().map(|port| port.to_string()).collect();
        self.set("ports", ports.join(","))
    }
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
