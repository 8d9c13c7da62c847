//! What a recorder reports of itself.

use std::{fmt, time::Duration};

use k8s_client_runtime::Error;

/// Receives what a recorder does. Every method does nothing unless it is implemented. They must be quick: the program
/// waits for [`recorded`](Self::recorded) and [`dropped`](Self::dropped) when it records an event.
pub trait Metrics: Send + Sync {
    /// The program has recorded an event.
    fn recorded(&self) {}

    /// A request has stored so many occurrences; the answer took so long.
    fn written(&self, occurrences: u64, took: Duration) {
        let _ = (occurrences, took);
    }

    /// A request has failed. It is tried again if the error [is transient](Error::is_transient).
    fn failed(&self, error: &Error) {
        let _ = error;
    }

    /// So many occurrences were dropped.
    fn dropped(&self, why: Dropped, occurrences: u64) {
        let _ = (why, occurrences);
    }
}

/// Why events are not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dropped {
    /// Too many events about one object in a short time. They count if the same event is written later.
    Spam,
    /// Too many events wait to be written, or too many different ones had to be remembered.
    Full,
    /// The server has refused the event.
    Refused,
    /// The server could not be reached, or not do it, however often it was tried.
    Unreachable,
    /// The recorder had ended, or had no time left to write it.
    Ended,
}

impl Dropped {
    /// All reasons, for a program that shows a count of each. Later versions may have more.
    pub const ALL: &[Self] = &[Self::Spam, Self::Full, Self::Refused, Self::Unreachable, Self::Ended];
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spam => "too many about one object",
            Self::Full => "too many waiting",
            Self::Refused => "refused by the server",
            Self::Unreachable => "the server could not be reached",
            Self::Ended => "the recorder had ended",
        })
    }
}

pub(crate) struct NoMetrics;

impl Metrics for NoMetrics {}
