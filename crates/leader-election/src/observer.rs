//! What others of the program see of an election.

use std::{
    fmt,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_client_runtime::Error;
use tokio::sync::Notify;

use crate::{ElectionError, Term, timing::Timing};

/// Follows an election: who leads, and whether all is well. [`Elector::observer`](crate::Elector::observer) makes it.
/// It knows what the elector has seen, so nothing before [`lead`](crate::Elector::lead) or
/// [`campaign`](crate::Elector::campaign) runs.
///
/// ```
/// use k8s_client_leader_election::Observer;
///
/// async fn log(mut observer: Observer) {
///     while let Some(leader) = observer.next_leader().await {
///         println!("{leader} leads");
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Observer {
    board: Arc<Board>,
    last: Option<Arc<str>>,
}

impl Observer {
    /// Who holds the lease, as far as is known: an identity, which may be this candidate's own. `None` if nobody does.
    ///
    /// A holder that does not renew it any more counts until another candidate takes the lease.
    pub fn leader(&self) -> Option<Arc<str>> {
        self.board.state().leader.clone()
    }

    /// Waits until somebody else leads than this returned last, and returns who; at first, until anybody leads.
    /// client-go's `OnNewLeader`. `None` once the elector is dropped.
    pub async fn next_leader(&mut self) -> Option<Arc<str>> {
        loop {
            let mut changed = pin!(self.board.leader_changed.notified());
            changed.as_mut().enable();
            {
                let state = self.board.state();
                if state.leader.is_some() && state.leader != self.last {
                    self.last.clone_from(&state.leader);
                    return self.last.clone();
                }
                if state.is_closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// The term of this candidate, while it leads.
    pub fn term(&self) -> Option<Term> {
        self.board.state().term.clone().filter(Term::is_valid)
    }

    /// Why the last try to look at the lease, to win it or to renew it has failed. `None` if it has not.
    pub fn last_error(&self) -> Option<Arc<Error>> {
        self.board.state().error.clone()
    }

    /// For a health check: an error if this candidate's work runs although its lease expired longer than this time ago.
    /// That happens when something blocks the thread that the elector runs in. client-go's `Check`.
    pub fn check(&self, tolerance: Duration) -> Result<(), ElectionError> {
        let Some(overdue) = self.board.state().term.as_ref().map(Term::overdue) else { return Ok(()) };
        let Timing { lease_duration, renew_deadline, .. } = self.board.timing;
        // The deadline is counted from the renewal.
        let renewed = overdue.saturating_add(renew_deadline);
        if overdue.is_zero() || renewed <= lease_duration.saturating_add(tolerance) {
            return Ok(());
        }
        Err(ElectionError::Stalled { renewed, lease_duration })
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("leader", &self.leader()).finish_non_exhaustive()
    }
}

/// Where the elector writes what observers read.
pub(crate) struct Board {
    timing: Timing,
    state: Mutex<State>,
    /// Wakes those who wait for a leader, in their order: what they do next must not be left to chance.
    leader_changed: Notify,
}

#[derive(Default)]
struct State {
    term: Option<Term>,
    error: Option<Arc<Error>>,
    /// Who holds the lease, as far as is known.
    leader: Option<Arc<str>>,
    /// Nothing is written any more.
    is_closed: bool,
}

impl Board {
    pub(crate) fn new(timing: Timing) -> Self {
        Self { timing, state: Mutex::default(), leader_changed: Notify::new() }
    }

    pub(crate) fn observer(self: &Arc<Self>) -> Observer {
        Observer { board: self.clone(), last: None }
    }

    /// Writes down who holds the lease; nobody does if it is empty.
    pub(crate) fn set_holder(&self, holder: &str) {
        {
            let mut state = self.state();
            if state.leader.as_deref().unwrap_or_default() == holder {
                return;
            }
            state.leader = (!holder.is_empty()).then(|| holder.into());
        }
        self.leader_changed.notify_waiters();
    }

    /// The elector is gone.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.leader_changed.notify_waiters();
    }

    pub(crate) fn set_term(&self, term: Option<Term>) {
        self.state().term = term;
    }

    pub(crate) fn error(&self) -> Option<Arc<Error>> {
        self.state().error.clone()
    }

    /// Returns what was there before.
    pub(crate) fn set_error(&self, error: Option<Arc<Error>>) -> Option<Arc<Error>> {
        std::mem::replace(&mut self.state().error, error)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
