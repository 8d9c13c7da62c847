//! From objects back to configurations: read, modify, apply.

use k8s_client::{
    Codec,
    api::{
        apps::v1::apply::{DeploymentApplyConfiguration, DeploymentStrategyApplyConfiguration},
        core::v1::apply::{ConfigMapApplyConfiguration, PodApplyConfiguration, SecretApplyConfiguration},
    },
    apply::{Applicable, Extract},
    k8s_openapi::serde::Serialize,
    resource::{Applies, Gets},
};
use k8s_client_integration_tests::{Test, TestResult, field, json_of, object, owned, reapply};
use serde_json::json;

use crate::{
    container, deployment,
    objects::{self, MANAGERS, Visitor},
    pod,
};

/// Applies what was extracted for each manager.
#[derive(Default)]
struct Reapply {
    kinds: usize,
    problems: Vec<String>,
}

impl Visitor for Reapply {
    async fn see<A, C>(&mut self, client: &C, object: &<C::Kind as Codec>::Object) -> TestResult
    where
        A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize,
        C: Applies + Gets,
    {
        self.kinds += 1;
        let object = json_of::<C::Kind>(object)?;
        let name = object["metadata"]["name"].as_str().ok_or("the object has no name")?;
        for manager in &MANAGERS[..2] {
            if let Err(problem) = reapply::<A, C>(client, name, manager).await {
                self.problems.push(format!("{}: {problem}", object["kind"]));
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn applying_what_was_extracted_changes_nothing() -> TestResult {
    let test = Test::namespace().await;
    let mut reapply = Reapply::default();
    Box::pin(objects::visit(&test, &mut reapply)).await?;
    println!("{} kinds", reapply.kinds);
    assert!(reapply.problems.is_empty(), "{}", reapply.problems.join("\n"));
    Ok(())
}

#[tokio::test]
async fn each_manager_gets_back_what_it_applied() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let ours = deployment("web", &test.namespace, "web:1").labels([("a", "1")]);
    let theirs = DeploymentApplyConfiguration::new("web", &test.namespace).labels([("b", "2")]);
    deployments.apply(&ours).field_manager("one").await?;
    deployments.apply(&theirs).field_manager("two").await?;
    let read = deployments.get("web").await?;
    assert_eq!(DeploymentApplyConfiguration::extract(&read, "one")?, ours);
    assert_eq!(DeploymentApplyConfiguration::extract(&read, "two")?, theirs);
    let nothing = DeploymentApplyConfiguration::new("web", &test.namespace);
    assert_eq!(DeploymentApplyConfiguration::extract(&read, "nobody")?, nothing);
    Ok(())
}

#[tokio::test]
async fn extracted_configuration_can_be_modified_and_applied() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let configuration = pod("web", &test.namespace, [container("main").image("web:1")]).labels([("a", "1")]);
    pods.apply(&configuration).field_manager("one").await?;

    let mut extracted = PodApplyConfiguration::extract(&pods.get("web").await?, "one")?;
    let containers = extracted.spec.as_mut().and_then(|spec| spec.containers.as_mut()).ok_or("it has containers")?;
    containers[0].image = Some("web:2".to_owned());
    let applied = pods.apply(&extracted.labels([("b", "2")])).field_manager("one").await?;
    assert_eq!(field(&applied, "/spec/containers/0/image"), "web:2");
    assert_eq!(field(&applied, "/metadata/labels"), json!({ "b": "2" }));
    Ok(())
}

#[tokio::test]
async fn updates_are_nobodys_configuration() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let created = config_maps.create(&object(json!({ "metadata": { "name": "web" }, "data": { "a": "1" } })));
    let created = created.field_manager("one").await?;
    let extracted = ConfigMapApplyConfiguration::extract(&created, "one")?;
    assert_eq!(extracted, ConfigMapApplyConfiguration::new("web", &test.namespace));
    Ok(())
}

#[tokio::test]
async fn what_was_applied_empty_stays_applied() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let mut configuration = deployment("web", &test.namespace, "web:1");
    let strategy = DeploymentStrategyApplyConfiguration::default();
    configuration.spec.get_or_insert_default().strategy = Some(strategy);
    let applied = deployments.apply(&configuration).field_manager("one").await?;
    // The server filled it.
    assert_eq!(field(&applied, "/spec/strategy/type"), "RollingUpdate");
    assert_eq!(DeploymentApplyConfiguration::extract(&applied, "one")?, configuration);
    reapply::<DeploymentApplyConfiguration, _>(&deployments, "web", "one").await
}

#[tokio::test]
async fn string_data_of_a_secret_cannot_be_extracted() -> TestResult {
    let test = Test::namespace().await;
    let secrets = test.client.core_v1().secrets(&test.namespace);
    let nothing = SecretApplyConfiguration::new("web", &test.namespace);
    let applied = secrets.apply(&nothing.clone().string_data([("a", "1")])).field_manager("one").await?;
    // The server keeps it as data and remembers who wrote it as what it was.
    assert_eq!(field(&applied, "/data"), json!({ "a": "MQ==" }));
    assert_eq!(owned(&applied, "one", ""), json!({ "f:stringData": { "f:a": {} } }));
    assert_eq!(SecretApplyConfiguration::extract(&applied, "one")?, nothing);
    Ok(())
}

#[tokio::test]
async fn whole_object_applied_by_another_manager_changes_only_who_owns_it() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.apply(&deployment("web", &test.namespace, "web:1").labels([("a", "1")])).field_manager("one").await?;
    let before = deployments.get("web").await?;
    let whole = DeploymentApplyConfiguration::from_object(&before)?;
    // Without force: it claims nothing that is otherwise.
    let after = deployments.apply(&whole).field_manager("two").await?;
    assert_eq!(field(&after, "/spec"), field(&before, "/spec"));
    assert_eq!(field(&after, "/metadata/generation"), field(&before, "/metadata/generation"));
    assert_eq!(field(&after, "/metadata/labels"), field(&before, "/metadata/labels"));
    assert_eq!(owned(&after, "one", ""), owned(&before, "one", ""));
    // Defaults are part of the whole.
    assert!(owned(&after, "two", "").pointer("/f:spec/f:replicas").is_some());
    assert_eq!(DeploymentApplyConfiguration::extract(&after, "two")?, whole);
    Ok(())
}

#[tokio::test]
async fn managers_of_an_object_without_managed_fields_are_unknown() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let configuration = ConfigMapApplyConfiguration::new("web", &test.namespace).data([("a", "1")]);
    let mut applied = config_maps.apply(&configuration).field_manager("one").await?;
    applied.metadata.managed_fields = None;
    // Applying an empty configuration by mistake would remove everything.
    let error = ConfigMapApplyConfiguration::extract(&applied, "one").expect_err("nobody knows who owns what");
    assert!(error.to_string().contains("managedFields"), "{error}");
    Ok(())
}
