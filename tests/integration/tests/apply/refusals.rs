//! What is wrong with a configuration is said before anything is sent.

use k8s_client::{
    ErrorKind, FieldValidation,
    api::{
        apps::v1::apply::DeploymentApplyConfiguration,
        autoscaling::v1::apply::ScaleApplyConfiguration,
        core::v1::apply::{ConfigMapApplyConfiguration, NamespaceApplyConfiguration},
    },
};
use k8s_client_integration_tests::{Test, TestResult};
use serde_json::json;

#[tokio::test]
async fn manager_must_be_named() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let configuration = ConfigMapApplyConfiguration::new("web", &test.namespace);
    for refused in [config_maps.apply(&configuration).await, config_maps.apply(&configuration).field_manager("").await]
    {
        let error = refused.expect_err("nobody would own it");
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(error.to_string().contains("field_manager"), "{error}");
    }
    assert!(config_maps.get("web").await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn name_must_be_set() -> TestResult {
    let test = Test::namespace().await;
    let core = test.client.core_v1();
    let config_maps = core.config_maps(&test.namespace);
    for configuration in [ConfigMapApplyConfiguration::default(), ConfigMapApplyConfiguration::new("", &test.namespace)]
    {
        let error = config_maps.apply(&configuration).field_manager("one").await.expect_err("it has no name");
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(error.to_string().contains("metadata.name"), "{error}");
    }
    let unnamed = DeploymentApplyConfiguration::default();
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let error = deployments.apply_status(&unnamed).field_manager("one").await.expect_err("it has no name");
    assert!(error.to_string().contains("metadata.name"), "{error}");
    let error = deployments.apply_scale(&ScaleApplyConfiguration::default()).field_manager("one").await;
    assert!(error.expect_err("it has no name").to_string().contains("metadata.name"));
    Ok(())
}

#[tokio::test]
async fn namespace_must_be_the_clients() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let elsewhere = ConfigMapApplyConfiguration::new("web", "elsewhere");
    let error = config_maps.apply(&elsewhere).field_manager("one").await.expect_err("it is of another namespace");
    assert_eq!(error.kind(), ErrorKind::Request);
    let said = error.to_string();
    assert!(said.contains("\"elsewhere\"") && said.contains(&test.namespace), "{said}");

    // Without one, it is the client's.
    let mut anywhere = ConfigMapApplyConfiguration::new("web", "");
    anywhere.metadata.get_or_insert_default().namespace = None;
    let applied = config_maps.apply(&anywhere).field_manager("one").await?;
    assert_eq!(applied.metadata.namespace, Some(test.namespace.clone()));
    Ok(())
}

#[tokio::test]
async fn cluster_object_has_no_namespace() -> TestResult {
    let test = Test::namespace().await;
    let mut configuration = NamespaceApplyConfiguration::new("web");
    configuration.metadata.get_or_insert_default().namespace = Some("elsewhere".to_owned());
    let applying = test.client.core_v1().namespaces().apply(&configuration).field_manager("one").await;
    let error = applying.expect_err("namespaces are in none");
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().contains("elsewhere"), "{error}");
    Ok(())
}

#[tokio::test]
async fn any_json_can_still_be_applied() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let mut configuration = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "web" } });
    config_maps.apply(&configuration).field_manager("one").await?;

    // What the types would not let through, the server refuses.
    configuration["dta"] = json!({ "a": "1" });
    let applying = config_maps.apply(&configuration).field_manager("one").field_validation(FieldValidation::Strict);
    let error = applying.await.expect_err("there is no such field");
    assert!(error.to_string().contains("dta"), "{error}");
    Ok(())
}
