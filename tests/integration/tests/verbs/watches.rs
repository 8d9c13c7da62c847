//! Watches on the real server.

use k8s_client::{ResourceVersionMatch, WatchEvent};
use k8s_client_integration_tests::{Test, TestResult, soon};
use k8s_openapi::api::core::v1::ConfigMap;

use crate::config_map;

#[tokio::test]
async fn changes_are_told_in_their_order() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let version = config_maps.list().await?.metadata.resource_version.unwrap_or_default();
    let mut events = config_maps.watch().resource_version(version).label_selector("app=test").await?;

    for name in ["one", "two"] {
        config_maps.create(&config_map(name, "1")).await?;
    }
    config_maps.modify("one", |one| _ = one.data.insert([("key".to_owned(), "2".to_owned())].into())).await?;
    config_maps.delete("two").await?;

    let mut told = Vec::new();
    while told.len() < 4 {
        let event = soon("the change is told", events.try_next()).await?.expect("the watch goes on");
        told.push(describe(&event));
    }
    assert_eq!(told, ["added one=1", "added two=1", "modified one=2", "deleted two=1"]);
    Ok(())
}

fn describe(event: &WatchEvent<ConfigMap>) -> String {
    let what = match event {
        WatchEvent::Added(_) => "added",
        WatchEvent::Modified(_) => "modified",
        WatchEvent::Deleted(_) => "deleted",
        WatchEvent::Bookmark { .. } => "bookmark",
    };
    let object = event.object();
    let name = object.and_then(|object| object.metadata.name.as_deref()).unwrap_or_default();
    let value = object.and_then(|object| object.data.as_ref()?.get("key")).map_or("", String::as_str);
    format!("{what} {name}={value}")
}

#[tokio::test]
async fn bookmark_ends_the_initial_events() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    for name in ["one", "two"] {
        config_maps.create(&config_map(name, "1")).await?;
    }
    let mut events = config_maps
        .watch()
        .label_selector("app=test")
        .send_initial_events()
        .resource_version_match(ResourceVersionMatch::NotOlderThan)
        .allow_watch_bookmarks()
        .await?;

    let mut initial = Vec::new();
    let version = loop {
        match soon("the initial events end", events.try_next()).await? {
            Some(WatchEvent::Added(object)) => initial.push(object.metadata.name.unwrap_or_default()),
            Some(WatchEvent::Bookmark { resource_version, annotations }) => {
                let end = annotations.get("k8s.io/initial-events-end");
                assert_eq!(end.map(String::as_str), Some("true"));
                break resource_version;
            }
            other => panic!("{other:?} is no initial event"),
        }
    };
    initial.sort();
    assert_eq!(initial, ["one", "two"]);

    // The bookmark's version is one to go on from.
    let mut rest = config_maps.watch().label_selector("app=test").resource_version(version).await?;
    config_maps.delete("one").await?;
    for events in [&mut events, &mut rest] {
        let event = soon("the deletion is told", events.try_next()).await?;
        assert_eq!(event.as_ref().map(describe).as_deref(), Some("deleted one=1"));
    }
    Ok(())
}

#[tokio::test]
async fn watch_without_a_version_starts_with_what_there_is() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("one", "1")).await?;
    for watch in [config_maps.watch(), config_maps.watch().resource_version("0")] {
        let mut events = watch.label_selector("app=test").await?;
        let event = soon("what there is is told", events.try_next()).await?;
        assert_eq!(event.as_ref().map(describe).as_deref(), Some("added one=1"));
    }
    Ok(())
}

#[tokio::test]
async fn object_that_leaves_the_selection_is_told_as_deleted() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("one", "1")).await?;
    let mut events = config_maps.watch().label_selector("app=test").await?;
    assert!(matches!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Added(_))));
    config_maps.modify("one", |one| one.metadata.labels = None).await?;
    assert!(matches!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Deleted(_))));
    Ok(())
}

#[tokio::test]
async fn field_selector_chooses_one_object() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    for name in ["one", "two"] {
        config_maps.create(&config_map(name, "1")).await?;
    }
    let mut events = config_maps.watch().field_selector("metadata.name=two").timeout_seconds(5).await?;
    let mut told = Vec::new();
    while let Some(event) = soon("the watch ends", events.try_next()).await? {
        told.push(describe(&event));
    }
    assert_eq!(told, ["added two=1"]);
    Ok(())
}

#[tokio::test]
async fn watch_ends_without_an_error_when_its_time_is_over() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let mut events = config_maps.watch().label_selector("app=none").timeout_seconds(1).await?;
    assert_eq!(soon("the watch ends", events.try_next()).await?, None);
    assert_eq!(soon("it stays ended", events.try_next()).await?, None);
    Ok(())
}

#[tokio::test]
async fn all_namespaces_are_watched_at_once() -> TestResult {
    let (here, there) = (Test::namespace().await, Test::namespace().await);
    let core = here.client.core_v1();
    let label = &here.namespace;
    let mut events = core.all_config_maps().watch().label_selector(format!("in={label}")).await?;
    for test in [&here, &there] {
        let mut object = config_map("one", "1");
        object.metadata.labels = Some([("in".to_owned(), label.clone())].into());
        core.config_maps(&test.namespace).create(&object).await?;
        let event = soon("it is told", events.try_next()).await?;
        let Some(WatchEvent::Added(object)) = event else { panic!("{event:?} is no addition") };
        assert_eq!(object.metadata.namespace.as_ref(), Some(&test.namespace));
    }
    Ok(())
}
