//! What a controller reports of itself.

use std::time::Duration;

/// Receives what a controller does, beside what its [queue](k8s_client_queue::Metrics) reports: controller-runtime's
/// metrics. Every method does nothing unless it is implemented. They are called by the controller's workers, and must
/// be quick.
pub trait Metrics: Send + Sync {
    /// So many objects are being worked on now: `active_workers`.
    fn running(&self, objects: usize) {
        let _ = objects;
    }

    /// A call of the function has ended: how, and how long it took. `reconcile_total` and `reconcile_time_seconds`.
    fn reconciled(&self, outcome: Outcome, took: Duration) {
        let _ = (outcome, took);
    }
}

/// How a call of the function ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Well: the next call comes when something changes.
    Done,
    /// Well, and the object is to be looked at again after some time.
    Again,
    /// With an error. It is tried again.
    Failed,
    /// With a panic. It is tried again.
    Panicked,
}

impl Outcome {
    /// What controller-runtime's label `result` has for it. A panic is an error there.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "success",
            Self::Again => "requeue_after",
            Self::Failed | Self::Panicked => "error",
        }
    }
}

pub(crate) struct NoMetrics;

impl Metrics for NoMetrics {}
