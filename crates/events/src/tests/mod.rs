//! The recorder in simulated time, on a small server of events.

mod server;

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Method;
use k8s_client_runtime::Error;
use k8s_openapi::{
    api::core::v1::{Node, Pod},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use self::server::{Fate, Server};
use crate::{Dropped, Metrics, Recorder};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn pod() -> Pod {
    Pod {
        metadata: ObjectMeta {
            name: Some("web".to_owned()),
            namespace: Some("shop".to_owned()),
            uid: Some("7".to_owned()),
            resource_version: Some("1".to_owned()),
            ..ObjectMeta::default()
        },
        ..Pod::default()
    }
}

/// How many tasks there are.
fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn thousand_equal_events_are_a_handful_of_writes() {
    for core in [false, true] {
        let server = Server::new();
        let builder = Recorder::builder(&server.client(), "x");
        let recorder = if core { builder.core_v1() } else { builder }.start();
        let mut pod = pod();
        for number in 0..1000 {
            pod.metadata.resource_version = Some(number.to_string());
            recorder.normal(&pod, "Pulled", "Pull").note("the image is there");
            if number % 100 == 0 {
                sleep(SECOND).await;
            }
        }
        recorder.flush().await.unwrap();
        assert_eq!(server.brief(), ["POST x1", "PATCH x101", "PATCH x1000"]);
        // Then it is quiet, and there is nothing more to write.
        sleep(120 * MINUTE).await;
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn event_has_all_that_was_said() {
    let server = Server::new();
    let recorder = Recorder::builder(&server.client(), "example.com/x").instance("x-1").start();
    let node =
        Node { metadata: ObjectMeta { name: Some("n1".to_owned()), ..ObjectMeta::default() }, ..Node::default() };
    recorder.warning(&pod(), "Evicted", "Evict").related(&node).note("too large");
    recorder.normal(&node, "Emptied", "Evict").record();
    recorder.flush().await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].path, "/apis/events.k8s.io/v1/namespaces/shop/events");
    assert_eq!(requests[1].path, "/apis/events.k8s.io/v1/namespaces/default/events", "an object of the cluster");
    let mut event = requests[0].body.clone();
    let name = event["metadata"]["name"].take();
    assert!(name.as_str().is_some_and(|name| name.starts_with("web.")), "{name}");
    assert!(event["eventTime"].take().is_string());
    let wanted = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": { "name": null, "namespace": "shop" },
        "eventTime": null, "type": "Warning", "reason": "Evicted", "action": "Evict", "note": "too large",
        "reportingController": "example.com/x", "reportingInstance": "x-1",
        "regarding": {
            "apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web", "uid": "7", "resourceVersion": "1",
        },
        "related": { "apiVersion": "v1", "kind": "Node", "name": "n1" },
    });
    assert_eq!(event, wanted);
}

#[tokio::test(start_paused = true)]
async fn core_event_has_all_that_was_said() {
    let server = Server::new();
    let recorder = Recorder::builder(&server.client(), "x").core_v1().instance("x-1").host("n1").start();
    let recorder_of_cluster =
        Recorder::builder(&server.client(), "x").core_v1().cluster_namespace("kube-system").start();
    recorder.normal(&pod(), "Pulled", "Pull").note("there");
    recorder.flush().await.unwrap();
    recorder.normal(&pod(), "Pulled", "Pull").note("there");
    recorder.flush().await.unwrap();
    recorder_of_cluster.normal(&Node::default(), "Emptied", "Evict").record();
    recorder_of_cluster.flush().await.unwrap();
    let requests = server.requests();
    let mut event = requests[0].body.clone();
    let name = event["metadata"]["name"].take();
    let first = event["firstTimestamp"].take();
    assert_eq!(event["lastTimestamp"].take(), first);
    let wanted = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": { "name": null, "namespace": "shop" },
        "firstTimestamp": null, "lastTimestamp": null, "count": 1, "type": "Normal",
        "reason": "Pulled", "action": "Pull", "message": "there", "source": { "component": "x", "host": "n1" },
        "reportingComponent": "x", "reportingInstance": "x-1",
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web", "uid": "7", "resourceVersion": "1",
        },
    });
    assert_eq!(event, wanted);
    assert_eq!(requests[1].path, format!("/api/v1/namespaces/shop/events/{}", name.as_str().unwrap()));
    assert_eq!((&requests[1].body["count"], &requests[1].body["message"]), (&json!(2), &json!("there")));
    assert_eq!(requests[2].path, "/api/v1/namespaces/kube-system/events");
}

#[tokio::test(start_paused = true)]
async fn events_beyond_the_budget_are_dropped_and_counted() {
    let log = Log::start();
    let server = Server::new();
    let counted = Counted::default();
    let recorder = Recorder::builder(&server.client(), "x").metrics(counted.clone()).start();
    for number in 0..30 {
        recorder.normal(&pod(), format!("Reason{number}"), "Act").note("a");
        sleep(SECOND).await;
    }
    assert_eq!(server.requests().len(), 25);
    assert_eq!(recorder.dropped(Dropped::Spam), 5);
    recorder.warning(&pod(), "Failed", "Act").note("a");
    recorder.flush().await.unwrap();
    assert_eq!(server.requests().len(), 26);
    sleep(2 * MINUTE).await;
    assert_eq!(*counted.0.lock().unwrap(), Counts { recorded: 31, written: 26, failed: 0, dropped: 5 });
    assert_eq!(log.lines("events were dropped").len(), 2, "once at once, and once for the rest: {:?}", log.lines(""));
    assert!(log.lines("4 (too many about one object)").len() == 1, "{:?}", log.lines(""));
}

#[tokio::test(start_paused = true)]
async fn series_that_is_gone_is_created_anew() {
    let server = Server::new();
    let recorder = Recorder::new(&server.client(), "x");
    recorder.normal(&pod(), "Pulled", "Pull").note("a");
    recorder.flush().await.unwrap();
    server.decide(|method, _| if method == Method::PATCH { Fate::Failure(404, "NotFound") } else { Fate::Good });
    recorder.normal(&pod(), "Pulled", "Pull").note("a");
    recorder.flush().await.unwrap();
    assert_eq!(server.brief(), ["POST x1", "PATCH x2", "POST x2"]);
    assert!(Dropped::ALL.iter().all(|why| recorder.dropped(*why) == 0));
}

#[tokio::test(start_paused = true)]
async fn missing_permission_is_told_once_with_the_rule_to_add() {
    for (core, group) in [(false, "events.k8s.io"), (true, "")] {
        let log = Log::start();
        let server = Server::new();
        server.always(Fate::Failure(403, "Forbidden"));
        let builder = Recorder::builder(&server.client(), "x");
        let recorder = if core { builder.core_v1() } else { builder }.start();
        for number in 0..10 {
            recorder.normal(&pod(), format!("Reason{number}"), "Act").note("a");
        }
        recorder.flush().await.unwrap();
        sleep(30 * MINUTE).await;
        assert_eq!(server.requests().len(), 10, "a refusal is not tried again");
        assert_eq!(recorder.dropped(Dropped::Refused), 10);
        let rule = format!(r#"{{apiGroups: ["{group}"], resources: ["events"], verbs: ["create", "patch"]}}"#);
        assert_eq!(log.lines(&rule).len(), 1, "{:?}", log.lines(""));
        assert_eq!(log.lines("could not be created").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_server_does_not_delay_recording() {
    let server = Server::new();
    server.always(Fate::Hangs);
    let recorder = Recorder::new(&server.client(), "x");
    let (before, tasks_before) = (Instant::now(), tasks());
    for number in 0..5000 {
        recorder.normal(&pod_number(number), "Pulled", "Pull").note("a");
        recorder.normal(&pod_number(number), "Pulled", "Pull").note("a");
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(tasks(), tasks_before, "no task is started");
    assert_eq!(recorder.dropped(Dropped::Full), 8000, "a thousand wait, with their repeats");
    let error = recorder.flush_within(SECOND).await.unwrap_err();
    assert_eq!((error.waiting, before.elapsed()), (1000, SECOND));
    // The server comes back.
    server.always(Fate::Good);
    recorder.flush_within(5 * MINUTE).await.unwrap();
    let written = server.requests().len();
    assert!((1000..=1010).contains(&written), "{written}");
}

fn pod_number(number: usize) -> Pod {
    let mut pod = pod();
    pod.metadata.uid = Some(number.to_string());
    pod
}

#[tokio::test(start_paused = true)]
async fn errors_that_may_pass_are_tried_again_with_pauses() {
    let server = Server::new();
    server.always(Fate::ConnectionLost);
    let counted = Counted::default();
    let recorder = Recorder::builder(&server.client(), "x").tries(4).metrics(counted.clone()).start();
    let begun = Instant::now();
    recorder.normal(&pod(), "Pulled", "Pull").note("a");
    recorder.flush_within(MINUTE).await.unwrap();
    assert_eq!(server.requests().len(), 4);
    assert_eq!(recorder.dropped(Dropped::Unreachable), 1);
    assert!((7 * SECOND..9 * SECOND).contains(&begun.elapsed()), "1, 2 and 4 seconds: {:?}", begun.elapsed());
    // An answer that was lost: the event is there.
    let mut requests = 0;
    server.decide(move |_, _| {
        requests += 1;
        if requests == 1 { Fate::ConnectionLost } else { Fate::Failure(409, "AlreadyExists") }
    });
    recorder.normal(&pod(), "Started", "Start").note("a");
    recorder.flush_within(MINUTE).await.unwrap();
    assert_eq!(server.requests().len(), 6);
    assert_eq!(*counted.0.lock().unwrap(), Counts { recorded: 2, written: 1, failed: 5, dropped: 1 });
}

#[tokio::test(start_paused = true)]
async fn flush_does_not_wait_for_the_end_of_a_pause() {
    let server = Server::new();
    server.always(Fate::ConnectionLost);
    let recorder = Recorder::new(&server.client(), "x");
    recorder.normal(&pod(), "Pulled", "Pull").note("a");
    sleep(30 * SECOND).await;
    server.always(Fate::Good);
    let begun = Instant::now();
    recorder.flush().await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn flush_does_not_wait_for_what_had_to_be_forgotten() {
    let server = Server::new();
    server.decide(|_, body| if body["reason"] == "First" { Fate::ConnectionLost } else { Fate::Hangs });
    let recorder = Recorder::builder(&server.client(), "x").max_remembered(2).start();
    recorder.normal(&pod(), "First", "Act").note("a");
    let begun = Instant::now();
    let others = async {
        sleep(SECOND / 2).await;
        recorder.normal(&pod(), "Second", "Act").note("a");
        // The first one has failed again, and waits behind the second one, which hangs.
        sleep(10 * SECOND).await;
        recorder.normal(&pod(), "Third", "Act").note("a");
    };
    let (flushed, ()) = tokio::join!(recorder.flush_within(MINUTE), others);
    flushed.unwrap();
    assert_eq!((begun.elapsed(), recorder.dropped(Dropped::Full)), (10 * SECOND + SECOND / 2, 1));
}

#[tokio::test(start_paused = true)]
async fn last_handle_takes_the_task_along_when_all_is_written() {
    let server = Server::new();
    let before = tasks();
    let recorder = Recorder::new(&server.client(), "x");
    let clone = recorder.clone();
    for _ in 0..3 {
        recorder.normal(&pod(), "Pulled", "Pull").note("a");
        sleep(SECOND).await;
    }
    drop(recorder);
    sleep(SECOND).await;
    assert_eq!(tasks(), before + 1, "there is another handle");
    clone.normal(&pod(), "Started", "Start").note("b");
    drop(clone);
    sleep(SECOND).await;
    assert_eq!(tasks(), before);
    assert_eq!(server.brief(), ["POST x1", "PATCH x2", "POST x1", "PATCH x3"]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_writes_what_is_left_and_later_events_are_counted() {
    let log = Log::start();
    let server = Server::new();
    let before = tasks();
    let recorder = Recorder::new(&server.client(), "x");
    recorder.normal(&pod(), "Pulled", "Pull").note("a");
    let clone = recorder.clone();
    tokio::join!(recorder.shutdown(), clone.shutdown());
    assert_eq!(server.brief(), ["POST x1"]);
    assert_eq!(tasks(), before);
    for _ in 0..3 {
        recorder.normal(&pod(), "Pulled", "Pull").note("a");
    }
    assert_eq!(recorder.dropped(Dropped::Ended), 3);
    assert_eq!(log.lines("1 (the recorder had ended)").len(), 1);
    recorder.flush().await.unwrap();
    recorder.shutdown().await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_whatever_the_server_does() {
    for (fate, limit) in [(Fate::Hangs, 10 * SECOND), (Fate::ConnectionLost, Duration::ZERO)] {
        let server = Server::new();
        server.always(fate);
        let recorder = Recorder::new(&server.client(), "x");
        for number in 0..3 {
            recorder.normal(&pod_number(number), "Pulled", "Pull").note("a");
        }
        let begun = Instant::now();
        recorder.shutdown().await;
        assert!(begun.elapsed() <= limit + SECOND, "{fate:?}: {:?}", begun.elapsed());
        assert_eq!(recorder.dropped(Dropped::Ended), 3, "{fate:?}");
    }
}

#[test]
fn end_of_the_runtime_is_the_end_of_the_recorder() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = Server::new();
    let (first, second) = (runtime(), runtime());
    let recorder = first.block_on(async { Recorder::new(&server.client(), "x") });
    recorder.normal(&pod(), "Pulled", "Pull").note("a");
    drop(first);
    recorder.normal(&pod(), "Pulled", "Pull").note("a");
    assert_eq!(recorder.dropped(Dropped::Ended), 2);
    second.block_on(async {
        recorder.flush().await.unwrap();
        recorder.shutdown().await;
    });
}

#[derive(Clone, Default)]
struct Counted(Arc<Mutex<Counts>>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    recorded: u64,
    written: u64,
    failed: u64,
    dropped: u64,
}

impl Metrics for Counted {
    fn recorded(&self) {
        self.0.lock().unwrap().recorded += 1;
    }

    fn written(&self, occurrences: u64, _: Duration) {
        self.0.lock().unwrap().written += occurrences;
    }

    fn failed(&self, _: &Error) {
        self.0.lock().unwrap().failed += 1;
    }

    fn dropped(&self, _: Dropped, occurrences: u64) {
        self.0.lock().unwrap().dropped += occurrences;
    }
}

/// What is logged in this thread.
struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        // With nobody listening everywhere, `tracing` may store a place in the code that another test meets meanwhile
        // as of no interest to anybody.
        drop(tracing::subscriber::set_global_default(tracing_subscriber::fmt().with_writer(io::sink).finish()));
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let writer = text.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || Writer(writer.clone())).finish();
        Self { text, _guard: tracing::subscriber::set_default(subscriber) }
    }

    fn lines(&self, with: &str) -> Vec<String> {
        let text = String::from_utf8(self.text.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(with)).map(str::to_owned).collect()
    }
}
