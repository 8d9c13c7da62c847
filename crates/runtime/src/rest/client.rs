//! The client that requests are made with.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, uri::Authority};
use tokio::runtime::Handle;
use tower_service::Service;

use crate::{
    config::{Config, RetryPolicy},
    error::{Error, Result},
    metrics::Metrics,
    rest::{Request, RestClientBuilder, WarningHandler, rate_limit::RateLimiter},
    transport::{Body, BoxError, HttpService, Transport},
};

/// A client of one Kubernetes API server, and what all typed clients share.
///
/// It is a handle: cloning it is cheap, and all clones use the same connections and share one rate limit. When the last
/// one is gone, so are the connections.
///
/// ```no_run
/// # async fn example() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::RestClient;
///
/// let client = RestClient::try_default().await?;
/// let version = client.get().abs_path("/version").send().await?.bytes().await?;
/// println!("{}", String::from_utf8_lossy(&version));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RestClient(Arc<Inner>);

struct Inner {
    transport: Transport,
    /// Scheme, host and port: `https://host:6443`.
    origin: String,
    /// What the server's URL has for a path, without a slash at the end.
    path_prefix: String,
    default_namespace: String,
    timeout: Option<Duration>,
    response_header_timeout: Option<Duration>,
    retry: RetryPolicy,
    rate_limiter: Option<RateLimiter>,
    warning_handler: Box<dyn WarningHandler>,
    metrics: Option<Arc<dyn Metrics>>,
    protobuf: bool,
    /// The resources whose server has refused bodies in protobuf.
    json_only: RwLock<BTreeSet<String>>,
}

impl RestClient {
    /// A client of the server that the configuration names. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When certificates or keys of the configuration cannot be used, or its rate limit makes no sense.
    pub fn new(config: &Config) -> Result<Self> {
        Self::builder(config).build()
    }

    /// A client of the server that the configuration names, with layers of the program's own, or a handler for the
    /// server's warnings.
    pub fn builder(config: &Config) -> RestClientBuilder {
        RestClientBuilder::new(config)
    }

    /// A client that sends its requests through this service in place of connections of its own: a test's, or one with
    /// a transport that this library does not have.
    ///
    /// The URL, the namespace, credentials and limits are the configuration's; what it says of TLS and proxies is the
    /// service's business. So is the client's certificate; one that a credential plugin brings is not used, and where
    /// the plugin brings no token with it, requests fail with [`ErrorKind::Auth`](crate::ErrorKind::Auth) rather than
    /// being sent anonymously. [`RestClientBuilder::service`] does the same with more choices.
    ///
    /// A service that is always ready holds nobody up: calls and streams give way to other tasks of the runtime now and
    /// then.
    ///
    /// Typed clients send and ask for protobuf, and read JSON all the same. A service that reads what is sent to it may
    /// want [`Config::disable_protobuf`].
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use k8s_client_runtime::{Config, RestClient, rest::Body};
    ///
    /// // A server without a socket.
    /// let server = tower::service_fn(|request: http::Request<Body>| async move {
    ///     assert_eq!(request.uri().path(), "/version");
    ///     http::Response::builder().header("content-type", "application/json").body(Body::from(r#"{"major":"1"}"#))
    /// });
    /// let client = RestClient::from_service(&Config::new("http://fake")?, server)?;
    /// let version: serde_json::Value = client.get().abs_path("/version").send().await?.json().await?;
    /// assert_eq!(version["major"], "1");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn from_service<S, B>(config: &Config, service: S) -> Result<Self>
    where
        S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::builder(config).service(service).build()
    }

    pub(super) fn over(
        config: &Config,
        service: HttpService,
        takes_certificates: bool,
        warning_handler: Box<dyn WarningHandler>,
    ) -> Result<Self> {
        let transport = Transport::new(config, service, takes_certificates)?;
        let server = config.server_url()?;
        Ok(Self(Arc::new(Inner {
            transport,
            origin: format!(
                "{}://{}",
                server.scheme_str().unwrap_or_default(),
                server.authority().map_or("", Authority::as_str)
            ),
            path_prefix: path_prefix(server.path()),
            default_namespace: config.default_namespace.clone(),
            timeout: config.timeout,
            response_header_timeout: config.response_header_timeout,
            retry: config.retry,
            rate_limiter: config.rate_limit.map(RateLimiter::new).transpose()?,
            warning_handler,
            metrics: config.metrics.clone(),
            protobuf: !config.disable_protobuf,
            json_only: RwLock::default(),
        })))
    }

    /// A client with the configuration that [`Config::infer`] finds: `$KUBECONFIG`, `~/.kube/config`, then in-cluster.
    ///
    /// The files of it are read in a thread for that, so that the runtime is not held up. This needs the runtime of
    /// tokio; [`new`](Self::new) with [`Config::infer`] does not.
    ///
    /// # Errors
    ///
    /// When no configuration is found or it cannot be used, and when it is called outside of the runtime of tokio.
    pub async fn try_default() -> Result<Self> {
        blocking(|| Self::new(&Config::infer()?)).await
    }

    /// The namespace that the configuration chose: the kubeconfig context's, the pod's, or `default`.
    pub fn default_namespace(&self) -> &str {
        &self.0.default_namespace
    }

    /// Starts a request with this method. The others are short forms of it.
    pub fn verb(&self, method: Method) -> Request {
        Request::new(self.clone(), method)
    }

    /// Starts a GET request.
    pub fn get(&self) -> Request {
        self.verb(Method::GET)
    }

    /// Starts a POST request.
    pub fn post(&self) -> Request {
        self.verb(Method::POST)
    }

    /// Starts a PUT request.
    pub fn put(&self) -> Request {
        self.verb(Method::PUT)
    }

    /// Starts a PATCH request. The body's content type says which kind of patch it is.
    pub fn patch(&self) -> Request {
        self.verb(Method::PATCH)
    }

    /// Starts a DELETE request.
    pub fn delete(&self) -> Request {
        self.verb(Method::DELETE)
    }

    pub(super) fn origin(&self) -> &str {
        &self.0.origin
    }

    pub(super) fn path_prefix(&self) -> &str {
        &self.0.path_prefix
    }

    pub(super) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The configuration's limit for a whole call.
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.0.timeout
    }

    pub(super) fn response_header_timeout(&self) -> Option<Duration> {
        self.0.response_header_timeout
    }

    pub(super) fn retry_policy(&self) -> RetryPolicy {
        self.0.retry
    }

    pub(super) fn warning_handler(&self) -> &dyn WarningHandler {
        &*self.0.warning_handler
    }

    /// Whether answers may be protobuf.
    pub(super) fn reads_protobuf(&self) -> bool {
        self.0.protobuf
    }

    /// Whether bodies for this resource may be protobuf, as far as is known.
    pub(super) fn writes_protobuf(&self, resource: &str) -> bool {
        self.0.protobuf && !self.0.json_only.read().unwrap_or_else(PoisonError::into_inner).contains(resource)
    }

    /// From now on bodies for this resource are JSON.
    pub(super) fn write_json_only(&self, resource: String) {
        self.0.json_only.write().unwrap_or_else(PoisonError::into_inner).insert(resource);
    }

    /// Who is told of requests, if anybody is.
    pub(super) fn metrics(&self) -> Option<&Arc<dyn Metrics>> {
        self.0.metrics.as_ref()
    }

    /// The host and port of the server.
    pub(super) fn host(&self) -> &str {
        self.0.origin.split_once("://").map_or("", |(_, host)| host)
    }

    pub(super) fn rate_limiter(&self) -> Option<&RateLimiter> {
        self.0.rate_limiter.as_ref()
    }

    /// Sends a request and waits for the head of its answer, for as long as the limit allows.
    pub(super) async fn send(
        &self,
        request: http::Request<Bytes>,
        head_limit: Option<Duration>,
    ) -> Result<http::Response<Body>> {
        self.0.transport.send_within(request, head_limit).await
    }
}

/// The path of a server's URL without a slash at its end and without empty segments; `.` and `..` mean what they mean
/// in every URL.
fn path_prefix(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    segments.into_iter().flat_map(|segment| ["/", segment]).collect()
}

/// Does work that blocks in a thread for that.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let runtime = Handle::try_current().map_err(|error| {
        Error::config("the configuration is to be read by a thread of tokio; call this in its runtime")
            .with_source(error)
    })?;
    runtime.spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::config("the thread that reads the configuration did not get done").with_source(error))
    })
}

impl fmt::Debug for RestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RestClient({}{})", self.0.origin, self.0.path_prefix)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_default_configuration_is_read_in_another_thread() {
        let here = std::thread::current().id();
        let there = blocking(|| Ok(std::thread::current().id())).await.unwrap();
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn a_reading_of_the_configuration_that_fails_is_an_error() {
        let error = blocking::<()>(|| panic!("of a test")).await.unwrap_err().to_string();
        assert!(error.contains("did not get done"), "{error}");
    }

    #[test]
    fn the_default_client_says_that_it_needs_a_runtime() {
        let error = RestClient::try_default().now_or_never().unwrap().unwrap_err().to_string();
        assert!(error.contains("runtime"), "{error}");
    }
}
