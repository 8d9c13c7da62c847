//! An hour of a controller whose server fails in every way, in less than a minute: nothing of it is left behind.

mod readers;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fastrand::Rng;
use k8s_client_controller::{Controller, Next};
use k8s_client_informer::{Informer, Lister, ObjectKey, Registry};
use k8s_client_memory_tests::Heap;
use k8s_client_queue::ItemBackoff;
use k8s_client_runtime::k8s_openapi::api::core::v1::ConfigMap;
use k8s_client_test_server::{
    Ask, Fate, Server, What,
    known::{known, value},
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use self::readers::read_along;

const HOUR: Duration = Duration::from_secs(3600);
/// Longer than any pause.
const LONG: Duration = Duration::from_secs(300);
/// What maps that the process keeps may have grown by.
const SLACK: usize = 64 << 10;

const ORIGINALS: &str = "originals";
const COPIES: &str = "copies";

/// What each call of the controller is given.
#[derive(Clone)]
struct Context {
    server: Server,
    copies: Lister<ConfigMap>,
}

/// Makes the copy of an original what it should be, and fails now and then.
async fn copy(context: Context, original: Arc<ConfigMap>) -> Result<Next, &'static str> {
    sleep(Duration::from_millis(fastrand::u64(1..200))).await;
    match fastrand::u8(..100) {
        // A panic that is not printed: a thousand backtraces help nobody, and what they need stays in the heap.
        0 => std::panic::resume_unwind(Box::new("a panic of the program's own")),
        1..10 => return Err("an error of the program's own"),
        _ => {}
    }
    let name = original.metadata.name.as_deref().unwrap_or_default();
    let copied = context.copies.get(COPIES, name);
    if copied.as_ref().is_none_or(|copied| value(copied) != value(&original)) {
        context.server.set_in(COPIES, name, value(&original));
    }
    Ok(if fastrand::bool() { Next::wait() } else { Next::after(Duration::from_secs(fastrand::u64(1..300))) })
}

/// One of the ways in which requests go wrong, of which a server in trouble takes one at random.
fn trouble(rng: &mut Rng, ask: &Ask) -> Fate {
    match rng.u8(..12) {
        0 => Fate::Lost,
        1 => Fate::Refused(503, "ServiceUnavailable"),
        2 => Fate::Refused(429, "TooManyRequests"),
        3 => Fate::Refused(500, "InternalError"),
        4 => Fate::Refused(410, "Expired"),
        5 => Fate::Refused(403, "Forbidden"),
        6 => Fate::TooLarge,
        7 => Fate::Slow(Duration::from_secs(rng.u64(1..20))),
        8 if ask.what != What::List => Fate::Event(410, "Expired"),
        9 if ask.what != What::List => Fate::Event(500, "InternalError"),
        10 if ask.what != What::List => Fate::Over,
        11 if ask.what == What::WatchList => Fate::Unmarked,
        _ => Fate::Served,
    }
}

/// What happens in the cluster: changes, and faults.
struct Cluster {
    server: Server,
    rng: Rng,
    originals: BTreeMap<String, String>,
}

impl Cluster {
    /// One thing happens.
    async fn act(&mut self) {
        sleep(Duration::from_millis(self.rng.u64(50..1500))).await;
        let name = format!("object-{}", self.rng.u8(..60));
        match self.rng.u8(..100) {
            0..55 => self.set(&name),
            55..75 if self.originals.remove(&name).is_some() => self.server.delete_in(ORIGINALS, &name),
            75..80 => self.server.lose_watches(),
            80..84 => self.server.end_watches(),
            84..88 => {
                self.server.forget();
                self.server.end_watches();
            }
            88..94 => self.server.bookmark(),
            94..96 => self.server.advance(10),
            96 => {
                let mut rng = self.rng.fork();
                self.server.decide(move |ask| trouble(&mut rng, ask));
                self.server.lose_watches();
                sleep(Duration::from_secs(self.rng.u64(1..90))).await;
                self.server.decide(|_| Fate::Served);
            }
            97 => {
                // An outage.
                self.server.decide(|_| Fate::Lost);
                self.server.lose_watches();
                for _ in 0..10 {
                    let name = format!("object-{}", self.rng.u8(..60));
                    self.set(&name);
                }
                sleep(Duration::from_secs(self.rng.u64(1..60))).await;
                self.server.decide(|_| Fate::Served);
            }
            _ => {}
        }
    }

    fn set(&mut self, name: &str) {
        let value = self.rng.u64(..).to_string();
        self.server.set_in(ORIGINALS, name, &value);
        self.originals.insert(name.to_owned(), value);
    }

    fn mirrored(&self, lister: &Lister<ConfigMap>, namespace: &str) -> bool {
        let same = |(name, wanted): (&String, &String)| {
            lister.get(namespace, name).is_some_and(|object| value(&object) == wanted)
        };
        self.originals.iter().all(same)
    }
}

/// Lives for so long, and says how many things happened.
async fn live(seed: u64, span: Duration) -> usize {
    fastrand::seed(seed);
    let server = Server::new();
    let mut cluster = Cluster { server: server.clone(), rng: Rng::with_seed(seed), originals: BTreeMap::new() };
    let registry = Registry::new();
    let in_originals = server.config_maps_in(ORIGINALS);
    let originals = Informer::of(in_originals.clone()).start_in(&registry);
    let copies = Informer::of(server.config_maps_in(COPIES)).whole().start();
    let slim = Informer::of(in_originals.clone())
        .project(|object| value(&object).len())
        .start_each([server.config_maps_in(COPIES)]);
    let by_value = originals.index(|object: &ConfigMap| [value(object).to_owned()]);

    let context = Context { server: server.clone(), copies: copies.lister() };
    let of_the_same_name = |copy: &ConfigMap| copy.metadata.name.as_deref().map(|name| ObjectKey::new(ORIGINALS, name));
    let (stop, stopped) = oneshot::channel::<()>();
    let controller = Controller::for_each(&originals)
        .watch_mapped(&copies, of_the_same_name)
        .resync(Duration::from_secs(600))
        .workers(4)
        .backoff(ItemBackoff::exponential(Duration::from_millis(5), Duration::from_secs(60)))
        .reconcile(context, copy);
    let controller = tokio::spawn(controller.run_until(stopped));

    let mut readers = JoinSet::new();
    readers.spawn(read_along(originals.subscribe(), Duration::from_millis(100)));
    readers.spawn(read_along(originals.subscribe().resync(Duration::from_secs(60)), Duration::from_secs(5)));
    readers.spawn(read_along(originals.subscribe(), HOUR * 2));
    let ends_so = |copy: &ConfigMap| value(copy).ends_with(['0', '1']);
    let filtered = tokio::spawn(read_along(copies.subscribe_filtered(ends_so), LONG));

    let (begun, mut happened, mut tasks) = (Instant::now(), 0, 0);
    while begun.elapsed() < span {
        cluster.act().await;
        happened += 1;
        if happened % 50 == 0 {
            // Others come, share an informer or have their own, look and go.
            let shared = Informer::of(in_originals.clone()).start_in(&registry);
            let own = Informer::of(server.config_maps()).start();
            let _index = shared.index(|object: &ConfigMap| object.metadata.name.clone());
            let mut changes = own.subscribe();
            let _ = timeout(Duration::from_secs(5), changes.next()).await;
            let _ = timeout(Duration::from_secs(5), shared.synced()).await;
        }
        if happened % 500 == 0 {
            let now = Handle::current().metrics().num_alive_tasks();
            assert!(tasks == 0 || now <= tasks + 10, "{tasks} tasks, then {now}");
            tasks = now;
        }
    }
    // All that was asked for comes about in the end.
    server.decide(|_| Fate::Served);
    let settled = || {
        cluster.mirrored(&originals.lister(), ORIGINALS)
            && originals.lister().len() == cluster.originals.len()
            && by_value.values().len() == cluster.originals.len()
            && cluster.mirrored(&copies.lister(), COPIES)
            && slim.lister().len() == originals.lister().len() + copies.lister().len()
    };
    let settling = async {
        while !settled() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(HOUR, settling).await.expect("the copies are as their originals");
    assert!(server.live_watches() <= 4, "originals, copies, and both for the projection");

    stop.send(()).expect("it runs");
    assert!(controller.await.expect("no panic").unfinished.is_empty());
    originals.shutdown().await;
    copies.shutdown().await;
    let there = known(&originals.lister().all());
    while let Some(read) = readers.join_next().await {
        assert_eq!(read.expect("no panic"), there, "whoever reads at whatever speed knows the same in the end");
    }
    let of_these = copies.lister().all().into_iter().filter(|copy| ends_so(copy)).collect::<Vec<_>>();
    assert_eq!(filtered.await.expect("no panic"), known(&of_these));
    drop((originals, copies, slim, by_value));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(server.live_watches(), 0);
    happened
}

#[test]
fn hours_of_faults_leave_nothing_behind() {
    // One hour each.
    let given = std::env::var("K8S_CLIENT_SOAK_SEED").ok();
    let given = given.map(|seed| seed.parse().expect("K8S_CLIENT_SOAK_SEED is a number"));
    let seeds = given.map_or_else(|| vec![1, 2, 3, 4, 5], |seed| vec![seed]);
    Heap::alone(async |heap| {
        let alive = || Handle::current().metrics().num_alive_tasks();
        let tasks = alive();
        // What is made once in a process is made here.
        live(0, HOUR / 30).await;
        for seed in seeds {
            let before = heap.used();
            heap.forget_peak();
            let begun = std::time::Instant::now();
            let happened = live(seed, HOUR).await;
            let (peak, after) = (heap.peak(), heap.used());
            println!(
                "seed {seed}: {happened} things happened in {:?}; {before} bytes before, {peak} at most and {after} after",
                begun.elapsed()
            );
            assert_eq!(alive(), tasks);
            assert!(after < before + SLACK, "seed {seed}: {before} bytes before, {after} after");
        }
    });
}
