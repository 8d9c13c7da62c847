//! Deletes: what they answer, what they demand, what becomes of what the object owned.

use std::time::{Duration, Instant};

use k8s_client::{
    PropagationPolicy,
    resource::{Deleted, DeletedCollection, ListOptions},
};
use k8s_client_integration_tests::{Test, TestResult, control_plane, eventually, gone, object, unique};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Preconditions};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{config_map, deployment, pod};

#[tokio::test]
async fn delete_answers_with_a_status_when_the_object_is_gone() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let created = config_maps.create(&config_map("web", "1")).await?;
    let Deleted::Status(status) = config_maps.delete("web").await? else { panic!("a config map goes at once") };
    let details = status.details.expect("the status names what is gone");
    assert_eq!((details.name, details.uid), (Some("web".to_owned()), created.metadata.uid));
    Ok(())
}

#[tokio::test]
async fn delete_answers_with_the_object_when_it_takes_time() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let mut web = config_map("web", "1");
    web.metadata.finalizers = Some(vec!["example.com/ours".to_owned()]);
    config_maps.create(&web).await?;

    let Deleted::Object(object) = config_maps.delete("web").await? else { panic!("it waits for its finalizer") };
    assert!(object.metadata.deletion_timestamp.is_some());
    config_maps.modify("web", |web| web.metadata.finalizers = None).await?;
    assert!(config_maps.get("web").await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn preconditions_that_do_not_hold_are_a_conflict() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let created = config_maps.create(&config_map("web", "1")).await?;

    let of_another = Preconditions { uid: Some("another".to_owned()), ..Preconditions::default() };
    let error = config_maps.delete("web").preconditions(of_another).await.expect_err("the uid differs");
    assert!(error.is_conflict(), "{error}");

    let updated = config_maps.update(&config_map("web", "2")).await?;
    let stale = Preconditions { resource_version: created.metadata.resource_version, ..Preconditions::default() };
    let error = config_maps.delete("web").preconditions(stale).await.expect_err("the version differs");
    assert!(error.is_conflict(), "{error}");

    let both = Preconditions { uid: updated.metadata.uid, resource_version: updated.metadata.resource_version };
    config_maps.delete("web").preconditions(both).await?;
    Ok(())
}

#[tokio::test]
async fn dry_run_deletes_nothing() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "1")).await?;
    config_maps.delete("web").dry_run().await?;
    config_maps.delete_collection().label_selector("app=test").dry_run().await?;
    config_maps.get("web").await?;
    Ok(())
}

#[tokio::test]
async fn collection_is_deleted_by_label() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    for name in ["one", "two"] {
        config_maps.create(&config_map(name, "1")).await?;
    }
    let mut kept = config_map("kept", "1");
    kept.metadata.labels = None;
    config_maps.create(&kept).await?;

    match config_maps.delete_collection().label_selector("app=test").await? {
        DeletedCollection::List(list) => assert_eq!(list.items.len(), 2),
        DeletedCollection::Status(status) => panic!("this server lists what it deleted: {status:?}"),
    }
    assert!(config_maps.list().label_selector("app=test").await?.items.is_empty());
    config_maps.get("kept").await?;
    Ok(())
}

#[tokio::test]
async fn seconds_of_a_collection_are_the_servers_limit() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "1")).await?;

    // A webhook that takes the connection and says nothing, for longer than the test waits.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let webhooks = test.client.admissionregistration_v1().validating_webhook_configurations();
    let name = unique("silent");
    let webhook = object(json!({
        "metadata": { "name": name },
        "webhooks": [{
            "name": "silent.example.com",
            "clientConfig": { "url": format!("https://{}/", silent.local_addr()?) },
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["DELETE"] }],
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": test.namespace } },
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "timeoutSeconds": 30,
        }],
    }));
    webhooks.create(&webhook).await?;
    let seconds = ListOptions { timeout_seconds: Some(1), ..ListOptions::default() };
    let given_up = eventually("the webhook is asked", || async {
        let began = Instant::now();
        let deletion = config_maps.delete_collection().list_options(seconds.clone()).dry_run().await;
        deletion.err().map(|error| (error, began.elapsed()))
    });
    let (error, took) = given_up.await;
    webhooks.delete(&name).await?;
    // kube-apiserver answers with 504, 500 or a broken stream, whichever of its parts notices first.
    assert!((Duration::from_secs(1)..Duration::from_secs(15)).contains(&took), "{took:?}: {error}");
    Ok(())
}

#[tokio::test]
async fn grace_period_of_a_pod_is_kept_or_cut() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    pods.create(&pod("web")).await?;
    // It has no node, so nobody needs the time.
    let deleted = pods.delete("web").grace_period_seconds(0).await?;
    assert_eq!(deleted.object().and_then(|pod| pod.metadata.name).as_deref(), Some("web"));
    assert!(pods.get("web").await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn orphans_stay_when_their_owner_goes() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    create_owner_and_owned(&test).await?;
    let deleted = config_maps.delete("owner").propagation_policy(PropagationPolicy::Orphan).await?;
    // The collector takes the owner's name out first; until then the owner waits.
    let finalizers = deleted.object().and_then(|object| object.metadata.finalizers);
    assert_eq!(finalizers, Some(vec!["orphan".to_owned()]));
    if control_plane().has_controllers() {
        let freed = || async { config_maps.get("owned").await.ok().filter(|o| o.metadata.owner_references.is_none()) };
        eventually("the owned object is free", freed).await;
    }
    Ok(())
}

#[tokio::test]
async fn owned_objects_go_first_or_afterwards() -> TestResult {
    if !control_plane().has_controllers() {
        println!("skipped: no kube-controller-manager runs here");
        return Ok(());
    }
    for policy in [PropagationPolicy::Foreground, PropagationPolicy::Background] {
        let test = Test::namespace().await;
        let config_maps = test.client.core_v1().config_maps(&test.namespace);
        create_owner_and_owned(&test).await?;
        let deleted = config_maps.delete("owner").propagation_policy(policy).await?;
        assert_eq!(deleted.object().is_some(), policy == PropagationPolicy::Foreground, "{policy:?}");
        for name in ["owner", "owned"] {
            gone("owner and owned are gone", || config_maps.get(name)).await;
        }
    }
    Ok(())
}

/// Makes the config maps `owner` and `owned`.
async fn create_owner_and_owned(test: &Test) -> k8s_client::Result<()> {
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let owner = config_maps.create(&config_map("owner", "1")).await?;
    let mut possession = config_map("owned", "1");
    possession.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        name: "owner".to_owned(),
        uid: owner.metadata.uid.unwrap_or_default(),
        block_owner_deletion: Some(true),
        ..OwnerReference::default()
    }]);
    config_maps.create(&possession).await.map(drop)
}

#[tokio::test]
async fn deployment_takes_its_pods_along() -> TestResult {
    if !control_plane().has_controllers() {
        println!("skipped: no kube-controller-manager runs here");
        return Ok(());
    }
    let test = Test::namespace().await;
    let (apps, core) = (test.client.apps_v1(), test.client.core_v1());
    let pods = core.pods(&test.namespace);
    apps.deployments(&test.namespace).create(&deployment("web", 2)).await?;
    let count = || async { pods.list().label_selector("app=web").await.map_or(0, |list| list.items.len()) };
    eventually("the pods are there", || async { (count().await == 2).then_some(()) }).await;
    apps.deployments(&test.namespace).delete("web").await?;
    eventually("the pods are gone", || async { (count().await == 0).then_some(()) }).await;
    let sets = apps.replica_sets(&test.namespace).list().await?;
    assert!(sets.items.iter().all(|set| set.metadata.deletion_timestamp.is_some()));
    Ok(())
}
