//! What only the leader may change.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};

/// A resource that sees who works on it, in which term and when.
#[derive(Clone, Default)]
pub(super) struct Fence(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    highest: Option<u32>,
    last: Option<(String, Instant)>,
    complaint: Option<String>,
}

impl Fence {
    /// Somebody begins to work in this term.
    pub(super) fn begin(&self, token: u32) {
        let mut seen = self.seen();
        if seen.highest.is_some_and(|highest| highest >= token) {
            seen.complaint = Some(format!("term {token} begins after term {:?}", seen.highest));
        }
        seen.highest = Some(token);
    }

    /// Somebody works in this term.
    pub(super) fn act(&self, who: &str, token: u32) {
        let mut seen = self.seen();
        if seen.highest != Some(token) {
            seen.complaint = Some(format!("{who} works in term {token} during term {:?}", seen.highest));
        }
        seen.last = Some((who.to_owned(), Instant::now()));
    }

    /// Who works at this moment: who has worked within the last half second.
    pub(super) fn worker(&self) -> Option<String> {
        let seen = self.seen();
        seen.last.as_ref().filter(|(_, when)| when.elapsed() < Duration::from_millis(500)).map(|(who, _)| who.clone())
    }

    /// When somebody has worked last.
    pub(super) fn last_work(&self) -> Option<Instant> {
        self.seen().last.as_ref().map(|(_, when)| *when)
    }

    pub(super) fn token(&self) -> Option<u32> {
        self.seen().highest
    }

    /// Panics if anybody has ever worked outside of his term.
    pub(super) fn check(&self) {
        assert_eq!(self.seen().complaint, None);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
