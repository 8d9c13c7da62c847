//! What an elector reports of itself.

use std::time::Duration;

use k8s_client_runtime::Error;

/// Receives what happens in a leader election: client-go's metrics, and two more. Every method does nothing unless it
/// is implemented. The methods must be quick: the election waits for them.
pub trait Metrics: Send + Sync {
    /// This candidate begins or ceases to lead: client-go's `leader_election_master_status`. It ceases before its work
    /// is dropped.
    fn leading(&self, leading: bool) {
        let _ = leading;
    }

    /// The lease was renewed; the answer took so long.
    fn renewed(&self, took: Duration) {
        let _ = took;
    }

    /// The lease could not be renewed by the record in memory and was read again: `leader_election_slowpath_total`.
    fn slow_path(&self) {}

    /// A look at the lease or a change of it has failed. It will be tried again.
    fn failed(&self, error: &Error) {
        let _ = error;
    }
}

pub(crate) struct NoMetrics;

impl Metrics for NoMetrics {}
