//! Reading one's own writes.

use std::time::Duration;

use k8s_client_informer::{Event, Informer, InformerError, Registry, Subscription};
use k8s_client_test_server::{Fate, Server, What, event};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{LONG, synced, value};

#[tokio::test(start_paused = true)]
async fn write_is_there_when_its_version_is() {
    let server = Server::new();
    let informer = synced(&server).await;
    for number in 0..20 {
        let version = server.set("web", &number.to_string());
        informer.wait_for(&version, LONG).await.expect("it comes");
        let web = informer.lister().get("default", "web").expect("it is there");
        assert_eq!(value(&web), number.to_string());
    }
    // A version that other objects have made is reached by a bookmark.
    server.advance(5);
    let waiting = informer.wait_for("125", LONG);
    let (waited, ()) = tokio::join!(waiting, async { server.bookmark() });
    waited.expect("the bookmark brings it");
    // What was reached is not waited for.
    let begun = Instant::now();
    informer.wait_for("3", LONG).await.expect("it was reached");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn wait_for_a_version_that_does_not_come_names_both_versions_and_the_last_error() {
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    let error = informer.wait_for("4000", Duration::from_secs(5)).await.expect_err("it does not come");
    let InformerError::TimedOut { limit, last: None, .. } = &error else { panic!("{error}") };
    assert_eq!(*limit, Duration::from_secs(5));
    let text = error.to_string();
    assert!(text.contains("101") && text.contains("4000") && text.contains("5s"), "{text}");

    server.decide(|_| Fate::Refused(503, "ServiceUnavailable"));
    server.lose_watches();
    let error = informer.wait_for("4000", Duration::from_secs(5)).await.expect_err("it does not come");
    assert!(error.to_string().contains("the server says ServiceUnavailable"), "{error}");
    for text in ["", "0", "latest", "-5"] {
        let error = informer.wait_for(text, LONG).await.expect_err("it is not a version");
        assert!(matches!(&error, InformerError::NotAVersion(given) if given == text));
    }
}

/// Reads an informer in every way there is. `value` says what it has of an object.
async fn read_in_all_ways<T: Send + Sync + 'static>(server: &Server, informer: Informer<T>, value_of: fn(&T) -> &str) {
    informer.synced().await.expect("the server has them");
    let by_value = informer.index(move |object| Some(value_of(object).to_owned()));
    let mut early = informer.subscribe();
    server.set("web", "two");
    let version = server.set("new", "two");
    informer.wait_for(&version, LONG).await.expect("it comes");

    let lister = informer.lister();
    assert_eq!(lister.get("default", "web").as_deref().map(value_of), Some("two"));
    let mut names: Vec<String> = by_value.keys("two").iter().map(ToString::to_string).collect();
    names.sort();
    assert_eq!((names, by_value.get("one").len()), (vec!["default/new".to_owned(), "default/web".to_owned()], 1));
    let mut late = informer.subscribe_filtered(move |object| value_of(object) == "two");
    for changes in [&mut early, &mut late] {
        let mut added = 0;
        while let Some(Event::Added(object)) = changes.next().await {
            assert!(["one", "two"].contains(&value_of(&object)));
            added += 1;
        }
        assert_eq!(added, 2, "and then the mark");
    }
    server.set("web", "one");
    server.delete("new");
    let told = [changes_of(&mut late).await, changes_of(&mut late).await];
    assert_eq!(told, ["default/web is gone", "default/new is gone"]);
    assert!(matches!(early.next().await, Some(Event::Updated { old, new })
        if (value_of(&old), value_of(&new)) == ("two", "one")));
}

async fn changes_of<T: Send + Sync + 'static>(changes: &mut Subscription<T>) -> String {
    match changes.next_key().await.expect("the informer goes on") {
        Event::Deleted { last, .. } => format!("{last} is gone"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn objects_are_read_alike_however_they_are_kept() {
    let server = || {
        let server = Server::new();
        server.set("web", "one");
        server.set("other", "one");
        server
    };
    let (bytes, whole, slim) = (server(), server(), server());
    read_in_all_ways(&bytes, Informer::of(bytes.config_maps()).start(), value).await;
    read_in_all_ways(&whole, Informer::of(whole.config_maps()).whole().start(), value).await;
    let projected = Informer::of(slim.config_maps()).project(|object| value(&object).to_owned()).start();
    read_in_all_ways(&slim, projected, String::as_str).await;
}

/// A config map as it is watched, with `managedFields`.
fn managed(version: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "web", "namespace": "default", "uid": "uid", "resourceVersion": version,
            "managedFields": [{ "manager": "kubectl", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {} }],
        },
    })
}

#[tokio::test(start_paused = true)]
async fn managed_fields_are_there_for_who_asks_for_them() {
    for listed in [false, true] {
        let server = Server::new();
        let list = json!({
            "apiVersion": "v1", "kind": "ConfigMapList", "metadata": { "resourceVersion": "5" }, "items": [managed("4")],
        });
        let initial = event("ADDED", &managed("4"))
            + &event(
                "BOOKMARK",
                &json!({
                    "kind": "ConfigMap",
                    "metadata": { "resourceVersion": "5", "annotations": { "k8s.io/initial-events-end": "true" } },
                }),
            );
        server.decide(move |ask| match ask.what {
            What::WatchList if listed => Fate::Refused(422, "Invalid"),
            What::WatchList => Fate::Said(initial.clone()),
            What::List => Fate::Said(list.to_string()),
            What::Watch if ask.version() == Some("5") => Fate::Said(event("MODIFIED", &managed("6"))),
            What::Watch => Fate::Served,
        });
        let all = || Informer::of(server.config_maps());
        let informers = [
            (all().with_managed_fields().start(), true),
            (all().start(), false),
            (all().whole().with_managed_fields().start(), true),
            (all().with_managed_fields().start_each([]), true),
            (all().with_managed_fields().start_in(&Registry::new()), true),
        ];
        for (number, (informer, has)) in informers.into_iter().enumerate() {
            for version in ["4", "6"] {
                informer.wait_for(version, LONG).await.expect("it comes");
                let web = informer.lister().get("default", "web").expect("it is there");
                assert_eq!(web.metadata.managed_fields.is_some(), has, "{number}, listed {listed}, version {version}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn wait_for_a_version_includes_that_everything_is_there() {
    let server = Server::new();
    server.set("web", "one");
    server.decide(|_| Fate::Slow(Duration::from_secs(7)));
    let informer = Informer::of(server.config_maps()).start();
    informer.wait_for("2", LONG).await.expect("it comes");
    assert!(informer.lister().get("default", "web").is_some());
}

#[tokio::test(start_paused = true)]
async fn store_never_goes_back() {
    let server = Server::new();
    let informer = synced(&server).await;
    let mut newest = 0;
    for number in 0..200 {
        server.set("web", "x");
        match number % 5 {
            0 => server.end_watches(),
            1 => server.lose_watches(),
            2 => server.bookmark(),
            3 => server.forget(),
            _ => {}
        }
        for _ in 0..10 {
            sleep(Duration::from_millis(97)).await;
            let version: u64 = informer.resource_version().expect("it is synced").parse().expect("a number");
            assert!(version >= newest, "{version} after {newest}");
            newest = version;
        }
    }
}
