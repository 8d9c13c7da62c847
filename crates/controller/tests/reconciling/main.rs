//! When a controller calls its function, on a server in memory and with the clock under the tests' control.

mod ending;
mod pauses;
mod writes;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_client_controller::{Changes, Controller, Next};
use k8s_client_informer::{Informer, ObjectKey};
use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
use k8s_client_test_server::{Fate, Server, known::value};
use serde_json::json;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

fn name(config_map: &ConfigMap) -> &str {
    config_map.metadata.name.as_deref().unwrap_or_default()
}

/// The calls there were: when, in milliseconds, and of which object in which state.
#[derive(Clone)]
struct Calls {
    begun: Instant,
    calls: Arc<Mutex<Vec<(u128, String)>>>,
}

impl Calls {
    fn new() -> Self {
        Self { begun: Instant::now(), calls: Arc::default() }
    }

    fn note(&self, object: &ConfigMap) {
        let call = (self.begun.elapsed().as_millis(), format!("{}={}", name(object), value(object)));
        self.calls.lock().expect("nobody panics with it").push(call);
    }

    fn all(&self) -> Vec<(u128, String)> {
        self.calls.lock().expect("nobody panics with it").clone()
    }

    fn names(&self) -> Vec<String> {
        self.all().into_iter().map(|(_, call)| call).collect()
    }

    /// When an object was called, in whole seconds.
    fn seconds_of(&self, name: &str) -> Vec<u128> {
        let of_it = |(_, call): &(u128, String)| call.split('=').next() == Some(name);
        self.all().into_iter().filter(of_it).map(|(at, _)| at / 1000).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn object_that_changes_during_its_call_is_called_again_after_it() {
    let server = Server::new();
    server.set("web", "1");
    server.set("other", "1");
    let objects = Informer::of(server.config_maps()).start();
    let calls = Calls::new();
    let controller = Controller::for_each(&objects).workers(4).reconcile(calls.clone(), |calls, object| async move {
        calls.note(&object);
        sleep(10 * SECOND).await;
        Ok::<_, String>(Next::wait())
    });
    let driver = async {
        for value in ["2", "3"] {
            sleep(SECOND).await;
            server.set("web", value);
        }
        sleep(60 * SECOND).await;
    };
    controller.run_until(driver).await;
    assert_eq!((calls.seconds_of("web"), calls.seconds_of("other")), (vec![0, 10], vec![0]));
    assert!(calls.names().contains(&"web=3".to_owned()), "the call sees what there is by then");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_called_before_all_informers_have_their_objects() {
    let server = Server::new();
    server.set_in("originals", "web", "1");
    server.decide(|ask| match ask.namespace.as_deref() {
        Some("others") => Fate::Refused(403, "Forbidden"),
        _ => Fate::Served,
    });
    let originals = Informer::of(server.config_maps_in("originals")).start();
    let others = Informer::of(server.config_maps_in("others")).start();
    let calls = Calls::new();
    let controller =
        Controller::for_each(&originals).owned_by(&others).reconcile(calls.clone(), |calls, object| async move {
            calls.note(&object);
            Ok::<_, String>(Next::wait())
        });
    let driver = async {
        sleep(3600 * SECOND).await;
        assert!(originals.health().synced && calls.all().is_empty());
        server.decide(|_| Fate::Served);
        sleep(60 * SECOND).await;
    };
    controller.run_until(driver).await;
    assert_eq!(calls.names(), ["web=1"]);
}

#[tokio::test(start_paused = true)]
async fn what_changes_goes_before_what_was_there() {
    let server = Server::new();
    for number in 0..10 {
        server.set(&format!("object-{number}"), "1");
    }
    let objects = Informer::of(server.config_maps()).start();
    let calls = Calls::new();
    let controller = Controller::for_each(&objects).reconcile(calls.clone(), |calls, object| async move {
        calls.note(&object);
        sleep(SECOND).await;
        Ok::<_, String>(Next::wait())
    });
    let driver = async {
        sleep(SECOND / 2).await;
        server.set("new", "1");
        sleep(30 * SECOND).await;
    };
    controller.run_until(driver).await;
    assert_eq!((calls.all().len(), calls.seconds_of("new")), (11, vec![1]));
}

#[tokio::test(start_paused = true)]
async fn object_that_is_mapped_elsewhere_concerns_both() {
    let server = Server::new();
    for name in ["a", "b", "c"] {
        server.set_in("originals", name, "1");
    }
    server.set_in("others", "pointer", "a");
    let originals = Informer::of(server.config_maps_in("originals")).start();
    let others = Informer::of(server.config_maps_in("others")).start();
    let calls = Calls::new();
    let controller = Controller::for_each(&originals)
        .watch_mapped(&others, |other| [ObjectKey::new("originals", value(other))])
        .reconcile(calls.clone(), |calls, object| async move {
            calls.note(&object);
            Ok::<_, String>(Next::wait())
        });
    let driver = async {
        sleep(10 * SECOND).await;
        server.set_in("others", "pointer", "b");
        sleep(10 * SECOND).await;
        server.delete_in("others", "pointer");
        sleep(10 * SECOND).await;
        // Nothing is called of an object that is not there.
        server.set_in("others", "pointer", "nowhere");
        sleep(10 * SECOND).await;
    };
    controller.run_until(driver).await;
    let expected: BTreeMap<&str, Vec<u128>> = [("a", vec![0, 10]), ("b", vec![0, 10, 20]), ("c", vec![0])].into();
    let called: BTreeMap<&str, Vec<u128>> = ["a", "b", "c"].map(|name| (name, calls.seconds_of(name))).into();
    assert_eq!(called, expected);
}

/// How a controller looks at other objects.
#[derive(Clone, Copy, Debug)]
enum Way {
    Owned,
    OwnedByKind,
    Mapped,
}

#[tokio::test(start_paused = true)]
async fn changes_of_other_objects_can_be_passed_over() {
    let is_large = |_: Option<&ConfigMap>, new: Option<&ConfigMap>| new.is_some_and(|new| value(new).len() > 1);
    for way in [Way::Owned, Way::OwnedByKind, Way::Mapped] {
        let server = Server::new();
        server.set_in("originals", "web", "1");
        let set = |value: &str| {
            server.write("originals", "other", |object| {
                object["data"] = json!({ "value": value });
                object["metadata"]["labels"] = json!({ "of": "web" });
                object["metadata"]["ownerReferences"] =
                    json!([{ "apiVersion": "v1", "kind": "ConfigMap", "name": "web", "uid": "1", "controller": true }]);
            })
        };
        set("1");
        let originals = Informer::of(server.config_maps_in("originals")).start();
        let calls = Calls::new();
        // The other object is one of the controller's own, too: those are passed over here.
        let controller = Controller::for_each(&originals).filtered(|old, _| old.is_none());
        let large = Changes::of(&originals).filtered(is_large);
        let controller = match way {
            Way::Owned => controller.owned_by(large),
            Way::OwnedByKind => controller.owned_by_kind("", "ConfigMap", large),
            Way::Mapped => controller.watch_mapped(large, |other| {
                other.metadata.labels.as_ref().map(|labels| ObjectKey::new("originals", &labels["of"]))
            }),
        };
        let controller = controller.reconcile(calls.clone(), |calls, object| async move {
            calls.note(&object);
            Ok::<_, String>(Next::wait())
        });
        let driver = async {
            for value in ["2", "22", "3"] {
                sleep(10 * SECOND).await;
                set(value);
            }
            sleep(10 * SECOND).await;
            server.delete_in("originals", "other");
            sleep(10 * SECOND).await;
        };
        controller.run_until(driver).await;
        assert_eq!(calls.seconds_of("web"), [0, 20], "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn filters_pass_over_changes_but_not_over_resyncs() {
    let server = Server::new();
    server.set("web", "1");
    let objects = Informer::of(server.config_maps()).start();
    let calls = Calls::new();
    let is_large = |_: Option<&ConfigMap>, new: Option<&ConfigMap>| new.is_some_and(|new| value(new).len() > 1);
    let is_other = |_: Option<&ConfigMap>, new: Option<&ConfigMap>| new.is_some_and(|new| value(new) != "333");
    let controller = Controller::for_each(&objects)
        .filtered(is_large)
        .filtered(is_other)
        .resync(1000 * SECOND)
        .reconcile(calls.clone(), |calls, object| async move {
            calls.note(&object);
            Ok::<_, String>(Next::wait())
        });
    let driver = async {
        for value in ["2", "33", "333", "4"] {
            sleep(10 * SECOND).await;
            server.set("web", value);
        }
        sleep(1500 * SECOND).await;
    };
    controller.run_until(driver).await;
    assert_eq!(calls.names(), ["web=33", "web=4"], "the change, and the resync");
    let resync = calls.seconds_of("web")[1];
    assert!((900..=1100).contains(&resync), "{resync}");
}

#[tokio::test(start_paused = true)]
async fn object_is_called_for_a_reason_that_no_informer_knows_of() {
    let server = Server::new();
    server.set("web", "1");
    server.set("other", "1");
    let objects = Informer::of(server.config_maps()).start();
    let calls = Calls::new();
    let controller = Controller::for_each(&objects).reconcile(calls.clone(), |calls, object| async move {
        calls.note(&object);
        sleep(3 * SECOND).await;
        Ok::<_, String>(Next::wait())
    });
    let queue = controller.queue().clone();
    let driver = async {
        sleep(10 * SECOND).await;
        queue.add(ObjectKey::new("default", "web"));
        queue.add(ObjectKey::new("default", "nowhere"));
        sleep(2 * SECOND).await;
        let stats = queue.stats();
        assert_eq!((stats.running, stats.longest_running, stats.unfinished), (1, 2 * SECOND, 2 * SECOND));
        sleep(10 * SECOND).await;
    };
    controller.run_until(driver).await;
    assert_eq!(calls.seconds_of("web").last(), Some(&10));
    assert_eq!(calls.all().len(), 3);
}
