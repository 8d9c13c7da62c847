//! Elections in which the control plane chooses.

use std::{future::pending, time::Duration};

use k8s_client::leader_election::{Coordination, Ends, Loss};
use k8s_client_integration_tests::{Test, TestResult, config_of, eventually, soon, unique};
use k8s_client_test_harness::ADMIN_CONTEXT;
use tokio::{sync::oneshot, time::sleep};

use super::{LEASE, quick};

#[tokio::test]
async fn control_plane_chooses_the_oldest_version_and_replaces_a_newer_leader() -> TestResult {
    let test = Test::namespace().await;
    let config = config_of(ADMIN_CONTEXT);
    let (newer, older) = (unique("newer"), unique("older"));
    let candidate = |identity: &str, version: &str| {
        quick(&config, &test.namespace, identity).coordinated(Coordination::new(version)).build()
    };

    // The newer one is alone at first.
    let mut elector = candidate(&newer, "1.2.0")?;
    let (leads, led) = oneshot::channel();
    let of_newer = tokio::spawn(async move {
        elector
            .lead(|term| async move {
                let _ = leads.send(term.fencing_token());
                pending::<()>().await;
            })
            .await
    });
    let first = soon("the only candidate is chosen", led).await?;

    // The older one is better.
    let mut elector = candidate(&older, "1.1.0")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (leads, led) = oneshot::channel();
    let of_older = tokio::spawn(async move {
        let work = async move |term: k8s_client::leader_election::Term| {
            let _ = leads.send(term.fencing_token());
            term.stopping().await;
        };
        elector.lead_until(stopped, work).await
    });
    let ends = soon("the newer one ends its term", of_newer).await?;
    assert!(
        matches!(&ends, Ends::Lost(Loss::Unwanted { preferred }) if *preferred == older)
            || matches!(&ends, Ends::Lost(Loss::Taken { .. })),
        "{ends:?}"
    );
    let second = soon("the older one is chosen", led).await?;
    assert!(second > first, "{second} {first}");
    sleep(LEASE + Duration::from_secs(1)).await;
    assert!(!of_older.is_finished(), "it keeps the lease");

    drop(stop);
    let ends = soon("it stops", of_older).await?;
    assert!(matches!(ends, Ends::Work(())), "{ends:?}");
    let candidates = test.client.coordination_v1beta1().lease_candidates(&test.namespace);
    eventually("the announcements are taken back", || async {
        candidates.list().await.ok().filter(|list| list.items.is_empty())
    })
    .await;
    Ok(())
}
