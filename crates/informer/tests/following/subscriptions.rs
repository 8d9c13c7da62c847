//! What subscribers are told.

use std::time::Duration;

use k8s_client_informer::{Event, Informer};
use k8s_client_test_server::{Fate, Server, What, listing};
use tokio::time::{Instant, sleep, timeout};

use crate::{synced, told, until, value};

/// Runs with lists and with watches that bring everything: what is told must not differ.
fn servers() -> [Server; 2] {
    let lists = Server::new();
    lists.decide(listing(|_| Fate::Served));
    [Server::new(), lists]
}

/// Everything is asked for anew.
async fn relist(server: &Server, informer: &Informer<impl Send + Sync + 'static>) {
    server.forget();
    server.end_watches();
    until("the relist", || informer.resource_version() == Some(server.version()) && server.live_watches() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn relist_announces_only_what_differs() {
    for server in servers() {
        for name in ["a", "b", "c"] {
            server.set(name, "one");
        }
        let informer = synced(&server).await;
        let mut changes = informer.subscribe();
        assert_eq!(told(&mut changes).await.len(), 4);
        relist(&server, &informer).await;
        assert!(changes.is_empty(), "nothing has changed");
        server.end_watches();
        server.forget();
        server.set("b", "two");
        server.set("d", "one");
        relist(&server, &informer).await;
        let mut all = told(&mut changes).await;
        all.sort();
        assert_eq!(all, ["+d=one", "~b=one>two"]);
    }
}

#[tokio::test(start_paused = true)]
async fn object_that_went_during_an_outage_is_announced() {
    for server in servers() {
        server.set("web", "one");
        let informer = synced(&server).await;
        let mut changes = informer.subscribe();
        let by_value = informer.index(|object| Some(value(object).to_owned()));
        assert_eq!(told(&mut changes).await, ["+web=one", "synced"]);
        server.set("web", "two");
        assert_eq!(told(&mut changes).await, ["~web=one>two"]);
        server.lose_watches();
        server.delete("web");
        relist(&server, &informer).await;
        assert_eq!(told(&mut changes).await, ["-web=two?"]);
        assert!(informer.lister().is_empty() && by_value.values().is_empty());
        // One that a watch has told was seen.
        server.set("web", "three");
        server.delete("web");
        until("the deletion", || informer.resource_version() == Some(server.version())).await;
        assert!(changes.is_empty(), "an object that came and went unread is not told");
        server.set("web", "four");
        assert_eq!(told(&mut changes).await, ["+web=four"]);
        server.delete("web");
        assert_eq!(told(&mut changes).await, ["-web=four"]);
    }
}

#[tokio::test(start_paused = true)]
async fn object_made_again_is_told_as_deleted_and_added() {
    for server in servers() {
        server.set("web", "one");
        let informer = synced(&server).await;
        let mut changes = informer.subscribe();
        assert_eq!(told(&mut changes).await, ["+web=one", "synced"]);
        // Both are seen by the watch.
        server.delete("web");
        server.set("web", "two");
        assert_eq!(told(&mut changes).await, ["-web=one", "+web=two"]);
        // Only the last is in the next list.
        server.lose_watches();
        server.delete("web");
        server.set("web", "three");
        relist(&server, &informer).await;
        assert_eq!(told(&mut changes).await, ["-web=two?", "+web=three"]);
        // A watch that tells of the new one alone, as after a lost deletion.
        let other = server.remade("web", "four");
        server.say(&k8s_client_test_server::event("MODIFIED", &other));
        assert_eq!(told(&mut changes).await, ["-web=three?", "+web=four"]);
    }
}

#[tokio::test(start_paused = true)]
async fn late_subscriber_has_what_is_there_and_then_each_change_once() {
    let server = Server::new();
    for number in 0..20 {
        server.set(&format!("object-{number}"), "one");
    }
    let informer = synced(&server).await;
    for round in 0..20 {
        let name = format!("object-{round}");
        // What is on the way when it begins is told once, in one way or the other.
        server.set(&name, "two");
        tokio::task::yield_now().await;
        let mut late = informer.subscribe();
        server.set(&name, "three");
        server.set(&name, "four");
        let mut known = std::collections::BTreeMap::new();
        crate::follow_along(&mut late, &mut known).await;
        assert_eq!(known, server.contents());
    }
}

#[tokio::test(start_paused = true)]
async fn synced_comes_behind_the_objects_that_were_there() {
    for server in servers() {
        for name in ["a", "b", "c"] {
            server.set(name, "one");
        }
        let informer = Informer::of(server.config_maps()).start();
        let mut early = informer.subscribe();
        assert!(timeout(Duration::from_millis(1), early.next()).await.is_err() || informer.health().synced);
        informer.synced().await.expect("the server has them");
        let mut late = informer.subscribe();
        let mut filtered = informer.subscribe_filtered(|object| object.metadata.name.as_deref() == Some("b"));
        assert_eq!(told(&mut early).await.last().map(String::as_str), Some("synced"));
        let late = told(&mut late).await;
        assert_eq!((late.len(), late.last().map(String::as_str)), (4, Some("synced")));
        assert_eq!(told(&mut filtered).await, ["+b=one", "synced"]);
    }
}

#[tokio::test(start_paused = true)]
async fn subscriber_that_does_not_read_holds_one_entry_an_object_and_nobody_up() {
    let server = Server::new();
    for number in 0..10 {
        server.set(&format!("object-{number}"), "0");
    }
    let informer = synced(&server).await;
    let mut stalled = informer.subscribe();
    let mut reads = informer.subscribe();
    told(&mut reads).await;
    for round in 1..=200 {
        for number in 0..10 {
            server.set(&format!("object-{number}"), &round.to_string());
        }
        server.set("passing", "by");
        server.delete("passing");
        if round % 20 == 0 {
            relist(&server, &informer).await;
        }
        until("the changes", || informer.resource_version() == Some(server.version())).await;
        assert!(stalled.len() <= 11, "{}", stalled.len());
        let changes = told(&mut reads).await;
        assert_eq!(changes.len(), 10, "{changes:?}");
    }
    let mut all = told(&mut stalled).await;
    all.sort();
    assert_eq!(all[0], "+object-0=200");
    assert_eq!((all.len(), all[10].as_str()), (11, "synced"));
    // Once it reads, the next is told as always.
    server.set("object-0", "next");
    assert_eq!(told(&mut stalled).await, ["~object-0=200>next"]);
}

#[tokio::test(start_paused = true)]
async fn filter_lets_through_who_begins_and_ceases_to_match() {
    for server in servers() {
        server.set("web", "red");
        server.set("other", "blue");
        let informer = synced(&server).await;
        let mut red = informer.subscribe_filtered(|object| value(object) == "red");
        assert_eq!(told(&mut red).await, ["+web=red", "synced"]);
        server.set("other", "red");
        assert_eq!(told(&mut red).await, ["+other=red"]);
        server.set("other", "red");
        assert_eq!(told(&mut red).await, ["~other=red>red"]);
        server.set("other", "blue");
        assert_eq!(told(&mut red).await, ["-other=red"]);
        server.delete("other");
        assert!(told(&mut red).await.is_empty());
        server.lose_watches();
        server.set("web", "blue");
        relist(&server, &informer).await;
        assert_eq!(told(&mut red).await, ["-web=red"]);
    }
}

#[tokio::test(start_paused = true)]
async fn projection_without_metadata_is_told_of_each_change() {
    for server in servers() {
        server.set("web", "one");
        // Nothing is left of the object that tells one state from the other, or one object from the other.
        let informer = Informer::of(server.config_maps()).project(|_| ()).start();
        informer.synced().await.expect("the server has it");
        let mut changes = informer.subscribe().resync(Duration::from_secs(3600));
        assert!(matches!(changes.next().await, Some(Event::Added(_))));
        assert!(matches!(changes.next().await, Some(Event::Synced)));
        for _ in 0..3 {
            server.set("web", "one");
            assert!(matches!(changes.next().await, Some(Event::Updated { .. })));
        }
        sleep(Duration::from_secs(5 * 3600)).await;
        while timeout(Duration::from_millis(20), changes.next()).await.is_ok() {}
        server.set("web", "two");
        assert!(matches!(changes.next().await, Some(Event::Updated { .. })));
        server.lose_watches();
        server.delete("web");
        server.set("web", "three");
        relist(&server, &informer).await;
        assert!(matches!(changes.next().await, Some(Event::Deleted { seen: false, .. })));
        assert!(matches!(changes.next().await, Some(Event::Added(_))));
        assert!(informer.lister().get("default", "web").is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn resync_repeats_everything_at_varied_times_and_asks_nothing_of_the_server() {
    const PERIOD: Duration = Duration::from_secs(100);
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    let mut changes = informer.subscribe().resync(PERIOD);
    let mut without = informer.subscribe();
    told(&mut changes).await;
    told(&mut without).await;
    let mut times = std::collections::BTreeSet::new();
    let mut last = Instant::now();
    for _ in 0..20 {
        let event = changes.next().await.expect("the informer goes on");
        assert!(matches!(&event, Event::Updated { old, new } if value(old) == "one" && value(new) == "one"));
        let passed = last.elapsed();
        assert!((Duration::from_secs(89)..Duration::from_secs(111)).contains(&passed), "{passed:?}");
        times.insert(passed.as_millis());
        last = Instant::now();
    }
    assert!(times.len() > 10);
    assert!(without.is_empty());
    assert!(server.asked()[1..].iter().all(|ask| ask.what == What::Watch));
}

#[tokio::test]
async fn reader_of_very_much_lets_others_run() {
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    let mut changes = informer.subscribe();
    let endless = async {
        loop {
            changes.next().await;
            // As if everything changed as quickly as it is read.
            server.set("web", "two");
            informer.wait_for(&server.version(), Duration::from_secs(5)).await.expect("it follows");
        }
    };
    timeout(Duration::from_millis(300), endless).await.expect_err("it goes on for ever");
}

#[tokio::test(start_paused = true)]
async fn reader_of_a_large_snapshot_lets_others_run() {
    let server = Server::new();
    for number in 0..2000 {
        server.set(&format!("object-{number}"), "one");
    }
    let informer = synced(&server).await;
    let mut changes = informer.subscribe();
    let ran = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = ran.clone();
    let other = tokio::spawn(async move {
        loop {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    for _ in 0..2001 {
        changes.next().await;
    }
    assert!(ran.load(std::sync::atomic::Ordering::Relaxed) > 3, "the other task has its turn");
    other.abort();
}
