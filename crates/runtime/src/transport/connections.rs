//! The innermost service: the connections to one server.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderValue, Request, Response, header::PROXY_AUTHORIZATION, uri::Scheme};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tower_service::Service;

use super::{
    Body,
    connect::Connector,
    failure, gzip,
    lanes::{Lanes, Pool},
    rotation::Rotation,
    tls::Handshake,
    upgraded,
};
use crate::{
    config::{ClientIdentity, Config},
    error::{Error, Result},
};

// What nobody reads yet of one answer counts against the whole connection, so a small window there would let a few slow readers
// stop all others: Go's is as large. A stream's window is what a watch may hold that is read slower than it comes, and a quarter
// of Go's: enough for 100 MB/s at 10 ms from the server.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 1 << 30;
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const MAX_IDLE_PER_HOST: usize = 25;

/// The connections to an API server; a clone shares them.
#[derive(Clone)]
pub(super) struct Connections(Arc<Inner>);

struct Inner {
    connector: Connector,
    pings: Pings,
    /// Nothing for a server without TLS.
    rotation: Option<Arc<Rotation>>,
    current: Mutex<Arc<Generation>>,
    /// What a proxy that forwards requests wants to see on each.
    proxy_authorization: Option<HeaderValue>,
    compressed: bool,
}

/// The connections that were made with the same certificates.
struct Generation {
    handshake: Option<Arc<Handshake>>,
    lanes: Lanes,
    upgrades: Pool,
}

/// How an HTTP/2 connection that went silent is found.
#[derive(Clone, Copy)]
struct Pings {
    interval: Option<Duration>,
    timeout: Duration,
}

impl Connections {
    /// Reads certificates and keys. Connects when there is something to send, so it needs no running tokio.
    pub(super) fn new(config: &Config) -> Result<Self> {
        let secure = config.server.scheme() == Some(&Scheme::HTTPS);
        let rotation = secure.then(|| Rotation::new(&config.tls, config.disable_http2)).transpose()?.map(Arc::new);
        let connector = Connector::new(config, rotation.clone())?;
        let pings = Pings { interval: config.http2_ping_interval, timeout: config.http2_ping_timeout };
        let handshake = rotation.as_ref().map(|rotation| rotation.current(None)).transpose()?;
        let current = Mutex::new(Arc::new(Generation::new(handshake, &connector, pings)));
        let proxy_authorization = connector.dialer().forward_authorization();
        let compressed = !config.disable_compression;
        Ok(Self(Arc::new(Inner { connector, pings, rotation, current, proxy_authorization, compressed })))
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response<Body>> {
        if let Some(authorization) = &self.0.proxy_authorization {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let compressed = self.0.compressed && gzip::ask(&mut request);
        let generation = self.generation(request.extensions().get())?;
        // The client may go while the request is under way, and its idle connections with it.
        drop(self);
        let response = if upgraded::is_wanted(request.headers()) {
            generation.upgrades.request(request).await.map_err(failure::of_request)?.map(Body::new)
        } else {
            let mut place = generation.lanes.take().await;
            drop(generation);
            let response = place.pool.request(request).await;
            if let (Err(_), Some(opening)) = (&response, &mut place.opening) {
                opening.failed();
            }
            response.map_err(failure::of_request)?.map(|body| Body::incoming(body, place.stream))
        };
        Ok(if compressed { gzip::decode(response) } else { response })
    }

    /// The connections of the certificates that are current. Those of others are let go: they close when they are idle, or
    /// when their time is up.
    fn generation(&self, identity: Option<&Arc<ClientIdentity>>) -> Result<Arc<Generation>> {
        let Inner { connector, pings, rotation, current, .. } = &*self.0;
        let handshake = rotation.as_ref().map(|rotation| rotation.current(identity)).transpose()?;
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.handshake.as_ref().map(Arc::as_ptr) != handshake.as_ref().map(Arc::as_ptr) {
            *current = Arc::new(Generation::new(handshake, connector, *pings));
        }
        Ok(current.clone())
    }

    #[cfg(test)]
    pub(super) fn lanes(&self) -> usize {
        self.0.current.lock().unwrap().lanes.count()
    }
}

impl Generation {
    fn new(handshake: Option<Arc<Handshake>>, connector: &Connector, pings: Pings) -> Self {
        let for_lanes = connector.clone();
        let lanes = Lanes::new(move |room| pool(for_lanes.for_lane(room), pings));
        Self { handshake, lanes, upgrades: pool(connector.clone(), pings) }
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

fn pool(connector: Connector, pings: Pings) -> Pool {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        // It counts what still arrives of answers that were given up, over the whole life of a connection, and ends it for
        // all others at 1024. That guards servers; a client gave those answers up itself.
        .http2_max_local_error_reset_streams(None)
        .http2_keep_alive_interval(pings.interval)
        .http2_keep_alive_timeout(pings.timeout)
        .http2_keep_alive_while_idle(true)
        .build(connector)
}
