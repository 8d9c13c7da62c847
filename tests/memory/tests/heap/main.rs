//! What informers keep, in bytes.

mod pods;

use std::time::Duration;

use k8s_client_informer::{Event, Informer, Subscription};
use k8s_client_memory_tests::Heap;
use k8s_client_queue::Queue;
use k8s_client_runtime::k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_client_test_server::Server;
use tokio::time::{sleep, timeout};

/// Longer than any pause.
const LONG: Duration = Duration::from_secs(300);
const PODS: usize = 2000;
/// What maps and channels may keep for later.
const SLACK: usize = 64 << 10;

/// Four fields of a pod.
struct Slim {
    _node: Option<String>,
    _phase: Option<String>,
    _ip: Option<String>,
    _app: Option<String>,
}

fn slim(pod: Pod) -> Slim {
    let status = pod.status.unwrap_or_default();
    Slim {
        _node: pod.spec.and_then(|spec| spec.node_name),
        _phase: status.phase,
        _ip: status.pod_ip,
        _app: pod.metadata.labels.and_then(|mut labels| labels.remove("app")),
    }
}

/// An informer, and what it takes of the heap when it has all objects.
async fn synced<T: Send + Sync + 'static>(heap: &Heap, start: impl FnOnce() -> Informer<T>) -> (Informer<T>, usize) {
    // Tasks of what was dropped end.
    sleep(Duration::from_millis(1)).await;
    let before = heap.used();
    let informer = start();
    informer.synced_within(LONG).await.expect("the server has them");
    sleep(Duration::from_millis(1)).await;
    // What others in the process gave back meanwhile may be more than what an informer of nothing takes.
    (informer, heap.used().saturating_sub(before))
}

/// Has everything listed again, and looks at the heap meanwhile.
async fn relist<T: Send + Sync + 'static>(heap: &Heap, how: &str, start: impl Fn(&pods::Server) -> Informer<T>) {
    for watch_lists in [false, true] {
        let server = pods::Server::new(PODS, watch_lists);
        drop(synced(heap, || start(&server)).await);
        sleep(Duration::from_millis(1)).await;
        let before = heap.used();
        let (informer, stays) = synced(heap, || start(&server)).await;
        heap.forget_peak();
        let version = server.become_of(PODS);
        informer.wait_for(&version, LONG).await.expect("it lists again");
        let peak = heap.peak() - before;
        println!("{how}, watch lists {watch_lists}: {stays} bytes stay, the relist's peak is {peak}");
        assert!(peak * 10 < stays * 13, "{how}: {peak} of {stays}");
        assert_eq!(informer.lister().len(), PODS);
        sleep(Duration::from_millis(1)).await;
        assert!(heap.used() < before + stays + SLACK, "nothing of the second list is kept");
    }
}

async fn read_all<T: Send + Sync + 'static>(changes: &mut Subscription<T>) -> usize {
    let mut read = 0;
    while let Ok(Some(event)) = timeout(Duration::from_millis(20), changes.next()).await {
        read += usize::from(!matches!(event, Event::Synced));
    }
    read
}

#[test]
fn bytes_and_projections_take_a_part_of_what_whole_objects_take() {
    Heap::alone(async |heap| {
        let server = pods::Server::new(PODS, false);
        // What is made once in a process is not counted.
        drop(synced(&heap, || Informer::of(server.pods()).start()).await);
        let (informer, compact) = synced(&heap, || Informer::of(server.pods()).start()).await;
        drop(informer);
        let (informer, everything) = synced(&heap, || Informer::of(server.pods()).with_managed_fields().start()).await;
        drop(informer);
        let (informer, whole) = synced(&heap, || Informer::of(server.pods()).whole().start()).await;
        drop(informer);
        let (informer, projected) = synced(&heap, || Informer::of(server.pods()).project(slim).start()).await;
        drop(informer);
        println!(
            "{PODS} pods: {compact} bytes compact, {everything} with managedFields, {whole} whole, {projected} slim"
        );
        assert!(compact * 3 < everything * 2, "managedFields are a third of the bytes, and are not kept");
        assert!(compact * 3 < whole);
        assert!(projected * 3 < compact);
    });
}

#[test]
fn relist_takes_little_more_than_what_stays() {
    Heap::alone(async |heap| {
        relist(&heap, "compact", |server| Informer::of(server.pods()).start()).await;
        relist(&heap, "whole", |server| Informer::of(server.pods()).whole().start()).await;
        relist(&heap, "slim", |server| Informer::of(server.pods()).project(slim).start()).await;
    });
}

#[test]
fn heap_is_back_when_all_objects_are_gone() {
    Heap::alone(async |heap| {
        for watch_lists in [false, true] {
            let server = pods::Server::new(0, watch_lists);
            let (compact, _) = synced(&heap, || Informer::of(server.pods()).start()).await;
            let (whole, _) = synced(&heap, || Informer::of(server.pods()).whole().start()).await;
            let by_name = compact.index(|pod: &Pod| pod.metadata.name.clone());
            let by_node = whole.index(|pod: &Pod| pod.spec.as_ref()?.node_name.clone());
            let mut changes = compact.subscribe();
            let mut filtered = whole.subscribe_filtered(|pod: &Pod| pod.metadata.name.is_some());
            let mut round = async |pods: usize| {
                let version = server.become_of(pods);
                compact.wait_for(&version, LONG).await.expect("it lists again");
                whole.wait_for(&version, LONG).await.expect("it lists again");
                let told = (read_all(&mut changes).await, read_all(&mut filtered).await);
                assert_eq!((by_name.values().len(), by_node.values().len()), (pods, pods.min(100)));
                told
            };
            // Whatever is made once is there after this.
            round(10).await;
            round(0).await;
            let before = heap.used();
            assert_eq!(round(PODS).await, (PODS, PODS));
            let full = heap.used() - before;
            // One object that stays keeps no other alive.
            assert_eq!(round(1).await, (PODS - 1, PODS - 1));
            let one = heap.used().saturating_sub(before);
            assert_eq!(round(0).await, (1, 1));
            let empty = heap.used().saturating_sub(before);
            println!("watch lists {watch_lists}: {full} bytes for {PODS} pods, {one} for one, {empty} for none");
            assert!(full > 50 * SLACK && one < SLACK && empty < SLACK);
        }
    });
}

#[test]
fn queue_gives_back_what_a_multitude_of_items_took() {
    const ITEMS: usize = 50_000;
    Heap::alone(async |heap| {
        let queue: Queue<String> = Queue::new();
        let before = heap.used();
        for number in 0..ITEMS {
            queue.add_with_priority(format!("namespace/object-{number}"), i32::try_from(number % 7).expect("small"));
        }
        let full = heap.used() - before;
        // One fails for ever.
        let mut failures = 0;
        for _ in 0..ITEMS {
            let item = queue.next().await.expect("it is there");
            if *item == "namespace/object-7" {
                failures += 1;
                item.retry();
            } else {
                item.done();
            }
        }
        let empty = heap.used().saturating_sub(before);
        println!("{full} bytes for {ITEMS} items, {empty} for one");
        assert_eq!((failures, queue.stats().waiting), (1, 1));
        assert!(full > 50 * SLACK && empty < SLACK, "{full} {empty}");
    });
}

#[test]
fn stalled_subscriber_keeps_one_change_an_object_and_gives_it_back() {
    const OBJECTS: usize = 500;
    Heap::alone(async |heap| {
        let server = Server::new();
        let write = |round: usize| {
            for number in 0..OBJECTS {
                server.set(&format!("object-{number}"), &format!("{round} {}", "x".repeat(500)));
            }
            server.forget();
            server.version()
        };
        write(0);
        let informer = Informer::of(server.config_maps()).start();
        informer.synced_within(LONG).await.expect("the server has them");
        let update = async |round: usize| {
            write(round);
            let newest = move |object: &ConfigMap| {
                object.data.as_ref().is_some_and(|data| data["value"].starts_with(&format!("{round} ")))
            };
            while !informer.lister().all().iter().all(|object| newest(object)) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        update(1).await;
        let without = heap.used();
        let stalled = informer.subscribe_filtered(|_: &ConfigMap| true);
        update(2).await;
        let once = heap.used();
        for round in 3..12 {
            update(round).await;
            assert_eq!(stalled.len(), OBJECTS + 1, "an entry an object, and the mark");
        }
        let often = heap.used();
        drop(stalled);
        update(12).await;
        let after = heap.used();
        println!("{without} bytes without a subscriber, {once} and {often} with a stalled one, {after} afterwards");
        assert!(often < once + SLACK && after < without + SLACK, "{without} {once} {often} {after}");
    });
}
