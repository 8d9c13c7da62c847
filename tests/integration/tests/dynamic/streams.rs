//! Lists that are read as they arrive: large ones, as typed, dynamic and metadata clients see them.

use k8s_client::{DynamicClient, dynamic::MetadataClient, schema::GroupVersionResource};
use k8s_client_integration_tests::{Test, TestResult};
use k8s_openapi::api::core::v1::ConfigMap;
use serde::Deserialize;

use crate::{config_map, config_maps, define_widgets, widget, widgets};

/// So many that the server compresses the answer and sends it in many chunks.
const COUNT: usize = 300;

/// Config maps enough, named in the order in which they are listed.
async fn many_config_maps(test: &Test) -> TestResult {
    let value = "a \"value\" with {brackets} and \\ é ".repeat(60);
    for number in 0..COUNT {
        config_maps(test).create(&config_map(&format!("map-{number:03}"), &value)).await?;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Named {
    metadata: Name,
}

#[derive(Debug, Deserialize)]
struct Name {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Names {
    items: Vec<Named>,
}

#[tokio::test]
async fn streamed_list_is_the_list() -> TestResult {
    let test = Test::namespace().await;
    many_config_maps(&test).await?;
    let typed = test.client.core_v1().config_maps(&test.namespace);
    let app = || typed.list().label_selector("app=test");
    let whole = app().await?;
    assert_eq!(whole.items.len(), COUNT);

    let mut items = app().stream().await?;
    let mut streamed = Vec::<ConfigMap>::new();
    while let Some(item) = items.try_next().await? {
        streamed.push(item);
    }
    assert_eq!(streamed, whole.items);
    let metadata = items.metadata().expect("it ended well");
    assert!(metadata.resource_version.is_some() && metadata.continue_.is_none(), "{metadata:?}");

    // One page of it, and its rest.
    let mut items = app().limit(100).stream().await?;
    let mut count = 0;
    while items.try_next().await?.is_some() {
        count += 1;
    }
    let metadata = items.metadata().expect("it ended well").clone();
    // With a selector, the server does not say how many remain.
    let token = metadata.continue_.expect("there are more");
    let mut rest = app().continue_token(token).stream().await?;
    while rest.try_next().await?.is_some() {
        count += 1;
    }
    assert_eq!(count, COUNT);

    // The same objects in JSON, of smaller types.
    let mut names = Vec::new();
    let mut items = app().stream_json::<Named>().await?;
    while let Some(item) = items.try_next().await? {
        names.push(item.metadata.name);
    }
    let list = app().json::<Names>().await?;
    assert_eq!(names, list.items.into_iter().map(|item| item.metadata.name).collect::<Vec<_>>());
    assert_eq!((names.len(), names[7].as_str()), (COUNT, "map-007"));
    let raw = app().limit(1).raw().await?;
    assert!(raw.starts_with(br#"{"kind":"ConfigMapList","#), "{raw:?}");
    Ok(())
}

#[tokio::test]
async fn streamed_objects_of_any_kind_have_their_kind() -> TestResult {
    let test = Test::namespace().await;
    many_config_maps(&test).await?;
    let dynamic = config_maps(&test);
    let whole = dynamic.list().label_selector("app=test").await?;
    let mut items = dynamic.list().label_selector("app=test").stream().await?;
    for expected in &whole.items {
        let item = items.try_next().await?.expect("there are as many");
        assert_eq!((item.kind(), &item), (Some("ConfigMap"), expected));
    }
    assert_eq!(items.try_next().await?, None);
    assert!(items.metadata().is_some());

    let config_maps = GroupVersionResource::new("", "v1", "configmaps");
    let metadata = MetadataClient::new(test.client.rest_client()).resource(config_maps).namespace(&test.namespace);
    let whole = metadata.list().label_selector("app=test").await?;
    let mut items = metadata.list().label_selector("app=test").stream().await?;
    for expected in &whole.items {
        assert_eq!(items.try_next().await?.as_ref(), Some(expected));
    }
    assert_eq!(items.try_next().await?, None);
    Ok(())
}

#[tokio::test]
async fn custom_resources_are_streamed_though_their_list_says_its_kind_last() -> TestResult {
    let test = Test::namespace().await;
    define_widgets().await;
    let widgets = DynamicClient::new(test.client.rest_client()).resource(widgets("v1")).namespace(&test.namespace);
    for number in 0..COUNT {
        widgets.create(&widget("v1", &format!("widget-{number:03}"), 1)).await?;
    }
    let whole = widgets.list().await?;
    assert_eq!(whole.items.len(), COUNT);
    let mut items = widgets.list().stream().await?;
    for expected in &whole.items {
        assert_eq!(items.try_next().await?.as_ref(), Some(expected));
    }
    assert_eq!(items.try_next().await?, None);
    let metadata = items.metadata().expect("it ended well");
    // Other tests go on meanwhile, and the version is the server's.
    let version = |version: Option<&str>| version.and_then(|version| version.parse::<u64>().ok());
    assert!(version(metadata.resource_version.as_deref()) >= version(whole.resource_version()));
    assert!(version(whole.resource_version()).is_some());

    let mut items = widgets.list().limit(10).stream().await?;
    while items.try_next().await?.is_some() {}
    let metadata = items.metadata().expect("it ended well");
    assert_eq!(metadata.remaining_item_count, Some(290));
    assert!(metadata.continue_.is_some());
    Ok(())
}
