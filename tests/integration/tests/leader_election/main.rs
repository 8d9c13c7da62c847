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

/// An elector with shorter times than usual: a lease of 5 seconds, which is renewed twice a second for up to 3 seconds.
fn quick(config: &Config, namespace: &str, identity: &str) -> ElectorBuilder {
    Elector::builder(config, namespace, "election")
        .identity(identity)
        .lease_duration(Duration::from_secs(5))
        .renew_deadline(Duration::from_secs(3))
        .retry_period(Duration::from_millis(500))
}
