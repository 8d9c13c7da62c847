//! The innermost service: the connections to one server.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use http::{
    HeaderValue, Request, Response,
    header::{AUTHORIZATION, PROXY_AUTHORIZATION},
    uri::Scheme,
};
use tower_service::Service;

mod attempts;
mod connector;
mod driver;
mod http1;
mod http2;
mod pool;
mod stream;
mod upgrade;

pub(super) use http1::Incoming as Http1Body;
pub(super) use http2::Incoming as Http2Body;
pub use upgrade::Upgraded;

use self::{connector::Connector, http2::Pings, pool::Pool};
use super::{
    Body, gzip, headers,
    tls::{Handshake, Rotation},
};
use crate::{
    config::{ClientIdentity, Config},
    error::{Error, Result},
};

/// A request or a layer brings credentials that the configuration knew nothing of.
const IN_CLEAR_TEXT: &str = "the request has an Authorization header, and the server is written without a scheme, \
                             which means http without credentials; write https:// before it, or http:// to send the \
                             header in clear";

/// The connections to an API server; a clone shares them.
#[derive(Clone)]
pub(super) struct Connections(Arc<Inner>);

struct Inner {
    connector: Connector,
    pings: Pings,
    /// Nothing for a server without TLS.
    rotation: Option<Arc<Rotation>>,
    /// The server is written without a scheme, and nothing was configured that asks for TLS.
    unasked_clear_text: bool,
    current: Mutex<Generation>,
    /// What a proxy that forwards requests wants to see on each.
    proxy_authorization: Option<HeaderValue>,
    compressed: bool,
}

/// The connections that were made with the same certificates.
struct Generation {
    handshake: Option<Arc<Handshake>>,
    pool: Arc<Pool>,
}

impl Connections {
    /// Reads certificates and keys. Connects when there is something to send, so it needs no running tokio.
    pub(super) fn new(config: &Config) -> Result<Self> {
        let secure = config.server_url()?.scheme() == Some(&Scheme::HTTPS);
        let unasked_clear_text = !secure && config.server.scheme().is_none();
        let rotation = secure.then(|| Rotation::new(config)).transpose()?.map(Arc::new);
        let connector = Connector::new(config, rotation.clone())?;
        let pings = Pings { interval: config.http2_ping_interval, timeout: config.http2_ping_timeout };
        let handshake = rotation.as_ref().map(|rotation| rotation.current(None)).transpose()?;
        let current = Mutex::new(Generation { handshake, pool: Arc::new(Pool::new(connector.clone(), pings)) });
        let proxy_authorization = connector.dialer().forward_authorization();
        let compressed = !config.disable_compression;
        Ok(Self(Arc::new(Inner {
            connector,
            pings,
            rotation,
            unasked_clear_text,
            current,
            proxy_authorization,
            compressed,
        })))
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response<Body>> {
        if self.0.unasked_clear_text && request.headers().contains_key(AUTHORIZATION) {
            return Err(Error::config(IN_CLEAR_TEXT));
        }
        let upgrade = upgrade::is_wanted(request.headers());
        // A connection that is upgraded goes through the proxy, which is not to read the request: nor is the server to
        // read what is the proxy's.
        if let Some(authorization) = self.0.proxy_authorization.as_ref().filter(|_| !upgrade) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let compressed = self.0.compressed && gzip::ask(&mut request);
        headers::trace("request", request.headers());
        let pool = self.pool(request.extensions().get())?;
        let (head, body) = request.into_parts();
        // Requests are small: a layer's body that comes in pieces is none that would not fit into memory.
        let body = body.collect().await?;
        let response = if upgrade { pool.upgrade(head, body).await? } else { pool.send(head, body).await? };
        Ok(if compressed { gzip::decode(response) } else { response })
    }

    /// The connections of the certificates that are current. Those of others are let go: they close when they are idle,
    /// or when their time is up.
    fn pool(&self, identity: Option<&Arc<ClientIdentity>>) -> Result<Arc<Pool>> {
        let Inner { connector, pings, rotation, current, .. } = &*self.0;
        let handshake = rotation.as_ref().map(|rotation| rotation.current(identity)).transpose()?;
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.handshake.as_ref().map(Arc::as_ptr) != handshake.as_ref().map(Arc::as_ptr) {
            *current = Generation { handshake, pool: Arc::new(Pool::new(connector.clone(), *pings)) };
        }
        Ok(current.pool.clone())
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.current.lock().unwrap().pool.count()
    }
}

impl Service<Request<Body>> for Connections {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}
