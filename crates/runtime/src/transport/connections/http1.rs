//! HTTP/1.1: one request at a time on a connection, which then waits for the next one.

use std::{
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header::HOST, request::Parts, uri::PathAndQuery};
use http_body::{Body as _, Frame, SizeHint};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::runtime::Handle;

use super::{
    pool::{Entry, Id, Pool},
    stream::Connection,
};
use crate::{
    error::{Error, Result},
    transport::{Body, failure},
};

/// The most headers that an answer may have. Go counts their bytes only; this is nearly as many as an `http::HeaderMap`
/// can hold, with room for what a layer adds.
const MAX_HEADERS: usize = 20_000;
/// The most bytes that the head of an answer may have, as in Go.
const MAX_HEAD: usize = 10 << 20;

/// The right to send the next request on a connection.
pub(super) struct Sender {
    pub(super) id: Id,
    send: SendRequest<Body>,
    pool: Weak<Pool>,
    proxied: bool,
    /// The server may have closed it while it was idle.
    reused: bool,
}

/// Why a request has no answer.
pub(super) enum Failure {
    /// Nothing of it was sent, since the connection had been idle and was closed meanwhile.
    Unsent(Box<Parts>),
    Failed(Error),
}

impl Sender {
    /// Begins to speak on a connection, which closes when the pool has forgotten it or is gone itself.
    pub(super) async fn start(connection: Connection, pool: &Arc<Pool>) -> Result<Self> {
        let proxied = connection.proxied;
        let handshake = protocol().handshake(TokioIo::new(connection.stream)).await;
        let (send, connection) = handshake.map_err(failure::of_http1)?;
        let entry = Entry::new(pool);
        let id = entry.id;
        tokio::spawn(async move {
            tokio::select! {
                biased;
                // Whoever waits for an answer on it is told what went wrong.
                _ = connection => {}
                never = entry.forget_when_idle() => match never {},
            }
        });
        Ok(Self { id, send, pool: Arc::downgrade(pool), proxied, reused: false })
    }

    fn give_back(self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.give_back(self);
        }
    }

    /// Whether the server has closed the connection, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.send.is_ready()
    }

    /// Sends a request and waits for the head of the answer. The connection comes back into the pool when the answer
    /// has been read to its end.
    pub(super) async fn send(mut self, head: Parts, body: Bytes) -> Result<Response<Body>, Failure> {
        let uri = head.uri.clone();
        let mut request = Request::from_parts(head, Body::from(body));
        address(&mut request, self.proxied).map_err(Failure::Failed)?;
        match self.send.try_send_request(request).await {
            Ok(response) => {
                check_head(response.headers()).map_err(Failure::Failed)?;
                self.reused = true;
                Ok(response.map(|body| Body::http1(Incoming { body, sender: Some(self) })))
            }
            Err(mut failed) => match failed.take_message() {
                Some(request) if self.reused => {
                    let mut head = request.into_parts().0;
                    head.uri = uri;
                    Err(Failure::Unsent(Box::new(head)))
                }
                _ => Err(Failure::Failed(failure::of_http1(failed.into_error()))),
            },
        }
    }
}

/// The body of an answer.
pub(in crate::transport) struct Incoming {
    body: hyper::body::Incoming,
    /// None once the connection is given back, or when it was never of a pool.
    sender: Option<Sender>,
}

impl Incoming {
    pub(in crate::transport) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() {
            self.give_back();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(failure::of_body)))
    }

    pub(in crate::transport) fn is_at_end(&self) -> bool {
        self.body.is_end_stream()
    }

    pub(in crate::transport) fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    /// Gives the connection back after the last byte.
    fn give_back(&mut self) {
        let Some(mut sender) = self.sender.take() else { return };
        if sender.is_open() {
            sender.give_back();
        } else if let Ok(runtime) = Handle::try_current() {
            // The task of the connection has not found out yet that it may go on.
            runtime.spawn(async move {
                if sender.send.ready().await.is_ok() {
                    sender.give_back();
                }
            });
        }
    }
}

impl Drop for Incoming {
    /// What is left of an answer ends the connection. Who knows the length does not need to look behind the end.
    fn drop(&mut self) {
        if self.is_at_end() {
            self.give_back();
        }
    }
}

/// Sends a request on a connection of its own, which then stops to speak HTTP if the server agrees.
pub(super) async fn upgrade(connection: Connection, head: Parts, body: Bytes) -> Result<Response<Body>> {
    let mut request = Request::from_parts(head, Body::from(body));
    address(&mut request, connection.proxied)?;
    let handshake = protocol().handshake(TokioIo::new(connection.stream)).await;
    let (mut send, connection) = handshake.map_err(failure::of_http1)?;
    tokio::spawn(connection.with_upgrades());
    let response = send.send_request(request).await.map_err(failure::of_http1)?;
    check_head(response.headers())?;
    Ok(response.map(|body| Body::http1(Incoming { body, sender: None })))
}

/// hyper looks at the limit between two reads, the last of which may bring more than was allowed.
fn check_head(headers: &HeaderMap) -> Result<()> {
    let length: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if length <= MAX_HEAD { Ok(()) } else { Err(failure::head_too_long(MAX_HEAD)) }
}

/// HTTP/1.1 with room for the warnings that a server may send beside an answer, and with the headers of old proxies
/// that Go reads too: lines that go on in the next one, and spaces before the colon. An answer that cannot be read
/// would hide that the request was processed.
fn protocol() -> Builder {
    let mut builder = Builder::new();
    builder.max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD);
    builder.allow_obsolete_multiline_headers_in_responses(true).allow_spaces_after_header_name_in_responses(true);
    builder
}

/// Says where a request goes in the form of HTTP/1.1: the host in a header, and the rest, or for a proxy all of it, in
/// the first line.
fn address(request: &mut Request<Body>, proxied: bool) -> Result<()> {
    let uri = request.uri();
    if !request.headers().contains_key(HOST) {
        let host = host(uri)?;
        request.headers_mut().insert(HOST, host);
    }
    if !proxied {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.unwrap_or_else(|| PathAndQuery::from_static("/")).into();
    }
    Ok(())
}

/// The server's name, with its port unless that is the scheme's own.
fn host(uri: &Uri) -> Result<HeaderValue> {
    let name = uri.host().unwrap_or_default();
    let text = match (uri.port_u16(), uri.scheme_str()) {
        (Some(443), Some("https")) | (Some(80), Some("http")) | (None, _) => name.to_owned(),
        (Some(port), _) => format!("{name}:{port}"),
    };
    HeaderValue::try_from(&text).map_err(|error| {
        Error::config(format!("the server's name {text:?} cannot be sent as a header")).with_source(error)
    })
}
