//! What is said to an HTTP proxy until it passes bytes on. Errors say what is wrong; who calls adds where.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use futures_util::future::{self, Either};
use http::{
    HeaderValue, Request, StatusCode,
    header::{HOST, PROXY_AUTHORIZATION},
};
use http_body_util::Empty;
use hyper::{
    client::conn::http1,
    upgrade::{self, Upgraded},
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::Io;
use crate::{
    config::TlsConfig,
    error::{Delivery, Result},
    transport::{
        failure,
        tls::{Handshake, Peer, TlsStream},
    },
};

/// The most that the head of a proxy's answer may be.
const HEAD_LIMIT: usize = 64 << 10;

pub(super) const WANTS_LOGIN: &str = "the proxy wants a login; put user name and password into its URL";
pub(super) const REFUSES_LOGIN: &str = "the proxy refuses the user name or the password in its URL";

/// What went wrong with a proxy.
pub(super) struct Problem {
    pub(super) words: String,
    pub(super) delivery: Delivery,
}

impl Problem {
    /// One that does not pass by itself.
    pub(super) fn lasting(words: impl Into<String>) -> Self {
        Self { words: words.into(), delivery: Delivery::Unknown }
    }

    /// The proxy finds nobody at the server's port, for now.
    pub(super) fn refused(words: impl Into<String>) -> Self {
        Self { words: words.into(), delivery: Delivery::Refused }
    }

    /// The proxy does not reach the server, for now.
    pub(super) fn unreachable(words: impl Into<String>) -> Self {
        Self { words: words.into(), delivery: Delivery::Unreachable }
    }
}

/// TLS with a proxy, over which HTTP/1.1 is spoken.
pub(super) fn tls_config(config: &TlsConfig) -> Result<Arc<ClientConfig>> {
    Ok(Handshake::of(config, true)?.http1)
}

/// Does the TLS handshake with an `https` proxy.
pub(super) async fn secure(stream: Box<dyn Io>, tls: Arc<ClientConfig>, host: &str) -> Result<Box<dyn Io>, Problem> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| Problem::lasting(format!("the host of the proxy is not a name for TLS: {error}")))?;
    match TlsConnector::from(tls).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(TlsStream::new(stream, Peer::Proxy))),
        Err(error) => {
            let words = format!("TLS with the proxy: {}", failure::describe_handshake(&error, Peer::Proxy));
            Err(Problem { words, delivery: failure::of_lost(&error) })
        }
    }
}

/// Has an HTTP proxy make a tunnel to `HOST:PORT`.
pub(super) async fn connect(
    stream: Box<dyn Io>,
    server: &str,
    authorization: Option<HeaderValue>,
) -> Result<Box<dyn Io>, Problem> {
    let broken = |error: hyper::Error| Problem {
        words: format!("the proxy's answer: {}", failure::root_cause(&error)),
        delivery: failure::of_lost(&error),
    };
    let handshake = http1::Builder::new().max_buf_size(HEAD_LIMIT).handshake(TokioIo::new(stream)).await;
    let (mut proxy, connection) = handshake.map_err(broken)?;
    let mut request = Request::connect(server)
        .header(HOST, server)
        .body(Empty::<Bytes>::new())
        .map_err(|error| Problem::lasting(format!("the server's address: {error}")))?;
    let known = authorization.is_some();
    request.headers_mut().extend(authorization.map(|value| (PROXY_AUTHORIZATION, value)));
    let tunnel = async {
        let answer = proxy.send_request(request).await.map_err(broken)?;
        match answer.status() {
            StatusCode::OK => upgrade::on(answer).await.map_err(broken),
            status => Err(refusal(status, known)),
        }
    };
    // The connection is what does the work, and it ends before the tunnel is handed over.
    let tunnel: Upgraded = match future::select(pin!(tunnel), pin!(connection.with_upgrades())).await {
        Either::Left((tunnel, _)) => tunnel?,
        Either::Right((_, tunnel)) => tunnel.await?,
    };
    Ok(Box::new(TokioIo::new(tunnel)))
}

fn refusal(status: StatusCode, known: bool) -> Problem {
    match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Problem::lasting(format!("{} ({status})", if known { REFUSES_LOGIN } else { WANTS_LOGIN }))
        }
        status => {
            let words =
                format!("the proxy answers {status}; check that it reaches this server and lets CONNECT through");
            match status {
                StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                    Problem::unreachable(words)
                }
                _ => Problem::lasting(words),
            }
        }
    }
}
