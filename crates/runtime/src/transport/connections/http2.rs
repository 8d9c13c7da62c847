//! HTTP/2: as many requests at a time on a connection as the server allows.
//!
//! Requests are given to h2 where they are made: no task stands between a caller and the connection, and head and body
//! of a request leave together. `driver` says who sends and receives them.

use std::{
    convert::Infallible,
    future::{Future, pending, poll_fn},
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Ping, PingPong, RecvStream,
    client::{self, ResponseFuture, SendRequest},
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
    driver::{Driver, Later},
    pool::{Entry, Id, Pool},
    stream::{Connection, Latest, Stream},
};
use crate::{
    error::{Delivery, Error, ErrorKind, Result},
    transport::{Body, Endless, failure},
};

/// How much of an answer may be on its way or unread: as in Go, enough for 100 MB/s at 40 ms from the server. It cannot
/// be set for single streams.
const STREAM_WINDOW: u32 = 4 << 20;
/// The same for answers that go on for as long as the server likes, since they may be read slower than they come. As
/// much as is more than that is held back once it has been read.
const ENDLESS_WINDOW: u32 = 1 << 20;
const HELD_BACK: usize = (STREAM_WINDOW - ENDLESS_WINDOW) as usize;
/// What nobody reads yet of one answer counts against the whole connection, so that a small window would let a few slow
/// readers stop all others. This is the largest that the protocol knows, and has room for all streams.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
/// The most streams that are used of a connection, whatever the server allows: all together may be unread. Servers of
/// Kubernetes allow 100 or 250.
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

/// A connection, as the pool has it. It ends with its last stream when this is dropped.
pub(super) struct Sender {
    pub(super) id: Id,
    // Dropped in this order: the connection looks whether anybody has a use for it.
    send: SendRequest<Bytes>,
    shared: InPool,
}

/// What all streams of a connection know of it.
struct Shared {
    driver: Arc<Driver>,
    /// Notified when one of them ends.
    freed: Arc<Notify>,
    /// When a stream ended last.
    last: Latest,
    /// No ping was answered, so the connection was given up.
    silent: AtomicBool,
}

struct InPool(Arc<Shared>);

impl Drop for InPool {
    fn drop(&mut self) {
        self.0.driver.leave_pool();
    }
}

/// The right to open a stream.
pub(super) struct Permit {
    pub(super) id: Id,
    send: SendRequest<Bytes>,
    lease: Lease,
}

/// Counts as a stream in use until it is dropped.
struct Lease(Arc<Shared>);

impl Sender {
    /// Begins to speak on a connection and gives out the first permit. The others are found in the pool, where the
    /// connection comes as soon as the server has said how many streams it allows; then the attempt to connect has
    /// succeeded.
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
            // It counts what still arrives of answers that were given up, over the whole life of a connection, and ends
            // it for all others at 1024. That guards servers; a client gave those answers up itself.
            .max_local_error_reset_streams(None)
            .handshake(connection.stream)
            .await;
        let (send, mut connection) = handshake.map_err(|error| failure::of_http2(error, false))?;
        let driver = Driver::new();
        let shared = Arc::new(Shared {
            driver: driver.clone(),
            freed: pool.freed(),
            last: Latest::default(),
            silent: AtomicBool::new(false),
        });
        let entry = Entry::new(pool);
        let sender = Self { id: entry.id, send, shared: InPool(shared.clone()) };
        let permit = sender.permit();
        let ping_pong = connection.ping_pong();
        let mut arrival = Arrival { pool: Arc::downgrade(pool), expected: Some((sender, attempt)) };
        let polled = move |connection: &client::Connection<Stream, Bytes>| {
            if arrival.expected.is_some() && connection.max_concurrent_send_streams() != NO_SETTINGS {
                arrival.complete();
            }
        };
        driver.begin(connection, Box::new(polled));
        tokio::spawn(attend(End(shared), entry, ping_pong, pings, last_read));
        Ok(permit)
    }

    /// The right to open one more stream, if the server allows one.
    pub(super) fn free_permit(&self) -> Option<Permit> {
        let allowed = self.send.current_max_send_streams().min(MAX_STREAMS);
        (self.shared.0.driver.streams() < allowed).then(|| self.permit())
    }

    /// Since when there is no stream.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        (self.shared.0.driver.streams() == 0).then(|| self.shared.0.last.get())
    }

    fn permit(&self) -> Permit {
        self.shared.0.driver.stream_opened();
        Permit { id: self.id, send: self.send.clone(), lease: Lease(self.shared.0.clone()) }
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
        let endless = head.extensions.get::<Endless>().is_some();
        let to_hold_back = if endless { HELD_BACK } else { 0 };
        let meant_to_have_body = [Method::POST, Method::PUT, Method::PATCH].contains(&head.method);
        if !body.is_empty() || meant_to_have_body {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let driver = lease.0.driver.clone();
        let alone = driver.is_alone();
        let request = Request::from_parts(head, ());
        let open = move || {
            let sent = send.send_request(request, body.is_empty());
            // The answer keeps the connection.
            drop(send);
            sent.map(|(answer, mut stream)| {
                if !body.is_empty() {
                    // All of it is in memory already, so waiting for room in the stream's window would save none. If
                    // the stream has ended meanwhile, the answer tells how.
                    let _ = stream.send_data(body, true);
                }
                answer
            })
        };
        let sent = if alone { driver.quietly(open) } else { driver.aloud(open) };
        let answer = sent.map_err(|error| {
            // The connection broke, or the server said goodbye, since it was looked at.
            let unsent = error.is_io() || error.is_go_away();
            let error = lease.explain(error);
            if unsent { error.with_delivery(Delivery::Unprocessed) } else { error }
        })?;
        let waiting = Waiting { answer, driver, owed: alone, done: false };
        let response = waiting.await.map_err(|error| lease.explain(error))?;
        let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        Ok(response.map(|stream| {
            Body::http2(Incoming {
                open: Some(Open { stream, lease, owed: false, later: None }),
                left: length,
                to_hold_back,
                endless,
            })
        }))
    }
}

/// The head of an answer that is waited for.
struct Waiting {
    answer: ResponseFuture,
    driver: Arc<Driver>,
    /// The connection has to be polled.
    owed: bool,
    done: bool,
}

impl Future for Waiting {
    type Output = Result<Response<RecvStream>, h2::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { answer, driver, owed, done } = &mut *self;
        let response = ready!(driver.poll_alone(context, owed, |context| Pin::new(&mut *answer).poll(context)));
        *done = true;
        Poll::Ready(response)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.done {
            // The task sends the reset.
            self.driver.wait_no_longer();
        }
    }
}

/// The body of an answer.
pub(in crate::transport) struct Incoming {
    /// None when it has ended.
    open: Option<Open>,
    /// How many bytes are left, where the server has told.
    left: Option<u64>,
    /// How much less than the whole window the stream is to have from now on.
    to_hold_back: usize,
    /// It is left to the connection's task.
    endless: bool,
}

/// A stream that is read.
struct Open {
    stream: RecvStream,
    lease: Lease,
    /// The connection has to be polled.
    owed: bool,
    /// The waker that was given last, and the one that wakes it later.
    later: Option<(Waker, Waker)>,
}

impl Incoming {
    pub(in crate::transport) fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let Some(Open { stream, lease, owed, later }) = &mut self.open else { return Poll::Ready(None) };
        let data = if self.endless {
            let waker = context.waker();
            later.take_if(|(known, _)| !known.will_wake(waker));
            let (_, later) = later.get_or_insert_with(|| (waker.clone(), Later::waker(waker)));
            stream.poll_data(&mut Context::from_waker(later))
        } else {
            // What is there already takes no look at the connection.
            match stream.poll_data(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => lease.0.driver.poll_alone(context, owed, |context| stream.poll_data(context)),
                ready @ Poll::Ready(_) => ready,
            }
        };
        match ready!(data) {
            Some(Ok(data)) => {
                let held_back = data.len().min(self.to_hold_back);
                self.to_hold_back -= held_back;
                // Giving back more than has arrived would be the only error.
                let _ = stream.flow_control().release_capacity(data.len() - held_back);
                self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                Poll::Ready(Some(Ok(data)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(lease.explain(error).with_delivery(Delivery::Lost)))),
            None => {
                self.end();
                Poll::Ready(None)
            }
        }
    }

    pub(in crate::transport) fn is_at_end(&self) -> bool {
        self.open.as_ref().is_none_or(|open| open.stream.is_end_stream())
    }

    pub(in crate::transport) fn left(&self) -> Option<u64> {
        self.left
    }

    /// Gives up the stream, which ends with a reset if it has not ended by itself.
    fn end(&mut self) {
        let Some(Open { stream, lease, .. }) = self.open.take() else { return };
        let driver = &lease.0.driver;
        driver.wait_no_longer();
        if stream.is_end_stream() && driver.is_alone() {
            driver.quietly(|| drop(stream));
        } else {
            // Before the permit is given back.
            drop(stream);
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.end();
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
        self.0.driver.stream_closed();
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
    /// What comes into the pool once the server has said how many streams it allows, and the attempt that has succeeded
    /// then.
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
}

/// Keeps a connection going to its end as far as nobody else does, and the pool informed.
async fn attend(connection: End, entry: Entry, ping_pong: Option<PingPong>, pings: Pings, last_read: Arc<Latest>) {
    let End(shared) = &connection;
    let driver = &*shared.driver;
    let too_late = async {
        sleep(SETTINGS_TIMEOUT).await;
        // If the server has said nothing by now, the connection is left to the request that made it.
        driver.forget_polled();
        pending::<Infallible>().await
    };
    tokio::select! {
        biased;
        () = poll_fn(|context| driver.poll_as_task(context)) => {}
        () = silence(driver, ping_pong, pings, &last_read) => shared.silent.store(true, Ordering::Release),
        never = too_late => match never {},
        never = entry.forget_when_idle() => match never {},
    }
}

/// Ends a connection when its task does, also when it never begins. The streams learn what went wrong.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.driver.end();
    }
}

/// Waits until a ping is not answered. There is one whenever nothing has arrived for a while.
async fn silence(driver: &Driver, ping_pong: Option<PingPong>, pings: Pings, last_read: &Latest) {
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
        driver.drive();
        match timeout(pings.timeout, poll_fn(|context| ping_pong.poll_pong(context))).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return pending().await,
            Err(_) => return,
        }
    }
}
