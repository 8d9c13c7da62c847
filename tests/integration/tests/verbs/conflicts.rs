//! Several writers of one object.

use std::sync::atomic::{AtomicU32, Ordering};

use k8s_client::{Backoff, retry_on_conflict};
use k8s_client_integration_tests::{Test, TestResult, client};
use tokio::task::JoinSet;

use crate::config_map;

#[tokio::test]
async fn update_of_a_stale_object_is_a_conflict() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let stale = config_maps.create(&config_map("web", "1")).await?;
    config_maps.update(&config_map("web", "2")).await?;
    let error = config_maps.update(&stale).await.expect_err("it was changed since");
    assert!(error.is_conflict() && !error.is_already_exists(), "{error}");
    assert_eq!(error.code(), Some(409));
    Ok(())
}

#[tokio::test]
async fn retry_on_conflict_reads_again_and_succeeds() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "1")).await?;

    let tries = AtomicU32::new(0);
    let updated = retry_on_conflict(Backoff::DEFAULT_RETRY, || async {
        let mut web = config_maps.get("web").await?;
        if tries.fetch_add(1, Ordering::Relaxed) < 2 {
            // Somebody else is faster.
            config_maps.modify("web", |web| bump(web, "other")).await?;
        }
        bump(&mut web, "ours");
        config_maps.update(&web).await
    })
    .await?;
    let data = updated.data.unwrap_or_default();
    assert_eq!((data["ours"].as_str(), data["other"].as_str()), ("1", "2"));
    assert_eq!(tries.into_inner(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_modifies_lose_no_update() -> TestResult {
    const WRITERS: usize = 8;
    const UPDATES: usize = 5;
    let test = Test::namespace().await;
    let namespace = &test.namespace;
    test.client.core_v1().config_maps(namespace).create(&config_map("counter", "1")).await?;

    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        // Each has connections of its own, as different programs have.
        let config_maps = client().core_v1().config_maps(namespace);
        writers.spawn(async move {
            for _ in 0..UPDATES {
                let patient = Backoff { steps: 100, ..Backoff::DEFAULT_RETRY };
                config_maps.modify("counter", |counter| bump(counter, "count")).backoff(patient).await?;
            }
            Ok::<_, k8s_client::Error>(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    let counter = test.client.core_v1().config_maps(namespace).get("counter").await?;
    assert_eq!(counter.data.unwrap_or_default()["count"], (WRITERS * UPDATES).to_string());
    Ok(())
}

/// Adds one to an entry.
fn bump(object: &mut k8s_openapi::api::core::v1::ConfigMap, key: &str) {
    let entry = object.data.get_or_insert_default().entry(key.to_owned()).or_insert_with(|| "0".to_owned());
    *entry = entry.parse().map_or(0, |count: usize| count + 1).to_string();
}
