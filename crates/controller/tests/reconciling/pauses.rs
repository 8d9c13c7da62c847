//! What comes after a failed call, and when.

use std::{
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
};

use k8s_client_controller::{Controller, Next};
use k8s_client_informer::Informer;
use k8s_client_queue::{Bucket, ItemBackoff, Stats};
use k8s_client_test_server::Server;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Calls, SECOND, name, value};

/// A backoff of one second, then two, four and so on.
fn doubled() -> ItemBackoff {
    ItemBackoff::exponential(SECOND, 1000 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn failures_of_one_object_hold_up_no_other_and_changes_do_not_skip_its_pause() {
    let server = Server::new();
    server.set("bad", "1");
    server.set("good", "1");
    let objects = Informer::of(server.config_maps()).start();
    let calls = Calls::new();
    let controller =
        Controller::for_each(&objects).backoff(doubled()).reconcile(calls.clone(), |calls, object| async move {
            calls.note(&object);
            if name(&object) == "bad" && value(&object) != "3" { Err("not yet") } else { Ok(Next::wait()) }
        });
    let driver = async {
        sleep(5 * SECOND).await;
        server.set("bad", "2");
        server.set("good", "2");
        sleep(4 * SECOND).await;
        server.set("bad", "3");
        sleep(20 * SECOND).await;
        // What has succeeded has no failures any more.
        server.set("bad", "4");
        sleep(2 * SECOND).await;
    };
    controller.run_until(driver).await;
    assert_eq!(calls.seconds_of("bad"), [0, 1, 3, 7, 15, 29, 30]);
    assert_eq!(calls.seconds_of("good"), [0, 5]);
}

/// An object whose spec people change, and whose status a controller writes.
fn set_generation(server: &Server, generation: u32) {
    server.write("default", "web", |object| object["metadata"]["generation"] = json!(generation));
}

#[tokio::test(start_paused = true)]
async fn change_of_what_is_wanted_ends_the_pause_after_a_failure() {
    type Change = fn(&mut Value);
    let spec: Change = |object| object["metadata"]["generation"] = json!(2);
    let deletion: Change = |object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let status: Change = |object| object["data"] = json!({ "value": "status" });
    let labels: Change = |object| object["metadata"]["labels"] = json!({ "app": "web" });
    for (change, waits_out, at_once) in [
        (spec, false, true),
        (deletion, false, true),
        (status, false, false),
        (labels, false, false),
        (spec, true, false),
        (deletion, true, false),
    ] {
        for is_filtered in [false, true] {
            let server = Server::new();
            set_generation(&server, 1);
            let objects = Informer::of(server.config_maps()).start();
            let calls = Calls::new();
            let mut controller = Controller::for_each(&objects).backoff(doubled());
            if waits_out {
                controller = controller.wait_out_backoff();
            }
            if is_filtered {
                controller = controller.filtered(|_, _| true);
            }
            let controller = controller.reconcile(calls.clone(), |calls, object| async move {
                calls.note(&object);
                Err("not yet")
            });
            let driver = async {
                sleep(4 * SECOND).await;
                server.write("default", "web", change);
                sleep(2 * SECOND).await;
            };
            controller.run_until(driver).await;
            let expected: &[u128] = if at_once { &[0, 1, 3, 4] } else { &[0, 1, 3] };
            assert_eq!(calls.seconds_of("web"), expected, "{at_once} {waits_out} {is_filtered}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_not_forgotten_by_a_change_of_what_is_wanted() {
    let server = Server::new();
    set_generation(&server, 1);
    let objects = Informer::of(server.config_maps()).start();
    let calls = Calls::new();
    let controller =
        Controller::for_each(&objects).backoff(doubled()).reconcile(calls.clone(), |calls, object| async move {
            calls.note(&object);
            Err("not yet")
        });
    let driver = async {
        sleep(4 * SECOND).await;
        set_generation(&server, 2);
        sleep(20 * SECOND).await;
    };
    controller.run_until(driver).await;
    assert_eq!(calls.seconds_of("web"), [0, 1, 3, 4, 12]);
}

#[tokio::test(start_paused = true)]
async fn change_of_what_is_wanted_during_a_call_that_fails_is_taken_at_once() {
    for (during, expected) in [(2, [0, 5, 12]), (1, [0, 6, 13])] {
        let server = Server::new();
        set_generation(&server, 1);
        let objects = Informer::of(server.config_maps()).start();
        let calls = Calls::new();
        let controller =
            Controller::for_each(&objects).backoff(doubled()).reconcile(calls.clone(), |calls, object| async move {
                calls.note(&object);
                sleep(5 * SECOND).await;
                Err("not yet")
            });
        let driver = async {
            sleep(2 * SECOND).await;
            server.set("web", "status");
            set_generation(&server, during);
            sleep(13 * SECOND).await;
        };
        // The pauses are a second and two, from the end of a call.
        controller.run_until(driver).await;
        assert_eq!(calls.seconds_of("web"), expected, "{during}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_forgotten_with_their_object() {
    for is_seen in [true, false] {
        let server = Server::new();
        set_generation(&server, 1);
        let objects = Informer::of(server.config_maps()).start();
        let calls = Calls::new();
        let failures = Arc::new(AtomicUsize::new(0));
        let context = (calls.clone(), failures.clone());
        let controller = Controller::for_each(&objects).backoff(doubled()).reconcile(
            context,
            |(calls, failures), object| async move {
                calls.note(&object);
                failures.fetch_add(1, Ordering::SeqCst);
                Err("not yet")
            },
        );
        let queue = controller.queue().clone();
        let driver = async {
            sleep(40 * SECOND).await;
            assert_eq!(failures.load(Ordering::SeqCst), 6);
            server.delete("web");
            if is_seen {
                sleep(SECOND).await;
                assert_eq!(queue.stats(), Stats::default(), "nothing of it is left");
            }
            set_generation(&server, 1);
            sleep(2 * SECOND).await;
        };
        controller.run_until(driver).await;
        // The new one has pauses of its own. That of the old one would end at 63.
        let after: Vec<u128> = calls.seconds_of("web").into_iter().filter(|at| *at >= 40).collect();
        let first = if is_seen { 41 } else { 40 };
        assert_eq!(after, [first, first + 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_repeated_share_a_bucket_unless_it_is_taken_away() {
    for (bucket, seconds) in [(Some(Bucket::default()), 10), (Some(Bucket::new(100.0, 1)), 2), (None, 1)] {
        let server = Server::new();
        for number in 0..200 {
            server.set(&format!("object-{number}"), "1");
        }
        let objects = Informer::of(server.config_maps()).start();
        let failures = Arc::new(AtomicUsize::new(0));
        let controller = Controller::for_each(&objects).backoff(doubled());
        let controller = match bucket {
            Some(bucket) => controller.bucket(bucket),
            None => controller.no_bucket(),
        };
        let controller = controller.reconcile(failures.clone(), |calls, _| async move {
            // Each fails once.
            if calls.fetch_add(1, Ordering::SeqCst) < 200 { Err("not yet") } else { Ok(Next::wait()) }
        });
        let begun = Instant::now();
        let driver = async {
            while failures.load(Ordering::SeqCst) < 400 {
                sleep(SECOND / 10).await;
            }
        };
        controller.run_until(driver).await;
        assert_eq!(begun.elapsed().as_secs(), seconds, "{bucket:?}");
    }
}
