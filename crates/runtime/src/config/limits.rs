//! How much and how often a client may ask.

use std::time::Duration;

use crate::error::{Error, Result};

/// How often a request is sent again where that is safe. The rules are client-go's; `rest` applies them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often a request is sent again at most, so it is sent once more than this. 10 by default, as in client-go; 0
    /// sends everything once.
    pub max_retries: u32,
    /// No further attempt begins later than this after the first one. 60 seconds by default; client-go has no such
    /// limit.
    pub max_elapsed: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_retries: 10, max_elapsed: Duration::from_secs(60) }
    }
}

/// How many requests a client sends in a second.
///
/// Off by default: API servers have a fairness of their own, and a limit in the client that nobody set is felt as
/// slowness. client-go has one by default, [`RateLimit::CLIENT_GO`].
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

    /// What client-go makes of the fields `QPS` and `Burst` of its configuration.
    ///
    /// | `qps` | `burst` | limit |
    /// |---|---|---|
    /// | below 0 | any | none |
    /// | 0 | 0, or above | 5 a second; 10 at once where `burst` is 0 |
    /// | above 0 | above 0 | as given |
    ///
    /// Anything else is an error.
    ///
    /// ```
    /// # fn main() -> Result<(), k8s_client_runtime::Error> {
    /// use k8s_client_runtime::config::{Config, RateLimit};
    ///
    /// let mut config = Config::new("http://localhost:8080")?;
    /// config.rate_limit = RateLimit::from_client_go(50.0, 100)?;
    /// assert_eq!(RateLimit::from_client_go(-1.0, 0)?, None);
    /// assert_eq!(RateLimit::from_client_go(0.0, 0)?, Some(RateLimit::CLIENT_GO));
    /// # Ok(()) }
    /// ```
    pub fn from_client_go(qps: f32, burst: i32) -> Result<Option<Self>> {
        if qps < 0.0 {
            return Ok(None);
        }
        if !qps.is_finite() {
            return Err(Error::config(format!("QPS is {qps}, which is not a number of requests")));
        }
        let default = qps == 0.0;
        let qps = if default { Self::CLIENT_GO.qps } else { qps };
        match u32::try_from(burst) {
            Ok(0) if default => Ok(Some(Self::CLIENT_GO)),
            Ok(burst) if burst > 0 => Ok(Some(Self { qps, burst })),
            _ => Err(Error::config(format!("burst is {burst}; it must be above 0 where QPS is {qps}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qps_and_burst_mean_what_they_mean_to_client_go() {
        for (qps, burst, expected) in [
            (-1.0, 0, None),
            (-0.5, 7, None),
            (0.0, 0, Some(RateLimit::CLIENT_GO)),
            (0.0, 20, Some(RateLimit { qps: 5.0, burst: 20 })),
            (0.5, 1, Some(RateLimit { qps: 0.5, burst: 1 })),
        ] {
            assert_eq!(RateLimit::from_client_go(qps, burst).unwrap(), expected, "{qps} {burst}");
        }
        for (qps, burst) in [(1.0, 0), (1.0, -1), (0.0, -1), (f32::NAN, 1), (f32::INFINITY, 1)] {
            let error = RateLimit::from_client_go(qps, burst).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{qps} {burst}");
        }
    }
}
