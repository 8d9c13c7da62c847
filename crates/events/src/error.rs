//! Why a flush failed.

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
        let Self { waiting, limit } = self;
        write!(f, "events that are still not written after {limit:?}: {waiting}; the recorder goes on trying")
    }
}

impl StdError for FlushTimedOut {}
