//! An item that is worked on.

use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use crate::{named::Name, queue::Shared, state::Outcome};

/// An item that was taken from a [`Queue`](crate::Queue), and that nobody else gets until this guard is gone.
///
/// It is read by `*item` or `&item`. One that is dropped without a word, as by a panic in the work, is tried again like
/// one that failed.
///
/// Once the queue is [closed](crate::Queue::close), nothing is tried again: as in client-go, an item that fails then,
/// or is to come again later, is dropped, unless it was added once more before the queue was closed.
#[must_use = "an item that is dropped is tried again"]
pub struct Item<T> {
    name: Name<T>,
    queue: Arc<Shared<T>>,
    outcome: Outcome,
}

impl<T> Item<T> {
    pub(crate) fn new(name: Name<T>, queue: Arc<Shared<T>>) -> Self {
        Self { name, queue, outcome: Outcome::Retry }
    }

    /// The work is done, and earlier failures of the item are forgotten.
    pub fn done(mut self) {
        self.outcome = Outcome::Done;
    }

    /// The work has failed: the item comes again after the queue's [`ItemBackoff`](crate::ItemBackoff). In a closed
    /// queue it does not.
    pub fn retry(self) {}

    /// The work is done for now, and the item comes again after this time or when it is added, whichever is earlier.
    /// Earlier failures are forgotten. In a closed queue it does not come again.
    pub fn again_after(mut self, pause: Duration) {
        self.outcome = Outcome::AgainAfter(pause);
    }
}

impl<T> Drop for Item<T> {
    fn drop(&mut self) {
        self.queue.finish(&self.name, self.outcome);
    }
}

impl<T> Deref for Item<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.name
    }
}

impl<T: fmt::Debug> fmt::Debug for Item<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Item").field(&**self.name).finish()
    }
}
