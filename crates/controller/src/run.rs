//! The loop: workers that take keys and call the program's function.

use std::{
    collections::{BTreeSet, HashMap},
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_client_informer::{Informer, ObjectKey};
use k8s_client_queue::{Item, Queue};
use tokio::{task::JoinSet, time::timeout};
use tracing::Instrument as _;

use crate::{Next, Stopped, controller::Call};

/// How long a call waits for the informer to show what the call before has written. After that it goes on: it may be
/// that nobody watches any more what was written.
const OWN_WRITES: Duration = Duration::from_secs(10);

/// What a controller is while it runs.
pub(crate) struct Run<T: Send + Sync + 'static, C> {
    pub(crate) objects: Informer<T>,
    pub(crate) queue: Queue<ObjectKey>,
    pub(crate) workers: usize,
    pub(crate) grace: Duration,
    pub(crate) context: C,
    pub(crate) call: Call<T, C>,
}

/// What the workers share.
struct Shared<T: Send + Sync + 'static, C> {
    run: Run<T, C>,
    /// The objects that are being worked on.
    running: Mutex<BTreeSet<ObjectKey>>,
    /// Versions that calls have written and the informer may not have yet.
    written: Mutex<HashMap<ObjectKey, String>>,
}

/// Feeds and works until `stop`; then finishes what is under way.
pub(crate) async fn run<T, C>(
    run: Run<T, C>,
    feeding: impl Future<Output = ()>,
    synced: impl Future<Output = ()>,
    stop: impl Future<Output = ()>,
) -> Stopped
where
    T: Send + Sync + 'static,
    C: Clone + Send + Sync + 'static,
{
    let (workers, grace, queue) = (run.workers, run.grace, run.queue.clone());
    let shared = Arc::new(Shared { run, running: Mutex::default(), written: Mutex::default() });
    let mut stop = pin!(stop);
    let mut feeding = pin!(feeding);
    // Dropped with this future, and the calls with it.
    let mut pool = JoinSet::new();
    let mut synced = pin!(synced);
    tokio::select! {
        () = &mut stop => return Stopped::default(),
        () = &mut feeding => {}
        () = &mut synced => {
            for _ in 0..workers {
                pool.spawn(shared.clone().work());
            }
            tokio::select! {
                () = &mut stop => {}
                // All informers were shut down.
                () = &mut feeding => {}
            }
        }
    }
    queue.close();
    let finished = async { while pool.join_next().await.is_some() {} };
    if timeout(grace, finished).await.is_err() {
        let unfinished: Vec<ObjectKey> = lock(&shared.running).iter().cloned().collect();
        tracing::warn!(
            ?unfinished,
            ?grace,
            "a controller was stopped, and drops the calls that have not ended in time"
        );
        return Stopped { unfinished };
    }
    Stopped::default()
}

impl<T, C> Shared<T, C>
where
    T: Send + Sync + 'static,
    C: Clone + Send + Sync + 'static,
{
    async fn work(self: Arc<Self>) {
        while let Some(item) = self.run.queue.next().await {
            if self.run.queue.is_closed() {
                // What was ready when the controller was stopped is not begun any more.
                item.done();
                continue;
            }
            let key = (*item).clone();
            lock(&self.running).insert(key.clone());
            let span = tracing::debug_span!("k8s_client.reconcile", %key);
            self.reconcile(&key, item).instrument(span).await;
            lock(&self.running).remove(&key);
        }
    }

    async fn reconcile(&self, key: &ObjectKey, item: Item<ObjectKey>) {
        let written = lock(&self.written).remove(key);
        if let Some(version) = written
            && let Err(error) = self.run.objects.wait_for(&version, OWN_WRITES).await
        {
            tracing::warn!(%error, "a controller does not see what it has written");
        }
        let Some(object) = self.run.objects.lister().get_key(key) else {
            item.done();
            return;
        };
        // A task of its own, so that a panic is a failure of this object and of nothing else.
        let mut task = JoinSet::new();
        task.spawn((self.run.call)(self.run.context.clone(), object).in_current_span());
        match task.join_next().await {
            Some(Ok(Ok(Next { after, written }))) => {
                if let Some(version) = written {
                    lock(&self.written).insert(key.clone(), version);
                }
                match after {
                    Some(pause) => item.again_after(pause),
                    None => item.done(),
                }
            }
            Some(Ok(Err(error))) => {
                let failures = self.run.queue.failures(key) + 1;
                tracing::warn!(failures, error, "reconciling has failed, and will be tried again");
                item.retry();
            }
            Some(Err(panic)) => {
                tracing::error!(%panic, "reconciling has panicked, and will be tried again");
                item.retry();
            }
            None => item.retry(),
        }
    }
}

fn lock<V>(mutex: &Mutex<V>) -> std::sync::MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
