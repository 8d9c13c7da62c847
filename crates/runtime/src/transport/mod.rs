//! Bytes to and from the API server: over HTTP/2 where the server speaks it, and HTTP/1.1 elsewhere.
//!
//! `Transport::send`, which `rest` calls, takes a request with an absolute URI, adds what every request carries
//! (`User-Agent`, credentials) and returns as soon as the head of the answer is there. It does not repeat requests that
//! were sent: only a request whose pooled connection was closed before its first byte goes to another connection. No
//! time limit applies but those of connecting, and one for the head of the answer where `rest` sets it.
//!
//! From the outside in: credentials and `User-Agent` → the program's own layers → connections. So a layer sees what is
//! really sent.
//!
//! Nothing here is global: dropping the last clone of a `Transport` closes its idle connections, and dropping a
//! [`Body`] cancels its stream.
//!
//! # Connections
//!
//! `connections` holds one *generation* of connections, all made with the same certificates, in a pool. A request takes
//! a connection of the current generation.
//!
//! * **Rotation.** `tls::rotation` reads certificates, keys and CAs in files again before a handshake (at most once a
//!   second) and every minute. The task for that exists only where there are files, and ends with the last client.
//!   Credentials may bring a certificate with a request, in its extensions. New material that is valid starts the next
//!   generation; anything else is a warning and changes nothing. The old generation gets no more requests. Requests in
//!   flight have 30 seconds, then their connections end with an error that says why. client-go closes everything at
//!   once when a certificate changes, and leaves connections open when the CA does.
//! * **Streams.** A request goes to the first HTTP/2 connection with room, and to a new one where none has room:
//!   watches that fill a connection never hold up a write. A server states its limit of streams first of all, and a
//!   connection enters the pool only after that.
//! * **HTTP/2 without hyper.** hyper passes a request to a task, which passes it to h2's task, and sends the body only
//!   after the head. Here callers use h2 themselves, so that head and body are one write, and the pool knows how full
//!   each connection is. A call that is alone on its connection sends and receives by itself; the connection's task
//!   does so for all others. A request is sent when its body is whole. HTTP/1.1 is hyper's, one `SendRequest` a
//!   connection.
//! * **Certificates given as CA** sign others only within their dates and as far as they say that they may. The server
//!   itself may show one of them if its name, dates and purpose are right. Both are as in Go. webpki leaves this to its
//!   caller; `tls::x509` reads the fields.
//! * **Upgrades.** HTTP/2 has no `Upgrade`. A request with that header gets a connection of its own that offers
//!   HTTP/1.1 only; after a 101 it is given out as [`Upgraded`]. It goes through proxies by CONNECT whatever the server
//!   is, it is not ended by a rotation, and it has no user timeout: `streams` watches over it.
//! * **Idle** connections are closed after 90 seconds. The task of each connection asks the pool, so nothing runs where
//!   there are no connections.
//! * **A peer that vanished** is found within 45 seconds: by pings over HTTP/2; by the system's keepalive and, on
//!   Linux, its user timeout over HTTP/1.1. Over HTTP/1.1 a body that is read to its end also fails after 45 seconds in
//!   which nothing of it arrived; a watch cannot be told from a quiet one.
//! * **A server that is not there** meets four attempts to connect at a time, however many requests wait.

mod body;
mod connections;
mod dial;
mod failure;
mod gzip;
pub(crate) mod headers;
mod service;
#[cfg(test)]
mod tests;
mod tls;
mod user_agent;

use std::{future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode, Version,
    header::{AUTHORIZATION, USER_AGENT},
};
use tokio::time::timeout;
use tower_service::Service;

pub use self::{
    body::Body,
    connections::Upgraded,
    service::{BoxError, HttpFuture, HttpService},
};
use self::{body::Limits, connections::Connections};
use crate::{
    auth::Auth,
    config::Config,
    error::{Error, ErrorKind, Result},
};

/// What another server than the API server answers is small; what is longer is cut off.
const MAX_FETCHED: usize = 1 << 20;

/// Without this error the request would be an anonymous one.
const CERTIFICATE_ALONE: &str = "the credential plugin brings a client certificate and no token, but this client was given \
                                 a service in place of connections, which cannot use it; use a plugin that brings a token";

/// In the extensions of a request, says that its answer goes on for as long as the server likes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endless;

/// What sends requests for a client; a clone shares its connections.
#[derive(Clone)]
pub(crate) struct Transport {
    service: HttpService,
    /// The service takes the certificates that credentials bring: it is connections of our own.
    takes_certificates: bool,
    auth: Auth,
    user_agent: HeaderValue,
    max_response_bytes: Option<u64>,
    /// How long a body may be silent over HTTP/1.1, which has no pings.
    max_silence: Option<Duration>,
}

impl Transport {
    /// A transport that sends through the service, which is one of [`connections`] or one that takes no certificates.
    pub(crate) fn new(config: &Config, service: HttpService, takes_certificates: bool) -> Result<Self> {
        Ok(Self {
            service,
            takes_certificates,
            auth: Auth::new(config, fetch)?,
            user_agent: user_agent(config)?,
            max_response_bytes: config.max_response_bytes,
            max_silence: config.http2_ping_interval.map(|interval| interval.saturating_add(config.http2_ping_timeout)),
        })
    }

    /// Sends a request and waits for the head of the answer.
    #[cfg(test)]
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>> {
        self.send_within(request, None).await
    }

    /// Sends a request and waits for the head of the answer, for as long as the limit allows. Credentials may take
    /// longer: a person may have to log in.
    pub(crate) async fn send_within(
        &self,
        mut request: Request<Bytes>,
        head_limit: Option<Duration>,
    ) -> Result<Response<Body>> {
        let headers = request.headers_mut();
        if !headers.contains_key(USER_AGENT) {
            headers.insert(USER_AGENT, self.user_agent.clone());
        }
        let granted = self.auth.authorize(headers).await?;
        if let Some(identity) = granted.identity() {
            if !self.takes_certificates && !headers.contains_key(AUTHORIZATION) {
                return Err(Error::new(ErrorKind::Auth, CERTIFICATE_ALONE));
            }
            request.extensions_mut().insert(identity.clone());
        }
        let endless = request.extensions().get::<Endless>().is_some();
        let answer = self.service.clone().call(request.map(Body::from));
        let response = match head_limit {
            None => answer.await,
            Some(limit) => timeout(limit, answer).await.map_err(|_| failure::no_head(limit))?,
        };
        let mut response = response.map_err(failure::of_service)?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let refused = self.auth.refused(&granted).await;
            response.extensions_mut().insert(refused);
        }
        let silence = self.max_silence.filter(|_| !endless && response.version() <= Version::HTTP_11);
        let limits = Limits { bytes: self.max_response_bytes, silence };
        Ok(response.map(|body| body.with_limits(limits)))
    }
}

/// A service of the program's own, which is told to `tracing` what it is to send, as connections tell it.
pub(crate) fn traced(service: HttpService) -> HttpService {
    HttpService::of(move |request| {
        headers::trace("request", request.headers());
        service.clone().call(request)
    })
}

/// The connections to the server that the configuration names. Nothing is connected yet, so this needs no running
/// tokio.
pub(crate) fn connections(config: &Config) -> Result<HttpService> {
    Ok(HttpService::new(Connections::new(config)?))
}

/// Sends one request to another server than the API server, such as one that renews tokens, and reads the answer.
fn fetch(config: Config, mut request: Request<Bytes>) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>>> + Send>> {
    Box::pin(async move {
        request.headers_mut().insert(USER_AGENT, user_agent(&config)?);
        let mut connections = connections(&config)?;
        let (head, body) = connections.call(request.map(Body::from)).await.map_err(failure::of_service)?.into_parts();
        Ok(Response::from_parts(head, body.start(MAX_FETCHED).await?))
    })
}

/// What the configuration says, or the default.
pub(crate) fn user_agent_of(config: &Config) -> String {
    config.user_agent.clone().unwrap_or_else(user_agent::default)
}

fn user_agent(config: &Config) -> Result<HeaderValue> {
    let text = user_agent_of(config);
    HeaderValue::try_from(&text)
        .map_err(|error| Error::config(format!("user_agent {text:?} cannot be sent as a header")).with_source(error))
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}
