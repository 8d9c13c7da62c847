//! The connections to one server: which one a request goes to, and when one is made or let go.
//!
//! A server limits the streams of an HTTP/2 connection, and each watch takes one for as long as it lasts. A request
//! that found no room would wait for the end of a watch, without a word. So, like Go's client, this one opens another
//! connection.
//!
//! What the limit is, a server says first of all on a connection. Where requests come before that, one goes ahead and
//! the others wait: what they would have waited for anyway, and it saves as many handshakes as there are requests. Over
//! HTTP/1.1 nobody waits, as each needs a connection of its own. `attempts` says what holds when a server cannot be
//! reached.

use std::{
    convert::Infallible,
    future::pending,
    pin::pin,
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
    attempts::{Attempt, Attempts, Next},
    connector::{Connector, Offer},
    http1,
    http2::{self, Pings},
    stream::Connection,
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
    attempts: Arc<Attempts>,
    /// Notified of each stream and connection that comes or becomes free, and of each attempt that ends.
    freed: Arc<Notify>,
    /// The server chose HTTP/1.1 for the last connection.
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

/// The right to send a request on a connection.
enum Permit {
    Http1(http1::Sender),
    Http2(http2::Permit),
}

impl Pool {
    pub(super) fn new(connector: Connector, pings: Pings) -> Self {
        let freed = Arc::<Notify>::default();
        Self {
            connector,
            pings,
            open: Mutex::default(),
            ids: AtomicU64::default(),
            attempts: Attempts::new(freed.clone()),
            freed,
            http1: AtomicBool::default(),
        }
    }

    /// Sends a request and waits for the head of the answer. Only a request of which nothing was sent goes to another
    /// connection when one is closed.
    pub(super) async fn send(self: &Arc<Self>, mut head: Parts, body: Bytes) -> Result<Response<Body>> {
        loop {
            match self.permit(&head.uri).await? {
                Permit::Http2(permit) => return permit.send(head, body).await,
                Permit::Http1(sender) => match sender.send(head, body.clone()).await {
                    Ok(response) => return Ok(response),
                    Err(http1::Failure::Failed(error)) => return Err(error),
                    Err(http1::Failure::Unsent(unsent)) => head = *unsent,
                },
            }
        }
    }

    /// Sends a request whose connection is to become something else than HTTP, on one of its own.
    pub(super) async fn upgrade(&self, head: Parts, body: Bytes) -> Result<Response<Body>> {
        let connection = self.connector.connect(&head.uri, Offer::Upgrade).await.map_err(failure::of_connect)?;
        http1::upgrade(connection, head, body).await
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let open = self.open();
        open.http2.len() + open.idle.len()
    }

    /// The right to use a connection that is there, or a new one, whichever comes first.
    async fn permit(self: &Arc<Self>, server: &Uri) -> Result<Permit> {
        let since = self.attempts.arrive();
        let attempt = loop {
            let mut changed = pin!(self.freed.notified());
            changed.as_mut().enable();
            if let Some(permit) = self.free_permit() {
                return Ok(permit);
            }
            match self.attempts.next(since, self.http1.load(Ordering::Relaxed)) {
                Next::Begin(attempt) => break attempt,
                Next::Wait => changed.await,
                Next::Fail(error) => return Err(failure::of_connect(error)),
            }
        };
        let connection = tokio::select! {
            biased;
            permit = self.freed_permit() => {
                attempt.unneeded();
                return Ok(permit);
            }
            connection = self.connector.connect(server, Offer::Any) => connection,
        };
        match connection {
            Ok(connection) => self.first_permit(connection, attempt).await,
            Err(error) => {
                attempt.failed(error.clone());
                Err(failure::of_connect(error))
            }
        }
    }

    async fn freed_permit(&self) -> Permit {
        loop {
            let mut changed = pin!(self.freed.notified());
            changed.as_mut().enable();
            if let Some(permit) = self.free_permit() {
                return permit;
            }
            changed.await;
        }
    }

    /// Begins to speak on a new connection.
    async fn first_permit(self: &Arc<Self>, connection: Connection, attempt: Attempt) -> Result<Permit> {
        self.http1.store(!connection.http2, Ordering::Relaxed);
        if connection.http2 {
            Ok(Permit::Http2(http2::Sender::start(connection, self.pings, self, attempt).await?))
        } else {
            let sender = http1::Sender::start(connection, self).await?;
            attempt.succeeded();
            Ok(Permit::Http1(sender))
        }
    }

    fn free_permit(&self) -> Option<Permit> {
        let mut open = self.open();
        while let Some(mut permit) = open.http2.iter().find_map(http2::Sender::free_permit) {
            if permit.is_open() {
                return Some(Permit::Http2(permit));
            }
            open.forget(permit.id);
        }
        while let Some((sender, _)) = open.idle.pop() {
            if sender.is_open() {
                return Some(Permit::Http1(sender));
            }
        }
        None
    }

    /// What is notified of each stream that becomes free.
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

/// Removes a connection from its pool when it is dropped, however the connection ended.
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
