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
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tracing::Instrument as _;

use crate::{Metrics, Next, Outcome, Stopped, controller::Call};

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
    pub(crate) metrics: Arc<dyn Metrics>,
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
        biased;
        () = &mut stop => return Stopped::default(),
        () = &mut feeding => {}
        () = &mut synced => {
            for _ in 0..workers {
                pool.spawn(shared.clone().work());
            }
            tokio::select! {
                biased;
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
            let working = Working::new(&self, &key);
            let span = tracing::debug_span!("k8s_client.reconcile", %key);
            self.reconcile(&key, item).instrument(span).await;
            drop(working);
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
        // A task of its own, so that a panic is a failure of this object and of nothing else. The function is called in
        // it: it may panic before there is a future.
        let mut task = JoinSet::new();
        let begun = Instant::now();
        let (call, context) = (self.run.call.clone(), self.run.context.clone());
        task.spawn(async move { call(context, object).await }.in_current_span());
        let ended = task.join_next().await;
        let outcome = match &ended {
            Some(Ok(Ok(next))) => next.after.map_or(Outcome::Done, |_| Outcome::Again),
            Some(Ok(Err(_))) => Outcome::Failed,
            Some(Err(_)) | None => Outcome::Panicked,
        };
        self.run.metrics.reconciled(outcome, begun.elapsed());
        match ended {
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

/// An object that is being worked on, for as long as this lives: calls that are dropped are over, too.
struct Working<'a, T: Send + Sync + 'static, C> {
    shared: &'a Shared<T, C>,
    key: &'a ObjectKey,
}

impl<'a, T: Send + Sync + 'static, C> Working<'a, T, C> {
    fn new(shared: &'a Shared<T, C>, key: &'a ObjectKey) -> Self {
        let mut running = lock(&shared.running);
        running.insert(key.clone());
        shared.run.metrics.running(running.len());
        Self { shared, key }
    }
}

impl<T: Send + Sync + 'static, C> Drop for Working<'_, T, C> {
    fn drop(&mut self) {
        let mut running = lock(&self.shared.running);
        running.remove(self.key);
        self.shared.run.metrics.running(running.len());
    }
}

fn lock<V>(mutex: &Mutex<V>) -> std::sync::MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
