//! The connections to one server: which one a request goes to, and when one is made or let go.
//!
//! A server limits the streams of an HTTP/2 connection, and each watch takes one for as long as it lasts. A request that
//! found no room would wait for the end of a watch, without a word. So, like Go's client, this one opens another connection.
//!
//! What the limit is, a server says first of all on a connection. Where requests come before that, one goes ahead and the
//! others wait: what they would have waited for anyway, and it saves as many handshakes as there are requests. Over HTTP/1.1
//! nobody waits, as each needs a connection of its own.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Response, Uri, request::Parts};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    connector::{Connector, Offer},
    http1,
    http2::{self, Pings},
};
use crate::{
    error::Result,
    transport::{Body, failure},
};

/// How long a connection without requests is kept, as in Go.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// How many HTTP/1.1 connections without requests are kept at once.
const MAX_IDLE: usize = 25;

/// Tells connections apart.
pub(super) type Id = u64;

/// The connections to a server.
pub(super) struct Pool {
    connector: Connector,
    pings: Pings,
    open: Mutex<Open>,
    ids: AtomicU64,
    /// Held by the request that makes a connection, until it is known how many others that takes.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// How many attempts to connect have failed.
    failures: AtomicU64,
    /// Told of each place that comes or becomes free.
    freed: Arc<Notify>,
    /// The server chose HTTP/1.1 when it was asked last.
    http1: AtomicBool,
}

#[derive(Default)]
struct Open {
    /// The oldest first, so that others become idle.
    http2: Vec<http2::Sender>,
    /// Those without a request; what was used last is used next.
    idle: Vec<(http1::Sender, Instant)>,
}

impl Open {
    fn forget(&mut self, id: Id) {
        self.http2.retain(|sender| sender.id != id);
        self.idle.retain(|(sender, _)| sender.id != id);
    }
}

/// Where a request may go.
enum Place {
    Http1(http1::Sender),
    Http2(http2::Place),
}

impl Pool {
    pub(super) fn new(connector: Connector, pings: Pings) -> Self {
        Self {
            connector,
            pings,
            open: Mutex::default(),
            ids: AtomicU64::default(),
            turn: Arc::default(),
            failures: AtomicU64::default(),
            freed: Arc::default(),
            http1: AtomicBool::default(),
        }
    }

    /// Sends a request and waits for the head of the answer. Only a request of which nothing was sent goes to another
    /// connection when one is closed.
    pub(super) async fn send(self: &Arc<Self>, mut head: Parts, body: Bytes) -> Result<Response<Body>> {
        loop {
            match self.place(&head.uri).await? {
                Place::Http2(place) => return place.send(head, body).await,
                Place::Http1(sender) => match sender.send(head, body.clone()).await {
                    Ok(response) => return Ok(response),
                    Err(http1::Failure::Failed(error)) => return Err(error),
                    Err(http1::Failure::Unsent(unsent)) => head = *unsent,
                },
            }
        }
    }

    /// Sends a request whose connection is to become something else than HTTP, on one of its own.
    pub(super) async fn upgrade(&self, head: Parts, body: Bytes) -> Result<Response<Body>> {
        let connection = self.connector.connect(&head.uri, Offer::Http1).await.map_err(failure::of_connect)?;
        http1::upgrade(connection, head, body).await
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let open = self.open();
        open.http2.len() + open.idle.len()
    }

    /// A place on a connection that is there, or on a new one, whichever comes first.
    async fn place(self: &Arc<Self>, server: &Uri) -> Result<Place> {
        if let Some(place) = self.free_place() {
            return Ok(place);
        }
        let done = AtomicBool::new(false);
        tokio::select! {
            biased;
            place = self.freed_place(&done) => Ok(place),
            place = self.new_place(server, &done) => place,
        }
    }

    async fn freed_place(&self, done: &AtomicBool) -> Place {
        loop {
            self.freed.notified().await;
            if let Some(place) = self.free_place() {
                done.store(true, Ordering::Relaxed);
                return place;
            }
        }
    }

    async fn new_place(self: &Arc<Self>, server: &Uri, done: &AtomicBool) -> Result<Place> {
        let mut turn = None;
        if !self.http1.load(Ordering::Relaxed) {
            let failures = self.failures.load(Ordering::Relaxed);
            let mine = self.turn.clone().lock_owned().await;
            if let Some(place) = self.free_place() {
                return Ok(place);
            }
            // When an attempt failed, each request may find out for itself. One after the other would take too long.
            let patient = self.failures.load(Ordering::Relaxed) == failures && !self.http1.load(Ordering::Relaxed);
            turn = patient.then_some(mine);
        }
        let _attempt = Attempt { pool: self, done };
        let connection = self.connector.connect(server, Offer::Any).await.map_err(failure::of_connect)?;
        self.http1.store(!connection.http2, Ordering::Relaxed);
        let place = if connection.http2 {
            Place::Http2(http2::Sender::start(connection, self.pings, self, turn).await?)
        } else {
            drop(turn);
            Place::Http1(http1::Sender::start(connection, self).await?)
        };
        done.store(true, Ordering::Relaxed);
        Ok(place)
    }

    fn free_place(&self) -> Option<Place> {
        let mut open = self.open();
        while let Some(mut place) = open.http2.iter().find_map(http2::Sender::free_place) {
            if place.is_open() {
                return Some(Place::Http2(place));
            }
            open.forget(place.id);
        }
        while let Some((sender, _)) = open.idle.pop() {
            if sender.is_open() {
                return Some(Place::Http1(sender));
            }
        }
        None
    }

    /// What is told of each place that becomes free.
    pub(super) fn freed(&self) -> Arc<Notify> {
        self.freed.clone()
    }

    /// Takes in a connection that has room.
    pub(super) fn add(&self, sender: http2::Sender) {
        self.open().http2.push(sender);
        self.freed.notify_waiters();
    }

    /// Takes back a connection that can be used again.
    pub(super) fn give_back(&self, sender: http1::Sender) {
        let mut open = self.open();
        if open.idle.len() < MAX_IDLE {
            open.idle.push((sender, Instant::now()));
            self.freed.notify_one();
        }
    }

    /// Says that an attempt came to nothing, so that nobody else waits for its turn.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets go of a connection if it was idle for long, and says when to look again.
    fn forget_idle(&self, id: Id) -> Instant {
        let mut open = self.open();
        let http1 = open.idle.iter().find(|(sender, _)| sender.id == id).map(|(_, since)| *since);
        let http2 = || open.http2.iter().find(|sender| sender.id == id).and_then(http2::Sender::idle_since);
        let now = Instant::now();
        let end = http1.or_else(http2).unwrap_or(now) + IDLE_TIMEOUT;
        if end > now {
            return end;
        }
        open.forget(id);
        now + IDLE_TIMEOUT
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it holds the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt to make a connection. It has failed if it ends before its request has a place: also when that was given up, or a
/// server that takes longer than requests wait would never be reached.
struct Attempt<'a> {
    pool: &'a Pool,
    done: &'a AtomicBool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.done.load(Ordering::Relaxed) {
            self.pool.failed();
        }
    }
}

/// A connection's entry in its pool, whether or not it is there: the pool forgets the connection when this is dropped, however
/// the connection ended.
pub(super) struct Entry {
    pool: Weak<Pool>,
    pub(super) id: Id,
}

impl Entry {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        Self { pool: Arc::downgrade(pool), id: pool.ids.fetch_add(1, Ordering::Relaxed) }
    }

    /// Has the pool forget a connection that was idle for long, which is its end.
    pub(super) async fn forget_when_idle(&self) -> Infallible {
        let mut next = Instant::now() + IDLE_TIMEOUT;
        loop {
            sleep_until(next).await;
            let Some(pool) = self.pool.upgrade() else { return pending().await };
            next = pool.forget_idle(self.id);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.open().forget(self.id);
        }
    }
}
