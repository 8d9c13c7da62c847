//! Time limits of a call, and the error of one that passed.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::error::{Error, ErrorKind};

/// The error of a call that took longer than it may.
pub(in crate::rest) fn timed_out() -> Error {
    Error::new(ErrorKind::Timeout, "the call's time limit passed; raise it, or look why the server is slow")
}

/// Waits for something, but not beyond the deadline.
pub(in crate::rest) async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => timeout_at(deadline, work).await.ok(),
        None => Some(work.await),
    }
}

/// Longer than any program runs: a limit of that length is none.
pub(in crate::rest) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The end of a limit that begins now, if it ends.
pub(in crate::rest) fn in_time(limit: Option<Duration>) -> Option<Instant> {
    limit.and_then(|limit| end(Instant::now(), limit))
}

/// The end of a limit, if it ends.
pub(in crate::rest) fn end(begin: Instant, limit: Duration) -> Option<Instant> {
    begin.checked_add(limit).filter(|_| limit < FOREVER)
}
