//! Why an election cannot be held, or does not go on.

use std::{error::Error as StdError, fmt, time::Duration};

use k8s_client_runtime::Error;

/// Why an [`Elector`](crate::Elector) cannot be made, or does not do its work.
#[derive(Debug)]
#[non_exhaustive]
pub enum ElectionError {
    /// A name or a time makes no sense.
    Invalid(String),
    /// The configuration cannot be used.
    Client(Error),
    /// This candidate's work is running although its lease has expired: something keeps the elector from running.
    /// client-go's health check looks for the same.
    Stalled {
        /// How long ago the lease was renewed.
        renewed: Duration,
        /// How long it lasts.
        lease_duration: Duration,
    },
}

impl fmt::Display for ElectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text) => f.write_str(text),
            Self::Client(error) => error.fmt(f),
            Self::Stalled { renewed, lease_duration } => write!(
                f,
                "the leader election stands still: the lease lasts for {lease_duration:?} and was renewed {renewed:?} ago, \
                 but the work has not ended; something blocks the thread that it runs in"
            ),
        }
    }
}

impl StdError for ElectionError {}

impl From<Error> for ElectionError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}
