//! The status subresource: it changes the status and nothing else.

use k8s_client::{
    Patch,
    api::core::v1::apply::{PodApplyConfiguration, PodStatusApplyConfiguration},
};
use k8s_client_integration_tests::{Test, TestResult, field, object, unique};
use serde_json::json;

use crate::pod;

#[tokio::test]
async fn status_is_read_updated_patched_and_applied() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    pods.create(&pod("web")).await?;
    assert_eq!(phase(&pods.get_status("web").await?), Some("Pending"));

    let mut web = pods.get("web").await?;
    web.status.get_or_insert_default().phase = Some("Running".to_owned());
    let mut web = serde_json::to_value(web)?;
    web["spec"]["activeDeadlineSeconds"] = 60.into();
    let updated = pods.update_status(&object(web)).await?;
    assert_eq!(phase(&updated), Some("Running"));
    assert_eq!(field(&updated, "/spec/activeDeadlineSeconds"), json!(null), "a status update leaves the spec alone");

    let patched = pods.patch_status("web", &Patch::Merge(json!({ "status": { "message": "well" } }))).await?;
    assert_eq!(patched.status.and_then(|status| status.message).as_deref(), Some("well"));

    let status = PodStatusApplyConfiguration::default().reason("Applied");
    let configuration = PodApplyConfiguration::new("web", &test.namespace).status(status);
    let applied = pods.apply_status(&configuration).field_manager("kubelet").await?;
    assert_eq!(applied.status.and_then(|status| status.reason).as_deref(), Some("Applied"));
    Ok(())
}

#[tokio::test]
async fn update_leaves_the_status_alone() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let mut web = pods.create(&pod("web")).await?;
    web.status.get_or_insert_default().phase = Some("Failed".to_owned());
    assert_eq!(phase(&pods.update(&web).await?), Some("Pending"));
    Ok(())
}

#[tokio::test]
async fn status_of_a_cluster_kind_is_updated() -> TestResult {
    let client = k8s_client_integration_tests::client();
    let nodes = client.core_v1().nodes();
    let name = unique("node");
    let mut node = nodes.create(&object(json!({ "metadata": { "name": name } }))).await?;
    node.metadata.resource_version = None;
    node.status.get_or_insert_default().addresses =
        Some(vec![object(json!({ "type": "InternalIP", "address": "127.0.0.1" }))]);
    let node = nodes.update_status(&node).await?;
    assert!(node.status.is_some_and(|status| status.addresses.is_some_and(|addresses| addresses.len() == 1)));
    nodes.delete(&name).await?;
    Ok(())
}

fn phase(pod: &k8s_openapi::api::core::v1::Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}
