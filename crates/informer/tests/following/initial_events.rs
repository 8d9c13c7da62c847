//! Watches that begin with all objects there are.

use std::time::Duration;

use k8s_client_informer::{Informer, WatchFault};
use k8s_client_test_server::{
    Fate, Server,
    What::{List, Watch, WatchList},
};
use tokio::time::{Instant, sleep};

use crate::{LONG, synced, told, until};

#[tokio::test(start_paused = true)]
async fn one_request_brings_the_objects_and_then_their_changes() {
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    let mut changes = informer.subscribe();
    assert_eq!(told(&mut changes).await, ["+web=one", "synced"]);
    server.set("web", "two");
    assert_eq!(told(&mut changes).await, ["~web=one>two"]);
    assert_eq!(server.steps(), [(WatchList, None)]);
    let asked = &server.asked()[0].query;
    assert_eq!(asked["resourceVersionMatch"], "NotOlderThan");
    assert_eq!(asked["allowWatchBookmarks"], "true");
}

#[tokio::test(start_paused = true)]
async fn server_that_does_not_know_them_is_listed_and_not_asked_again() {
    for (code, reason) in [(400, "BadRequest"), (422, "Invalid"), (405, "MethodNotAllowed")] {
        let server = Server::new();
        server.set("web", "one");
        server.decide(move |ask| if ask.what == WatchList { Fate::Refused(code, reason) } else { Fate::Served });
        let begun = Instant::now();
        let informer = synced(&server).await;
        assert!(begun.elapsed() < Duration::from_millis(100), "it is listed at once");
        assert!(informer.health().error.is_none(), "that is no fault");
        server.forget();
        server.end_watches();
        until("the relist", || informer.resource_version() == Some(server.version())).await;
        let whats: Vec<_> = server.asked().iter().map(|ask| ask.what).collect();
        assert_eq!(whats[..4], [WatchList, List, Watch, Watch]);
        assert!(!whats[4..].contains(&WatchList));
    }
}

#[tokio::test(start_paused = true)]
async fn server_that_never_marks_their_end_is_listed_and_not_asked_again() {
    let fates: [fn() -> Fate; 2] = [|| Fate::Unmarked, || Fate::Over];
    for fate in fates {
        let server = Server::new();
        server.set("web", "one");
        server.decide(move |ask| if ask.what == WatchList { fate() } else { Fate::Served });
        let begun = Instant::now();
        let informer = Informer::of(server.config_maps()).start();
        informer.synced_within(LONG).await.expect("a list");
        assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
        let health = informer.health();
        assert!(health.watch_fault == Some(WatchFault::NeverMarked) && health.error.is_none(), "{health:?}");
        server.forget();
        server.end_watches();
        until("the relist", || informer.resource_version() == Some(server.version())).await;
        assert_eq!(server.asked().iter().filter(|ask| ask.what == WatchList).count(), 1);
        assert_eq!(server.live_watches(), 1, "the silent one was closed");
    }
}

#[tokio::test(start_paused = true)]
async fn other_informers_ask_for_initial_events_all_the_same() {
    let server = Server::new();
    server.set("web", "one");
    let mut first = true;
    server.decide(move |_| if std::mem::take(&mut first) { Fate::Refused(422, "Invalid") } else { Fate::Served });
    let _one = synced(&server).await;
    let _other = synced(&server).await;
    let whats: Vec<_> = server.asked().iter().map(|ask| ask.what).collect();
    assert_eq!(whats, [WatchList, List, Watch, WatchList]);
}

#[tokio::test(start_paused = true)]
async fn initial_events_are_not_shown_before_their_end() {
    let server = Server::new();
    server.set("web", "one");
    server.decide(|ask| if ask.what == WatchList { Fate::Unmarked } else { Fate::Served });
    let informer = Informer::of(server.config_maps()).start();
    let mut changes = informer.subscribe();
    sleep(Duration::from_secs(10)).await;
    server.set("new", "two");
    server.delete("web");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(informer.lister().len(), 0);
    assert!(changes.is_empty());
    assert_eq!(informer.resource_version(), None);
    assert!(!informer.health().synced);
    // What changed before the mark counts.
    server.mark();
    until("the mark", || informer.health().synced).await;
    assert_eq!(told(&mut changes).await, ["+new=two", "synced"]);
    assert_eq!(informer.resource_version(), Some(server.version()));
}

#[tokio::test(start_paused = true)]
async fn initial_events_that_break_off_count_for_nothing() {
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    let mut changes = informer.subscribe();
    assert_eq!(told(&mut changes).await, ["+web=one", "synced"]);
    let mut unmarked = 2;
    server.decide(move |ask| {
        if ask.what == WatchList && unmarked > 0 {
            unmarked -= 1;
            return Fate::Unmarked;
        }
        Fate::Served
    });
    server.forget();
    server.end_watches();
    server.delete("web");
    server.set("new", "two");
    for tries in 1..=2 {
        until("the watch", || {
            server.asked().iter().filter(|ask| ask.what == WatchList).count() == tries + 1 && server.live_watches() == 1
        })
        .await;
        sleep(Duration::from_millis(100)).await;
        assert!(changes.is_empty());
        assert_eq!(informer.resource_version().as_deref(), Some("101"));
        assert!(informer.lister().get("default", "web").is_some());
        server.lose_watches();
    }
    until("the relist", || informer.resource_version() == Some(server.version())).await;
    let mut all = told(&mut changes).await;
    all.sort();
    assert_eq!(all, ["+new=two", "-web=one?"]);
    let relists: Vec<_> = server.steps().into_iter().filter(|(what, _)| *what == WatchList).skip(1).collect();
    assert_eq!(relists, vec![(WatchList, Some("101".to_owned())); 3]);
}
