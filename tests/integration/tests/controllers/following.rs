//! Objects in memory are those of the server, however they are kept.

use std::{collections::BTreeMap, time::Duration};

use k8s_client::ErrorKind;
use k8s_client::informer::{Event, Index, Informer, InformerError, ObjectKey, Registry, Subscription};
use k8s_client_integration_tests::{Test, TestResult, client_of, eventually, object, soon};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

fn config_map(name: &str, value: &str) -> ConfigMap {
    object(json!({ "metadata": { "name": name, "labels": { "app": "test" } }, "data": { "value": value } }))
}

fn value(config_map: &ConfigMap) -> &str {
    config_map.data.as_ref().and_then(|data| data.get("value")).map_or("", String::as_str)
}

/// The next event about an object.
async fn next<T: Send + Sync + 'static>(changes: &mut Subscription<T>) -> Event<T> {
    loop {
        let event = soon("an event", changes.next()).await.expect("the informer goes on");
        if !matches!(event, Event::Synced) {
            return event;
        }
    }
}

#[tokio::test]
async fn informer_has_what_the_server_has_in_each_way_to_keep_it() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    for number in 0..5 {
        config_maps.create(&config_map(&format!("there-{number}"), "first")).await?;
    }
    let compact = Informer::of(config_maps.clone()).label_selector("app=test").start();
    let whole = Informer::of(config_maps.clone()).label_selector("app=test").whole().start();
    let slim = Informer::of(config_maps.clone())
        .label_selector("app=test")
        .project(|config_map: ConfigMap| value(&config_map).to_owned())
        .start();
    soon("all objects", compact.synced()).await?;
    soon("all objects", whole.synced()).await?;
    soon("all objects", slim.synced()).await?;

    let created = config_maps.create(&config_map("new", "second")).await?;
    let changed = config_maps
        .modify("there-0", |object| object.data = Some(BTreeMap::from([("value".to_owned(), "third".to_owned())])))
        .await?;
    config_maps.delete("there-1").await?;
    let version = changed.metadata.resource_version.clone().expect("the server gives versions");
    for wait in [compact.wait_for(&version, LIMIT), whole.wait_for(&version, LIMIT)] {
        wait.await?;
    }
    eventually("the deletion", || async { (compact.lister().len() == 5 && slim.lister().len() == 5).then_some(()) })
        .await;

    let read = compact.lister().get(&test.namespace, "there-0").expect("it is there");
    assert_eq!(value(&read), "third");
    assert_eq!(read.metadata.uid, changed.metadata.uid);
    assert!(read.metadata.managed_fields.is_none(), "managed fields are left out");
    let read = whole.lister().get(&test.namespace, "new").expect("it is there");
    assert_eq!(read.metadata.uid, created.metadata.uid);
    assert_eq!(slim.lister().get(&test.namespace, "there-0").as_deref().map(String::as_str), Some("third"));
    assert!(compact.lister().get(&test.namespace, "there-1").is_none());
    let listed = compact.lister().in_namespace(test.namespace.as_str()).list(&"app=test".parse()?);
    let from_server = config_maps.list().label_selector("app=test").await?;
    let names = |objects: Vec<Option<String>>| objects.into_iter().flatten().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(
        names(listed.iter().map(|object| object.metadata.name.clone()).collect()),
        names(from_server.items.iter().map(|object| object.metadata.name.clone()).collect()),
    );
    Ok(())
}

#[tokio::test]
async fn subscription_is_told_snapshot_then_changes() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "one")).await?;
    let informer = Informer::of(config_maps.clone()).label_selector("app=test").start();
    let mut early = informer.subscribe();
    soon("all objects", informer.synced()).await?;
    let mut late = informer.subscribe();
    for changes in [&mut early, &mut late] {
        assert!(matches!(soon("the object", changes.next()).await, Some(Event::Added(web)) if value(&web) == "one"));
        assert!(matches!(soon("the mark", changes.next()).await, Some(Event::Synced)));
    }
    config_maps.modify("web", |web| web.data = Some([("value".to_owned(), "two".to_owned())].into())).await?;
    let Event::Updated { old, new } = next(&mut early).await else { panic!("it was updated") };
    assert_eq!((value(&old), value(&new)), ("one", "two"));
    config_maps.delete("web").await?;
    let Event::Deleted { last, seen: true } = next(&mut early).await else { panic!("it was deleted") };
    assert_eq!(value(&last), "two");
    // Whoever has not read meanwhile is told the sum of it.
    let Event::Deleted { seen: true, .. } = next(&mut late).await else { panic!("it was deleted") };

    config_maps.create(&config_map("web", "three")).await?;
    let Event::Added(first) = next(&mut early).await else { panic!("it was made") };
    config_maps.delete("web").await?;
    config_maps.create(&config_map("web", "four")).await?;
    eventually("the fourth", || async {
        informer.lister().get(&test.namespace, "web").filter(|web| value(web) == "four")
    })
    .await;
    let Event::Deleted { last, .. } = next(&mut early).await else { panic!("the third one went") };
    assert_eq!(last.metadata.uid, first.metadata.uid);
    let Event::Added(second) = next(&mut early).await else { panic!("the fourth one came") };
    assert_ne!(second.metadata.uid, first.metadata.uid);
    informer.shutdown().await;
    assert!(early.next().await.is_none(), "the stream ends with the informer");
    Ok(())
}

#[tokio::test]
async fn index_follows_its_objects() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    for (name, content) in [("a", "red"), ("b", "red"), ("c", "blue")] {
        config_maps.create(&config_map(name, content)).await?;
    }
    let informer = Informer::of(config_maps.clone()).label_selector("app=test").start();
    let early: Index<String, ConfigMap> = informer.index(|object: &ConfigMap| Some(value(object).to_owned()));
    soon("all objects", informer.synced()).await?;
    let late: Index<String, ConfigMap> = informer.index(|object: &ConfigMap| Some(value(object).to_owned()));
    config_maps.modify("a", |a| a.data = Some([("value".to_owned(), "blue".to_owned())].into())).await?;
    config_maps.delete("c").await?;
    for index in [early, late] {
        eventually("the changes", || async {
            (index.keys("blue").len() == 1 && index.keys("red").len() == 1).then_some(())
        })
        .await;
        assert_eq!(index.keys("blue"), [ObjectKey::new(test.namespace.as_str(), "a")]);
        assert_eq!(value(&index.get("red")[0]), "red");
    }
    Ok(())
}

#[tokio::test]
async fn refusal_is_told_in_the_servers_words() -> TestResult {
    let test = Test::namespace().await;
    let unprivileged = client_of("unprivileged");
    let informer = Informer::of(unprivileged.core_v1().secrets(&test.namespace)).start();
    let error = soon("the refusal", informer.synced()).await.expect_err("it may not read secrets");
    let InformerError::Refused(refusal) = &error else { panic!("{error}") };
    assert!(refusal.is_forbidden() && error.to_string().contains("secrets"), "{error}");
    assert_eq!(refusal.kind(), ErrorKind::Api);
    assert!(!informer.health().synced && informer.health().error.is_some());
    Ok(())
}

#[tokio::test]
async fn registry_shares_what_is_the_same() -> TestResult {
    let test = Test::namespace().await;
    let registry = Registry::new();
    let config_maps = || Informer::of(test.client.core_v1().config_maps(&test.namespace));
    let first = config_maps().start_in(&registry);
    let same = config_maps().start_in(&registry);
    let other = config_maps().label_selector("app=test").start_in(&registry);
    soon("all objects", first.synced()).await?;
    soon("all objects", other.synced()).await?;
    assert!(same.health().synced, "it is the same informer");
    first.shutdown().await;
    assert!(same.health().ended && !other.health().ended);
    let anew = config_maps().start_in(&registry);
    soon("all objects", anew.synced()).await?;
    Ok(())
}
