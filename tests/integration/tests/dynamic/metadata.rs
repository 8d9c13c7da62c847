//! Metadata without the rest.

use std::sync::{Arc, Mutex};

use k8s_client::{
    DynamicClient, Patch, RestClient, WatchEvent,
    dynamic::{MetadataClient, MetadataResource, PartialObjectMetadata, PartialObjectMetadataList},
    resource::DeletedCollection,
    rest::{Body, BoxError, HttpService},
    schema::{GroupVersionResource, ResourceScope},
};
use k8s_client_integration_tests::{Test, TestResult, config_of, soon};
use k8s_client_test_harness::ADMIN_CONTEXT;
use serde_json::json;
use tower::{Service as _, layer::layer_fn, service_fn};

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

/// What an object, a list whole and in pieces, and the first events of a watch are.
type Seen = (PartialObjectMetadata, PartialObjectMetadataList, Vec<PartialObjectMetadata>, PartialObjectMetadata);

async fn seen(resource: &MetadataResource) -> k8s_client::Result<Seen> {
    let object = resource.get("web").await?;
    let mut list = resource.list().label_selector("app=test").await?;
    // Other tests go on meanwhile, and the version is the server's.
    assert!(list.metadata.resource_version.take().is_some());
    let mut stream = resource.list().label_selector("app=test").stream().await?;
    let mut items = Vec::new();
    while let Some(item) = stream.try_next().await? {
        items.push(item);
    }
    let mut events = resource.watch().label_selector("app=test").await?;
    let Some(WatchEvent::Added(event)) = soon("it is told", events.try_next()).await? else {
        panic!("a watch without a version begins with what is there")
    };
    Ok((object, list, items, event))
}

#[tokio::test]
async fn metadata_is_the_same_in_protobuf_and_json() -> TestResult {
    let test = Test::namespace().await;
    define_widgets().await;
    let client = test.client.rest_client();
    let mut labelled = widget("v1", "web", 1);
    labelled.set_labels([("app", "test")]);
    DynamicClient::new(client).resource(widgets("v1")).namespace(&test.namespace).create(&labelled).await?;
    config_maps(&test).create(&config_map("web", "1")).await?;

    for resource in [config_maps_of(), widgets("v1")] {
        let mut both = Vec::new();
        for disable_protobuf in [false, true] {
            let mut config = config_of(ADMIN_CONTEXT);
            config.disable_protobuf = disable_protobuf;
            let forms = Arc::new(Mutex::new(Vec::new()));
            let noted = forms.clone();
            let layer = layer_fn(move |inner: HttpService| {
                let noted = noted.clone();
                service_fn(move |request: http::Request<Body>| {
                    let (answer, noted) = (inner.clone().call(request), noted.clone());
                    async move {
                        let answer = answer.await?;
                        let form = answer.headers()["content-type"].to_str().expect("it is text").to_owned();
                        noted.lock().expect("nobody panics").push(form);
                        Ok::<_, BoxError>(answer)
                    }
                })
            });
            let client = RestClient::builder(&config).layer(layer).build()?;
            let resource = MetadataClient::new(&client).resource(&resource).namespace(&test.namespace);
            both.push(seen(&resource).await?);
            let forms = forms.lock().expect("nobody panics").clone();
            let expected = if disable_protobuf { "application/json" } else { "application/vnd.kubernetes.protobuf" };
            assert!(forms.len() == 4 && forms.iter().all(|form| form.starts_with(expected)), "{forms:?}");
            // What the caller decodes itself is asked for in JSON, and still reduced.
            let json = resource.get("web").json::<serde_json::Value>().await?;
            assert_eq!(json["kind"], "PartialObjectMetadata");
        }
        assert_eq!(both[0], both[1], "{}", resource.resource);
    }
    Ok(())
}

#[tokio::test]
async fn server_makes_tables_of_typed_lists() -> TestResult {
    let test = Test::namespace().await;
    config_maps(&test).create(&config_map("web", "1")).await?;
    let list = test.client.core_v1().config_maps(&test.namespace).list().label_selector("app=test");
    let table = list.as_kind("Table").json::<serde_json::Value>().await?;
    assert_eq!((&table["kind"], &table["rows"][0]["cells"][0]), (&json!("Table"), &json!("web")));
    Ok(())
}
