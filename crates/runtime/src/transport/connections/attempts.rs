//! Attempts to connect: how many run at once, and whose failure counts for which request.
//!
//! One attempt runs at a time, since what the server says on its connection decides whether another one is needed. When
//! an attempt has failed, a few run at a time until one succeeds, so that a server that is not there does not meet as
//! many attempts as there are requests. Nobody waits for one failure after another: a request shares the failure of any
//! attempt that began after it came, and where it finds all attempts under way, that of the youngest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::transport::failure::ConnectError;

/// How many attempts run at once after one has failed.
const MOST_WHILE_FAILING: usize = 4;

/// The attempts to connect of one pool.
pub(super) struct Attempts {
    state: Mutex<State>,
    /// Notified when an attempt has ended.
    changed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// How many attempts have begun, which is the number of the last one.
    begun: u64,
    /// The numbers of those under way.
    running: Vec<u64>,
    /// The last attempt that ended came to nothing.
    failing: bool,
    /// The youngest attempt that failed, and why.
    failed: Option<(u64, ConnectError)>,
}

/// The number of the first attempt whose failure counts for a request.
#[derive(Clone, Copy)]
pub(super) struct Since(u64);

/// What a request does that has found no connection.
pub(super) enum Next {
    /// It connects.
    Begin(Attempt),
    /// It waits for the end of an attempt.
    Wait,
    /// It shares the failure of an attempt.
    Fail(ConnectError),
}

impl Attempts {
    pub(super) fn new(changed: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed })
    }

    /// Takes in a request that may have to connect.
    pub(super) fn arrive(&self) -> Since {
        let state = self.state();
        let youngest = state.running.last().filter(|_| state.failing && state.running.len() >= MOST_WHILE_FAILING);
        Since(youngest.copied().unwrap_or(state.begun + 1))
    }

    /// Decides what a request does. `together`: attempts need not wait for each other as long as they succeed.
    pub(super) fn next(self: &Arc<Self>, since: Since, together: bool) -> Next {
        let mut state = self.state();
        if let Some((_, error)) = state.failed.as_ref().filter(|(number, _)| *number >= since.0) {
            return Next::Fail(error.clone());
        }
        let most = match (state.failing, together) {
            (true, _) => MOST_WHILE_FAILING,
            (false, true) => usize::MAX,
            (false, false) => 1,
        };
        if state.running.len() >= most {
            return Next::Wait;
        }
        state.begun += 1;
        let number = state.begun;
        state.running.push(number);
        Next::Begin(Attempt { attempts: self.clone(), number, outcome: Outcome::GivenUp })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt under way, until it is dropped.
pub(super) struct Attempt {
    attempts: Arc<Attempts>,
    number: u64,
    outcome: Outcome,
}

enum Outcome {
    /// Whoever connected stopped. That counts as a failure, or a server that takes longer than requests wait would
    /// never be reached.
    GivenUp,
    /// There is a connection.
    Succeeded,
    /// The request found room on another connection.
    Unneeded,
    Failed(ConnectError),
}

impl Attempt {
    pub(super) fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    pub(super) fn unneeded(mut self) {
        self.outcome = Outcome::Unneeded;
    }

    pub(super) fn failed(mut self, error: ConnectError) {
        self.outcome = Outcome::Failed(error);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut state = self.attempts.state();
        state.running.retain(|number| *number != self.number);
        match std::mem::replace(&mut self.outcome, Outcome::GivenUp) {
            Outcome::Unneeded => {}
            Outcome::Succeeded => state.failing = false,
            Outcome::GivenUp => state.failing = true,
            Outcome::Failed(error) => {
                state.failing = true;
                if state.failed.as_ref().is_none_or(|(number, _)| *number < self.number) {
                    state.failed = Some((self.number, error));
                }
            }
        }
        drop(state);
        self.attempts.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts() -> Arc<Attempts> {
        Attempts::new(Arc::default())
    }

    fn error() -> ConnectError {
        ConnectError::new("refused".to_owned())
    }

    fn begin(attempts: &Arc<Attempts>, since: Since, together: bool) -> Option<Attempt> {
        match attempts.next(since, together) {
            Next::Begin(attempt) => Some(attempt),
            Next::Wait => None,
            Next::Fail(error) => panic!("{error}"),
        }
    }

    #[test]
    fn one_attempt_runs_at_a_time_unless_connections_are_not_shared() {
        let attempts = attempts();
        let since = attempts.arrive();
        let first = begin(&attempts, since, false).unwrap();
        assert!(begin(&attempts, since, false).is_none());
        let others: Vec<_> = (0..100).map_while(|_| begin(&attempts, since, true)).collect();
        assert_eq!(others.len(), 100);
        drop(others);
        first.succeeded();
        assert!(begin(&attempts, since, false).is_some());
    }

    #[test]
    fn few_attempts_run_at_a_time_after_a_failure_until_one_succeeds() {
        for together in [false, true] {
            let attempts = attempts();
            let since = attempts.arrive();
            drop(begin(&attempts, since, together));
            let mut running: Vec<_> = (0..100).map_while(|_| begin(&attempts, since, together)).collect();
            assert_eq!(running.len(), MOST_WHILE_FAILING);
            running.pop().unwrap().unneeded();
            assert!(begin(&attempts, since, together).is_some_and(|attempt| attempt.number > 5));
            running.pop().unwrap().succeeded();
            assert_eq!(begin(&attempts, since, together).is_some(), together);
        }
    }

    #[test]
    fn failure_counts_for_those_who_came_before_its_attempt_or_found_all_under_way() {
        let attempts = attempts();
        let early = attempts.arrive();
        let first = begin(&attempts, early, false).unwrap();
        let waiting = attempts.arrive();
        first.failed(error());
        assert!(matches!(attempts.next(early, false), Next::Fail(_)));
        // It came when the attempt was under way, and may have more luck.
        let mut running: Vec<_> = (0..4).map(|_| begin(&attempts, waiting, false).unwrap()).collect();
        let late = attempts.arrive();
        assert!(matches!(attempts.next(late, false), Next::Wait));
        running.remove(0).failed(error());
        assert!(matches!(attempts.next(waiting, false), Next::Fail(_)));
        assert!(matches!(attempts.next(late, false), Next::Begin(_)));
        running.pop().unwrap().failed(error());
        assert!(matches!(attempts.next(late, false), Next::Fail(_)));
        assert!(matches!(attempts.next(attempts.arrive(), false), Next::Begin(_)));
    }
}
