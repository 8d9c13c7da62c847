//! The elector in simulated time, on a small server of leases.

mod controllers;
mod lead;
mod observers;
mod server;
mod simulation;
mod stopping;

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use self::server::{Line, Server};
use crate::{
    Elector, ElectorBuilder,
    clock::{Clock, Moment},
};

const SECOND: Duration = Duration::from_secs(1);

/// A candidate whose line to the server and whose clocks the test has in its hand.
struct Candidate {
    line: Line,
    clocks: Clocks,
    identity: String,
}

impl Candidate {
    fn new(server: &Server, identity: &str) -> Self {
        Self { line: Line::new(server), clocks: Clocks::start(), identity: identity.to_owned() }
    }

    fn builder(&self) -> ElectorBuilder {
        let builder = Elector::builder(&server::config(), "default", "x").identity(&self.identity);
        let mut builder = builder.client(&self.line.client());
        let clocks = self.clocks.clone();
        builder.clock = Clock::of(move || clocks.now());
        builder.rng = fastrand::Rng::with_seed(7);
        builder
    }

    fn elector(&self) -> Elector {
        self.builder().build().expect("the configuration is good")
    }
}

/// The clocks of one machine.
#[derive(Clone)]
struct Clocks {
    start: Instant,
    state: Arc<Mutex<ClockState>>,
}

#[derive(Default)]
struct ClockState {
    /// How long the machine was suspended, in which the monotonic clock stood still.
    suspended: Duration,
    /// How far the system's clock is ahead, or behind.
    ahead: i64,
}

impl Clocks {
    fn start() -> Self {
        Self { start: Instant::now(), state: Arc::default() }
    }

    fn now(&self) -> Moment {
        let state = self.state.lock().unwrap();
        let now = Instant::now();
        let system = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + (now - self.start);
        let ahead = Duration::from_secs(state.ahead.unsigned_abs());
        let system = if state.ahead < 0 { system - ahead } else { system + ahead };
        Moment { monotonic: now - state.suspended, system }
    }

    /// The machine was suspended for so long, until now.
    fn was_suspended(&self, time: Duration) {
        self.state.lock().unwrap().suspended += time;
    }

    /// Sets the system's clock.
    fn step(&self, seconds: i64) {
        self.state.lock().unwrap().ahead += seconds;
    }
}

#[test]
fn every_way_to_lead_can_be_a_task() {
    fn is_send<F: Future + Send>(_: F) {}
    let mut elector = Elector::new(&server::config(), "default", "x").unwrap();
    is_send(elector.lead(|_| async {}));
    is_send(elector.lead_until(async {}, |_| async {}));
    is_send(elector.campaign(|_| async {}));
    is_send(elector.campaign_until(async {}, |_| async {}));
}
