//! Server-side apply: who owns which fields.

use k8s_client_integration_tests::{Test, TestResult};
use serde_json::{Value, json};

fn configuration(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "web" }, "data": data })
}

#[tokio::test]
async fn apply_makes_the_object_and_owns_its_fields() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let applied = config_maps.apply(&configuration(&json!({ "a": "1" }))).field_manager("one").await?;
    let managers = applied.metadata.managed_fields.unwrap_or_default();
    assert_eq!(managers.len(), 1);
    assert_eq!((managers[0].manager.as_deref(), managers[0].operation.as_deref()), (Some("one"), Some("Apply")));
    Ok(())
}

#[tokio::test]
async fn two_managers_share_an_object() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.apply(&configuration(&json!({ "a": "1", "c": "1" }))).field_manager("one").await?;
    config_maps.apply(&configuration(&json!({ "b": "2" }))).field_manager("two").await?;
    // What a manager applies no more is gone; what is another's stays.
    let applied = config_maps.apply(&configuration(&json!({ "a": "1" }))).field_manager("one").await?;
    let data: Vec<_> = applied.data.unwrap_or_default().into_iter().collect();
    assert_eq!(data, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn field_of_another_manager_is_a_conflict_unless_forced() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.apply(&configuration(&json!({ "a": "1" }))).field_manager("one").await?;

    let theirs = configuration(&json!({ "a": "2" }));
    let error = config_maps.apply(&theirs).field_manager("two").await.expect_err("one owns it");
    assert!(error.is_conflict(), "{error}");
    assert!(error.has_cause("FieldManagerConflict"));
    assert_eq!(error.causes()[0].field.as_deref(), Some(".data.a"));

    let applied = config_maps.apply(&theirs).field_manager("two").force().await?;
    assert_eq!(applied.data.unwrap_or_default()["a"], "2");
    let error = config_maps.apply(&configuration(&json!({ "a": "3" }))).field_manager("one").await;
    assert!(error.is_err_and(|error| error.is_conflict()), "two owns it now");
    Ok(())
}

#[tokio::test]
async fn apply_without_a_manager_is_not_sent() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let error = config_maps.apply(&configuration(&json!({}))).await.expect_err("nobody would own it");
    assert_eq!(error.kind(), k8s_client::ErrorKind::Request);
    assert!(error.to_string().contains("field_manager"), "{error}");
    Ok(())
}

#[tokio::test]
async fn typed_object_can_be_applied() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let applied = config_maps.apply(&serde_json::to_value(crate::config_map("web", "1"))?).field_manager("one").await?;
    assert_eq!(applied.data.unwrap_or_default()["key"], "1");
    Ok(())
}
