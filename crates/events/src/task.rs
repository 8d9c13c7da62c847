//! The task that writes events.

use std::{pin::Pin, sync::Arc, time::Duration};

use k8s_client_runtime::{
    Error, Result,
    retry::{Backoff, BackoffManager},
};
use tokio::time::{Instant, sleep_until};

use crate::{
    correlate::{Outcome, Write},
    drops::LOG_INTERVAL,
    shared::{Life, Shared},
    sink,
};

/// How often the task looks for series that have ended, or are to be written again.
const TICK: Duration = Duration::from_secs(60);

/// How long the task may go on after the last handle is gone.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// The pauses after failures. client-go's are 10 seconds; short interruptions need not take that long.
const PAUSES: Backoff = Backoff {
    steps: u32::MAX,
    duration: Duration::from_secs(1),
    factor: 2.0,
    jitter: 0.25,
    cap: Some(Duration::from_secs(10)),
};

type Sent = (Write, Result<()>, Duration);

pub(crate) struct Task {
    shared: Arc<Shared>,
    pauses: BackoffManager,
    paused_until: Option<Instant>,
    next_tick: Instant,
    told_of_missing_permission: bool,
    told_of_refusal: Option<Instant>,
    /// However the task ends: with its runtime, or by itself.
    _end: End,
}

impl Task {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            _end: End(shared.clone()),
            shared,
            pauses: BackoffManager::new(PAUSES, Duration::MAX),
            paused_until: None,
            next_tick: Instant::now() + TICK,
            told_of_missing_permission: false,
            told_of_refusal: None,
        }
    }

    /// Writes until the last handle is gone, and then what is left.
    pub(crate) async fn run(mut self) {
        let mut sending: Option<Pin<Box<dyn Future<Output = Sent> + Send>>> = None;
        let mut close_by: Option<Instant> = None;
        loop {
            let (life, hurries, idle, waiting) = self.shared.with(|state| {
                let correlator = &mut state.correlator;
                if state.life != Life::Open && close_by.is_none() {
                    correlator.flush();
                }
                (state.life, std::mem::take(&mut state.hurries), correlator.is_idle(), correlator.waiting())
            });
            if hurries {
                self.paused_until = None;
            }
            if life != Life::Open {
                let by = *close_by.get_or_insert_with(|| Instant::now() + END_TIMEOUT);
                // Each has one more try.
                self.paused_until = None;
                if waiting == 0 || by <= Instant::now() {
                    return;
                }
            }
            if sending.is_none() && self.paused_until.is_none() {
                sending = self.send_next();
            }
            self.shared.drops.tell();

            let is_sending = sending.is_some();
            let is_paused = !is_sending && self.paused_until.is_some();
            let pause = self.paused_until.unwrap_or_else(Instant::now);
            let tells = self.shared.drops.due();
            tokio::select! {
                // What comes often is last, and holds up nothing else.
                biased;
                sent = async { sending.as_mut().expect("it is asked for").await }, if is_sending => {
                    sending = None;
                    self.settle(sent, close_by.is_some());
                }
                () = sleep_until(pause), if is_paused => self.paused_until = None,
                () = sleep_until(self.next_tick), if !idle => self.tick(),
                () = sleep_until(tells.unwrap_or_else(Instant::now)), if tells.is_some() => {}
                () = sleep_until(close_by.unwrap_or_else(Instant::now)), if close_by.is_some() => {}
                () = self.shared.wake.notified() => {}
            }
        }
    }

    fn tick(&mut self) {
        self.next_tick = Instant::now() + TICK;
        let now = self.shared.start.elapsed();
        self.shared.with(|state| state.correlator.tick(now));
    }

    fn send_next(&self) -> Option<Pin<Box<dyn Future<Output = Sent> + Send>>> {
        let write = self.shared.with(|state| state.correlator.next())?;
        let shared = self.shared.clone();
        Some(Box::pin(async move {
            let begun = Instant::now();
            let result = shared.sink.send(&write).await;
            (write, result, begun.elapsed())
        }))
    }

    fn settle(&mut self, (write, result, took): Sent, closing: bool) {
        let mut outcome = sink::outcome(&write, &result);
        match &result {
            // The request before, whose answer was lost, has written it.
            Err(_) if outcome == Outcome::Exists => self.shared.metrics.written(write.occurrences, took),
            Err(error) => self.failed(&write, error, outcome),
            Ok(()) => self.shared.metrics.written(write.occurrences, took),
        }
        if outcome == Outcome::Transient {
            self.paused_until = Some(Instant::now() + self.pauses.delay());
            if closing {
                outcome = Outcome::GivenUp;
            }
        } else {
            self.pauses.reset();
        }
        let now = self.shared.start.elapsed();
        self.shared.with(|state| state.correlator.settle(&write, outcome, now));
        self.shared.progress.notify_waiters();
    }

    fn failed(&mut self, write: &Write, error: &Error, outcome: Outcome) {
        self.shared.metrics.failed(error);
        let controller = &self.shared.sink.controller;
        let (what, event) = (if write.creates { "created" } else { "patched" }, &write.name);
        match outcome {
            Outcome::Refused if sink::is_of_a_terminating_namespace(error) => {}
            Outcome::Refused if error.is_forbidden() => {
                if !std::mem::replace(&mut self.told_of_missing_permission, true) {
                    let permission = self.shared.sink.api.permission();
                    tracing::error!(controller, %error, "an event could not be {what}: {permission}");
                }
            }
            Outcome::Refused if self.told_of_refusal.is_none_or(|told| told.elapsed() >= LOG_INTERVAL) => {
                self.told_of_refusal = Some(Instant::now());
                tracing::warn!(controller, event, %error, "an event could not be {what}");
            }
            _ => tracing::debug!(controller, event, %error, "an event could not be {what}"),
        }
    }
}

/// Ends the recorder when it is dropped.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}
