//! More than one connection where one is full: [`Lanes`].
//!
//! A server limits the streams of an HTTP/2 connection, and each watch takes one for as long as it lasts. A request that
//! found no room would wait for the end of a watch, without a word. So, like Go's client, this one opens another
//! connection. The pool below keeps one HTTP/2 connection to a server; here a lane is such a pool.

use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::client::legacy::Client;

use super::{Body, connect::Connector};

pub(super) type Pool = Client<Connector, Body>;

/// How many streams kube-apiserver allows a connection. The pool does not tell what this server does.
pub(super) const STREAMS: usize = 100;

/// The pools of a transport; a clone shares them.
#[derive(Clone)]
pub(super) struct Lanes {
    connector: Connector,
    build: fn(Connector) -> Pool,
    open: Arc<Mutex<Vec<Lane>>>,
}

struct Lane {
    pool: Pool,
    /// Its clones are the streams in use.
    streams: Arc<()>,
}

/// A stream in use, until this is dropped.
pub(super) struct Stream {
    _counted: Arc<()>,
}

impl Lanes {
    pub(super) fn new(connector: Connector, build: fn(Connector) -> Pool) -> Self {
        Self { connector, build, open: Arc::default() }
    }

    /// The first pool that has room, and the room.
    pub(super) fn take(&self) -> (Pool, Stream) {
        // Nothing panics while it holds the lock.
        let mut lanes = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let free = lanes.iter().position(|lane| Arc::strong_count(&lane.streams) <= STREAMS);
        let lane = free.unwrap_or_else(|| {
            lanes.push(Lane { pool: (self.build)(self.connector.clone()), streams: Arc::new(()) });
            lanes.len() - 1
        });
        let Lane { pool, streams } = &lanes[lane];
        (pool.clone(), Stream { _counted: streams.clone() })
    }
}
