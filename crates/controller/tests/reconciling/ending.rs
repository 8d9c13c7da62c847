//! How controllers end, and what becomes of their calls.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use k8s_client_controller::{Controller, Metrics, Next, Stopped};
use k8s_client_informer::{Informer, ObjectKey};
use k8s_client_test_server::{Fate, Server, What};
use tokio::time::{Instant, sleep, timeout};

use super::{Calls, SECOND};

#[tokio::test(start_paused = true)]
async fn controller_ends_with_the_first_informer_that_ends_and_names_it() {
    let server = Server::new();
    server.set_in("originals", "web", "1");
    server.set_in("originals", "late", "1");
    let originals = Informer::of(server.config_maps_in("originals")).start();
    let others = Informer::of(server.config_maps_in("others")).label_selector("app=web").start();
    let calls = Calls::new();
    let controller =
        Controller::for_each(&originals).owned_by(&others).reconcile(calls.clone(), |calls, object| async move {
            calls.note(&object);
            sleep(20 * SECOND).await;
            Ok::<_, String>(Next::wait())
        });
    tokio::spawn(async move {
        sleep(5 * SECOND).await;
        others.shutdown().await;
    });
    let begun = Instant::now();
    let stopped = timeout(3600 * SECOND, controller.run()).await.expect("it ends");
    assert_eq!(begun.elapsed().as_secs(), 20, "the call under way has ended");
    assert_eq!(calls.all().len(), 1, "no other is begun");
    let ended = stopped.ended_informer.expect("the reason is told");
    assert_eq!(ended, "http://server/api/v1/namespaces/others/configmaps?labelSelector=app%3Dweb");
    assert_eq!(stopped.unfinished, []);
}

#[tokio::test(start_paused = true)]
async fn controller_of_an_informer_that_has_ended_calls_nothing() {
    for is_synced in [true, false] {
        let server = Server::new();
        server.set_in("originals", "web", "1");
        server.decide(move |ask| match ask.namespace.as_deref() {
            Some("others") if !is_synced => Fate::Refused(403, "Forbidden"),
            _ => Fate::Served,
        });
        let originals = Informer::of(server.config_maps_in("originals")).start();
        let others = Informer::of(server.config_maps_in("others")).start();
        sleep(SECOND).await;
        assert_eq!(others.health().synced, is_synced);
        others.shutdown().await;
        let calls = Calls::new();
        let controller =
            Controller::for_each(&originals).owned_by(&others).reconcile(calls.clone(), |calls, object| async move {
                calls.note(&object);
                Ok::<_, String>(Next::wait())
            });
        let stopped = timeout(SECOND, controller.run()).await.expect("it ends");
        assert!(stopped.ended_informer.is_some() && calls.all().is_empty(), "{is_synced}: {stopped:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_line_of_a_call_runs_when_its_condition_does_not_hold_any_more() {
    let server = Server::new();
    for name in ["a", "b"] {
        server.set(name, "1");
    }
    let objects = Informer::of(server.config_maps()).start();
    let holds = Arc::new(AtomicBool::new(true));
    let seen = holds.clone();
    let calls = Calls::new();
    let context = (calls.clone(), holds.clone());
    let controller = Controller::for_each(&objects).reconcile(context, |(calls, holds), object| async move {
        loop {
            assert!(holds.load(Ordering::SeqCst));
            calls.note(&object);
            sleep(SECOND).await;
        }
        #[expect(unreachable_code, reason = "the type of the result")]
        Ok::<_, String>(Next::wait())
    });
    tokio::spawn(async move {
        sleep(5 * SECOND + SECOND / 2).await;
        holds.store(false, Ordering::SeqCst);
    });
    let begun = Instant::now();
    let stopped = controller.only_while(move || seen.load(Ordering::SeqCst)).run().await;
    assert_eq!(begun.elapsed().as_secs(), 6, "it is found out by the next line");
    assert_eq!(calls.all().len(), 6);
    assert_eq!(stopped.unfinished.len(), 1, "{stopped:?}");
}

#[tokio::test(start_paused = true)]
async fn condition_is_asked_before_a_call_begins() {
    let server = Server::new();
    let objects = Informer::of(server.config_maps()).start();
    let holds = Arc::new(AtomicBool::new(true));
    let seen = holds.clone();
    let calls = Calls::new();
    let controller = Controller::for_each(&objects).reconcile(calls.clone(), |calls, object| {
        // Not yet a future.
        calls.note(&object);
        async { Ok::<_, String>(Next::wait()) }
    });
    tokio::spawn(async move {
        sleep(5 * SECOND).await;
        holds.store(false, Ordering::SeqCst);
        server.set("web", "1");
    });
    let stopped = controller.only_while(move || seen.load(Ordering::SeqCst)).run().await;
    assert_eq!((calls.all(), stopped), (vec![], Stopped::default()));
}

/// In real time, since it is about threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_line_of_a_call_runs_when_its_controller_was_dropped() {
    let server = Server::new();
    server.set("web", "1");
    let objects = Informer::of(server.config_maps()).start();
    let running = Arc::new(AtomicBool::new(false));
    let controller = Controller::for_each(&objects).reconcile(running.clone(), |running, _| async move {
        loop {
            running.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(50));
            running.store(false, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
        #[expect(unreachable_code, reason = "the type of the result")]
        Ok::<_, String>(Next::wait())
    });
    let mut controller = Box::pin(controller.run());
    while !running.load(Ordering::SeqCst) {
        assert!(timeout(Duration::from_millis(10), &mut controller).await.is_err(), "it runs");
    }
    drop(controller);
    for _ in 0..20 {
        assert!(!running.load(Ordering::SeqCst), "it was dropped");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(start_paused = true)]
async fn call_that_waits_for_its_own_write_is_not_begun_after_the_stop() {
    let server = Server::new();
    server.set("web", "1");
    let objects = Informer::of(server.config_maps()).start();
    let calls = Calls::new();
    let context = (server.clone(), calls.clone());
    let controller = Controller::for_each(&objects).reconcile(context, |(server, calls), object| async move {
        calls.note(&object);
        server.lose_watches();
        server.decide(|ask| if ask.what == What::List { Fate::Served } else { Fate::Lost });
        let mut written = (*object).clone();
        written.metadata.resource_version = Some(server.set("web", "2"));
        Ok::<_, String>(Next::after(Duration::ZERO).having_written(&written))
    });
    let begun = Instant::now();
    let stopped = controller.run_until(sleep(3 * SECOND)).await;
    assert_eq!((calls.all().len(), begun.elapsed(), stopped), (1, 3 * SECOND, Stopped::default()));
}

/// Metrics that panic.
struct Broken;

impl Metrics for Broken {
    fn running(&self, _: usize) {
        panic!("the metrics are broken");
    }
}

#[tokio::test(start_paused = true)]
async fn panic_of_metrics_goes_on_in_whoever_runs_the_controller() {
    let server = Server::new();
    server.set("web", "1");
    let objects = Informer::of(server.config_maps()).start();
    let controller =
        Controller::for_each(&objects).metrics(Broken).reconcile((), |(), _| async { Ok::<_, String>(Next::wait()) });
    let ended = timeout(60 * SECOND, tokio::spawn(controller.run())).await.expect("it ends").expect_err("by a panic");
    assert_eq!(ended.into_panic().downcast_ref::<&str>(), Some(&"the metrics are broken"));
}

#[tokio::test(start_paused = true)]
async fn calls_end_with_the_controller_when_it_is_dropped_and_have_their_time_when_it_is_stopped() {
    /// Says when it is dropped.
    struct Told(Arc<Mutex<Vec<&'static str>>>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.lock().expect("nobody panics with it").push("dropped");
        }
    }
    let server = Server::new();
    server.set("web", "1");
    let objects = Informer::of(server.config_maps()).start();
    let told: Arc<Mutex<Vec<&str>>> = Arc::default();
    let controller = |stop_timeout| {
        Controller::for_each(&objects).stop_timeout(stop_timeout).reconcile(told.clone(), |told, _| async move {
            let _dropped = Told(told.clone());
            sleep(20 * SECOND).await;
            told.lock().expect("nobody panics with it").push("finished");
            Ok::<_, String>(Next::wait())
        })
    };
    let take = || std::mem::take(&mut *told.lock().expect("nobody panics with it"));

    let running = tokio::spawn(controller(30 * SECOND).run());
    sleep(5 * SECOND).await;
    running.abort();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(take(), ["dropped"]);

    assert_eq!(controller(30 * SECOND).run_until(sleep(5 * SECOND)).await, Stopped::default());
    assert_eq!(take(), ["finished", "dropped"]);

    let begun = Instant::now();
    let stopped = controller(10 * SECOND).run_until(sleep(5 * SECOND)).await;
    assert_eq!(stopped.unfinished, [ObjectKey::new("default", "web")]);
    assert_eq!(begun.elapsed().as_secs(), 15);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(take(), ["dropped"]);
}
