//! Of many who want to know the same at the same time, one asks: [`Asking`].

use std::time::Instant;

use tokio::sync::Mutex;

use crate::error::{Error, Result};

/// Lets one caller ask at a time, and gives the others its answer.
///
/// Callers that waited while that failed get the same failure, which is why this crate's error can be cloned. If they
/// asked one after the other, the last of many would wait for the time limits of all.
#[derive(Debug, Default)]
pub(crate) struct Asking(Mutex<Option<Failure>>);

/// How the last caller failed, and when.
#[derive(Debug)]
struct Failure {
    at: Instant,
    error: Error,
}

impl Asking {
    /// What `look` finds, or else the answer of `ask`, which keeps it where `look` looks.
    pub(crate) async fn once<T, L>(&self, look: impl Fn() -> L, ask: impl Future<Output = Result<T>>) -> Result<T>
    where
        L: Future<Output = Option<T>>,
    {
        let came = Instant::now();
        if let Some(found) = look().await {
            return Ok(found);
        }
        let mut last = self.0.lock().await;
        match &*last {
            Some(failure) if failure.at >= came => return Err(failure.error.clone()),
            _ => {}
        }
        // Another caller may have got the answer meanwhile.
        if let Some(found) = look().await {
            return Ok(found);
        }
        let answer = ask.await;
        *last = answer.as_ref().err().map(|error| Failure { at: Instant::now(), error: error.clone() });
        answer
    }
}
