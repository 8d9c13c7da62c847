//! How a client is made with more than its configuration.

use std::fmt;

use tower_layer::Layer;
use tower_service::Service;

use crate::{
    config::Config,
    error::Result,
    rest::RestClient,
    transport::{self, Body, BoxError, HttpService},
};

type Wrap = Box<dyn FnOnce(HttpService) -> HttpService + Send>;

/// Makes a [`RestClient`]; [`RestClient::builder`] makes it.
#[must_use = "the client is made by `build`"]
pub struct RestClientBuilder {
    config: Config,
    layers: Vec<Wrap>,
}

impl RestClientBuilder {
    pub(super) fn new(config: &Config) -> Self {
        Self { config: config.clone(), layers: Vec::new() }
    }

    /// Puts a layer around what sends the requests: any [`tower` layer](Layer) of HTTP. One added later is further out.
    ///
    /// A layer sees every attempt of every call as it is sent, with all headers; credentials among them are marked
    /// sensitive.
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

    /// The client. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When certificates or keys of the configuration cannot be used.
    pub fn build(self) -> Result<RestClient> {
        let connections = transport::connections(&self.config)?;
        let service = self.layers.into_iter().fold(connections, |service, wrap| wrap(service));
        RestClient::over(&self.config, service)
    }
}

impl fmt::Debug for RestClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestClientBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}
