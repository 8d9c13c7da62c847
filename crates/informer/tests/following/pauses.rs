//! How often the server is asked.

use std::{collections::BTreeSet, time::Duration};

use k8s_client_informer::WatchFault;
use k8s_client_test_server::{Ask, Fate, Server, What, event, listing};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{LONG, synced, until};

const SHORTEST: Duration = Duration::from_millis(800);

/// Checks that a pause is between any two times that everything is asked for, but where a server does not know watches
/// with initial events.
fn assert_paced(server: &Server) {
    let asked = server.asked();
    let mut all = asked.iter().filter(|ask| ask.what != What::Watch).peekable();
    while let Some(ask) = all.next() {
        if let Some(next) = all.peek()
            && (ask.what, next.what) != (What::WatchList, What::List)
        {
            assert!(next.at - ask.at >= SHORTEST, "{ask:?} then {next:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pause_is_between_any_two_lists_even_if_all_of_them_succeed() {
    // Each watch is refused at once in one way or another, and each list is good.
    let refusals: [fn() -> Fate; 6] = [
        || Fate::Refused(410, "Expired"),
        || Fate::Event(410, "Gone"),
        || Fate::Refused(403, "Forbidden"),
        || Fate::Refused(405, "MethodNotAllowed"),
        || Fate::Refused(400, "BadRequest"),
        || Fate::TooLarge,
    ];
    for refusal in refusals {
        let server = Server::new();
        server.set("web", "one");
        server.decide(listing(move |ask| if ask.what == What::Watch { refusal() } else { Fate::Served }));
        let informer = synced(&server).await;
        sleep(Duration::from_secs(600)).await;
        assert_paced(&server);
        let asked = server.asked().len();
        assert!((10..100).contains(&asked), "pauses grow, and it goes on: {asked}");
        assert!(informer.health().synced);
    }
}

#[tokio::test(start_paused = true)]
async fn list_that_fails_is_repeated_with_growing_pauses_until_it_succeeds() {
    let failures: [fn() -> Fate; 6] = [
        || Fate::Refused(429, "TooManyRequests"),
        || Fate::Refused(500, "InternalError"),
        || Fate::Refused(503, "ServiceUnavailable"),
        || Fate::Refused(404, "NotFound"),
        || Fate::Refused(401, "Unauthorized"),
        || Fate::Lost,
    ];
    for watch_lists in [false, true] {
        for failure in failures {
            let server = Server::new();
            server.set("web", "one");
            let usual = move |ask: &k8s_client_test_server::Ask| {
                if !watch_lists && ask.what == What::WatchList { Fate::Refused(422, "Invalid") } else { Fate::Served }
            };
            server.decide(usual);
            let informer = synced(&server).await;
            // While it recovers from a forgotten version.
            server.forget();
            let begun = Instant::now();
            server.decide(
                move |ask| {
                    if ask.what != What::Watch && begun.elapsed() < LONG { failure() } else { usual(ask) }
                },
            );
            server.end_watches();
            let version = server.set("web", "two");
            sleep(LONG + Duration::from_secs(60)).await;
            until("the list", || informer.resource_version() == Some(version.clone())).await;
            assert_paced(&server);
            assert!(informer.health().error.is_none());
            let tries = server.asked().iter().filter(|ask| ask.what != What::Watch).count();
            assert!((5..200).contains(&tries), "{tries}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn watches_that_end_at_once_are_told_asked_for_with_pauses_and_made_up_for_by_lists() {
    let stale =
        event("ADDED", &json!({ "metadata": { "name": "web", "namespace": "default", "resourceVersion": "101" } }));
    let bookmark = event("BOOKMARK", &json!({ "kind": "ConfigMap", "metadata": { "resourceVersion": "101" } }));
    for watch_lists in [false, true] {
        for body in ["", &stale, &bookmark] {
            let server = Server::new();
            server.set("web", "one");
            let body = body.to_owned();
            let proxy = move |ask: &Ask| match ask.what {
                What::Watch if body.is_empty() => Fate::Over,
                // Nothing new: what the client has already.
                What::Watch if ask.version() == Some("101") => Fate::Said(body.clone()),
                // A watch that brings something is cut behind it.
                What::Watch => Fate::Over,
                What::WatchList if !watch_lists => Fate::Refused(422, "Invalid"),
                What::WatchList | What::List => Fate::Served,
            };
            server.decide(proxy.clone());
            let informer = synced(&server).await;
            if watch_lists {
                // The first watch goes on behind its initial events until somebody ends it.
                server.end_watches();
            }
            until("the fault", || informer.health().watch_fault == Some(WatchFault::EndsAtOnce)).await;
            assert!(informer.health().error.is_none(), "it is no error");
            let cut = tokio::spawn({
                let server = server.clone();
                async move {
                    loop {
                        sleep(Duration::from_millis(500)).await;
                        server.end_watches();
                    }
                }
            });
            sleep(Duration::from_secs(600)).await;
            let asked = server.asked().len();
            assert!((10..110).contains(&asked), "{asked}");
            // Changes are found all the same.
            let version = server.set("web", "two");
            informer.wait_for(&version, Duration::from_secs(130)).await.expect("a list brings it");
            let error = informer.wait_for("4000", Duration::from_secs(1)).await.expect_err("it does not come");
            assert!(error.to_string().contains("ends its watches at once"), "{error}");
            assert_paced(&server);

            cut.abort();
            server.decide(|_| Fate::Served);
            until("a watch that lasts", || informer.health().watch_fault.is_none()).await;
            assert_eq!(server.live_watches(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn watches_end_and_begin_again_at_times_of_their_own() {
    let server = Server::new();
    server.set("web", "one");
    let _informer = synced(&server).await;
    sleep(Duration::from_secs(24 * 3600)).await;
    let asked = server.asked();
    assert!(asked[1..].iter().all(|ask| ask.what == What::Watch && ask.version() == Some("101")));
    let limits: BTreeSet<u64> =
        asked.iter().map(|ask| ask.query["timeoutSeconds"].parse().expect("a number")).collect();
    assert!(limits.iter().all(|seconds| (300..=600).contains(seconds)) && limits.len() > 50, "{limits:?}");
    for two in asked.windows(2) {
        let between = two[1].at - two[0].at;
        assert!((Duration::from_secs(300)..Duration::from_secs(601)).contains(&between), "{between:?}");
    }
    assert_eq!(server.live_watches(), 1);
}

#[tokio::test(start_paused = true)]
async fn first_retries_of_many_are_spread() {
    let server = Server::new();
    server.decide(|_| Fate::Lost);
    let informers: Vec<_> = (0..50).map(|_| k8s_client_informer::Informer::of(server.config_maps()).start()).collect();
    sleep(Duration::from_millis(1700)).await;
    let times: BTreeSet<u128> = server.asked()[50..].iter().map(|ask| ask.at.elapsed().as_millis() / 10).collect();
    assert!(times.len() > 20, "{times:?}");
    drop(informers);
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_the_store_is_right_in_the_end() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let server = Server::new();
        let watch_lists = random.bool();
        let mut fates = random.fork();
        let mut unlucky = move |ask: &k8s_client_test_server::Ask| {
            if !watch_lists && ask.what == What::WatchList {
                return Fate::Refused(422, "Invalid");
            }
            match fates.u8(0..30) {
                0 => Fate::Lost,
                1 => Fate::Refused(410, "Expired"),
                2 => Fate::Event(410, "Gone"),
                3 => Fate::TooLarge,
                4 => Fate::Refused(429, "TooManyRequests"),
                5 => Fate::Refused(403, "Forbidden"),
                6 => Fate::Event(500, "InternalError"),
                7 => Fate::Over,
                8 => Fate::Unmarked,
                9 => Fate::Said("nonsense".to_owned()),
                10 => Fate::Slow(Duration::from_secs(20)),
                _ => Fate::Served,
            }
        };
        server.decide(move |ask| unlucky(ask));
        let informer = k8s_client_informer::Informer::of(server.config_maps()).start();
        let mut changes = informer.subscribe();
        let mut known = std::collections::BTreeMap::new();
        for _ in 0..150 {
            let name = format!("object-{}", random.u8(0..6));
            match random.u8(0..12) {
                0 => server.end_watches(),
                1 => server.lose_watches(),
                2 => server.forget(),
                3 => server.bookmark(),
                4..=5 if server.has(&name) => server.delete(&name),
                6 => crate::follow_along(&mut changes, &mut known).await,
                _ => drop(server.set(&name, &random.u32(..).to_string())),
            }
            sleep(Duration::from_millis(random.u64(0..3000))).await;
        }
        server.decide(|_| Fate::Served);
        server.set("last", "last");
        until("the end", || informer.lister().get("default", "last").is_some()).await;
        crate::follow_along(&mut changes, &mut known).await;
        assert_eq!(known, server.contents(), "seed {seed}");
        assert_eq!(server.contents(), k8s_client_test_server::known::known(&informer.lister().all()), "seed {seed}");
        assert_paced(&server);
        drop((informer, changes));
        sleep(Duration::from_millis(10)).await;
        assert_eq!(server.live_watches(), 0);
    }
}
