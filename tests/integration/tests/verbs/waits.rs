//! Waiting for one object, while others change it.

use std::time::Duration;

use k8s_client::{
    ErrorKind, ResourceClient, Unstructured, WaitFor as _,
    resource::AnyScope,
    schema::GroupVersionResource,
    wait::conditions::{crd_established, deleted, deleted_with_uid, deployment_rolled_out, exists},
};
use k8s_client_integration_tests::{Test, TestResult, client, control_plane, object, unique};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use crate::{config_map, deployment};

#[tokio::test]
async fn an_object_is_waited_for_while_another_task_makes_changes_and_deletes_it() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let others = config_maps.clone();
    let made = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        others.create(&config_map("web", "one")).await?;
        others
            .modify("web", |web| drop(web.data.get_or_insert_default().insert("key".to_owned(), "two".to_owned())))
            .await
    });
    let is_two =
        |web: Option<&ConfigMap>| web.and_then(|web| web.data.as_ref()?.get("key")).is_some_and(|value| value == "two");
    let web = config_maps.wait_for("web", is_two).await?;
    assert_eq!(web, Some(made.await??));
    // It is as it should be already.
    assert_eq!(config_maps.wait_for("web", exists).await?, web);

    let uid = web.and_then(|web| web.metadata.uid).unwrap_or_default();
    let others = config_maps.clone();
    let replaced = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        others.delete("web").await?;
        others.create(&config_map("web", "three")).await
    });
    config_maps.wait_for("web", deleted_with_uid(uid)).await?;
    replaced.await??;
    config_maps.delete("web").await?;
    assert_eq!(config_maps.wait_for("web", deleted).await?, None);

    // Time enough to find out how it is.
    let late = config_maps.wait_for("web", exists).within(Duration::from_secs(5)).await.expect_err("it is gone");
    assert_eq!(late.kind(), ErrorKind::Timeout);
    assert!(late.to_string().ends_with("/configmaps/web: waited 5s for exists: it is not there"), "{late}");
    Ok(())
}

/// A definition of a resource that no other test has.
fn definition(plural: &str) -> Value {
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "metadata": { "name": format!("{plural}.waits.example.com") },
        "spec": {
            "group": "waits.example.com",
            "names": { "kind": "Wait", "plural": plural },
            "scope": "Cluster",
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }],
        },
    })
}

#[tokio::test]
async fn a_definition_is_waited_for_and_so_are_objects_of_what_is_not_served_yet() -> TestResult {
    let client = client();
    let definitions = client.apiextensions_v1().custom_resource_definitions();
    let plural = unique("waits");
    let name = format!("{plural}.waits.example.com");
    let resource = GroupVersionResource::new("waits.example.com", "v1", &plural);
    let objects = ResourceClient::<k8s_client::Json<Value>>::at(client.rest_client(), &resource, AnyScope::unknown());
    let dynamic = client.dynamic().resource(&resource);

    // A resource that is not there has no objects.
    assert_eq!(dynamic.wait_for("first", deleted).await?, None);
    let first = json!({ "apiVersion": "waits.example.com/v1", "kind": "Wait", "metadata": { "name": "first" } });
    let (found, made) = tokio::join!(dynamic.wait_for("first", exists), async {
        definitions.create(&object(definition(&plural))).await?;
        definitions.wait_for(&name, crd_established).await?;
        // It says so a moment before the path is served.
        loop {
            match objects.create(&first).await {
                Err(error) if error.is_not_found() => tokio::time::sleep(Duration::from_millis(50)).await,
                made => return made,
            }
        }
    });
    let made = made?;
    let found: Unstructured = found?.ok_or("it is there")?;
    assert_eq!(found.uid(), made["metadata"]["uid"].as_str());

    definitions.delete(&name).await?;
    assert_eq!(definitions.wait_for(&name, deleted).await?, None);
    assert_eq!(dynamic.wait_for("first", deleted).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_rollout_is_waited_for_and_one_that_does_not_end_says_how_far_it_came() -> TestResult {
    if !control_plane().has_controllers() {
        return Ok(());
    }
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.create(&deployment("none", 0)).await?;
    deployments.wait_for("none", deployment_rolled_out).await?.ok_or("it is there")?;

    // Nobody runs its pods.
    deployments.create(&deployment("stuck", 2)).await?;
    let unavailable = |it: Option<&k8s_openapi::api::apps::v1::Deployment>| {
        it.and_then(|it| it.status.as_ref()?.unavailable_replicas) == Some(2)
    };
    deployments.wait_for("stuck", unavailable).await?;
    let wait = deployments.wait_for("stuck", deployment_rolled_out).within(Duration::from_secs(5));
    let error = wait.await.expect_err("it does not come on").to_string();
    for part in [
        "/deployments/stuck: waited 5s for deployment_rolled_out: it is there at resourceVersion ",
        "observedGeneration=1",
        "unavailableReplicas=2",
        "Available=False (MinimumReplicasUnavailable)",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    Ok(())
}
