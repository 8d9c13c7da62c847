//! More than one connection where one is full: [`Lanes`].
//!
//! A server limits the streams of an HTTP/2 connection, and each watch takes one for as long as it lasts. A request that
//! found no room would wait for the end of a watch, without a word. So, like Go's client, this one opens another
//! connection. The pool below keeps one HTTP/2 connection to a server; here a lane is such a pool.
//!
//! What the limit is, a server says first of all on a connection. Where requests come before that, one goes ahead and the
//! others wait: what they would have waited for anyway, and it saves as many handshakes as there are requests.

use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::client::legacy::Client;
use tokio::task::yield_now;

use super::{
    Body,
    connect::Connector,
    room::{Opening, Phase, Room, Waiting},
    settings,
};

pub(super) type Pool = Client<Connector, Body>;

/// The pools of a transport.
pub(super) struct Lanes {
    build: Box<dyn Fn(Room) -> Pool + Send + Sync>,
    open: Mutex<Vec<Lane>>,
}

struct Lane {
    pool: Pool,
    room: Room,
    /// Its clones are the streams in use.
    streams: Arc<()>,
}

/// A stream in use, until this is dropped.
pub(super) struct Stream {
    _counted: Arc<()>,
}

/// Where a request may go.
pub(super) struct Place {
    pub(super) pool: Pool,
    pub(super) stream: Stream,
    /// Of the request that makes the lane's connection, until its answer is there.
    pub(super) opening: Option<Opening>,
}

impl Lanes {
    /// Lanes whose pools are made by `build`; their connections tell the room that it is given.
    pub(super) fn new(build: impl Fn(Room) -> Pool + Send + Sync + 'static) -> Self {
        Self { build: Box::new(build), open: Mutex::default() }
    }

    /// The first lane that has room, or a new one.
    pub(super) async fn take(&self) -> Place {
        let mut patient = true;
        loop {
            match self.try_take(patient) {
                Ok(place) => return place,
                // When a connection failed, each request may find out for itself. One after the other would take too long.
                Err(waiting) => {
                    patient = !waiting.failed().await;
                    // What the server allows is read before the pool has the connection: by the request that made it, which was
                    // woken in the same moment. Whoever comes first finds the pool empty and makes a connection of its own.
                    yield_now().await;
                }
            }
        }
    }

    fn try_take(&self, patient: bool) -> Result<Place, Waiting> {
        // Nothing panics while it holds the lock.
        let mut lanes = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(Lane::is_in_use);
        let mut opening = None;
        for lane in &*lanes {
            let used = Arc::strong_count(&lane.streams) - 1;
            match lane.room.phase() {
                Phase::Open { streams, .. } if used < streams => return Ok(lane.place(None)),
                Phase::Closed if patient => return Ok(lane.place(Some(lane.room.open()))),
                Phase::Opening(_) if patient => opening = opening.or(Some(lane)),
                Phase::Closed | Phase::Opening(_) if used < settings::ASSUMED => return Ok(lane.place(None)),
                _ => {}
            }
        }
        if let Some(lane) = opening {
            return Err(lane.room.waiting());
        }
        let room = Room::new();
        let lane = Lane { pool: (self.build)(room.clone()), room, streams: Arc::new(()) };
        let place = lane.place(Some(lane.room.open()));
        lanes.push(lane);
        Ok(place)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.open.lock().unwrap().len()
    }
}

impl Lane {
    /// The pool closes connections that are idle for long, and then the lane has none.
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.streams) > 1 || self.room.phase() != Phase::Closed
    }

    fn place(&self, opening: Option<Opening>) -> Place {
        Place { pool: self.pool.clone(), stream: Stream { _counted: self.streams.clone() }, opening }
    }
}
