//! Leader election on a real server.

mod coordinated;
mod fence;
mod killed;
mod lines;
mod stalled;

use std::time::Duration;

use k8s_client::{
    Config,
    leader_election::{Elector, ElectorBuilder},
};

/// How long a lease is held, unless it is renewed.
const LEASE: Duration = Duration::from_secs(10);

/// An elector with shorter times than usual: its lease is renewed twice a second for up to 6 seconds. A busy machine is
/// to cost nobody the lease.
fn quick(config: &Config, namespace: &str, identity: &str) -> ElectorBuilder {
    Elector::builder(config, namespace, "election")
        .identity(identity)
        .lease_duration(LEASE)
        .renew_deadline(Duration::from_secs(6))
        .retry_period(Duration::from_millis(500))
}
