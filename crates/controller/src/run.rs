//! The loop: workers that take keys and call the program's function.

use std::{
    future::{Future, pending},
    panic::resume_unwind,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use k8s_client_informer::{Informer, ObjectKey};
use k8s_client_queue::{Item, Queue};
use k8s_client_runtime::{machine, object::AnyObject};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep},
};
use tracing::Instrument as _;

use crate::{
    Next, Outcome, Stopped,
    call::{Call, Failure},
    gate::{Gate, Gated},
    memory::{Memory, Working},
    settings::Settings,
};

/// How long a call waits for the informer to show what the call before has written. After that it goes on: it may be
/// that nobody watches any more what was written.
const OWN_WRITES: Duration = Duration::from_secs(10);

/// What a controller is while it runs.
pub(crate) struct Run<T: Send + Sync + 'static, C> {
    pub(crate) objects: Informer<T>,
    pub(crate) settings: Settings,
    pub(crate) queue: Queue<ObjectKey>,
    pub(crate) context: C,
    pub(crate) call: Call<T, C>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) gate: Arc<Gate>,
}

/// What the workers share.
struct Shared<T: Send + Sync + 'static, C> {
    run: Run<T, C>,
    /// Nothing more is begun.
    is_stopping: AtomicBool,
    /// Wakes those that wait for that.
    stopping: Notify,
    /// A worker has found the gate closed.
    found_closed: Notify,
}

/// The tasks of the workers. They end with the future of the controller, and no call outlives it.
struct Pool {
    tasks: JoinSet<()>,
    gate: Arc<Gate>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.gate.close();
    }
}

impl Pool {
    /// Waits until all workers have ended.
    async fn ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            // Calls do not panic here. What does is a program's own metrics.
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                resume_unwind(panic);
            }
        }
    }
}

/// Why a controller ends.
enum End {
    Asked,
    InformerEnded(String),
    GateClosed,
}

/// Feeds and works until `stop`; then finishes what is under way. `feeding` ends with the name of an informer that has
/// ended.
pub(crate) async fn run<T, C>(
    run: Run<T, C>,
    feeding: impl Future<Output = String>,
    synced: impl Future<Output = ()>,
    stop: impl Future<Output = ()>,
) -> Stopped
where
    T: AnyObject + Send + Sync + 'static,
    C: Clone + Send + Sync + 'static,
{
    let Settings { name: controller, workers, stop_timeout, .. } = run.settings.clone();
    let is_stopping = AtomicBool::new(false);
    let shared = Arc::new(Shared { run, is_stopping, stopping: Notify::new(), found_closed: Notify::new() });
    let mut pool = Pool { tasks: JoinSet::new(), gate: shared.run.gate.clone() };
    let (mut stop, mut feeding, mut synced) = (pin!(stop), pin!(feeding), pin!(synced));
    let end = tokio::select! {
        biased;
        () = &mut stop => End::Asked,
        informer = &mut feeding => End::InformerEnded(informer),
        () = &mut synced => {
            for _ in 0..workers {
                pool.tasks.spawn(machine::own(shared.clone().work()));
            }
            tokio::select! {
                biased;
                () = &mut stop => End::Asked,
                informer = &mut feeding => End::InformerEnded(informer),
                () = shared.found_closed.notified() => End::GateClosed,
                // They do not end by themselves.
                () = pool.ended() => End::Asked,
            }
        }
    };
    let mut may_work = !matches!(end, End::GateClosed);
    let ended_informer = if let End::InformerEnded(informer) = end { Some(informer) } else { None };
    if let Some(informer) = &ended_informer {
        tracing::error!(%controller, informer, "an informer of a controller has ended, and the controller with it");
    }
    shared.is_stopping.store(true, Ordering::SeqCst);
    shared.stopping.notify_waiters();
    shared.run.queue.close();
    if may_work {
        may_work = tokio::select! {
            biased;
            () = pool.ended() => return Stopped { unfinished: Vec::new(), ended_informer },
            () = shared.found_closed.notified() => false,
            () = sleep(stop_timeout) => true,
        };
    }
    let unfinished = shared.run.memory.running();
    if may_work {
        tracing::warn!(%controller, ?unfinished, ?stop_timeout, "a controller ends, and drops calls that have not ended in time");
    } else {
        tracing::warn!(%controller, ?unfinished, "a controller may not work any more, and drops its calls");
    }
    Stopped { unfinished, ended_informer }
}

impl<T, C> Shared<T, C>
where
    T: AnyObject + Send + Sync + 'static,
    C: Clone + Send + Sync + 'static,
{
    async fn work(self: Arc<Self>) {
        while let Some(item) = self.run.queue.next().await {
            // What was ready when the controller was stopped is not begun any more.
            if self.is_stopping.load(Ordering::SeqCst) {
                item.done();
                continue;
            }
            if !self.run.gate.is_open() {
                return self.wait_for_the_end().await;
            }
            let key = (*item).clone();
            // Of this level, so that whatever is logged says of which object.
            let span = tracing::error_span!("k8s_client.reconcile", controller = %self.run.settings.name, %key);
            self.reconcile(&key, item).instrument(span).await;
        }
    }

    /// The gate is closed: the controller is about to end, and its workers with it.
    async fn wait_for_the_end(&self) {
        self.found_closed.notify_one();
        pending::<()>().await;
    }

    async fn reconcile(&self, key: &ObjectKey, item: Item<ObjectKey>) {
        let working = self.run.memory.begin(key);
        if !self.sees_own_writes(key, &working).await {
            drop(working);
            return item.done();
        }
        let Some(object) = self.run.objects.lister().get_key(key) else {
            working.end(false, None);
            return item.done();
        };
        if !working.give(&*object) {
            // The failures of the other one are forgotten.
            working.end(false, None);
            self.run.queue.add_now(key.clone());
            return item.done();
        }
        // A task of its own, so that a panic is a failure of this object and of nothing else. The function is called in
        // it: it may panic before there is a future.
        let mut task = JoinSet::new();
        let begun = Instant::now();
        let (call, context) = (self.run.call.clone(), self.run.context.clone());
        let call = Gated::new(self.run.gate.clone(), async move { call(context, object).await });
        task.spawn(machine::own(call).in_current_span());
        let result = match task.join_next().await {
            Some(Ok(Some(result))) => Ok(result),
            // The object counts as unfinished.
            Some(Ok(None)) | None => return self.wait_for_the_end().await,
            Some(Err(panic)) => Err(panic),
        };
        let outcome = match &result {
            Ok(Ok(next)) => next.after.map_or(Outcome::Done, |_| Outcome::Again),
            Ok(Err(_)) => Outcome::Failed,
            Err(_) => Outcome::Panicked,
        };
        self.run.settings.metrics.reconciled(outcome, begun.elapsed());
        // The work ends before its item does, or the next work on the object would begin meanwhile.
        match result {
            Ok(Ok(Next { after, written })) => {
                working.end(false, written);
                match after {
                    Some(pause) => item.again_after(pause),
                    None => item.done(),
                }
            }
            Ok(Err(Failure { error, written })) => {
                working.end(true, written);
                let failures = self.run.queue.failures(key) + 1;
                tracing::warn!(failures, error, "reconciling has failed, and will be tried again");
                item.retry();
            }
            Err(panic) => {
                drop(working);
                let failures = self.run.queue.failures(key) + 1;
                tracing::error!(failures, %panic, "reconciling has panicked, and will be tried again");
                item.retry();
            }
        }
    }

    /// Waits until the informer has what a call before has written. `false` if the controller is stopped meanwhile.
    async fn sees_own_writes(&self, key: &ObjectKey, working: &Working<'_>) -> bool {
        let Some(version) = working.written() else { return true };
        let mut stopping = pin!(self.stopping.notified());
        stopping.as_mut().enable();
        if self.is_stopping.load(Ordering::SeqCst) {
            return false;
        }
        tokio::select! {
            biased;
            () = stopping => false,
            seen = self.run.objects.wait_for_key(key, &version, OWN_WRITES) => {
                if let Err(error) = seen {
                    tracing::warn!(%error, "a controller does not see what it has written");
                }
                true
            }
        }
    }
}
