//! Scaling whatever has a scale.

use k8s_client::{
    DynamicClient, Patch, Unstructured,
    dynamic::ScaleClient,
    schema::{GroupVersionResource, ResourceScope},
};
use k8s_client_integration_tests::{Test, TestResult, field};
use serde_json::json;

use crate::{define_widgets, deployment, deployments, mapping, widget, widgets};

/// Creates the object and scales it by reading and writing, and by patching.
async fn scales(test: &Test, resource: GroupVersionResource, object: &Unstructured) -> TestResult {
    let objects = DynamicClient::new(test.client.rest_client()).resource(&resource).namespace(&test.namespace);
    objects.create(object).await?;
    let scales = ScaleClient::new(test.client.rest_client()).resource(resource).namespace(&test.namespace);

    let mut scale = scales.get("web").await?;
    assert_eq!(field(&scale, "/spec/replicas"), 1);
    scale.metadata.resource_version = None;
    let mut wanted = Unstructured::from_typed(&scale)?;
    wanted.object_mut()["spec"]["replicas"] = json!(2);
    scale = wanted.to_typed()?;
    assert_eq!(field(&scales.update("web", &scale).await?, "/spec/replicas"), 2);

    let patch = Patch::Merge(json!({ "spec": { "replicas": 3 } }));
    assert_eq!(field(&scales.patch("web", &patch).await?, "/spec/replicas"), 3);
    assert_eq!(objects.get("web").await?.object()["spec"]["replicas"], 3);
    Ok(())
}

#[tokio::test]
async fn deployment_is_scaled() -> TestResult {
    let test = Test::namespace().await;
    scales(&test, deployments(), &deployment("web", 1)).await?;

    let scales = ScaleClient::new(test.client.rest_client()).resource(deployments()).namespace(&test.namespace);
    let configuration = json!({ "apiVersion": "autoscaling/v1", "kind": "Scale", "spec": { "replicas": 4 } });
    let applied = scales.apply("web", &configuration).field_manager("test").force().await?;
    assert_eq!(field(&applied, "/spec/replicas"), 4);
    Ok(())
}

#[tokio::test]
async fn custom_resource_is_scaled() -> TestResult {
    let test = Test::namespace().await;
    define_widgets().await;
    scales(&test, widgets("v1"), &widget("v1", "web", 1)).await
}

#[tokio::test]
async fn scale_that_is_not_there_is_an_error() -> TestResult {
    let test = Test::namespace().await;
    let client = ScaleClient::new(test.client.rest_client());
    let config_maps = client.resource(GroupVersionResource::new("", "v1", "configmaps")).namespace(&test.namespace);
    assert!(config_maps.get("kube-root-ca.crt").await.is_err_and(|error| error.is_not_found()));
    let mapped = client.mapped(&mapping(deployments(), "Deployment", ResourceScope::Namespaced));
    let error = mapped.get("web").await.expect_err("it needs a namespace");
    assert!(error.status().is_none() && error.to_string().contains("choose one"), "{error}");
    Ok(())
}
