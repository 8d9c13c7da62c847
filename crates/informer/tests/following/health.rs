//! Informers that the server refuses, and how they are.

use std::time::Duration;

use k8s_client_informer::{Informer, InformerError};
use k8s_client_test_server::{Fate, Server, What, listing};
use tokio::time::{Instant, sleep, timeout};

use crate::{LONG, synced, told, until};

#[tokio::test(start_paused = true)]
async fn refusal_is_told_in_the_servers_words_and_can_be_waited_out() {
    for (code, reason) in [(403, "Forbidden"), (404, "NotFound"), (401, "Unauthorized"), (406, "NotAcceptable")] {
        for watch_lists in [false, true] {
            let server = Server::new();
            server.set("web", "one");
            let refused = move |_: &k8s_client_test_server::Ask| Fate::Refused(code, reason);
            if watch_lists {
                server.decide(refused);
            } else {
                server.decide(listing(refused));
            }
            let informer = Informer::of(server.config_maps()).start();
            let error = timeout(LONG, informer.synced()).await.expect("at once").expect_err("it is refused");
            let InformerError::Refused(refusal) = &error else { panic!("{error}") };
            assert_eq!(refusal.code(), Some(code));
            let text = error.to_string();
            assert!(text.contains(&format!("the server says {reason}")) && text.contains("/configmaps"), "{text}");
            let health = informer.health();
            assert!(!health.synced && !health.ended);
            assert_eq!(health.error.and_then(|error| error.code()), Some(code));
            // Whoever waits is not told of it until the limit, and then with the reason.
            let error = informer.synced_within(Duration::from_secs(5)).await.expect_err("it is refused");
            assert!(error.to_string().contains(reason) && error.to_string().contains("5s"), "{error}");

            sleep(LONG).await;
            let tries = server.asked().len();
            assert!((6..40).contains(&tries), "it goes on with pauses: {tries}");
            server.decide(|_| Fate::Served);
            let begun = Instant::now();
            informer.synced_within(LONG).await.expect("it is granted");
            assert!(begun.elapsed() <= Duration::from_secs(60), "within one pause: {:?}", begun.elapsed());
            assert!(informer.health().error.is_none() && informer.health().synced);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn list_that_is_wrong_is_told_and_not_waited_for() {
    // Such as a field selector that the resource does not have.
    for (code, reason) in [(400, "BadRequest"), (422, "Invalid"), (405, "MethodNotAllowed")] {
        let server = Server::new();
        server.decide(move |_| Fate::Refused(code, reason));
        let informer = Informer::of(server.config_maps()).field_selector("spec.colour=red").start();
        let error = timeout(LONG, informer.synced()).await.expect("at once").expect_err("it is wrong");
        assert!(matches!(&error, InformerError::Refused(error) if error.code() == Some(code)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_pass_are_waited_out() {
    let fates: [fn() -> Fate; 4] = [
        || Fate::Lost,
        || Fate::Refused(503, "ServiceUnavailable"),
        || Fate::Refused(500, "InternalError"),
        || Fate::Said("<html>a proxy</html>".to_owned()),
    ];
    for fate in fates {
        let server = Server::new();
        let begun = Instant::now();
        server.decide(move |_| if begun.elapsed() < Duration::from_secs(20) { fate() } else { Fate::Served });
        let informer = Informer::of(server.config_maps()).start();
        until("the error", || informer.health().error.is_some()).await;
        informer.synced().await.expect("it passes");
        assert!(informer.health().error.is_none() && informer.health().last_contact.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn one_forbidden_namespace_of_three_leaves_the_others_usable() {
    let server = Server::new();
    for namespace in ["a", "b", "c", "d"] {
        server.set_in(namespace, "web", namespace);
    }
    server.decide(|ask| match ask.namespace.as_deref() {
        Some("b") => Fate::Refused(403, "Forbidden"),
        _ => Fate::Served,
    });
    let others = ["b", "c"].map(|namespace| server.config_maps_in(namespace));
    let informer = Informer::of(server.config_maps_in("a")).start_each(others);
    let mut changes = informer.subscribe();
    let error = informer.synced().await.expect_err("one is forbidden");
    assert!(error.to_string().contains("/namespaces/b/configmaps"), "{error}");
    until("two of them", || informer.lister().len() == 2).await;
    let mut all = told(&mut changes).await;
    all.sort();
    assert_eq!(all, ["+web=a", "+web=c"]);
    server.set_in("c", "web", "changed");
    assert_eq!(told(&mut changes).await, ["~web=c>changed"], "it is followed");
    assert!(!informer.health().synced && informer.health().error.is_some());
    assert_eq!(informer.resource_version(), None);

    server.decide(|_| Fate::Served);
    informer.synced_within(LONG).await.expect("it is granted");
    assert_eq!(told(&mut changes).await, ["+web=b", "synced"]);
    // One that is listed again does not touch those of the others.
    server.forget();
    server.end_watches();
    sleep(Duration::from_secs(10)).await;
    assert_eq!((informer.lister().len(), changes.len()), (3, 0));
    assert_eq!(server.live_watches(), 3);
}

#[tokio::test(start_paused = true)]
async fn permission_that_is_lost_later_is_seen_in_the_health_and_the_objects_stay() {
    let server = Server::new();
    server.set("web", "one");
    let informer = synced(&server).await;
    sleep(Duration::from_secs(42)).await;
    let health = informer.health();
    assert_eq!(health.last_contact.map(|age| age.as_secs()), Some(42));
    server.bookmark();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(informer.health().last_contact.map(|age| age.as_secs()), Some(1));
    server.decide(|_| Fate::Refused(403, "Forbidden"));
    server.end_watches();
    sleep(LONG).await;
    let health = informer.health();
    assert!(health.synced && health.last_contact > Some(LONG));
    assert!(health.error.is_some_and(|error| error.is_forbidden()));
    assert_eq!(informer.lister().len(), 1);
    assert!(informer.synced().await.is_ok(), "it was");
    server.decide(|_| Fate::Served);
    until("the permission", || informer.health().error.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn list_without_a_watch_is_told() {
    // Whoever may list and not watch: the objects are there, and the fault is in the health.
    let server = Server::new();
    server.set("web", "one");
    server.decide(listing(|ask| if ask.what == What::Watch { Fate::Refused(403, "Forbidden") } else { Fate::Served }));
    let informer = synced(&server).await;
    until("the refusal", || informer.health().error.is_some()).await;
    let version = server.set("web", "two");
    informer.wait_for(&version, LONG).await.expect("it is listed again");
}

#[tokio::test(start_paused = true)]
async fn informer_runs_without_being_waited_for() {
    let server = Server::new();
    server.set("web", "one");
    let informer = Informer::of(server.config_maps()).start();
    sleep(Duration::from_millis(50)).await;
    assert!(informer.health().synced && informer.lister().len() == 1);
}
