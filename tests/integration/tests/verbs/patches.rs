//! The three kinds of patch, dry runs and field validation.

use k8s_client::{FieldValidation, Patch};
use k8s_client_integration_tests::{Test, TestResult, field, object};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Container};
use serde_json::json;

use crate::{config_map, deployment};

#[tokio::test]
async fn json_patch_tests_and_changes() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "1")).await?;
    let patch = |expected: &str| {
        Patch::Json(vec![
            json!({ "op": "test", "path": "/data/key", "value": expected }),
            json!({ "op": "replace", "path": "/data/key", "value": "2" }),
            json!({ "op": "add", "path": "/data/other", "value": "3" }),
            json!({ "op": "remove", "path": "/metadata/labels" }),
        ])
    };
    let patched = config_maps.patch("web", &patch("1")).await?;
    let data = patched.data.unwrap_or_default();
    assert_eq!((data["key"].as_str(), data["other"].as_str()), ("2", "3"));
    assert_eq!(patched.metadata.labels, None);

    let error = config_maps.patch("web", &patch("1")).await.expect_err("the test of the patch fails");
    assert!(error.is_invalid(), "{error}");
    Ok(())
}

#[tokio::test]
async fn merge_patch_replaces_lists_and_removes_with_null() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "1")).await?;
    let patch = Patch::Merge(json!({ "data": { "key": null, "other": "3" } }));
    let data = config_maps.patch("web", &patch).await?.data.unwrap_or_default();
    assert_eq!(data.into_iter().collect::<Vec<_>>(), [("other".to_owned(), "3".to_owned())]);

    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.create(&deployment("web", 0)).await?;
    let patch = Patch::Merge(template(&json!([{ "name": "second", "image": "second:1" }])));
    assert_eq!(containers(&deployments.patch("web", &patch).await?), ["second"]);
    Ok(())
}

#[tokio::test]
async fn strategic_merge_patch_merges_lists_by_key() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.create(&deployment("web", 0)).await?;
    let patch = Patch::StrategicMerge(template(&json!([{ "name": "second", "image": "second:1" }])));
    let mut names = containers(&deployments.patch("web", &patch).await?);
    names.sort();
    assert_eq!(names, ["main", "second"]);

    let patch = Patch::StrategicMerge(template(&json!([{ "name": "main", "$patch": "delete" }])));
    assert_eq!(containers(&deployments.patch("web", &patch).await?), ["second"]);
    Ok(())
}

fn template(containers: &serde_json::Value) -> serde_json::Value {
    json!({ "spec": { "template": { "spec": { "containers": containers } } } })
}

/// The names of the containers.
fn containers(deployment: &Deployment) -> Vec<String> {
    let containers: Vec<Container> = object(field(deployment, "/spec/template/spec/containers"));
    containers.into_iter().map(|container| container.name).collect()
}

#[tokio::test]
async fn dry_run_stores_nothing() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let would_be = config_maps.create(&config_map("web", "1")).dry_run().await?;
    assert!(would_be.metadata.uid.is_some());
    assert!(config_maps.get("web").await.is_err_and(|error| error.is_not_found()));

    let created = config_maps.create(&config_map("web", "1")).await?;
    let updated = config_maps.update(&config_map("web", "2")).dry_run().await?;
    assert_eq!(updated.data.unwrap_or_default()["key"], "2");
    config_maps.patch("web", &Patch::Merge(json!({ "data": { "key": "3" } }))).dry_run().await?;
    let configuration =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "web" }, "data": { "other": "4" } });
    config_maps.apply(&configuration).field_manager("test").dry_run().await?;
    assert_eq!(config_maps.get("web").await?, created);
    Ok(())
}

#[tokio::test]
async fn unknown_field_is_an_error_when_validation_is_strict() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "1")).await?;
    let patch = Patch::Merge(json!({ "dta": { "key": "2" } }));

    let error = config_maps.patch("web", &patch).field_validation(FieldValidation::Strict).await;
    let error = error.expect_err("there is no such field");
    assert!(error.is_invalid() || error.is_bad_request(), "{error}");
    assert!(error.to_string().contains(r#"unknown field "dta""#), "{error}");

    // Otherwise the server warns, or says nothing at all.
    let answer = config_maps.patch("web", &patch).into_request().send().await?;
    assert!(answer.warnings().iter().any(|warning| warning.text.contains("dta")), "{:?}", answer.warnings());
    let answer = config_maps.patch("web", &patch).field_validation(FieldValidation::Ignore).into_request();
    assert_eq!(answer.send().await?.warnings(), []);
    Ok(())
}
