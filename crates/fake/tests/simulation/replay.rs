//! A seed says all that happens.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

use k8s_client_fake::simulation::{Sim, Simulation};

use super::{config_maps, copier, copies, lead, use_config_maps};

/// Two copies of the operator, of which one works, and its users.
async fn operator_with_two_copies(sim: Sim) {
    for name in ["copier-0", "copier-1"] {
        sim.start(name, move |client| async move { lead(&client.clone(), name, || copier(client.clone())).await });
    }
    use_config_maps(&sim, "web", 5).await;
    sim.calm().await;
    let (originals, copies) = copies(&sim).await;
    assert_eq!(originals, copies);
}

#[test]
fn two_runs_of_a_seed_send_the_same_requests_byte_for_byte() {
    let report = Simulation::seeds(0..2).minutes(15).replays(operator_with_two_copies).unwrap();
    assert!(report.requests > 4_000, "{report:?}");
}

#[test]
fn operator_that_does_not_replay_is_found() {
    let failure = Simulation::new(1).minutes(5).replays(|sim| async move {
        sim.start("hasty", |client| async move {
            loop {
                // Whatever follows from no seed.
                let random = RandomState::new().build_hasher().finish();
                let _ = config_maps(&client).get(&format!("x-{random}")).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        while sim.turn().await {}
    });
    let failure = failure.unwrap_err();
    assert!(failure.reason.contains("/configmaps/x-"), "{failure}");
}

#[test]
fn operator_with_two_copies_survives_everything() {
    let report = Simulation::seeds(0..3).minutes(20).check(operator_with_two_copies).unwrap();
    assert_eq!(report.simulations, 3);
    assert!(report.faults > 300, "{report:?}");
}
