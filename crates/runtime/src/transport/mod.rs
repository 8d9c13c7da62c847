//! Bytes to and from the API server: over HTTP/2 where the server speaks it, with a second connection where one is full.
//!
//! `Transport::send`, which `rest` calls, takes a request with an absolute URI, adds what every request carries
//! (`User-Agent`, credentials) and returns as soon as the head of the answer is there. It does not retry what was sent:
//! only a request that found its pooled connection closed before its first byte goes to another one. No time limit applies
//! but those of connecting. A connection that went silent is found by HTTP/2 pings, as in client-go.
//!
//! Nothing here is global: dropping the last clone of a `Transport` closes its idle connections, and dropping a
//! [`Body`] cancels its stream.

mod body;
mod connect;
mod failure;
mod lanes;
#[cfg(test)]
mod tests;
mod tls;
mod user_agent;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::USER_AGENT};
use http_body_util::Full;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};

pub use self::body::Body;
use self::{
    connect::Connector,
    lanes::{Lanes, Pool},
};
use crate::{
    auth::Auth,
    config::Config,
    error::{Error, Result},
};

// client-go's numbers: how long an HTTP/2 connection may be silent before a ping, and how long the answer may take.
const PING_AFTER: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);
// Go's windows. What nobody reads yet of one answer counts against the whole connection, so a small window there would let a
// few slow readers stop all others.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 1 << 30;
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const MAX_IDLE_PER_HOST: usize = 25;

/// The connections to an API server; a clone shares them.
#[derive(Clone)]
pub(crate) struct Transport {
    lanes: Lanes,
    auth: Auth,
    user_agent: HeaderValue,
}

impl Transport {
    /// Reads certificates and keys. Connects when there is something to send, so it needs no running tokio.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let lanes = Lanes::new(Connector::new(config)?, pool);
        Ok(Self { lanes, auth: Auth::new(&config.credentials)?, user_agent: user_agent(config)? })
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Body>> {
        let headers = request.headers_mut();
        if !headers.contains_key(USER_AGENT) {
            headers.insert(USER_AGENT, self.user_agent.clone());
        }
        self.auth.authorize(headers).await?;
        let (pool, stream) = self.lanes.take();
        let response = pool.request(request.map(Full::new)).await.map_err(failure::of_request)?;
        if response.status() == StatusCode::UNAUTHORIZED {
            self.auth.refused().await;
        }
        Ok(response.map(|body| Body::new(body, stream)))
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

fn user_agent(config: &Config) -> Result<HeaderValue> {
    let text = config.user_agent.clone().unwrap_or_else(user_agent::default);
    HeaderValue::try_from(&text)
        .map_err(|error| Error::config(format!("user_agent {text:?} cannot be sent as a header")).with_source(error))
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}
