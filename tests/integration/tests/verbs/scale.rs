//! The scale subresource, and that the controllers see what it does.

use k8s_client::{
    Patch, WatchEvent,
    api::autoscaling::v1::apply::{ScaleApplyConfiguration, ScaleSpecApplyConfiguration},
};
use k8s_client_integration_tests::{Test, TestResult, control_plane, field, object, soon};
use serde_json::json;

use crate::deployment;

#[tokio::test]
async fn scale_is_read_updated_patched_and_applied() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.create(&deployment("web", 1)).await?;

    let mut scale = deployments.get_scale("web").await?;
    assert_eq!(field(&scale, "/spec/replicas"), 1);

    // Without a version it is the last writer who wins, whatever the controllers write meanwhile.
    scale.metadata.resource_version = None;
    let mut scale = serde_json::to_value(scale)?;
    scale["spec"]["replicas"] = 2.into();
    let scale = deployments.update_scale("web", &object(scale)).await?;
    assert_eq!(field(&scale, "/spec/replicas"), 2);

    let patch = Patch::Merge(json!({ "spec": { "replicas": 3 } }));
    let scale = deployments.patch_scale("web", &patch).await?;
    assert_eq!(field(&scale, "/spec/replicas"), 3);

    let configuration =
        ScaleApplyConfiguration::new("web", &test.namespace).spec(ScaleSpecApplyConfiguration::default().replicas(4));
    let scale = deployments.apply_scale(&configuration).field_manager("scaler").force().await?;
    assert_eq!(field(&scale, "/spec/replicas"), 4);

    let web = deployments.get("web").await?;
    assert_eq!(field(&web, "/spec/replicas"), 4);
    Ok(())
}

#[tokio::test]
async fn replica_set_follows_the_scale_of_its_deployment() -> TestResult {
    if !control_plane().has_controllers() {
        println!("skipped: no kube-controller-manager runs here");
        return Ok(());
    }
    let test = Test::namespace().await;
    let apps = test.client.apps_v1();
    let mut replica_sets = apps.replica_sets(&test.namespace).watch().await?;
    apps.deployments(&test.namespace).create(&deployment("web", 1)).await?;
    let patch = Patch::Merge(json!({ "spec": { "replicas": 3 } }));
    apps.deployments(&test.namespace).patch_scale("web", &patch).await?;

    let scaled = async {
        while let Some(event) = replica_sets.try_next().await? {
            let (WatchEvent::Added(set) | WatchEvent::Modified(set)) = event else { continue };
            // The controller has made the pods once the status counts them.
            if set.status.is_some_and(|status| status.replicas == 3) {
                return Ok::<_, k8s_client::Error>(true);
            }
        }
        Ok(false)
    };
    assert!(soon("the replica set has three pods", scaled).await?);

    let pods = test.client.core_v1().pods(&test.namespace).list().label_selector("app=web").await?;
    assert_eq!(pods.items.len(), 3);
    Ok(())
}

#[tokio::test]
async fn stateful_sets_replica_sets_and_replication_controllers_scale_too() -> TestResult {
    let test = Test::namespace().await;
    let patch = Patch::Merge(json!({ "spec": { "replicas": 2 } }));
    let template = json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "main", "image": "main:1" }] },
    });
    let scaled = |selector: serde_json::Value| json!({ "metadata": { "name": "web" }, "spec": { "replicas": 0, "selector": selector, "template": template } });
    let labels = json!({ "app": "web" });

    let sets = test.client.apps_v1().replica_sets(&test.namespace);
    sets.create(&object(scaled(json!({ "matchLabels": labels })))).await?;
    let scale = sets.patch_scale("web", &patch).dry_run().await?;
    assert_eq!(field(&scale, "/spec/replicas"), 2);

    let sets = test.client.apps_v1().stateful_sets(&test.namespace);
    sets.create(&object(scaled(json!({ "matchLabels": labels })))).await?;
    let scale = sets.patch_scale("web", &patch).dry_run().await?;
    assert_eq!(field(&scale, "/spec/replicas"), 2);

    let controllers = test.client.core_v1().replication_controllers(&test.namespace);
    controllers.create(&object(scaled(labels))).await?;
    let scale = controllers.patch_scale("web", &patch).dry_run().await?;
    assert_eq!(field(&scale, "/spec/replicas"), 2);
    Ok(())
}
