//! Custom resources: two versions, unknown fields, a status.

use k8s_client::{
    DynamicClient, Patch, WatchEvent,
    dynamic::{DynamicResource, nested::set_nested_field},
};
use k8s_client_integration_tests::{Test, TestResult, soon};
use serde_json::json;

use crate::{GROUP, define_widgets, unstructured, widget, widgets};

async fn client(test: &Test, version: &str) -> DynamicResource {
    define_widgets().await;
    DynamicClient::new(test.client.rest_client()).resource(widgets(version)).namespace(&test.namespace)
}

#[tokio::test]
async fn custom_resources_have_every_verb() -> TestResult {
    let test = Test::namespace().await;
    let widgets = client(&test, "v1").await;
    let created = widgets.create(&widget("v1", "web", 1)).await?;
    assert_eq!(widgets.get("web").await?, created);
    let list = widgets.list().await?;
    assert_eq!((list.kind(), &list.items), (Some("WidgetList"), &vec![created]));
    let version = list.resource_version().expect("a list has a version");
    let mut events = widgets.watch().resource_version(version).await?;

    let patched = widgets.patch("web", &Patch::Merge(json!({ "spec": { "replicas": 2 } }))).await?;
    assert_eq!(patched.object()["spec"]["replicas"], 2);
    assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Modified(patched)));

    let api_version = format!("{GROUP}/v1");
    let configuration = json!({ "apiVersion": api_version, "kind": "Widget", "spec": { "replicas": 3 } });
    let applied = widgets.apply("web", &configuration).field_manager("test").force().await?;
    assert_eq!(applied.object()["spec"]["replicas"], 3);
    assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Modified(applied)));

    widgets.delete("web").await?;
    assert!(matches!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Deleted(_))));
    widgets.create(&widget("v1", "web", 1)).await?;
    widgets.delete_collection().await?;
    assert!(widgets.list().await?.items.is_empty());
    Ok(())
}

#[tokio::test]
async fn unknown_fields_are_kept_through_reading_and_updating() -> TestResult {
    let test = Test::namespace().await;
    let widgets = client(&test, "v1").await;
    let before = widgets.create(&widget("v1", "web", 1)).await?;
    let later = widget("v1", "web", 1).object()["spec"]["later"].clone();
    assert_eq!(before.object()["spec"]["later"], later);

    let mut changed = widgets.get("web").await?;
    set_nested_field(changed.object_mut(), 2, &["spec", "replicas"])?;
    let updated = widgets.update(&changed).await?;
    assert_eq!(updated.object()["spec"], json!({ "replicas": 2, "later": later }));
    let modified = widgets.modify("web", |web| web.set_labels([("app", "web")])).await?;
    assert_eq!(modified.object()["spec"]["later"], later);
    Ok(())
}

#[tokio::test]
async fn object_is_the_same_in_both_versions() -> TestResult {
    let test = Test::namespace().await;
    let (new, old) = (client(&test, "v1").await, client(&test, "v1alpha1").await);
    let created = new.create(&widget("v1", "web", 1)).await?;
    let read = old.get("web").await?;
    assert_eq!(read.api_version(), Some("dynamic.example.com/v1alpha1"));
    assert_eq!((read.uid(), &read.object()["spec"]), (created.uid(), &created.object()["spec"]));

    let mut changed = read;
    set_nested_field(changed.object_mut(), 4, &["spec", "replicas"])?;
    old.update(&changed).await?;
    assert_eq!(new.get("web").await?.object()["spec"]["replicas"], 4);
    // An object of the one version is not taken at the place of the other.
    assert!(new.update(&changed).await.is_err_and(|error| error.is_bad_request()));
    Ok(())
}

#[tokio::test]
async fn status_is_updated_and_applied_alone() -> TestResult {
    let test = Test::namespace().await;
    let widgets = client(&test, "v1").await;
    let mut web = widgets.create(&widget("v1", "web", 1)).await?;
    set_nested_field(web.object_mut(), 1, &["status", "ready"])?;
    set_nested_field(web.object_mut(), 9, &["spec", "replicas"])?;
    let updated = widgets.update_status(&web).await?;
    assert_eq!((&updated.object()["status"]["ready"], &updated.object()["spec"]["replicas"]), (&json!(1), &json!(1)));

    let api_version = format!("{GROUP}/v1");
    let configuration = json!({ "apiVersion": api_version, "kind": "Widget", "status": { "ready": 2 } });
    let applied = widgets.apply_status("web", &configuration).field_manager("test").force().await?;
    assert_eq!(applied.object()["status"]["ready"], 2);
    let read = widgets.get_subresource("web", "status").await?;
    assert_eq!(read.object()["status"]["ready"], 2);
    let patch = Patch::Merge(json!({ "status": { "ready": 3 } }));
    assert_eq!(widgets.patch_subresource("web", "status", &patch).await?.object()["status"]["ready"], 3);
    Ok(())
}

#[tokio::test]
async fn object_that_was_read_cannot_be_applied() -> TestResult {
    let test = Test::namespace().await;
    let widgets = client(&test, "v1").await;
    widgets.create(&widget("v1", "web", 1)).await?;
    let mut read = widgets.get("web").await?;
    let error = widgets.apply("web", &read).field_manager("test").await.expect_err("it carries managed fields");
    assert!(error.to_string().contains("managedFields") && error.status().is_none(), "{error}");
    read.set_managed_fields(&[]);
    read.set_resource_version("");
    widgets.apply("web", &read).field_manager("test").force().await?;
    Ok(())
}

#[tokio::test]
async fn value_of_the_wrong_type_is_invalid() -> TestResult {
    let test = Test::namespace().await;
    let widgets = client(&test, "v1").await;
    let mut wrong = widget("v1", "web", 1);
    set_nested_field(wrong.object_mut(), "many", &["spec", "replicas"])?;
    let error = widgets.create(&wrong).await.expect_err("the schema says integer");
    assert_eq!(error.causes()[0].field.as_deref(), Some("spec.replicas"));
    let wrong = unstructured(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" } }));
    assert!(widgets.create(&wrong).await.is_err_and(|error| error.is_bad_request()));
    Ok(())
}
