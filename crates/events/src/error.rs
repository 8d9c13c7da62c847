//! Why a flush did not end well.

use std::{error::Error as StdError, fmt, time::Duration};

/// Not all events were written in time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushTimedOut {
    /// How many events still wait. Several occurrences of one event count as one.
    pub waiting: usize,
    /// The time that there was.
    pub limit: Duration,
}

impl fmt::Display for FlushTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events were not written within {:?}: the server does not take them", self.waiting, self.limit)
    }
}

impl StdError for FlushTimedOut {}
