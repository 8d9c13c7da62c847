//! Two managers of one deployment.

use k8s_client::api::apps::v1::apply::{DeploymentApplyConfiguration, DeploymentSpecApplyConfiguration};
use k8s_client_integration_tests::{Test, TestResult, field, owned};
use serde_json::json;

use crate::deployment;

/// The deployment with this number of pods, and nothing else.
fn scaled(namespace: &str, replicas: i32) -> DeploymentApplyConfiguration {
    let spec = DeploymentSpecApplyConfiguration::default().replicas(replicas);
    DeploymentApplyConfiguration::new("web", namespace).spec(spec)
}

#[tokio::test]
async fn each_manager_owns_exactly_what_it_applied() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.apply(&deployment("web", &test.namespace, "web:1")).field_manager("one").await?;
    let applied = deployments.apply(&scaled(&test.namespace, 3)).field_manager("two").force().await?;

    let container = json!({ ".": {}, "f:name": {}, "f:image": {} });
    assert_eq!(
        owned(&applied, "one", ""),
        json!({ "f:spec": {
            "f:selector": {},
            "f:template": {
                "f:metadata": { "f:labels": { "f:app": {} } },
                "f:spec": { "f:containers": { "k:{\"name\":\"main\"}": container } },
            },
        }})
    );
    assert_eq!(owned(&applied, "two", ""), json!({ "f:spec": { "f:replicas": {} } }));
    assert_eq!(field(&applied, "/spec/replicas"), 3);
    assert_eq!(field(&applied, "/spec/template/spec/containers/0/image"), "web:1");
    Ok(())
}

#[tokio::test]
async fn field_of_another_manager_is_taken_only_by_force() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.apply(&deployment("web", &test.namespace, "web:1")).field_manager("one").await?;

    let theirs = deployment("web", &test.namespace, "web:2");
    let error = deployments.apply(&theirs).field_manager("two").await.expect_err("one owns the image");
    assert!(error.is_conflict(), "{error}");
    assert!(error.has_cause("FieldManagerConflict"), "{error}");
    let fields: Vec<_> = error.causes().iter().filter_map(|cause| cause.field.as_deref()).collect();
    assert_eq!(fields, [r#".spec.template.spec.containers[name="main"].image"#]);

    let applied = deployments.apply(&theirs).field_manager("two").force().await?;
    let image = "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"main\"}/f:image";
    assert_eq!(owned(&applied, "one", "").pointer(image), None);
    assert!(owned(&applied, "two", "").pointer(image).is_some());
    // What both say alike, both own.
    assert!(owned(&applied, "one", "").pointer("/f:spec/f:selector").is_some());
    assert!(owned(&applied, "two", "").pointer("/f:spec/f:selector").is_some());
    Ok(())
}

#[tokio::test]
async fn same_value_is_shared_without_a_conflict() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let configuration = deployment("web", &test.namespace, "web:1");
    deployments.apply(&configuration).field_manager("one").await?;
    let applied = deployments.apply(&configuration).field_manager("two").await?;
    assert_eq!(owned(&applied, "one", ""), owned(&applied, "two", ""));
    Ok(())
}

#[tokio::test]
async fn field_that_is_not_sent_any_more_is_removed() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let configuration = deployment("web", &test.namespace, "web:1");
    let labelled = configuration.clone().labels([("tier", "front"), ("team", "web")]);
    deployments.apply(&labelled).field_manager("one").await?;
    let theirs = DeploymentApplyConfiguration::new("web", &test.namespace).labels([("team", "web")]);
    deployments.apply(&theirs).field_manager("two").await?;

    let applied = deployments.apply(&configuration).field_manager("one").await?;
    // What another manager owns as well stays.
    assert_eq!(field(&applied, "/metadata/labels"), json!({ "team": "web" }));

    let applied = deployments.apply(&configuration).field_manager("two").force().await?;
    assert_eq!(field(&applied, "/metadata/labels"), json!(null));
    Ok(())
}

#[tokio::test]
async fn dry_run_changes_nothing() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let tried = deployments.apply(&deployment("web", &test.namespace, "web:1")).field_manager("one").dry_run().await?;
    assert_eq!(field(&tried, "/spec/template/spec/containers/0/image"), "web:1");
    assert!(deployments.get("web").await.is_err_and(|error| error.is_not_found()));
    Ok(())
}
