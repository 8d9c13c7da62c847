//! The rate limit of a client: a bucket of tokens that is full at the start.

use std::{
    sync::{Mutex as Lock, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use super::deadline::FOREVER;
use crate::{
    config::RateLimit,
    error::{Error, Result},
};

/// Waits that are traced, as in client-go.
const NOTED: Duration = Duration::from_millis(50);
/// Waits that somebody ought to see.
const LONG: Duration = Duration::from_secs(1);
/// How often at most long waits are told.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Lets requests pass, in the order in which they came, as often as the limit allows.
pub(in crate::rest) struct RateLimiter {
    limit: RateLimit,
    /// Whoever holds the lock is the next to go; tokio's lock is fair. A request that is given up while it waits has
    /// taken nothing.
    bucket: Mutex<Bucket>,
    told: Lock<Option<Instant>>,
}

/// How many tokens there were at a moment.
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl RateLimiter {
    pub(in crate::rest) fn new(limit: RateLimit) -> Result<Self> {
        let RateLimit { qps, burst } = limit;
        if !(qps.is_finite() && qps > 0.0) {
            return Err(Error::config(format!("rate_limit: qps is {qps}, not a number above 0; None sets no limit")));
        }
        if burst == 0 {
            return Err(Error::config("rate_limit: burst is 0, so nothing could ever be sent; make it at least 1"));
        }
        let bucket = Bucket { tokens: f64::from(burst), at: Instant::now() };
        Ok(Self { limit, bucket: Mutex::new(bucket), told: Lock::default() })
    }

    /// Waits for its turn and takes a token.
    pub(in crate::rest) async fn take(&self) {
        let asked = Instant::now();
        let mut bucket = self.bucket.lock().await;
        let qps = f64::from(self.limit.qps);
        let now = Instant::now();
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() * qps;
        let tokens = (bucket.tokens + gained).min(f64::from(self.limit.burst));
        *bucket = Bucket { tokens, at: now };
        if tokens >= 1.0 {
            bucket.tokens -= 1.0;
        } else {
            let missing = Duration::try_from_secs_f64((1.0 - tokens) / qps).unwrap_or(FOREVER).min(FOREVER);
            let due = now + missing;
            sleep_until(due).await;
            // As of when it was due: a timer that is late does not make the rate smaller.
            *bucket = Bucket { tokens: 0.0, at: due };
        }
        drop(bucket);
        self.tell(asked.elapsed());
    }

    fn tell(&self, waited: Duration) {
        let milliseconds = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        if waited > LONG && self.may_tell() {
            tracing::warn!(milliseconds, "the client's own rate limit held the request back");
        } else if waited > NOTED {
            tracing::debug!(milliseconds, "the client's own rate limit held the request back");
        }
    }

    fn may_tell(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        if due {
            *told = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn limiter(qps: f32, burst: u32) -> RateLimiter {
        RateLimiter::new(RateLimit { qps, burst }).expect("a sensible limit")
    }

    async fn taken(limiter: &RateLimiter) -> Duration {
        let asked = Instant::now();
        limiter.take().await;
        asked.elapsed()
    }

    /// Timers are as fine as a millisecond.
    fn about(duration: Duration, milliseconds: u128) -> bool {
        (milliseconds..=milliseconds + 2).contains(&duration.as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn full_bucket_goes_at_once_and_the_rest_at_the_rate() {
        let limiter = limiter(5.0, 10);
        for _ in 0..10 {
            assert_eq!(taken(&limiter).await, Duration::ZERO);
        }
        let started = Instant::now();
        for _ in 0..20 {
            limiter.take().await;
        }
        assert!(about(started.elapsed(), 4000), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn rest_fills_the_bucket_to_its_burst_and_no_further() {
        let limiter = limiter(10.0, 2);
        limiter.take().await;
        tokio::time::advance(Duration::from_secs(3600)).await;
        for expected in [0, 0, 100] {
            let waited = taken(&limiter).await;
            assert!(about(waited, expected), "{waited:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn first_come_is_first_served() {
        let limiter = Arc::new(limiter(10.0, 1));
        let order = Arc::new(Lock::new(Vec::new()));
        let mut waiting = Vec::new();
        for number in 0..8 {
            let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
            waiting.push(tokio::spawn(async move {
                limiter.take().await;
                order.lock().expect("nobody panics").push(number);
            }));
            tokio::task::yield_now().await;
        }
        for task in waiting {
            task.await.expect("nobody panics");
        }
        assert_eq!(*order.lock().expect("nobody panics"), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn request_that_is_given_up_takes_nothing() {
        let limiter = limiter(1.0, 1);
        limiter.take().await;
        let given_up = tokio::time::timeout(Duration::from_millis(500), limiter.take()).await;
        assert!(given_up.is_err());
        let waited = taken(&limiter).await;
        assert!(about(waited, 500), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn rate_of_next_to_nothing_waits_without_a_panic() {
        let limiter = limiter(f32::MIN_POSITIVE, 1);
        limiter.take().await;
        assert!(tokio::time::timeout(Duration::from_secs(3600), limiter.take()).await.is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for (qps, burst) in [(0.0, 1), (-1.0, 1), (f32::NAN, 1), (f32::INFINITY, 1), (1.0, 0)] {
            let error = RateLimiter::new(RateLimit { qps, burst }).err().expect("nonsense");
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{qps} {burst}");
            assert!(error.to_string().starts_with("rate_limit: "), "{error}");
        }
    }
}
