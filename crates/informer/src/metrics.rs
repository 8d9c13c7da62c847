//! What an informer reports of itself.

use std::time::Duration;

use k8s_client_runtime::Error;

/// Receives what an informer does. Every method does nothing unless it is implemented. They are called by the
/// informer's task, and must be quick.
pub trait Metrics: Send + Sync {
    /// All objects were read, by a list or by a watch with initial events: how many, and how long it took.
    fn listed(&self, objects: usize, took: Duration) {
        let _ = (objects, took);
    }

    /// A watch was opened.
    fn watched(&self) {}

    /// A watch has ended at once and brought nothing new: client-go's `short_watches_total`. See
    /// [`WatchFault`](crate::WatchFault).
    fn ended_at_once(&self) {}

    /// An event of a watch has changed an object.
    fn changed(&self) {}

    /// A list or a watch has failed, and is tried again.
    fn failed(&self, error: &Error) {
        let _ = error;
    }

    /// How many objects there are in memory now.
    fn objects(&self, count: usize) {
        let _ = count;
    }
}

pub(crate) struct NoMetrics;

impl Metrics for NoMetrics {}
