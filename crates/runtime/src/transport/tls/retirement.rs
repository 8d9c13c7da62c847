//! The end of connections that were made with a certificate or a CA that has been replaced.

use std::{
    future::{Future, pending},
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, sleep_until},
};

/// How long what is in flight may go on. Answers to ordinary calls are there by then; a watch or a log would keep a
/// revoked identity alive for hours, so those are cut off and begin again on a new connection.
pub(in crate::transport) const GRACE: Duration = Duration::from_secs(30);

/// Tells connections that they must end.
pub(in crate::transport) struct Retirement(watch::Sender<Option<Instant>>);

impl Retirement {
    /// The connections end when [`GRACE`] has passed.
    pub(in crate::transport) fn begin(&self) {
        self.0.send_replace(Some(Instant::now() + GRACE));
    }

    /// For one connection, to be asked whenever it is.
    pub(in crate::transport) fn subscribe(&self) -> Retired {
        let mut told = self.0.subscribe();
        // Whoever asks may be outside of any runtime.
        let runtime = Handle::current();
        Retired(Some(Box::pin(async move {
            let end = told.wait_for(Option::is_some).await.ok().and_then(|end| *end);
            match end {
                Some(end) => {
                    let until = {
                        let _entered = runtime.enter();
                        sleep_until(end)
                    };
                    until.await;
                }
                // The client is gone; what it left open ends by itself.
                None => pending().await,
            }
        })))
    }
}

impl Default for Retirement {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

/// A connection's side of a [`Retirement`].
pub(in crate::transport) struct Retired(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Retired {
    /// An error from when the connection must be used no more; until then the task is woken at that time.
    pub(in crate::transport) fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let Some(end) = &mut self.0 {
            match end.as_mut().poll(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(()) => self.0 = None,
            }
        }
        Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "the client certificate or the CA was replaced, and this connection was made with the old one",
        ))
    }
}
