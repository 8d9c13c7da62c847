//! What is reported.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_client_informer::{Informer, Metrics};
use k8s_client_runtime::Error;
use k8s_client_test_server::{Fate, Server, What, listing};

use crate::until;

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn note(&self, text: impl Into<String>) {
        self.0.lock().expect("no test panics with it").push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no test panics with it"))
    }

    /// Waits until this was told, and takes everything up to now.
    async fn until(&self, text: &str) -> Vec<String> {
        until(text, || self.0.lock().expect("no test panics with it").iter().any(|told| told == text)).await;
        self.take()
    }
}

impl Metrics for Told {
    fn listed(&self, objects: usize, took: Duration) {
        self.note(format!("listed {objects} in {}", took.as_secs()));
    }

    fn watched(&self) {
        self.note("watched");
    }

    fn ended_at_once(&self) {
        self.note("ended at once");
    }

    fn changed(&self) {
        self.note("changed");
    }

    fn failed(&self, error: &Error) {
        self.note(format!("failed {:?}", error.code()));
    }

    fn objects(&self, count: usize) {
        self.note(format!("objects {count}"));
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_are_told_what_happens() {
    let server = Server::new();
    server.set("web", "one");
    server.decide(listing(|ask| match ask.what {
        What::List => Fate::Slow(Duration::from_secs(7)),
        _ => Fate::Served,
    }));
    let told = Told::default();
    let informer = Informer::of(server.config_maps()).metrics(told.clone()).start();
    informer.synced().await.expect("the server has it");
    // That a server does not know watches with initial events is a failure, though not one of the informer's health.
    assert_eq!(told.until("watched").await, ["failed Some(422)", "listed 1 in 7", "objects 1", "watched"]);

    server.set("new", "one");
    assert_eq!(told.until("objects 2").await, ["changed", "objects 2"]);
    server.set("new", "two");
    assert_eq!(told.until("objects 2").await, ["changed", "objects 2"]);
    server.delete("new");
    assert_eq!(told.until("objects 1").await, ["changed", "objects 1"]);
    server.bookmark();
    assert!(told.take().is_empty(), "nothing has changed");

    let mut fates = [Fate::Refused(503, "ServiceUnavailable"), Fate::Over].into_iter();
    server.decide(listing(move |_| fates.next().unwrap_or(Fate::Served)));
    server.end_watches();
    assert_eq!(told.until("ended at once").await, ["failed Some(503)", "watched", "ended at once"]);
    assert_eq!(told.until("watched").await, ["watched"], "it goes on where it was");
    drop(informer);
}
