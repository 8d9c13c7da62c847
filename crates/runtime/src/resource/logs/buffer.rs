//! What has been read and not been taken yet: a bounded number of bytes, so that a reader that pauses loses nothing as
//! long as there is room, and holds no more than that.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
    vec,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::LogEvent;
use crate::error::{Error, Result};

/// The end that is read into.
#[derive(Debug)]
pub(super) struct Filler {
    batches: mpsc::UnboundedSender<Batch>,
    room: Arc<Semaphore>,
    size: u32,
}

/// The end that is taken from.
#[derive(Debug)]
pub(super) struct Taker {
    batches: mpsc::UnboundedReceiver<Batch>,
    current: vec::IntoIter<Result<LogEvent>>,
    /// The room that what is being taken needs.
    held: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
struct Batch {
    events: Vec<Result<LogEvent>>,
    held: Option<OwnedSemaphorePermit>,
}

/// The reader has gone.
#[derive(Debug)]
pub(super) struct Gone;

/// A buffer of so many bytes.
pub(super) fn buffer(bytes: u32) -> (Filler, Taker) {
    let size = bytes.max(1);
    let (sender, receiver) = mpsc::unbounded_channel();
    let filler = Filler { batches: sender, room: Arc::new(Semaphore::new(size as usize)), size };
    (filler, Taker { batches: receiver, current: Vec::new().into_iter(), held: None })
}

impl Filler {
    /// Puts in what was made of so many bytes, as soon as there is room. What is larger than the buffer has all of it.
    pub(super) async fn put(&self, events: Vec<Result<LogEvent>>, bytes: usize) -> std::result::Result<(), Gone> {
        if events.is_empty() {
            return Ok(());
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.size);
        let held = tokio::select! {
            held = self.room.clone().acquire_many_owned(bytes) => held.ok(),
            () = self.batches.closed() => return Err(Gone),
        };
        self.batches.send(Batch { events, held }).map_err(|_| Gone)
    }

    /// Puts in one event that takes no room.
    pub(super) fn tell(&self, event: LogEvent) -> std::result::Result<(), Gone> {
        self.batches.send(Batch { events: vec![Ok(event)], held: None }).map_err(|_| Gone)
    }

    /// Puts in the error that ends it all.
    pub(super) fn fail(self, error: Error) {
        // Nobody is there to be told if the reader has gone.
        let _ = self.batches.send(Batch { events: vec![Err(error)], held: None });
    }
}

impl Taker {
    /// The next event; `None` when the other end is gone.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<LogEvent>>> {
        loop {
            if let Some(event) = self.current.next() {
                return Poll::Ready(Some(event));
            }
            self.held = None;
            match ready!(self.batches.poll_recv(context)) {
                Some(batch) => {
                    self.current = batch.events.into_iter();
                    self.held = batch.held;
                }
                None => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt as _;

    use super::*;

    fn event(text: &str) -> LogEvent {
        LogEvent::Message(text.to_owned())
    }

    #[tokio::test]
    async fn a_full_buffer_waits_for_its_reader_and_a_large_batch_for_all_room() {
        let (filler, mut taker) = buffer(10);
        filler.put(vec![Ok(event("a")), Ok(event("b"))], 8).await.expect("there is room");
        {
            let mut second = std::pin::pin!(filler.put(vec![Ok(event("c"))], 1 << 20));
            assert!(second.as_mut().now_or_never().is_none(), "there is room for 2 bytes only");
            for expected in ["a", "b"] {
                let next = poll_fn(|context| taker.poll_next(context)).await.expect("an event").expect("no error");
                assert_eq!(next, event(expected));
            }
            // The first batch holds its room until the next is asked for.
            assert!(poll_fn(|context| taker.poll_next(context)).now_or_never().is_none());
            second.await.expect("all room is free");
        }
        let next = poll_fn(|context| taker.poll_next(context)).await.expect("an event").expect("no error");
        assert_eq!(next, event("c"));
        let third = filler.put(vec![Ok(event("d"))], 1);
        drop(taker);
        assert!(third.await.is_err(), "nobody reads");
    }
}
