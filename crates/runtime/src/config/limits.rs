//! How much and how often a client may ask.

use std::time::Duration;

/// How often a request is sent again where that is safe. The rules are client-go's; `rest` applies them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often a request is sent again at most, so it is sent once more than this. 10 by default, as in client-go; 0 sends
    /// everything once.
    pub max_retries: u32,
    /// No further attempt begins later than this after the first one. 60 seconds by default; client-go has no such limit.
    pub max_elapsed: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_retries: 10, max_elapsed: Duration::from_secs(60) }
    }
}

/// How many requests a client sends in a second.
///
/// Off by default: API servers have a fairness of their own, and a limit in the client that nobody set is felt as slowness.
/// client-go has one by default, [`RateLimit::CLIENT_GO`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Requests a second in the long run.
    pub qps: f32,
    /// How many may be sent at once after a rest; at least 1.
    pub burst: u32,
}

impl RateLimit {
    /// What client-go does when QPS and burst are 0: 5 requests a second, 10 at once.
    pub const CLIENT_GO: Self = Self { qps: 5.0, burst: 10 };
}
