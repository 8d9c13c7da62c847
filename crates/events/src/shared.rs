//! What the handles of a recorder and its task share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

use crate::{Metrics, correlate::Correlator, drops::Drops, sink::Sink};

pub(crate) struct Shared {
    state: Mutex<State>,
    /// There is something to do for the task.
    pub(crate) wake: Notify,
    /// The task has done something that others wait for.
    pub(crate) progress: Notify,
    pub(crate) sink: Sink,
    pub(crate) drops: Drops,
    pub(crate) metrics: Arc<dyn Metrics>,
    pub(crate) start: Instant,
}

pub(crate) struct State {
    pub(crate) correlator: Correlator,
    pub(crate) life: Life,
    /// Somebody waits: a pause after a failure ends now.
    pub(crate) hurries: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    /// Nothing more is recorded; the task writes what is left.
    Closing,
    /// There is no task.
    Ended,
}

impl Shared {
    pub(crate) fn new(correlator: Correlator, sink: Sink, metrics: Arc<dyn Metrics>) -> Self {
        Self {
            state: Mutex::new(State { correlator, life: Life::Open, hurries: false }),
            wake: Notify::new(),
            progress: Notify::new(),
            drops: Drops::new(&sink.controller, metrics.clone()),
            sink,
            metrics,
            start: Instant::now(),
        }
    }

    /// Does something with the state, which must not take long, and reports what was lost by it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let (result, losses) = {
            let mut state = self.lock();
            let result = act(&mut state);
            (result, state.correlator.take_losses())
        };
        if !losses.is_empty() {
            // Who waits for what is lost waits no longer.
            self.progress.notify_waiters();
        }
        for (why, occurrences) in losses {
            self.drops.add(why, occurrences);
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last handle is gone: the task writes what is left, and ends.
    pub(crate) fn close(&self) {
        self.with(|state| {
            if state.life == Life::Open {
                state.life = Life::Closing;
            }
        });
        self.wake.notify_one();
    }

    /// There is no task any more, for whatever reason.
    pub(crate) fn end(&self) {
        self.with(|state| {
            state.life = Life::Ended;
            state.correlator.end();
        });
        self.drops.tell();
        self.progress.notify_waiters();
    }
}
