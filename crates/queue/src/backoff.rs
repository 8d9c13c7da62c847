//! How long an item waits after a failure.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

/// The pause before the next attempt, by how often an item has failed in a row.
///
/// ```
/// use std::time::Duration;
///
/// use k8s_client_queue::ItemBackoff;
///
/// let backoff = ItemBackoff::exponential(Duration::from_millis(100), Duration::from_secs(1));
/// let pauses: Vec<u128> = (1..=5).map(|failures| backoff.pause(failures).as_millis()).collect();
/// assert_eq!(pauses, [100, 200, 400, 800, 1000]);
/// ```
#[derive(Clone)]
pub struct ItemBackoff(Arc<dyn Fn(u32) -> Duration + Send + Sync>);

impl ItemBackoff {
    /// `first` after the first failure, twice as long after each further one, and never longer than `longest`.
    pub fn exponential(first: Duration, longest: Duration) -> Self {
        Self::by(move |failures| {
            let mut pause = first.min(longest);
            // A pause that is not zero reaches any limit within 96 doublings.
            for _ in 1..failures.min(96) {
                pause = pause.saturating_mul(2).min(longest);
            }
            pause
        })
    }

    /// `fast` after each of the first failures, as many as `fast_attempts` says, and `slow` after all others.
    pub fn fast_slow(fast: Duration, slow: Duration, fast_attempts: u32) -> Self {
        Self::by(move |failures| if failures <= fast_attempts { fast } else { slow })
    }

    /// A rule of the program's own. It is asked with 1 after the first failure. Two rules are combined by asking both.
    pub fn by(pause: impl Fn(u32) -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(pause))
    }

    /// The pause after so many failures in a row.
    pub fn pause(&self, failures: u32) -> Duration {
        (self.0)(failures)
    }
}

/// client-go's: 5 milliseconds after the first failure, doubled up to 1,000 seconds.
impl Default for ItemBackoff {
    fn default() -> Self {
        Self::exponential(Duration::from_millis(5), Duration::from_secs(1000))
    }
}

impl fmt::Debug for ItemBackoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemBackoff").finish_non_exhaustive()
    }
}

/// How many retries a queue makes in all: a bucket that fills with time, and from which each retry takes a token. A
/// retry that finds none waits for the next.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bucket {
    /// How many tokens come in a second.
    pub per_second: f64,
    /// How many tokens there are at most.
    pub burst: u32,
}

impl Bucket {
    /// A bucket that is full at the beginning. A rate that is not greater than zero means no limit.
    pub fn new(per_second: f64, burst: u32) -> Self {
        Self { per_second, burst }
    }
}

/// client-go's: 10 a second, and 100 at once.
impl Default for Bucket {
    fn default() -> Self {
        Self::new(10.0, 100)
    }
}

/// A bucket in use: when its next token is there.
#[derive(Debug)]
pub(crate) struct Tokens {
    bucket: Bucket,
    /// At this moment the bucket would be full, if nobody took a token until then.
    full_at: Instant,
}

impl Tokens {
    pub(crate) fn new(bucket: Bucket, now: Instant) -> Self {
        Self { bucket, full_at: now }
    }

    /// Takes a token; the pause until it is there.
    pub(crate) fn take(&mut self, now: Instant) -> Duration {
        let Ok(each) = Duration::try_from_secs_f64(1.0 / self.bucket.per_second) else { return Duration::ZERO };
        let Some(full_at) = self.full_at.max(now).checked_add(each) else { return Duration::ZERO };
        self.full_at = full_at;
        // A full bucket lets `burst` tokens go at once.
        full_at.saturating_duration_since(now).saturating_sub(each.saturating_mul(self.bucket.burst.max(1)))
    }
}
