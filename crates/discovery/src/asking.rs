//! Of many who want to know the same at the same time, one asks: [`Asking`].

use std::time::Instant;

use tokio::sync::{Mutex, MutexGuard};

use crate::error::{Error, Result};

/// Lets one ask at a time.
///
/// Whoever waited while that failed is told the same failure. Would they ask one after the other, the last of many would wait for
/// the time limits of all.
#[derive(Debug, Default)]
pub(crate) struct Asking(Mutex<Failure>);

/// How the last one failed, if it did, and when.
type Failure = Option<(Instant, Error)>;

/// It is one's turn to ask, and nobody else's until this is dropped.
pub(crate) struct Turn<'a>(MutexGuard<'a, Failure>);

impl Asking {
    /// Waits for one's turn with a question that came up at this instant. Somebody else may have got the answer meanwhile.
    pub(crate) async fn turn(&self, came: Instant) -> Result<Turn<'_>> {
        let last = self.0.lock().await;
        match &*last {
            Some((failed, error)) if *failed >= came => Err(error.clone()),
            _ => Ok(Turn(last)),
        }
    }
}

impl Turn<'_> {
    /// Notes how it went, for those who wait. They go on when the turn is dropped.
    pub(crate) fn end<T>(&mut self, answer: Result<T>) -> Result<T> {
        *self.0 = answer.as_ref().err().map(|error| (Instant::now(), error.clone()));
        answer
    }
}
