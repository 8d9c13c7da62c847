//! Metadata without the rest.

use k8s_client::{
    DynamicClient, Patch, WatchEvent,
    dynamic::{MetadataClient, MetadataResource},
    resource::DeletedCollection,
    schema::{GroupVersionResource, ResourceScope},
};
use k8s_client_integration_tests::{Test, TestResult, soon};
use serde_json::json;

use crate::{config_map, config_maps, define_widgets, deployment, deployments, mapping, widget, widgets};

fn metadata(test: &Test, resource: GroupVersionResource) -> MetadataResource {
    MetadataClient::new(test.client.rest_client()).resource(resource).namespace(&test.namespace)
}

fn config_maps_of() -> GroupVersionResource {
    GroupVersionResource::new("", "v1", "configmaps")
}

#[tokio::test]
async fn objects_are_read_listed_and_watched_without_their_rest() -> TestResult {
    let test = Test::namespace().await;
    let reduced = metadata(&test, config_maps_of());
    let whole = config_maps(&test).create(&config_map("web", "1")).await?;

    let web = reduced.get("web").await?;
    assert_eq!(web.kind.as_deref(), Some("PartialObjectMetadata"));
    assert_eq!(web.metadata.uid.as_deref(), whole.uid());
    let list = reduced.list().label_selector("app=test").await?;
    assert_eq!(list.kind.as_deref(), Some("PartialObjectMetadataList"));
    assert_eq!(list.items.len(), 1);
    assert_eq!(list.items[0].metadata, web.metadata);
    let mut pages = reduced.list().label_selector("app=test").limit(1).items();
    assert_eq!(pages.try_next().await?.map(|item| item.metadata), Some(web.metadata));

    let version = list.metadata.resource_version.expect("a list has a version");
    let mut events = reduced.watch().label_selector("app=test").resource_version(version).await?;
    let patch = Patch::Merge(json!({ "metadata": { "annotations": { "seen": "yes" } } }));
    let patched = reduced.patch("web", &patch).await?;
    assert_eq!(patched.metadata.annotations.as_ref().expect("they are set")["seen"], "yes");
    assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Modified(patched)));

    reduced.delete("web").await?;
    assert!(matches!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Deleted(_))));
    assert!(reduced.get("web").await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn server_leaves_out_what_is_not_metadata() -> TestResult {
    let test = Test::namespace().await;
    config_maps(&test).create(&config_map("web", "a secret of a thousand pages")).await?;
    let request = metadata(&test, config_maps_of()).list().into_request();
    let body = request.send().await?.bytes().await?;
    assert!(!String::from_utf8_lossy(&body).contains("a thousand pages"));
    Ok(())
}

#[tokio::test]
async fn collection_is_deleted_through_its_metadata() -> TestResult {
    let test = Test::namespace().await;
    config_maps(&test).create(&config_map("web", "1")).await?;
    match metadata(&test, config_maps_of()).delete_collection().label_selector("app=test").await? {
        DeletedCollection::List(list) => assert_eq!(list.items.len(), 1),
        DeletedCollection::Status(status) => panic!("this server lists what it deleted: {status:?}"),
    }
    assert!(config_maps(&test).list().label_selector("app=test").await?.items.is_empty());
    Ok(())
}

#[tokio::test]
async fn custom_resources_and_subresources_have_metadata_too() -> TestResult {
    let test = Test::namespace().await;
    define_widgets().await;
    let dynamic = DynamicClient::new(test.client.rest_client());
    dynamic.resource(widgets("v1")).namespace(&test.namespace).create(&widget("v1", "web", 1)).await?;
    let list = metadata(&test, widgets("v1")).list().await?;
    assert_eq!(list.items[0].metadata.name.as_deref(), Some("web"));

    dynamic.resource(deployments()).namespace(&test.namespace).create(&deployment("web", 0)).await?;
    let status = metadata(&test, deployments()).get_subresource("web", "status").await?;
    assert_eq!(status.metadata.name.as_deref(), Some("web"));
    Ok(())
}

#[tokio::test]
async fn known_scope_holds_for_metadata_as_well() -> TestResult {
    let test = Test::namespace().await;
    let namespaces = mapping(GroupVersionResource::new("", "v1", "namespaces"), "Namespace", ResourceScope::Cluster);
    let namespaces = MetadataClient::new(test.client.rest_client()).mapped(&namespaces);
    assert_eq!(namespaces.get(&test.namespace).await?.metadata.name.as_ref(), Some(&test.namespace));
    assert!(namespaces.namespace("default").get("default").await.is_err_and(|error| error.status().is_none()));
    Ok(())
}
