//! HTTP/2: as many requests at a time on a connection as the server allows.
//!
//! Requests are given to h2 where they are made: no task stands between a caller and the connection, and head and body of a
//! request leave together.

use std::{
    future::{Future, pending, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Ping, PingPong, RecvStream,
    client::{self, SendRequest},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version,
    header::{CONNECTION, CONTENT_LENGTH, TE, TRANSFER_ENCODING, UPGRADE},
    request::Parts,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    attempts::Attempt,
    pool::{Entry, Id, Pool},
    stream::{Connection, Latest, Stream},
};
use crate::{
    error::{Delivery, Error, ErrorKind, Result},
    transport::{Body, Endless, failure},
};

/// How much of an answer may be on its way or unread: as in Go, enough for 100 MB/s at 40 ms from the server. It cannot be set for
/// single streams.
const STREAM_WINDOW: u32 = 4 << 20;
/// The same for answers that go on for as long as the server likes, since they may be read slower than they come. As much as is
/// more than that is held back once it has been read.
const ENDLESS_WINDOW: u32 = 1 << 20;
const HELD_BACK: usize = (STREAM_WINDOW - ENDLESS_WINDOW) as usize;
/// What nobody reads yet of one answer counts against the whole connection, so that a small window would let a few slow readers
/// stop all others. This is the largest that the protocol knows, and has room for all streams.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
/// The most streams that are used of a connection, whatever the server allows: all together may be unread. Servers of Kubernetes
/// allow 100 or 250.
const MAX_STREAMS: usize = (CONNECTION_WINDOW / STREAM_WINDOW) as usize;
/// The most that the headers of an answer may be, as in Go.
const MAX_HEADERS: u32 = 10 << 20;

/// The number of streams until the server's SETTINGS frame has come: one that no server can send.
const NO_SETTINGS: usize = usize::MAX - 1;

/// How long a server may take to send SETTINGS: as long as Go lets it take for a handshake.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest body: what a stream's window can become.
const MAX_BODY: usize = i32::MAX as usize;

/// What HTTP/1.1 says of a connection.
const OF_HTTP1: [HeaderName; 5] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// How a connection that went silent is found.
#[derive(Clone, Copy)]
pub(super) struct Pings {
    pub(super) interval: Option<Duration>,
    pub(super) timeout: Duration,
}

/// A connection, as the pool has it.
pub(super) struct Sender {
    pub(super) id: Id,
    send: SendRequest<Bytes>,
    usage: Arc<Usage>,
}

/// What all streams of a connection know of it.
struct Usage {
    streams: AtomicUsize,
    /// Told when one of them ends.
    freed: Arc<Notify>,
    /// When a stream ended last.
    last: Latest,
    /// No ping was answered, so the connection was given up.
    silent: AtomicBool,
}

/// The right to open a stream.
pub(super) struct Permit {
    pub(super) id: Id,
    send: SendRequest<Bytes>,
    lease: Lease,
}

/// Counts as a stream in use until it is dropped.
struct Lease(Arc<Usage>);

impl Sender {
    /// Begins to speak on a connection and gives out the first permit. The others are found in the pool, where the connection comes
    /// as soon as the server has said how many streams it allows; then the attempt to connect has succeeded.
    pub(super) async fn start(
        connection: Connection,
        pings: Pings,
        pool: &Arc<Pool>,
        attempt: Attempt,
    ) -> Result<Permit> {
        let last_read = connection.stream.last_read();
        let handshake = client::Builder::new()
            .initial_max_send_streams(NO_SETTINGS)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEADERS)
            .enable_push(false)
            // It counts what still arrives of answers that were given up, over the whole life of a connection, and ends it for
            // all others at 1024. That guards servers; a client gave those answers up itself.
            .max_local_error_reset_streams(None)
            .handshake(connection.stream)
            .await;
        let (send, connection) = handshake.map_err(|error| failure::of_http2(error, false))?;
        let usage = Usage {
            streams: AtomicUsize::new(0),
            freed: pool.freed(),
            last: Latest::default(),
            silent: AtomicBool::new(false),
        };
        let entry = Entry::new(pool);
        let sender = Self { id: entry.id, send, usage: Arc::new(usage) };
        let (permit, usage) = (sender.permit(), sender.usage.clone());
        let arrival = Arrival { pool: Arc::downgrade(pool), expected: Some((sender, attempt)) };
        tokio::spawn(attend(connection, entry, arrival, usage, pings, last_read));
        Ok(permit)
    }

    /// The right to open one more stream, if the server allows one.
    pub(super) fn free_permit(&self) -> Option<Permit> {
        let allowed = self.send.current_max_send_streams().min(MAX_STREAMS);
        (self.usage.streams.load(Ordering::Relaxed) < allowed).then(|| self.permit())
    }

    /// Since when there is no stream.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        (self.usage.streams.load(Ordering::Acquire) == 0).then(|| self.usage.last.get())
    }

    fn permit(&self) -> Permit {
        self.usage.streams.fetch_add(1, Ordering::Relaxed);
        Permit { id: self.id, send: self.send.clone(), lease: Lease(self.usage.clone()) }
    }
}

impl Permit {
    /// Whether the connection takes requests: not when it is broken, or the server has said goodbye.
    pub(super) fn is_open(&mut self) -> bool {
        matches!(self.send.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())))
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn send(self, mut head: Parts, body: Bytes) -> Result<Response<Body>> {
        let Self { mut send, lease, .. } = self;
        if body.len() > MAX_BODY {
            return Err(Error::new(
                ErrorKind::Request,
                format!("a body of {} bytes is too large for HTTP/2", body.len()),
            ));
        }
        leave_out_http1(&mut head.headers);
        head.version = Version::HTTP_2;
        let to_hold_back = if head.extensions.get::<Endless>().is_some() { HELD_BACK } else { 0 };
        let meant_to_have_body = [Method::POST, Method::PUT, Method::PATCH].contains(&head.method);
        if !body.is_empty() || meant_to_have_body {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let sent = send.send_request(Request::from_parts(head, ()), body.is_empty());
        // The answer keeps the connection.
        drop(send);
        let (answer, mut stream) = sent.map_err(|error| {
            // The connection broke, or the server said goodbye, since it was looked at.
            let unsent = error.is_io() || error.is_go_away();
            let error = lease.explain(error);
            if unsent { error.with_delivery(Delivery::Unprocessed) } else { error }
        })?;
        if !body.is_empty() {
            // All of it is in memory already, so waiting for room in the stream's window would save none. If the stream has ended
            // meanwhile, the answer tells how.
            let _ = stream.send_data(body, true);
        }
        drop(stream);
        let response = answer.await.map_err(|error| lease.explain(error))?;
        let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        Ok(response.map(|stream| Body::http2(Incoming { stream, left: length, to_hold_back, lease: Some(lease) })))
    }
}

/// The body of an answer.
pub(in crate::transport) struct Incoming {
    stream: RecvStream,
    /// How many bytes are left, where the server has told.
    left: Option<u64>,
    /// How much less than the whole window the stream is to have from now on.
    to_hold_back: usize,
    /// None when the body has ended.
    lease: Option<Lease>,
}

impl Incoming {
    pub(in crate::transport) fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let Some(lease) = &self.lease else { return Poll::Ready(None) };
        match ready!(self.stream.poll_data(context)) {
            Some(Ok(data)) => {
                let held_back = data.len().min(self.to_hold_back);
                self.to_hold_back -= held_back;
                // Giving back more than has arrived would be the only error.
                let _ = self.stream.flow_control().release_capacity(data.len() - held_back);
                self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                Poll::Ready(Some(Ok(data)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(lease.explain(error).with_delivery(Delivery::Lost)))),
            None => {
                self.lease = None;
                Poll::Ready(None)
            }
        }
    }

    pub(in crate::transport) fn is_at_end(&self) -> bool {
        self.lease.is_none() || self.stream.is_end_stream()
    }

    pub(in crate::transport) fn left(&self) -> Option<u64> {
        self.left
    }
}

impl Lease {
    fn explain(&self, error: h2::Error) -> Error {
        failure::of_http2(error, self.0.silent.load(Ordering::Acquire))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.last.set_now();
        self.0.streams.fetch_sub(1, Ordering::Release);
        self.0.freed.notify_one();
    }
}

/// Takes out what has no place in HTTP/2 (RFC 9113, 8.2.2).
fn leave_out_http1(headers: &mut HeaderMap) {
    let named =
        headers.get_all(CONNECTION).iter().filter_map(|names| names.to_str().ok()).flat_map(|names| names.split(','));
    let named: Vec<_> = named.filter_map(|name| HeaderName::try_from(name.trim()).ok()).collect();
    for name in named.iter().chain(&OF_HTTP1) {
        headers.remove(name);
    }
    if headers.get(TE).is_some_and(|te| te != "trailers") {
        headers.remove(TE);
    }
}

/// A connection that is on its way into the pool, until it is there or has ended.
struct Arrival {
    pool: Weak<Pool>,
    /// What comes into the pool once the server has said how many streams it allows, and the attempt that has succeeded then.
    expected: Option<(Sender, Attempt)>,
}

impl Arrival {
    fn complete(&mut self) {
        if let Some((sender, attempt)) = self.expected.take()
            && let Some(pool) = self.pool.upgrade()
        {
            pool.add(sender);
            attempt.succeeded();
        }
    }

    /// Leaves the connection to the request that made it. The attempt has come to nothing.
    fn give_up(&mut self) {
        self.expected = None;
    }
}

/// Keeps a connection going to its end, and the pool informed.
async fn attend(
    mut connection: client::Connection<Stream, Bytes>,
    entry: Entry,
    mut arrival: Arrival,
    usage: Arc<Usage>,
    pings: Pings,
    last_read: Arc<Latest>,
) {
    let ping_pong = connection.ping_pong();
    let mut too_late = pin!(sleep(SETTINGS_TIMEOUT));
    let alive = poll_fn(|context| {
        let ended = Pin::new(&mut connection).poll(context);
        if arrival.expected.is_some() {
            if connection.max_concurrent_send_streams() != NO_SETTINGS {
                arrival.complete();
            } else if too_late.as_mut().poll(context).is_ready() {
                arrival.give_up();
            }
        }
        ended
    });
    tokio::select! {
        biased;
        // Its streams are told what went wrong.
        _ = alive => {}
        // They are told by the end of the connection, which is here.
        () = silence(ping_pong, pings, &last_read) => usage.silent.store(true, Ordering::Release),
        never = entry.forget_when_idle() => match never {},
    }
}

/// Waits until a ping is not answered. There is one whenever nothing has arrived for a while.
async fn silence(ping_pong: Option<PingPong>, pings: Pings, last_read: &Latest) {
    let (Some(mut ping_pong), Some(interval)) = (ping_pong, pings.interval) else { return pending().await };
    loop {
        let Some(quiet) = last_read.get().checked_add(interval) else { return pending().await };
        if quiet > Instant::now() {
            sleep_until(quiet).await;
            continue;
        }
        if ping_pong.send_ping(Ping::opaque()).is_err() {
            // The connection is about to end and says why.
            return pending().await;
        }
        match timeout(pings.timeout, poll_fn(|context| ping_pong.poll_pong(context))).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return pending().await,
            Err(_) => return,
        }
    }
}
