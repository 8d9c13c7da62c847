//! The innermost service: the connections to one server.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderValue, Request, Response, header::PROXY_AUTHORIZATION};
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
};
use crate::{
    config::Config,
    error::{Error, Result},
};

// Go's windows. What nobody reads yet of one answer counts against the whole connection, so a small window there would let a
// few slow readers stop all others.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 1 << 30;
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const MAX_IDLE_PER_HOST: usize = 25;
// client-go's numbers: how long an HTTP/2 connection may be silent before a ping, and how long the answer may take.
const PING_AFTER: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// The connections to an API server; a clone shares them.
#[derive(Clone)]
pub(super) struct Connections {
    lanes: Lanes,
    /// What a proxy that forwards requests wants to see on each.
    proxy_authorization: Option<HeaderValue>,
    compressed: bool,
}

impl Connections {
    /// Reads certificates and keys. Connects when there is something to send, so it needs no running tokio.
    pub(super) fn new(config: &Config) -> Result<Self> {
        let connector = Connector::new(config)?;
        let proxy_authorization = connector.dialer().forward_authorization();
        Ok(Self { lanes: Lanes::new(connector, pool), proxy_authorization, compressed: !config.disable_compression })
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response<Body>> {
        if let Some(authorization) = self.proxy_authorization {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization);
        }
        let compressed = self.compressed && gzip::ask(&mut request);
        let (pool, stream) = self.lanes.take();
        let response = pool.request(request).await.map_err(failure::of_request)?;
        let response = response.map(|body| Body::incoming(body, stream));
        Ok(if compressed { gzip::decode(response) } else { response })
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

fn pool(connector: Connector) -> Pool {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(PING_AFTER)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(true)
        .build(connector)
}
