//! How much may be written about one object.

use std::time::Duration;

use super::Limits;
use crate::{Reference, occurrence::Type};

/// What has a budget of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BudgetKey {
    pub(super) regarding: Reference,
    pub(super) type_: Type,
    pub(super) reason: Option<String>,
}

/// A bucket of tokens, one of which each write takes.
pub(super) struct Budget {
    tokens: f64,
    at: Duration,
}

impl Budget {
    pub(super) fn full(limits: &Limits, now: Duration) -> Self {
        Self { tokens: f64::from(limits.spam_burst), at: now }
    }

    pub(super) fn take(&mut self, limits: &Limits, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        // No time for a token is as many as are wanted.
        let new = if limits.spam_refill.is_zero() { f64::INFINITY } else { passed / limits.spam_refill.as_secs_f64() };
        self.tokens = (self.tokens + new).min(f64::from(limits.spam_burst));
        let has = self.tokens >= 1.0;
        if has {
            self.tokens -= 1.0;
        }
        has
    }
}
