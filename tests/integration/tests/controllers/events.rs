//! Events are objects that the server takes, in both APIs, and that repeats do not multiply.

use std::time::Duration;

use k8s_client::{
    Clientset,
    config::Impersonation,
    event_recorder::{Dropped, Recorder, Reference},
};
use k8s_client_integration_tests::{Test, TestResult, config_of, object, unique};
use k8s_client_test_harness::TOKEN_CONTEXT;
use k8s_openapi::api::{
    core::v1::{ConfigMap, ObjectReference},
    events::v1::Event,
    rbac::v1::ClusterRole,
};
use serde_json::json;

/// Much more than it takes.
const LIMIT: Duration = Duration::from_secs(60);

/// The events about objects with this name, in the order in which they happened.
async fn events(client: &Clientset, namespace: &str, name: &str) -> TestResult<Vec<Event>> {
    let mut events =
        client.events_v1().events(namespace).list().field_selector(format!("regarding.name={name}")).await?.items;
    events.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
    Ok(events)
}

fn count(event: &Event) -> Option<i32> {
    event.series.as_ref().map(|series| series.count)
}

async fn config_map(test: &Test, name: &str) -> TestResult<ConfigMap> {
    let config_map = object(json!({ "metadata": { "name": name } }));
    Ok(test.client.core_v1().config_maps(&test.namespace).create(&config_map).await?)
}

#[tokio::test]
async fn repeats_become_one_event() -> TestResult {
    let test = Test::namespace().await;
    let mut web = config_map(&test, "web").await?;
    let recorder = Recorder::new(test.client.rest_client(), "example.com/test");
    for number in 0..100 {
        // An object that changes is the same object.
        web.metadata.annotations = Some([("number".to_owned(), number.to_string())].into());
        if number < 3 {
            web = test.client.core_v1().config_maps(&test.namespace).update(&web).await?;
        }
        recorder.warning(&web, "Failed", "Sync").note("it does not work");
    }
    recorder.flush_within(LIMIT).await?;
    let written = events(&test.client, &test.namespace, "web").await?;
    assert_eq!(written.len(), 1);
    let event = &written[0];
    assert_eq!(count(event), Some(100));
    assert_eq!(event.note.as_deref(), Some("it does not work"));
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert_eq!(event.reporting_controller.as_deref(), Some("example.com/test"));
    let regarding = event.regarding.clone().unwrap_or_default();
    assert_eq!((regarding.kind.as_deref(), regarding.uid), (Some("ConfigMap"), web.metadata.uid.clone()));

    // The server forgets it: the next one is another.
    test.client.events_v1().events(&test.namespace).delete(event.metadata.name.as_deref().unwrap_or_default()).await?;
    recorder.warning(&web, "Failed", "Sync").note("it does not work");
    recorder.flush_within(LIMIT).await?;
    let again = events(&test.client, &test.namespace, "web").await?;
    assert_eq!(again.iter().map(count).collect::<Vec<_>>(), [Some(101)]);
    assert_ne!(again[0].metadata.uid, event.metadata.uid);
    Ok(())
}

#[tokio::test]
async fn similar_events_are_combined() -> TestResult {
    let test = Test::namespace().await;
    let web = config_map(&test, "web").await?;
    let recorder = Recorder::new(test.client.rest_client(), "test");
    for number in 0..12 {
        recorder.normal(&web, "Synced", "Sync").note(format!("{number} objects {}", "é".repeat(1000)));
        recorder.flush_within(LIMIT).await?;
    }
    let written = events(&test.client, &test.namespace, "web").await?;
    assert_eq!(written.len(), 10);
    assert_eq!(count(&written[9]), Some(3));
    assert!(
        written[9].note.as_deref().is_some_and(|note| note.starts_with("(combined from similar events): 9 objects"))
    );
    assert!(Dropped::ALL.iter().all(|why| recorder.dropped(*why) == 0));
    Ok(())
}

#[tokio::test]
async fn core_events_are_counted() -> TestResult {
    let test = Test::namespace().await;
    let web = config_map(&test, "web").await?;
    let recorder = Recorder::builder(test.client.rest_client(), "test").core_v1().host("node-1").start();
    let related =
        ObjectReference { kind: Some("Node".to_owned()), name: Some("node-1".to_owned()), ..Default::default() };
    for _ in 0..5 {
        recorder.normal(&web, "Synced", "Sync").related(related.clone()).note("all there");
        recorder.flush_within(LIMIT).await?;
    }
    // The end of the recorder writes what is left.
    recorder.normal(&web, "Synced", "Sync").note("something else");
    recorder.shutdown().await;
    let list = test.client.core_v1().events(&test.namespace).list().field_selector("involvedObject.name=web").await?;
    let mut counts: Vec<_> = list.items.iter().map(|event| (event.message.as_deref(), event.count)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [(Some("all there"), Some(5)), (Some("something else"), Some(1))]);
    let event = list.items.iter().find(|event| event.count == Some(5)).ok_or("it is there")?;
    assert!(event.last_timestamp >= event.first_timestamp && event.first_timestamp.is_some());
    assert_eq!(event.source.as_ref().and_then(|source| source.host.as_deref()), Some("node-1"));
    assert_eq!(event.related.as_ref().and_then(|related| related.name.as_deref()), Some("node-1"));
    Ok(())
}

#[tokio::test]
async fn events_of_cluster_objects_go_to_a_namespace() -> TestResult {
    let client = k8s_client_integration_tests::client();
    for (namespace, core) in [("default", false), ("kube-system", false), ("default", true)] {
        // A name that an event cannot have.
        let name = unique("system:test");
        let role: ClusterRole = object(json!({ "metadata": { "name": name } }));
        let builder = Recorder::builder(client.rest_client(), "test").cluster_namespace(namespace);
        let recorder = if core { builder.core_v1() } else { builder }.start();
        recorder.normal(&role, "Checked", "Check").note("good");
        recorder.normal(Reference::of("example.com/v1", "Widget", &role), "Checked", "Check").note("good");
        recorder.flush_within(LIMIT).await?;
        let written = events(&client, namespace, &name).await?;
        assert_eq!(written.len(), 2, "{namespace} {core}");
        for event in written {
            client.events_v1().events(namespace).delete(event.metadata.name.as_deref().unwrap_or_default()).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn events_without_permission_or_namespace_are_dropped_and_counted() -> TestResult {
    let test = Test::namespace().await;
    let web = config_map(&test, "web").await?;
    let mut config = config_of(TOKEN_CONTEXT);
    config.impersonate = Some(Impersonation::user("jane"));
    let jane = Recorder::new(Clientset::new(&config)?.rest_client(), "test");
    jane.normal(&web, "Synced", "Sync").note("all there");
    jane.flush_within(LIMIT).await?;
    assert_eq!(jane.dropped(Dropped::Refused), 1);

    let recorder = Recorder::new(test.client.rest_client(), "test");
    let nowhere = ObjectReference { namespace: Some(unique("nowhere")), ..ObjectReference::default() };
    recorder.normal(nowhere, "Synced", "Sync").note("all there");
    recorder.normal(&web, "", "").note("the server wants a reason and an action");
    recorder.flush_within(LIMIT).await?;
    assert_eq!(recorder.dropped(Dropped::Refused), 2);
    Ok(())
}
