//! One connection under HTTP, and what is to be seen on it: that something arrived, and that it must end.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::transport::{
    dial::{Io, writes_to_io},
    tls::Retired,
};

/// A connection that HTTP can be spoken on.
pub(super) struct Connection {
    pub(super) stream: Stream,
    /// Which HTTP the server chose: 2, or else 1.1.
    pub(super) http2: bool,
    /// Requests go to a proxy, which wants to know the whole URL of each.
    pub(super) proxied: bool,
}

impl Connection {
    /// A connection to the server itself.
    pub(super) fn new(io: Box<dyn Io>, retired: Option<Retired>, http2: bool) -> Self {
        Self { stream: Stream { io, retired, last_read: Arc::default() }, http2, proxied: false }
    }

    /// The same connection, if it is one to a proxy that forwards requests.
    pub(super) fn through_proxy(self, proxied: bool) -> Self {
        Self { proxied, ..self }
    }
}

/// Bytes that are looked at as they pass. Reading is what HTTP always waits in, so that is where a connection learns
/// that it must end.
pub(super) struct Stream {
    io: Box<dyn Io>,
    retired: Option<Retired>,
    last_read: Arc<Latest>,
}

impl Stream {
    /// When something was read last.
    pub(super) fn last_read(&self) -> Arc<Latest> {
        self.last_read.clone()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(retired) = &mut self.retired {
            retired.check(cx)?;
        }
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        self.last_read.set_now();
        Poll::Ready(Ok(()))
    }
}

writes_to_io!(AsyncWrite for Stream);

/// A point in time that one task sets and another reads.
pub(super) struct Latest {
    start: Instant,
    /// Since the start, in milliseconds.
    passed: AtomicU64,
}

impl Latest {
    pub(super) fn set_now(&self) {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.passed.store(passed, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Instant {
        self.start + Duration::from_millis(self.passed.load(Ordering::Relaxed))
    }
}

impl Default for Latest {
    fn default() -> Self {
        Self { start: Instant::now(), passed: AtomicU64::new(0) }
    }
}
