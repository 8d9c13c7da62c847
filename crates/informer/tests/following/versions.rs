//! From which version what is asked for.

use k8s_client_test_server::{
    Fate, Server,
    What::{self, List, Watch, WatchList},
    listing,
};
use serde_json::json;

use crate::{LONG, synced, told, until};

/// What was asked for, in short.
fn steps(server: &Server) -> Vec<(What, String)> {
    let short = |version: Option<String>| version.unwrap_or_else(|| "newest".to_owned());
    server.steps().into_iter().map(|(what, version)| (what, short(version))).collect()
}

fn step(what: What, version: &str) -> (What, String) {
    (what, version.to_owned())
}

#[tokio::test(start_paused = true)]
async fn version_that_was_too_old_is_not_watched_from_again() {
    let refusals: [fn() -> Fate; 4] = [
        || Fate::Refused(410, "Expired"),
        || Fate::Refused(410, "Gone"),
        || Fate::Event(410, "Expired"),
        || Fate::Event(410, "Gone"),
    ];
    for refusal in refusals {
        let server = Server::new();
        server.set("web", "one");
        server.decide(listing(|_| Fate::Served));
        let informer = synced(&server).await;
        // Lists come from a memory that is older than what can be watched from.
        let old = json!({ "apiVersion": "v1", "kind": "ConfigMapList", "metadata": { "resourceVersion": "101" },
            "items": [] });
        server.decide(listing(move |ask| match (ask.what, ask.version()) {
            (Watch, Some("101")) => refusal(),
            (List, Some("101")) => Fate::Said(old.to_string()),
            _ => Fate::Served,
        }));
        server.end_watches();
        server.forget();
        let newest = server.set("web", "two");
        until("the relist", || informer.resource_version() == Some(newest.clone())).await;
        let expected = [
            step(WatchList, "newest"),
            step(List, "0"),
            step(Watch, "101"),
            step(Watch, "101"),
            step(List, "101"),
            step(List, "newest"),
            step(Watch, &newest),
        ];
        until("the watch", || server.live_watches() == 1).await;
        assert_eq!(steps(&server), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn version_that_was_too_old_is_not_watched_from_again_after_initial_events() {
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    server.decide(|ask| match (ask.what, ask.version()) {
        (Watch, Some("101")) => Fate::Event(410, "Expired"),
        _ => Fate::Served,
    });
    server.end_watches();
    until("the relist", || server.asked().len() == 3 && server.live_watches() == 1).await;
    // The server had nothing newer, and the watch that went on from there ends.
    server.end_watches();
    until("the next one", || server.asked().len() == 4 && server.live_watches() == 1).await;
    let expected = [
        step(WatchList, "newest"),
        step(Watch, "101"),
        step(WatchList, "101"),
        // A quorum of etcd knows the newest version.
        step(WatchList, "newest"),
    ];
    assert_eq!(steps(&server), expected);
    assert_eq!(informer.lister().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn version_that_is_too_large_is_dropped_until_a_list_has_succeeded() {
    let server = Server::new();
    server.set("web", "one");
    server.decide(listing(|_| Fate::Served));
    let informer = synced(&server).await;
    let mut failures = 3;
    server.decide(listing(move |ask| match (ask.what, ask.version()) {
        (Watch | List, Some("101")) => Fate::TooLarge,
        (List, None) if failures > 0 => {
            failures -= 1;
            Fate::Refused(500, "InternalError")
        }
        _ => Fate::Served,
    }));
    server.advance(7);
    server.end_watches();
    until("the relist", || informer.resource_version().as_deref() == Some("108")).await;
    until("the watch", || server.live_watches() == 1).await;
    let expected =
        [step(List, "newest"), step(List, "newest"), step(List, "newest"), step(List, "newest"), step(Watch, "108")];
    assert_eq!(steps(&server)[4..], expected);
}

#[tokio::test(start_paused = true)]
async fn relist_carries_the_last_version() {
    for bookmarked in [false, true] {
        for watch_lists in [false, true] {
            let server = Server::new();
            if !watch_lists {
                server.decide(listing(|_| Fate::Served));
            }
            let informer = synced(&server).await;
            let version = if bookmarked {
                server.advance(5);
                server.bookmark();
                server.version()
            } else {
                server.set("web", "one")
            };
            until("the version", || informer.resource_version() == Some(version.clone())).await;
            let before = server.asked().len();
            server.forget();
            server.end_watches();
            until("the relist", || informer.resource_version() == Some(server.version())).await;
            let relist = step(if watch_lists { WatchList } else { List }, &version);
            assert_eq!(steps(&server)[before..before + 2], [step(Watch, &version), relist]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn watch_that_cannot_be_opened_is_tried_again_where_it_was() {
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    let mut changes = informer.subscribe();
    assert_eq!(told(&mut changes).await, ["+web=one", "synced"]);
    let mut number = 0;
    server.decide(move |_| {
        number += 1;
        match number {
            1..=3 => Fate::Lost,
            4 => Fate::Refused(503, "ServiceUnavailable"),
            5 => Fate::Refused(429, "TooManyRequests"),
            6 => Fate::Event(429, "TooManyRequests"),
            7 => Fate::Refused(504, "Timeout"),
            8 => Fate::Over,
            _ => Fate::Served,
        }
    });
    server.lose_watches();
    server.set("web", "two");
    server.set("new", "three");
    until("the changes", || informer.lister().len() == 2).await;
    assert_eq!(told(&mut changes).await, ["~web=one>two", "+new=three"]);
    let asked = steps(&server);
    assert_eq!(asked[1..], vec![step(Watch, "101"); asked.len() - 1], "nothing is listed for that");
    assert!(asked.len() >= 9);
    assert!(informer.health().error.is_none());
}

#[tokio::test(start_paused = true)]
async fn watch_that_the_server_cannot_serve_from_there_is_listed_anew() {
    let failures: [fn() -> Fate; 4] = [
        // etcd has lost a state that an event needs: it will not come back.
        || Fate::Event(500, "InternalError"),
        || Fate::Refused(500, "InternalError"),
        || Fate::Said("{\"type\":\"ERROR\",\"object\":{\"why\":7}}\n".to_owned()),
        || Fate::Said("{\"type\":\"MOVED\",\"object\":{}}\n".to_owned()),
    ];
    for failure in failures {
        let server = Server::new();
        server.set("web", "one");
        let informer = synced(&server).await;
        server.decide(
            move |ask| if ask.version() == Some("101") && ask.what == Watch { failure() } else { Fate::Served },
        );
        server.end_watches();
        let version = server.set("web", "two");
        until("the list", || informer.resource_version() == Some(version.clone())).await;
        assert_eq!(steps(&server)[1..], [step(Watch, "101"), step(WatchList, "101")]);
    }
}

#[tokio::test(start_paused = true)]
async fn list_without_a_version_is_not_watched_from() {
    for version in [json!(null), json!("")] {
        let list = json!({ "apiVersion": "v1", "kind": "ConfigMapList", "metadata": { "resourceVersion": version },
            "items": [{ "metadata": { "name": "web", "namespace": "default" } }] });
        let server = Server::new();
        server.decide(listing(move |_| Fate::Said(list.to_string())));
        let informer = synced(&server).await;
        assert_eq!(informer.lister().len(), 1);
        until("a few lists", || server.asked().len() > 5).await;
        assert!(server.asked()[1..].iter().all(|ask| ask.what == List), "{:?}", steps(&server));
    }
}

#[tokio::test(start_paused = true)]
async fn events_without_a_version_do_not_move_the_version() {
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    let odd = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "odd", "namespace": "default" } });
    server.say(&k8s_client_test_server::event("ADDED", &odd));
    until("the object", || informer.lister().len() == 2).await;
    server.end_watches();
    until("the watch", || server.asked().len() == 2).await;
    assert_eq!(steps(&server)[1], step(Watch, "101"));
    tokio::time::timeout(LONG, informer.shutdown()).await.expect("it ends");
}
