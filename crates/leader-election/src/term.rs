//! A term: the time in which a candidate leads.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::clock::{Clock, Moment};

/// The time in which this candidate leads. It begins before the work does, and ends before the work is dropped. A clone
/// is the same term.
///
/// The work itself is stopped in time, and so is a controller of `k8s-client-controller` that is run in it. Other tasks
/// that it has started, and changes that must not come late, ask the term:
///
/// ```
/// use k8s_client_leader_election::Term;
///
/// async fn work(term: Term) {
///     let background = tokio::spawn({
///         let term = term.clone();
///         async move {
///             tokio::select! {
///                 () = term.ended() => {}
///                 () = std::future::pending() => {} // what it does
///             }
///         }
///     });
///     term.stopping().await;
///     // Finish what is under way, and take up nothing new.
///     background.abort();
/// }
/// ```
#[derive(Clone)]
pub struct Term {
    shared: Arc<Shared>,
}

struct Shared {
    identity: Arc<str>,
    number: i32,
    clock: Clock,
    /// When the term ends, unless the lease is renewed before.
    deadline: Mutex<Moment>,
    phase: Mutex<Phase>,
    /// Wakes those who wait for a phase, in their order: what they do next must not be left to chance.
    phase_changed: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Leading,
    /// The program has asked to stop.
    Stopping,
    Ended,
}

impl Term {
    pub(crate) fn new(identity: Arc<str>, number: i32, clock: Clock, deadline: Moment) -> Self {
        let (deadline, phase) = (Mutex::new(deadline), Mutex::new(Phase::Leading));
        Self { shared: Arc::new(Shared { identity, number, clock, deadline, phase, phase_changed: Notify::new() }) }
    }

    /// Whether this candidate leads at this moment: by the monotonic clock, which cannot be set, and by the system's,
    /// which goes on while the machine is suspended.
    ///
    /// Nobody else leads until the lease expires, which is at least the difference between
    /// [`lease_duration`](crate::ElectorBuilder::lease_duration) and
    /// [`renew_deadline`](crate::ElectorBuilder::renew_deadline) later.
    pub fn is_valid(&self) -> bool {
        self.phase() != Phase::Ended && !self.remaining().is_zero()
    }

    /// How long this candidate leads if the lease is not renewed any more. Zero once the term has ended.
    pub fn remaining(&self) -> Duration {
        if self.phase() == Phase::Ended {
            return Duration::ZERO;
        }
        self.deadline().since(self.shared.clock.now())
    }

    /// The number of the term. Each term of the lease has a higher one than all before it, so a system that refuses
    /// lower numbers than it has seen is safe even from changes that were sent in time and arrive late. It is the
    /// lease's `leaseTransitions`.
    ///
    /// It begins again at 0 if somebody deletes the lease while nobody is a candidate.
    pub fn fencing_token(&self) -> u32 {
        self.shared.number.unsigned_abs()
    }

    /// What this candidate calls itself.
    pub fn identity(&self) -> &str {
        &self.shared.identity
    }

    /// Waits until the program asks to stop, or the term has ended. After the former the work has some time to end by
    /// itself: [`stop_timeout`](crate::ElectorBuilder::stop_timeout).
    ///
    /// The future does not borrow the term, so it can stop something that lives longer:
    ///
    /// ```
    /// # use std::{future::Future, time::Duration};
    /// # use k8s_client_leader_election::Term;
    /// # async fn run_until(stop: impl Future + Send + 'static) { stop.await; }
    /// # async fn example(term: Term) {
    /// tokio::spawn(run_until(term.stopping()));
    /// # }
    /// ```
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        self.reached(|phase| phase != Phase::Leading)
    }

    /// Waits until the term has ended. The work does not see this, since it is dropped; tasks that it has started do.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.reached(|phase| phase == Phase::Ended)
    }

    fn reached(&self, reached: fn(Phase) -> bool) -> impl Future<Output = ()> + Send + use<> {
        let term = self.clone();
        async move {
            loop {
                let changed = term.shared.phase_changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if reached(term.phase()) {
                    return;
                }
                changed.await;
            }
        }
    }

    fn phase(&self) -> Phase {
        *self.shared.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on to a phase, never back.
    fn enter(&self, phase: Phase) {
        {
            let mut current = self.shared.phase.lock().unwrap_or_else(PoisonError::into_inner);
            *current = phase.max(*current);
        }
        self.shared.phase_changed.notify_waiters();
    }

    fn deadline(&self) -> Moment {
        *self.shared.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the deadline has passed.
    pub(crate) async fn expired(&self) {
        while self.is_valid() {
            self.shared.clock.sleep_until(self.deadline().monotonic).await;
        }
    }

    /// Moves the deadline, unless the term is over.
    pub(crate) fn extend(&self, deadline: Moment) -> bool {
        let is_valid = self.is_valid();
        if is_valid {
            *self.shared.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
        }
        is_valid
    }

    /// How long ago the deadline was.
    pub(crate) fn overdue(&self) -> Duration {
        let now = self.shared.clock.now().monotonic;
        now.saturating_duration_since(self.deadline().monotonic)
    }

    pub(crate) fn stop(&self) {
        self.enter(Phase::Stopping);
    }

    pub(crate) fn end(&self) {
        self.enter(Phase::Ended);
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term")
            .field("identity", &self.shared.identity)
            .field("fencing_token", &self.shared.number)
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}
