//! A leader keeps its lease where the way to the server allows it at all.

use std::{future::pending, time::Duration};

use k8s_client::{
    Clientset,
    config::RateLimit,
    leader_election::{Elector, Ends},
};
use k8s_client_integration_tests::{Test, TestResult, config_of, eventually, field, soon};
use k8s_client_test_harness::{ADMIN_CONTEXT, UNPRIVILEGED_CONTEXT};
use tokio::time::sleep;

use super::{LEASE, lines::Line, quick};

#[tokio::test]
async fn connection_that_dies_in_silence_is_replaced_before_the_deadline() -> TestResult {
    let test = Test::namespace().await;
    let config = config_of(ADMIN_CONTEXT);
    let line = Line::start(&config).await?;
    // With the usual times: the pings must fit them.
    let mut elector = Elector::builder(&line.config(&config)?, &test.namespace, "election").build()?;
    let ends = elector
        .lead(|term| async move {
            sleep(Duration::from_secs(3)).await;
            let before = line.accepted();
            line.stall();
            // Longer than the deadline.
            sleep(Duration::from_secs(12)).await;
            (term.is_valid(), line.accepted() - before)
        })
        .await;
    let Ends::Work((is_valid, new)) = ends else { panic!("{ends:?}") };
    assert!(is_valid && new > 0, "{new} new connections");
    Ok(())
}

#[tokio::test]
async fn program_at_its_rate_limit_renews_its_lease() -> TestResult {
    let test = Test::namespace().await;
    let mut config = config_of(ADMIN_CONTEXT);
    config.rate_limit = Some(RateLimit { qps: 0.01, burst: 1 });
    let client = Clientset::new(&config)?;
    let maps = client.core_v1().config_maps(&test.namespace);
    maps.list().await?;
    let mut elector = quick(&config, &test.namespace, "busy").build()?;
    let ends = elector
        .lead(|term| async move {
            tokio::select! {
                // The program waits for its turn, a minute and a half.
                _ = maps.list().into_future() => false,
                () = sleep(LEASE + Duration::from_secs(1)) => term.is_valid(),
            }
        })
        .await;
    assert!(matches!(ends, Ends::Work(true)), "{ends:?}");
    Ok(())
}

#[tokio::test]
async fn lease_is_as_kubernetes_components_write_it_and_released_in_the_end() -> TestResult {
    let test = Test::namespace().await;
    let leases = test.client.coordination_v1().leases(&test.namespace);
    let seen = leases.clone();
    let mut elector = quick(&config_of(ADMIN_CONTEXT), &test.namespace, "me").label("app", "x").build()?;
    let ends = elector
        .lead(|_| async move {
            let first = seen.get("election").await?;
            let later = eventually("it is renewed", || async {
                let later = seen.get("election").await.ok()?;
                (field(&later, "/spec/renewTime") != field(&first, "/spec/renewTime")).then_some(later)
            });
            Ok::<_, k8s_client::Error>((first.clone(), later.await))
        })
        .await;
    let Ends::Work(Ok((first, later))) = ends else { panic!("{ends:?}") };
    assert_eq!(field(&first, "/spec/holderIdentity"), "me");
    assert_eq!(field(&first, "/spec/leaseDurationSeconds"), LEASE.as_secs());
    assert_eq!(field(&first, "/metadata/labels/app"), "x");
    assert_eq!(field(&first, "/spec/acquireTime"), field(&later, "/spec/acquireTime"));
    assert_eq!(field(&leases.get("election").await?, "/spec/holderIdentity"), "");
    let ends = elector.lead(|term| async move { term.fencing_token() }).await;
    assert!(matches!(ends, Ends::Work(1)), "{ends:?}");
    Ok(())
}

#[tokio::test]
async fn candidate_that_may_not_read_leases_says_so_and_goes_on_trying() -> TestResult {
    let test = Test::namespace().await;
    let mut elector = quick(&config_of(UNPRIVILEGED_CONTEXT), &test.namespace, "me").build()?;
    let observer = elector.observer();
    let trying = elector.lead(|_| pending::<()>());
    let told = soon("the error is told", async {
        loop {
            if let Some(error) = observer.last_error() {
                return error;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    let error = tokio::select! {
        ends = trying => panic!("it may not lead: {ends:?}"),
        error = told => error,
    };
    assert!(error.is_forbidden(), "{error}");
    assert!(error.to_string().contains("leases"), "{error}");
    Ok(())
}
