//! How many streams fit on a lane's connection, as far as its connections have told: [`Room`].

use std::sync::Arc;

use tokio::sync::watch;

/// What is known of a lane; a clone is the same.
#[derive(Clone)]
pub(super) struct Room(Arc<watch::Sender<State>>);

#[derive(Clone, Copy)]
struct State {
    phase: Phase,
    /// Counts connections and attempts, to tell them apart.
    serial: u64,
    /// How many attempts to connect have failed.
    failures: u64,
}

/// Where a lane's connection stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// There is none.
    Closed,
    /// One request goes ahead of all others to make it; the number is the attempt's.
    Opening(u64),
    /// It is there.
    Open {
        /// How many streams the server allows.
        streams: usize,
        /// Which connection this is about; none over HTTP/1.1, which has as many as there are requests.
        connection: Option<u64>,
    },
}

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State { phase: Phase::Closed, serial: 0, failures: 0 })))
    }

    pub(super) fn phase(&self) -> Phase {
        self.0.borrow().phase
    }

    /// Says that the caller will make the connection, until it drops what it gets.
    pub(super) fn open(&self) -> Opening {
        let attempt = self.next_serial();
        self.0.send_modify(|state| state.phase = Phase::Opening(attempt));
        Opening { room: self.clone(), attempt, failed: false }
    }

    /// Says that a connection takes any number of requests, because it will not be the only one.
    pub(super) fn unlimited(&self) {
        self.0.send_modify(|state| state.phase = Phase::Open { streams: usize::MAX, connection: None });
    }

    /// For a connection that will learn how many streams there may be.
    pub(super) fn report(&self) -> Report {
        Report { room: self.clone(), connection: self.next_serial() }
    }

    /// To wait until the attempt under way has ended.
    pub(super) fn waiting(&self) -> Waiting {
        let told = self.0.subscribe();
        let failures = told.borrow().failures;
        Waiting { told, failures }
    }

    fn next_serial(&self) -> u64 {
        let mut next = 0;
        self.0.send_if_modified(|state| {
            state.serial += 1;
            next = state.serial;
            false
        });
        next
    }
}

/// The request that goes ahead of the others. When it ends without a connection, another may try.
pub(super) struct Opening {
    room: Room,
    attempt: u64,
    failed: bool,
}

impl Opening {
    /// Says that there will be no connection, so that nobody else waits for one.
    pub(super) fn failed(&mut self) {
        self.failed = true;
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.room.0.send_if_modified(|state| {
            let unfinished = state.phase == Phase::Opening(self.attempt);
            if unfinished {
                state.phase = Phase::Closed;
                state.failures += u64::from(self.failed);
            }
            unfinished
        });
    }
}

/// Of one HTTP/2 connection.
pub(super) struct Report {
    room: Room,
    connection: u64,
}

impl Report {
    pub(super) fn allows(&self, streams: usize) {
        let connection = Some(self.connection);
        self.room.0.send_modify(|state| state.phase = Phase::Open { streams, connection });
    }
}

impl Drop for Report {
    /// The connection is gone. If another took its place meanwhile, that one counts.
    fn drop(&mut self) {
        self.room.0.send_if_modified(|state| {
            let mine = matches!(state.phase, Phase::Open { connection, .. } if connection == Some(self.connection));
            if mine {
                state.phase = Phase::Closed;
            }
            mine
        });
    }
}

/// A request that waits for another one to make the connection.
pub(super) struct Waiting {
    told: watch::Receiver<State>,
    failures: u64,
}

impl Waiting {
    /// Waits, and says whether the attempt failed.
    pub(super) async fn failed(mut self) -> bool {
        let ended = self.told.wait_for(|state| !matches!(state.phase, Phase::Opening(_))).await;
        ended.is_ok_and(|state| state.failures > self.failures)
    }
}
