//! What a queue reports of itself.

use std::time::Duration;

/// Receives what happens in a queue: client-go's metrics of work queues. Every method does nothing unless it is
/// implemented.
///
/// The methods are called while the queue is locked, so they must be quick and must not use the queue.
pub trait Metrics: Send + Sync {
    /// An item was added, or asked for again, and was not there before: client-go's `adds_total`.
    fn added(&self) {}

    /// The number of items that are ready to be taken has changed: `depth`.
    fn depth(&self, depth: usize) {
        let _ = depth;
    }

    /// An item was taken, and had been ready for so long: `queue_duration_seconds`.
    fn taken(&self, ready_for: Duration) {
        let _ = ready_for;
    }

    /// The work on an item has ended after so long: `work_duration_seconds`.
    fn finished(&self, worked_for: Duration) {
        let _ = worked_for;
    }

    /// The work on an item has failed and will be tried again: `retries_total`.
    fn retried(&self) {}
}

/// The state of a queue at one moment. `unfinished` and `longest_running` are client-go's `unfinished_work_seconds` and
/// `longest_running_processor_seconds`: they grow when workers are stuck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Items that are ready to be taken.
    pub ready: usize,
    /// Items that wait for their time: after a failure, or because they were added for later.
    pub waiting: usize,
    /// Items that are worked on.
    pub running: usize,
    /// How long all items that are worked on have been so, added up.
    pub unfinished: Duration,
    /// How long the item that has been worked on for the longest time has been so.
    pub longest_running: Duration,
}
