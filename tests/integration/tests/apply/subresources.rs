//! Apply to status and scale, and what was applied there.

use k8s_client::{
    api::{
        apps::v1::apply::{DeploymentApplyConfiguration, DeploymentSpecApplyConfiguration},
        autoscaling::v1::apply::{ScaleApplyConfiguration, ScaleSpecApplyConfiguration},
        core::v1::apply::{PodApplyConfiguration, PodConditionApplyConfiguration, PodStatusApplyConfiguration},
    },
    apply::Extract as _,
};
use k8s_client_integration_tests::{Test, TestResult, field, owned};
use serde_json::{Value, json};

use crate::{container, deployment, pod};

#[tokio::test]
async fn status_has_managers_of_its_own() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let configuration = pod("web", &test.namespace, [container("main").image("web:1")]);
    pods.apply(&configuration).field_manager("one").await?;

    let status = |kind: &str| {
        let condition = PodConditionApplyConfiguration::default().type_(kind).status("True");
        let status = PodStatusApplyConfiguration::default().conditions([condition]);
        PodApplyConfiguration::new("web", &test.namespace).status(status)
    };
    pods.apply_status(&status("example.com/One")).field_manager("one").await?;
    let applied = pods.apply_status(&status("example.com/Two")).field_manager("two").await?;
    let conditions = field(&applied, "/status/conditions");
    let kinds: Vec<_> = conditions.as_array().into_iter().flatten().map(|condition| &condition["type"]).collect();
    assert_eq!(kinds, ["example.com/One", "example.com/Two"]);

    // The same manager has one configuration of the object and another of its status.
    assert_eq!(PodApplyConfiguration::extract(&applied, "one")?, configuration);
    assert_eq!(PodApplyConfiguration::extract_subresource(&applied, "one", "status")?, status("example.com/One"));
    assert_eq!(PodApplyConfiguration::extract_subresource(&applied, "two", "status")?, status("example.com/Two"));

    let extracted = PodApplyConfiguration::extract_subresource(&applied, "two", "status")?;
    let again = pods.apply_status(&extracted).field_manager("two").await?;
    assert_eq!(again.metadata.resource_version, applied.metadata.resource_version);
    Ok(())
}

#[tokio::test]
async fn spec_is_no_part_of_the_status() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let configuration = pod("web", &test.namespace, [container("main").image("web:1")]);
    pods.apply(&configuration).field_manager("one").await?;
    let other = pod("web", &test.namespace, [container("main").image("web:2")]);
    let other = other.status(PodStatusApplyConfiguration::default().phase("Failed"));
    let applied = pods.apply_status(&other).field_manager("two").await?;
    assert_eq!(field(&applied, "/status/phase"), "Failed");
    assert_eq!(field(&applied, "/spec/containers/0/image"), "web:1");
    assert_eq!(owned(&applied, "two", "status"), json!({ "f:status": { "f:phase": {} } }));
    Ok(())
}

#[tokio::test]
async fn scale_belongs_to_who_applied_it() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let mut configuration = deployment("web", &test.namespace, "web:1");
    configuration.spec.get_or_insert_default().replicas = Some(0);
    deployments.apply(&configuration).field_manager("one").await?;

    let scale = |replicas| {
        let spec = ScaleSpecApplyConfiguration::default().replicas(replicas);
        ScaleApplyConfiguration::new("web", &test.namespace).spec(spec)
    };
    let error = deployments.apply_scale(&scale(2)).field_manager("scaler").await.expect_err("one owns it");
    assert!(error.is_conflict(), "{error}");
    let scaled = deployments.apply_scale(&scale(2)).field_manager("scaler").force().await?;
    assert_eq!(field(&scaled, "/spec/replicas"), 2);

    let read = deployments.get("web").await?;
    assert_eq!(owned(&read, "one", "").pointer("/f:spec/f:replicas"), None);
    assert_eq!(owned(&read, "scaler", "scale"), json!({ "f:spec": { "f:replicas": {} } }));
    let expected = DeploymentApplyConfiguration::new("web", &test.namespace)
        .spec(DeploymentSpecApplyConfiguration::default().replicas(2));
    assert_eq!(DeploymentApplyConfiguration::extract_subresource(&read, "scaler", "scale")?, expected);

    // Who lets go of the number can go on with the rest.
    let extracted = DeploymentApplyConfiguration::extract(&read, "one")?;
    assert_eq!(extracted, deployment("web", &test.namespace, "web:1"));
    let applied = deployments.apply(&extracted).field_manager("one").await?;
    assert_eq!(field(&applied, "/spec/replicas"), 2);
    Ok(())
}

#[tokio::test]
async fn status_cannot_be_applied_with_the_object() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let configuration = pod("web", &test.namespace, [container("main").image("web:1")])
        .status(PodStatusApplyConfiguration::default().phase("Failed"));
    let applied = pods.apply(&configuration).field_manager("one").await?;
    assert_eq!(field(&applied, "/status/phase"), "Pending");
    assert_eq!(owned(&applied, "one", "").get("f:status"), None::<&Value>);
    Ok(())
}
