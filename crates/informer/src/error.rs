//! Why waiting for an informer failed.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use k8s_client_runtime::Error;

/// Why waiting for an informer failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InformerError {
    /// The server refuses the list or the watch: the resource is not served, or the program may not read it. The
    /// informer goes on trying: `synced_within` waits until it succeeds.
    Refused(Arc<Error>),
    /// The time limit has passed.
    TimedOut {
        /// The time limit.
        limit: Duration,
        /// What was waited for, and how far it came.
        waiting: String,
        /// Why the resource is not followed at the moment, if the server answered with an error.
        last: Option<Arc<Error>>,
    },
    /// The informer was shut down.
    Ended,
    /// The text is not a resource version that can be compared with others.
    NotAVersion(String),
}

impl fmt::Display for InformerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "the informer has no objects: {error}; it goes on trying"),
            Self::TimedOut { limit, waiting, last } => {
                write!(f, "{waiting} within {limit:?}")?;
                match last {
                    Some(error) => write!(f, "; the last error was: {error}"),
                    None => Ok(()),
                }
            }
            Self::Ended => write!(f, "the informer was shut down"),
            Self::NotAVersion(text) => {
                write!(
                    f,
                    "{text:?} is not a resource version that can be waited for; take that of an object that was written"
                )
            }
        }
    }
}

impl StdError for InformerError {}
