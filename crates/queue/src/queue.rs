//! The queue itself: the state behind a lock, and waiting for it.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hashbrown::DefaultHashBuilder;
use tokio::{
    sync::Notify,
    task::coop,
    time::{Instant, sleep_until},
};

use crate::{
    Item, QueueBuilder, Stats,
    named::{Name, Named},
    state::{Outcome, State, When},
};

/// A queue of items that need work, each at most once: client-go's `RateLimitingQueue`. A clone is the same queue.
///
/// The items are names of work, such as the namespace and name of an object.
///
/// ```
/// use std::time::Duration;
///
/// use k8s_client_queue::Queue;
///
/// # async fn work(name: &str) -> Result<(), ()> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let queue: Queue<String> = Queue::new();
/// let workers: Vec<_> = (0..4)
///     .map(|_| {
///         let queue = queue.clone();
///         tokio::spawn(async move {
///             while let Some(item) = queue.next().await {
///                 match work(&item).await {
///                     Ok(()) => item.again_after(Duration::from_secs(300)),
///                     Err(()) => item.retry(),
///                 }
///             }
///         })
///     })
///     .collect();
///
/// queue.add("default/web".to_owned());
/// queue.drain().await;
/// # for worker in workers { worker.await.unwrap(); }
/// # }
/// ```
pub struct Queue<T> {
    shared: Arc<Shared<T>>,
}

pub(crate) struct Shared<T> {
    state: Mutex<State<T>>,
    hasher: DefaultHashBuilder,
    /// Wakes one that waits for an item: when one is ready, or when nobody watches the clock any more.
    ready: Notify,
    /// How many wait to be woken so.
    idle: AtomicUsize,
    /// Wakes the one that watches the clock, when an earlier time has come up.
    clock: Notify,
    clock_is_watched: AtomicBool,
    /// Wakes those that wait for the queue to be drained.
    drained: Notify,
}

impl<T: Eq + Hash> Queue<T> {
    /// A queue with client-go's limits: see [`QueueBuilder`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A queue with other limits, or with metrics.
    pub fn builder() -> QueueBuilder {
        QueueBuilder::new()
    }

    pub(crate) fn with_state(state: State<T>) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                hasher: DefaultHashBuilder::default(),
                ready: Notify::new(),
                idle: AtomicUsize::new(0),
                clock: Notify::new(),
                clock_is_watched: AtomicBool::new(false),
                drained: Notify::new(),
            }),
        }
    }

    /// Adds an item, at priority 0. It is taken once however often it is added before that.
    ///
    /// An item that is worked on is taken once more when that work has ended. An item that waits after a failure goes
    /// on waiting, unless it is added by [`add_now`](Self::add_now). Nothing is added to a [closed](Self::close) queue.
    pub fn add(&self, item: T) {
        self.add_with_priority(item, 0);
    }

    /// Adds an item that is taken before all those of lower priorities. client-go's controllers give what they find
    /// when they start a low priority, such as -100, so that changes go first.
    ///
    /// A repeat never lowers the priority of an item. The priority lasts until there is nothing more to do for the
    /// item.
    pub fn add_with_priority(&self, item: T, priority: i32) {
        self.shared.add(item, When::Ready, priority);
    }

    /// Adds an item and ends its pause, if it waits after a failure. How often it has failed is not forgotten.
    pub fn add_now(&self, item: T) {
        self.shared.add(item, When::Now, 0);
    }

    /// Adds an item that is to be taken after this time, unless it is added for earlier meanwhile.
    pub fn add_after(&self, item: T, pause: Duration) {
        // A time that no clock reaches never comes.
        if let Some(at) = Instant::now().checked_add(pause) {
            self.shared.add(item, When::At(at), 0);
        }
    }

    /// Waits for the next item: of those of the highest priority, the one that has been ready for the longest. `None`
    /// once the queue is closed and everything that was ready is taken.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&self) -> Option<Item<T>> {
        let shared = &*self.shared;
        // A worker that always finds an item would hold up the other tasks of its thread.
        coop::consume_budget().await;
        // Whoever finds an item at once need not wait in line to be told of one.
        match self.take() {
            Found::Item(item) => return Some(item),
            Found::End => return None,
            Found::Nothing(_) => {}
        }
        let _idle = Idle::begin(shared);
        // Kept until there is an item: whoever gives it up wakes another one.
        let mut watch = None;
        loop {
            let notified = shared.ready.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            let next_time = match self.take() {
                Found::Item(item) => return Some(item),
                Found::End => return None,
                Found::Nothing(next_time) => next_time,
            };
            if next_time.is_some() {
                watch = watch.or_else(|| ClockWatch::begin(shared));
            }
            let time = next_time.filter(|_| watch.is_some());
            tokio::select! {
                // Whichever it is, the queue is looked into again.
                biased;
                () = notified => {}
                () = shared.clock.notified(), if watch.is_some() => {}
                () = async { sleep_until(time.unwrap_or_else(Instant::now)).await }, if time.is_some() => {}
            }
        }
    }

    /// Takes what is ready now.
    fn take(&self) -> Found<T> {
        // Others wait for the lock: what can be done without it is.
        let now = Instant::now();
        let mut state = self.shared.state();
        let taken = state.take(now);
        let (has_ready, is_closed, next_time) = (state.has_ready(), state.is_closed(), state.next_time());
        drop(state);
        if has_ready {
            // One wake-up is kept at most, so whoever takes an item sees to the next.
            self.shared.wake_one();
        }
        match taken {
            Some(item) => Found::Item(Item::new(item, self.shared.clone())),
            None if is_closed => Found::End,
            None => Found::Nothing(next_time),
        }
    }

    /// Ends the intake: what is added from now on is passed over, and what waits for its time is dropped. So is work
    /// that fails from now on, or is to come again later. What is ready is still handed out; then [`next`](Self::next)
    /// returns `None` to everyone.
    pub fn close(&self) {
        let waiting = self.shared.change(State::close);
        drop(waiting);
        self.shared.ready.notify_waiters();
        self.shared.clock.notify_one();
    }

    /// [Closes](Self::close) the queue and waits until all work on it has ended. Somebody must go on taking what is
    /// ready. There is no time limit: put the future into `tokio::time::timeout` for one.
    pub async fn drain(&self) {
        self.close();
        loop {
            let notified = self.shared.drained.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.shared.state().is_drained() {
                return;
            }
            notified.await;
        }
    }

    /// Whether the queue is closed.
    pub fn is_closed(&self) -> bool {
        self.shared.state().is_closed()
    }

    /// How often the item has failed since it was last done: client-go's `NumRequeues`.
    pub fn failures(&self, item: &T) -> u32 {
        let hash = self.shared.hasher.hash_one(item);
        self.shared.state().failures(item, hash)
    }

    /// How many items are ready, waiting and worked on, and for how long the work has been going on.
    pub fn stats(&self) -> Stats {
        self.shared.state().stats(Instant::now())
    }
}

/// What a look into the queue finds.
enum Found<T> {
    Item(Item<T>),
    /// Nothing is ready, and nothing will be.
    End,
    /// Nothing is ready before this time.
    Nothing(Option<Instant>),
}

impl<T: Eq + Hash> Shared<T> {
    fn add(&self, item: T, when: When, priority: i32) {
        let hash = self.hasher.hash_one(&item);
        let name: Name<T> = Arc::new(Named::new(item, hash));
        self.change(|state| state.add(&name, when, priority, Instant::now));
    }
}

impl<T> Shared<T> {
    /// Ends the work on an item.
    pub(crate) fn finish(&self, name: &Name<T>, outcome: Outcome) {
        self.change(|state| state.finish(name, outcome, Instant::now));
    }

    /// Changes the state and wakes whoever that concerns.
    fn change<R>(&self, change: impl FnOnce(&mut State<T>) -> R) -> R {
        let mut state = self.state();
        let before = state.next_time();
        let result = change(&mut state);
        let (has_ready, after) = (state.has_ready(), state.next_time());
        let is_drained = state.is_closed() && state.is_drained();
        drop(state);
        if is_drained {
            self.drained.notify_waiters();
        }
        if has_ready {
            self.wake_one();
        }
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            // Whoever watches the clock waits for a later time; if nobody does, somebody must begin.
            if self.clock_is_watched.load(Ordering::SeqCst) {
                self.clock.notify_one();
            } else {
                self.wake_one();
            }
        }
        result
    }

    /// Wakes one that waits for an item, if anybody does. Whoever begins to wait looks for an item after it is counted.
    fn wake_one(&self) {
        if self.idle.load(Ordering::SeqCst) > 0 {
            self.ready.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // A panic under the lock can only come from a program's own metrics, or from its `Eq`.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits for an item.
struct Idle<'a>(&'a AtomicUsize);

impl<'a> Idle<'a> {
    fn begin<T>(shared: &'a Shared<T>) -> Self {
        shared.idle.fetch_add(1, Ordering::SeqCst);
        Self(&shared.idle)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One of those that wait for items watches the clock. When it stops, another one takes over.
struct ClockWatch<'a, T>(&'a Shared<T>);

impl<'a, T> ClockWatch<'a, T> {
    fn begin(shared: &'a Shared<T>) -> Option<Self> {
        let watched = shared.clock_is_watched.swap(true, Ordering::SeqCst);
        // Not `then_some`: a guard that is made and dropped would take the clock from whoever watches it.
        (!watched).then(|| Self(shared))
    }
}

impl<T> Drop for ClockWatch<'_, T> {
    fn drop(&mut self) {
        self.0.clock_is_watched.store(false, Ordering::SeqCst);
        self.0.wake_one();
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T: Eq + Hash> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}
