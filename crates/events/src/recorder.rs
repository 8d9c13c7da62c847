//! The recorder, as programs use it.

use std::{fmt, sync::Arc, time::Duration};

use k8s_client_runtime::RestClient;
use tokio::time::timeout;

use crate::{
    Dropped, FlushTimedOut, RecorderBuilder, Reference,
    occurrence::{self, Occurrence, Type},
    shared::{Life, Shared},
};

/// How long [`Recorder::flush`] waits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Records events of objects, which `kubectl describe` and `kubectl get events` show.
///
/// Recording never waits and never fails: a task of the recorder writes the events. A recorder is a handle; its clones
/// share the task, the memory of what was recorded, and the limits. When the last handle is dropped, the task writes
/// what is left, for up to 10 seconds, and ends. A program that is about to end waits for that by
/// [`shutdown`](Self::shutdown).
///
/// ```no_run
/// use k8s_client_events::Recorder;
/// use k8s_client_runtime::RestClient;
/// use k8s_openapi::api::core::v1::{Node, Pod};
///
/// # async fn example(client: RestClient, pod: Pod, node: Node) {
/// let recorder = Recorder::new(&client, "my-operator");
/// recorder.normal(&pod, "Pulled", "Pull").note("the image is there");
/// recorder.warning(&pod, "Evicted", "Evict").related(&node).note(format!("{} MiB are too much", 512));
/// recorder.shutdown().await;
/// # }
/// ```
#[derive(Clone)]
pub struct Recorder {
    handle: Arc<Handle>,
}

/// What all clones of a recorder hold. The task does not.
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Recorder {
    /// A recorder for this program: the name of a controller, such as `my-operator` or `example.com/my-operator`.
    ///
    /// Its task runs in the tokio runtime in which this is called. Its requests count in the client's rate limit; a
    /// client of its own keeps the program's requests from waiting for events.
    pub fn new(client: &RestClient, controller: &str) -> Self {
        Self::builder(client, controller).start()
    }

    /// Makes a recorder with other limits, with another API, or with metrics.
    pub fn builder(client: &RestClient, controller: &str) -> RecorderBuilder {
        RecorderBuilder::new(client, controller)
    }

    pub(crate) fn with(shared: Arc<Shared>) -> Self {
        Self { handle: Arc::new(Handle(shared)) }
    }

    /// An event of type `Normal` about this object. The reason says why something was done and the action what was
    /// done: both are short words for programs, such as `Pulled` and `Pull`, of 128 bytes at most.
    ///
    /// Nothing is recorded before [`note`](Event::note) or [`record`](Event::record) is called.
    pub fn normal(
        &self,
        regarding: impl Into<Reference>,
        reason: impl Into<String>,
        action: impl Into<String>,
    ) -> Event<'_> {
        self.event(Type::Normal, regarding.into(), reason.into(), action.into())
    }

    /// An event of type `Warning` about this object: something is not as it should be. Warnings have a budget of their
    /// own, so that they are written however many normal events there are.
    ///
    /// Nothing is recorded before [`note`](Event::note) or [`record`](Event::record) is called.
    pub fn warning(
        &self,
        regarding: impl Into<Reference>,
        reason: impl Into<String>,
        action: impl Into<String>,
    ) -> Event<'_> {
        self.event(Type::Warning, regarding.into(), reason.into(), action.into())
    }

    fn event(&self, type_: Type, regarding: Reference, reason: String, action: String) -> Event<'_> {
        let at = occurrence::now();
        let occurrence = Occurrence { regarding, related: None, type_, reason, action, note: String::new(), at };
        Event { recorder: self, occurrence }
    }

    fn record(&self, occurrence: &Occurrence) {
        let shared = self.shared();
        shared.metrics.recorded();
        let now = shared.start.elapsed();
        let is_open = shared.with(|state| {
            let is_open = state.life == Life::Open;
            if is_open {
                state.correlator.record(occurrence, now);
            }
            is_open
        });
        if is_open {
            shared.wake.notify_one();
        } else {
            shared.drops.add(Dropped::Ended, 1);
            shared.drops.tell();
        }
    }

    /// Waits until everything that was recorded before is written or dropped, for up to 10 seconds.
    ///
    /// # Errors
    ///
    /// When that takes longer. The recorder goes on trying.
    pub async fn flush(&self) -> Result<(), FlushTimedOut> {
        self.flush_within(FLUSH_TIMEOUT).await
    }

    /// Waits until everything that was recorded before is written or dropped, for as long as the limit allows.
    ///
    /// # Errors
    ///
    /// When that takes longer. The recorder goes on trying.
    pub async fn flush_within(&self, limit: Duration) -> Result<(), FlushTimedOut> {
        let shared = self.shared();
        let ticket = shared.with(|state| {
            state.hurries = true;
            state.correlator.flush()
        });
        shared.wake.notify_one();
        let flushed = self.progress(|state| state.correlator.is_flushed(ticket));
        let timed_out = |_| FlushTimedOut { waiting: shared.with(|state| state.correlator.waiting()), limit };
        timeout(limit, flushed).await.map_err(timed_out)
    }

    /// Ends the recorder for all of its handles: writes what is left, for up to 10 seconds, each event with one more
    /// try, and waits until the task is gone. What is recorded afterwards is dropped, and counted.
    pub async fn shutdown(&self) {
        self.shared().close();
        self.progress(|state| state.life == Life::Ended).await;
    }

    /// Waits until the task has come so far.
    async fn progress(&self, until: impl Fn(&mut crate::shared::State) -> bool) {
        let shared = self.shared();
        loop {
            let progress = shared.progress.notified();
            tokio::pin!(progress);
            // From here on nothing is missed.
            progress.as_mut().enable();
            if shared.with(&until) {
                return;
            }
            progress.await;
        }
    }

    /// How many occurrences were dropped for this reason since the recorder was made.
    pub fn dropped(&self, why: Dropped) -> u64 {
        self.shared().drops.count(why)
    }

    fn shared(&self) -> &Shared {
        &self.handle.0
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.shared().with(|state| state.correlator.waiting());
        f.debug_struct("Recorder")
            .field("controller", &self.shared().sink.controller)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

/// An event that is not recorded yet. [`Recorder::normal`] and [`Recorder::warning`] make it.
#[must_use = "an event is recorded by `note`, or by `record` if there is nothing to note"]
pub struct Event<'r> {
    recorder: &'r Recorder,
    occurrence: Occurrence,
}

impl Event<'_> {
    /// Another object that has to do with it, such as the node on which a pod runs.
    pub fn related(mut self, object: impl Into<Reference>) -> Self {
        self.occurrence.related = Some(object.into());
        self
    }

    /// Records the event with this note for people. What is longer than 1,024 bytes is cut off.
    ///
    /// Events with the same note are one event, which is counted. So a note should not have in it what differs each
    /// time, such as a time or a duration.
    pub fn note(mut self, note: impl Into<String>) {
        self.occurrence.note = occurrence::fitting(note.into());
        self.recorder.record(&self.occurrence);
    }

    /// Records the event without a note.
    pub fn record(self) {
        self.recorder.record(&self.occurrence);
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("occurrence", &self.occurrence).finish_non_exhaustive()
    }
}
