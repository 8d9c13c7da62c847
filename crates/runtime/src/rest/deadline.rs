//! Time limits of a call, and the error of one that passed.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::error::{Error, ErrorKind};

/// The error of a call that took longer than it may.
pub(super) fn timed_out() -> Error {
    Error::new(ErrorKind::Timeout, "the call's time limit passed; raise it, or look why the server is slow")
}

/// Waits for something, but not beyond the deadline.
pub(super) async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => timeout_at(deadline, work).await.ok(),
        None => Some(work.await),
    }
}

/// The end of a limit that begins now; one that is out of all bounds is none.
pub(super) fn in_time(limit: Option<Duration>) -> Option<Instant> {
    limit.and_then(|limit| Instant::now().checked_add(limit))
}
