//! How a client is made with more than its configuration.

use std::fmt;

use tower_layer::Layer;
use tower_service::Service;

use crate::{
    config::Config,
    error::Result,
    rest::{LogWarnings, RestClient, WarningHandler},
    transport::{self, Body, BoxError, HttpService},
};

type Wrap = Box<dyn FnOnce(HttpService) -> HttpService + Send>;

/// Makes a [`RestClient`]; [`RestClient::builder`] makes it.
#[must_use = "the client is made by `build`"]
pub struct RestClientBuilder {
    config: Config,
    /// In place of connections.
    service: Option<HttpService>,
    layers: Vec<Wrap>,
    warning_handler: Box<dyn WarningHandler>,
}

impl RestClientBuilder {
    pub(super) fn new(config: &Config) -> Self {
        Self { config: config.clone(), service: None, layers: Vec::new(), warning_handler: Box::new(LogWarnings) }
    }

    /// Puts a layer around what sends the requests: any [`tower` layer](Layer) of HTTP, also one that `ServiceBuilder`
    /// made of many. One added later is further out.
    ///
    /// A layer sees every attempt of every call as it is sent, with all headers; credentials among them are marked
    /// sensitive. It returns when the head of the answer is there: the bodies of watches and logs are still to come
    /// then. What goes wrong in it becomes an [`Error`](crate::Error) of the kind `Transport` with its text; an
    /// [`Error`](crate::Error) of this library passes unchanged.
    ///
    /// # What a layer must leave to the client
    ///
    /// * Sending again. The client tells by the error of a request whether it may have been processed; of a layer that
    ///   sends twice, it learns only of the last attempt.
    /// * Extensions of requests and responses that it does not know, and the `Authorization` header, unless it brings
    ///   the credentials itself.
    /// * Buffering: an answer that is collected before it is passed on never comes if it is a watch.
    /// * Limits on the time of whole answers, for the same reason: the client knows the kinds of calls, a layer does
    ///   not.
    ///
    /// ```
    /// # fn example(config: &k8s_client_runtime::Config) -> Result<(), k8s_client_runtime::Error> {
    /// use http::HeaderValue;
    /// use k8s_client_runtime::RestClient;
    /// use tower_http::set_header::SetRequestHeaderLayer;
    ///
    /// let audit = SetRequestHeaderLayer::overriding(
    ///     http::header::HeaderName::from_static("x-audit"),
    ///     HeaderValue::from_static("nightly"),
    /// );
    /// let client = RestClient::builder(config).layer(audit).build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Credentials of another kind
    ///
    /// A layer that sets `Authorization` takes the place of [`Config::credentials`], for a method that this library
    /// does not have. It is asked for each attempt, so a renewed token is used at once; the answer to a 401 is the
    /// layer's to see. It may see requests to servers without TLS, too, where it must not set a secret.
    ///
    /// ```
    /// # fn example(mut config: k8s_client_runtime::Config) -> Result<(), k8s_client_runtime::Error> {
    /// use std::sync::{Arc, RwLock};
    ///
    /// use http::{HeaderValue, Request, header::AUTHORIZATION, uri::Scheme};
    /// use k8s_client_runtime::{RestClient, config::Credentials, rest::Body};
    /// use tower_http::set_header::SetRequestHeaderLayer;
    ///
    /// // Somebody else renews it.
    /// let token = Arc::new(RwLock::new("first".to_owned()));
    ///
    /// config.credentials = Credentials::None;
    /// let authorize = SetRequestHeaderLayer::overriding(AUTHORIZATION, move |request: &Request<Body>| {
    ///     if request.uri().scheme() != Some(&Scheme::HTTPS) {
    ///         return None;
    ///     }
    ///     let token = token.read().ok()?;
    ///     let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    ///     // Keeps it out of logs, and out of the tables of HTTP/2's compression.
    ///     value.set_sensitive(true);
    ///     Some(value)
    /// });
    /// let client = RestClient::builder(&config).layer(authorize).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<HttpService> + Send + 'static,
        L::Service: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<http::Request<Body>>>::Error: Into<BoxError>,
        <L::Service as Service<http::Request<Body>>>::Future: Send,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.layers.push(Box::new(move |service| HttpService::new(layer.layer(service))));
        self
    }

    /// Sends the requests through this service in place of connections: see [`RestClient::from_service`], also for
    /// certificates of credential plugins.
    pub fn service<S, B>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.service = Some(HttpService::new(service));
        self
    }

    /// Adds a part to the `User-Agent` of every request, after a slash, so that the server's logs and its priority
    /// levels can tell this client from others of the program: client-go's `AddUserAgent`. It is added to
    /// [`Config::user_agent`] or to what that is by default.
    pub fn add_user_agent(mut self, part: &str) -> Self {
        self.config.user_agent = Some(format!("{}/{part}", transport::user_agent_of(&self.config)));
        self
    }

    /// Tells this handler of the server's warnings. Default: [`LogWarnings`]. [`NoWarnings`](super::NoWarnings) and
    /// [`DeduplicatedWarnings`](super::DeduplicatedWarnings) are others.
    pub fn warning_handler(mut self, handler: impl WarningHandler + 'static) -> Self {
        self.warning_handler = Box::new(handler);
        self
    }

    /// The client. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When certificates or keys of the configuration cannot be used, or its rate limit makes no sense.
    pub fn build(self) -> Result<RestClient> {
        let takes_certificates = self.service.is_none();
        let innermost = match self.service {
            Some(service) => transport::traced(service),
            None => transport::connections(&self.config)?,
        };
        let service = self.layers.into_iter().fold(innermost, |service, wrap| wrap(service));
        RestClient::over(&self.config, service, takes_certificates, self.warning_handler)
    }
}

impl fmt::Debug for RestClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestClientBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}
