//! A queue with other limits than client-go's.

use std::{fmt, hash::Hash, sync::Arc};

use tokio::time::Instant;

use crate::{Bucket, ItemBackoff, Metrics, Queue, backoff::Tokens, state::State};

/// Builds a [`Queue`]. The defaults are those of client-go's `DefaultTypedControllerRateLimiter`: after a failure an
/// item waits for as long as its [`ItemBackoff`] says, and until the queue's [`Bucket`] has a token for it.
///
/// ```
/// use std::time::Duration;
///
/// use k8s_client_queue::{ItemBackoff, Queue};
///
/// let queue: Queue<String> = Queue::<String>::builder()
///     .backoff(ItemBackoff::exponential(Duration::from_secs(1), Duration::from_secs(60)))
///     .no_bucket()
///     .build();
/// ```
#[must_use = "`build` makes the queue"]
pub struct QueueBuilder {
    backoff: ItemBackoff,
    bucket: Option<Bucket>,
    metrics: Option<Arc<dyn Metrics>>,
}

impl QueueBuilder {
    pub(crate) fn new() -> Self {
        Self { backoff: ItemBackoff::default(), bucket: Some(Bucket::default()), metrics: None }
    }

    /// How long an item waits after a failure. Default: 5 milliseconds, doubled up to 1,000 seconds.
    pub fn backoff(mut self, backoff: ItemBackoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How many retries there are for all items together. Default: 10 a second, and 100 at once.
    pub fn bucket(mut self, bucket: Bucket) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Does not limit the retries of all items together.
    pub fn no_bucket(mut self) -> Self {
        self.bucket = None;
        self
    }

    /// Reports what happens in the queue. Default: no metrics.
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.metrics = Some(Arc::new(metrics));
        self
    }

    /// Makes the queue.
    pub fn build<T: Eq + Hash>(self) -> Queue<T> {
        let tokens = self.bucket.map(|bucket| Tokens::new(bucket, Instant::now()));
        Queue::with_state(State::new(self.backoff, tokens, self.metrics))
    }
}

impl fmt::Debug for QueueBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueBuilder").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}
