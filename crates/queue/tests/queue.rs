//! What a queue promises to those who add and to those who work.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use k8s_client_queue::{Bucket, Item, ItemBackoff, Metrics, Queue};
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Waits a second after each failure, and has no common limit.
fn patient() -> Queue<&'static str> {
    Queue::<&str>::builder().backoff(ItemBackoff::by(|_| SECOND)).no_bucket().build()
}

/// The next item, if there is one within less than a moment.
async fn at_once(queue: &Queue<&'static str>) -> Option<Item<&'static str>> {
    timeout(Duration::from_nanos(1), queue.next()).await.ok().flatten()
}

#[tokio::test(start_paused = true)]
async fn item_that_is_added_while_it_is_worked_on_is_taken_once_more() {
    let queue = patient();
    queue.add("a");
    queue.add("a");
    let item = queue.next().await.expect("it was added");
    for _ in 0..3 {
        queue.add("a");
    }
    assert!(at_once(&queue).await.is_none(), "nobody else may have it");
    item.done();
    at_once(&queue).await.expect("it was added again").done();
    assert!(at_once(&queue).await.is_none(), "three times are as good as one");
    assert_eq!(queue.stats(), k8s_client_queue::Stats::default());
}

#[tokio::test(start_paused = true)]
async fn add_during_the_pause_neither_skips_nor_prolongs_it() {
    let queue = patient();
    queue.add("a");
    queue.next().await.expect("it was added").retry();
    let start = Instant::now();
    tokio::time::sleep(SECOND / 2).await;
    queue.add("a");
    queue.add_after("a", SECOND / 10);
    assert_eq!(queue.failures(&"a"), 1);
    let item = queue.next().await.expect("it comes again");
    assert_eq!(start.elapsed().as_millis(), 1000);
    item.done();
    assert!(timeout(3 * SECOND, queue.next()).await.is_err(), "it is taken once");
    assert_eq!(queue.failures(&"a"), 0);
}

#[tokio::test(start_paused = true)]
async fn add_now_ends_the_pause_and_keeps_the_failures() {
    let queue = patient();
    queue.add("a");
    queue.next().await.expect("it was added").retry();
    queue.add_now("a");
    let item = at_once(&queue).await.expect("the pause is over");
    assert_eq!(queue.failures(&"a"), 1);
    queue.add_now("a");
    item.retry();
    let item = at_once(&queue).await.expect("it was wanted at once while it was worked on");
    assert_eq!(queue.failures(&"a"), 2);
    item.done();
}

#[tokio::test(start_paused = true)]
async fn item_that_was_added_for_later_is_taken_once_at_the_earliest_time() {
    let queue = patient();
    queue.add_after("a", 9 * SECOND);
    queue.add_after("a", 2 * SECOND);
    queue.add_after("a", 5 * SECOND);
    queue.add_after("b", SECOND);
    queue.add_after("c", Duration::MAX);
    let start = Instant::now();
    let b = queue.next().await.expect("b comes first");
    assert_eq!((*b, start.elapsed().as_secs()), ("b", 1));
    let a = queue.next().await.expect("a comes next");
    assert_eq!((*a, start.elapsed().as_secs()), ("a", 2));
    queue.add_after("b", 7 * SECOND);
    b.done();
    a.again_after(SECOND);
    queue.add("a");
    at_once(&queue).await.expect("it was added for now").done();
    let b = queue.next().await.expect("it was added for later while it was worked on");
    assert_eq!((*b, start.elapsed().as_secs()), ("b", 9));
}

#[tokio::test(start_paused = true)]
async fn higher_priority_goes_first_and_a_repeat_never_lowers_it() {
    let queue = patient();
    queue.add_with_priority("low", -100);
    queue.add("first");
    queue.add("second");
    queue.add_with_priority("raised", -100);
    queue.add("raised");
    queue.add_with_priority("high", 7);
    queue.add_with_priority("high", 1);
    queue.add_with_priority("first", 0);
    let mut taken = Vec::new();
    while let Some(item) = at_once(&queue).await {
        taken.push(*item);
        item.done();
    }
    assert_eq!(taken, ["high", "first", "second", "raised", "low"]);
    queue.add_with_priority("low", -100);
    queue.next().await.expect("it was added").retry();
    queue.add("between");
    tokio::time::sleep(SECOND).await;
    queue.add("later");
    let order = [queue.next().await, queue.next().await, queue.next().await].map(|item| *item.expect("it is there"));
    assert_eq!(order, ["between", "later", "low"], "an item that comes again keeps its priority");
}

#[tokio::test(start_paused = true)]
async fn panic_in_the_work_is_a_failure() {
    let queue = patient();
    queue.add("a");
    let worker = queue.clone();
    let result = tokio::spawn(async move {
        let _item = worker.next().await;
        panic!("the work fails");
    });
    assert!(result.await.is_err());
    assert_eq!((queue.failures(&"a"), queue.stats().waiting, queue.stats().running), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn closed_queue_hands_out_what_is_ready_and_drops_what_waits() {
    let queue = patient();
    for item in ["done", "added again", "failed"] {
        queue.add(item);
    }
    let [done, again, failed] =
        [queue.next().await, queue.next().await, queue.next().await].map(|item| item.expect("it is there"));
    queue.add("added again");
    queue.add("ready");
    queue.add_after("later", SECOND);
    queue.close();
    queue.add("too late");
    queue.add("done");
    assert_eq!(*queue.next().await.expect("it was ready"), "ready");
    assert!(queue.next().await.is_none());
    done.done();
    failed.retry();
    again.done();
    assert_eq!(*queue.next().await.expect("it was added before"), "added again");
    assert!(queue.next().await.is_none() && queue.is_closed());
    assert_eq!(queue.stats(), k8s_client_queue::Stats::default());
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_in_a_closed_queue_does_not_come_again() {
    for how in ["done", "failed", "later", "dropped"] {
        let told = Told::default();
        let queue = Queue::<&str>::builder().backoff(ItemBackoff::by(|_| Duration::ZERO)).metrics(told.clone()).build();
        queue.add("a");
        let item = queue.next().await.expect("it was added");
        queue.close();
        match how {
            "done" => item.done(),
            "failed" => item.retry(),
            "later" => item.again_after(Duration::ZERO),
            _ => drop(item),
        }
        assert!(at_once(&queue).await.is_none(), "{how}");
        assert_eq!((queue.stats(), queue.failures(&"a")), (k8s_client_queue::Stats::default(), 0), "{how}");
        assert!(!told.0.lock().expect("no test panics with it").contains(&"retried".to_owned()), "{how}");
        timeout(SECOND, queue.drain()).await.expect("nothing is left");
    }
}

#[tokio::test(start_paused = true)]
async fn worker_that_always_finds_an_item_lets_others_run() {
    let queue = Queue::<u32>::new();
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move {
            while let Some(item) = queue.next().await {
                queue.add(item.wrapping_add(1));
                item.done();
            }
        }
    });
    queue.add(0);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    queue.close();
    timeout(SECOND, worker).await.expect("it ends").expect("it does not panic");
}

#[tokio::test(start_paused = true)]
async fn drain_waits_for_the_work_and_for_what_is_ready() {
    let queue = patient();
    queue.add("a");
    queue.add("b");
    let a = queue.next().await.expect("it was added");
    let mut drain = tokio_test_spawn(queue.clone());
    assert!(timeout(SECOND, &mut drain).await.is_err(), "a is worked on and b is ready");
    a.done();
    assert!(timeout(SECOND, &mut drain).await.is_err(), "b is ready");
    queue.next().await.expect("it was added").retry();
    timeout(SECOND, drain).await.expect("everything is done").expect("it does not panic");
}

fn tokio_test_spawn(queue: Queue<&'static str>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { queue.drain().await })
}

#[tokio::test(start_paused = true)]
async fn retries_of_all_items_share_a_bucket() {
    let queue: Queue<u32> =
        Queue::<u32>::builder().backoff(ItemBackoff::by(|_| Duration::ZERO)).bucket(Bucket::new(1.0, 2)).build();
    (0..5).for_each(|item| queue.add(item));
    for _ in 0..5 {
        queue.next().await.expect("it was added").retry();
    }
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..5 {
        queue.next().await.expect("it comes again").done();
        times.push(start.elapsed().as_secs());
    }
    assert_eq!(times, [0, 0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn item_that_waits_takes_one_token_however_often_it_is_added() {
    let queue: Queue<u32> =
        Queue::<u32>::builder().backoff(ItemBackoff::by(|_| Duration::ZERO)).bucket(Bucket::new(1.0, 1)).build();
    // Two failures at once: the second waits for a token.
    for item in [0, 1] {
        queue.add(item);
        queue.next().await.expect("it was added").retry();
        if item == 0 {
            queue.next().await.expect("there was a token").done();
        }
    }
    for _ in 0..100 {
        queue.add(1);
        queue.add_after(1, SECOND / 10);
    }
    let start = Instant::now();
    queue.next().await.expect("it comes again").retry();
    queue.next().await.expect("it comes again").done();
    assert_eq!(start.elapsed().as_secs(), 2, "a token for each failure, and none for what was added meanwhile");
}

#[test]
fn backoff_grows_to_its_limit_and_never_overflows() {
    let backoff = ItemBackoff::default();
    let pauses: Vec<_> =
        [1, 2, 3, 10, 18, 19, 100, u32::MAX].map(|failures| backoff.pause(failures).as_millis()).into();
    assert_eq!(pauses, [5, 10, 20, 2560, 655_360, 1_000_000, 1_000_000, 1_000_000]);
    let endless = ItemBackoff::exponential(Duration::from_nanos(1), Duration::MAX);
    assert_eq!(endless.pause(u32::MAX), Duration::MAX);
    let fast_slow = ItemBackoff::fast_slow(SECOND, 9 * SECOND, 2);
    assert_eq!([1, 2, 3].map(|failures| fast_slow.pause(failures).as_secs()), [1, 1, 9]);
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn note(&self, text: String) {
        self.0.lock().expect("no test panics with it").push(text);
    }
}

impl Metrics for Told {
    fn added(&self) {
        self.note("added".to_owned());
    }

    fn depth(&self, depth: usize) {
        self.note(format!("depth {depth}"));
    }

    fn taken(&self, ready_for: Duration) {
        self.note(format!("taken after {}", ready_for.as_secs()));
    }

    fn finished(&self, worked_for: Duration) {
        self.note(format!("finished after {}", worked_for.as_secs()));
    }

    fn retried(&self) {
        self.note("retried".to_owned());
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_are_told_what_happens() {
    let told = Told::default();
    let queue: Queue<u8> = Queue::<u8>::builder().backoff(ItemBackoff::by(|_| SECOND)).metrics(told.clone()).build();
    queue.add(1);
    queue.add(1);
    tokio::time::sleep(SECOND).await;
    let item = queue.next().await.expect("it was added");
    tokio::time::sleep(2 * SECOND).await;
    let stats = queue.stats();
    assert_eq!((stats.running, stats.unfinished, stats.longest_running), (1, 2 * SECOND, 2 * SECOND));
    item.retry();
    queue.next().await.expect("it comes again").done();
    let told = told.0.lock().expect("no test panics with it");
    assert_eq!(
        *told,
        [
            "added",
            "depth 1",
            "depth 0",
            "taken after 1",
            "finished after 2",
            "retried",
            "depth 1",
            "depth 0",
            "taken after 0",
            "finished after 0",
        ]
    );
}

/// Many workers, many who add, and a queue that is closed at any moment: nobody sleeps for ever, and no item runs
/// twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everyone_wakes_up_when_the_queue_is_closed() {
    for round in 0..200_u64 {
        let queue: Queue<u64> =
            Queue::<u64>::builder().backoff(ItemBackoff::by(|_| Duration::from_micros(50))).no_bucket().build();
        let running: Arc<Vec<AtomicUsize>> = Arc::new((0..16).map(|_| AtomicUsize::new(0)).collect());
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let (queue, running) = (queue.clone(), running.clone());
                tokio::spawn(async move {
                    let mut random = fastrand::Rng::with_seed(round * 100 + worker);
                    while let Some(item) = queue.next().await {
                        let slot = &running[usize::try_from(*item).expect("small")];
                        assert_eq!(slot.fetch_add(1, Ordering::SeqCst), 0, "two workers have {item:?}");
                        tokio::task::yield_now().await;
                        slot.fetch_sub(1, Ordering::SeqCst);
                        match random.u8(0..4) {
                            0 => item.retry(),
                            1 => item.again_after(Duration::from_micros(random.u64(0..80))),
                            2 => drop(item),
                            _ => item.done(),
                        }
                    }
                })
            })
            .collect();
        // Getters that give up half-way must not take anything with them.
        let impatient = tokio::spawn({
            let queue = queue.clone();
            async move {
                while !queue.is_closed() {
                    if let Ok(Some(item)) = timeout(Duration::from_micros(5), queue.next()).await {
                        item.done();
                    }
                }
            }
        });
        let mut random = fastrand::Rng::with_seed(round);
        for _ in 0..60 {
            match random.u8(0..3) {
                0 => queue.add(random.u64(0..16)),
                1 => queue.add_after(random.u64(0..16), Duration::from_micros(random.u64(0..100))),
                _ => queue.add_with_priority(random.u64(0..16), random.i32(-3..3)),
            }
            if random.u8(0..8) == 0 {
                tokio::task::yield_now().await;
            }
        }
        timeout(20 * SECOND, queue.drain()).await.expect("the queue is drained");
        for worker in workers {
            timeout(20 * SECOND, worker).await.expect("the worker wakes up").expect("it does not panic");
        }
        timeout(20 * SECOND, impatient).await.expect("it wakes up").expect("it does not panic");
    }
}
