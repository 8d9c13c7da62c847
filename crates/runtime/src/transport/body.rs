//! The body of an answer: [`Body`].

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http_body::Body as _;
use hyper::body::Incoming;

use super::{failure, lanes};
use crate::error::Result;

/// The body of an answer, as it arrives.
///
/// It is read by [`chunk`](Self::chunk), as a [`Stream`], or all at once by [`collect`](Self::collect). Dropping it
/// cancels what has not arrived yet.
pub struct Body {
    incoming: Incoming,
    /// None once the body has ended.
    stream: Option<lanes::Stream>,
}

impl Body {
    pub(super) fn new(incoming: Incoming, stream: lanes::Stream) -> Self {
        Self { incoming, stream: Some(stream) }
    }

    /// The next bytes, as many as have arrived; nothing at the end.
    pub async fn chunk(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All bytes that are left.
    pub async fn collect(mut self) -> Result<Bytes> {
        let Some(first) = self.chunk().await.transpose()? else {
            return Ok(Bytes::new());
        };
        // Most bodies are one chunk, which needs no copy.
        let Some(second) = self.chunk().await.transpose()? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await.transpose()? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// The first bytes, up to the limit or to where the connection broke: enough to say what an error answer is about.
    pub(crate) async fn collect_up_to(mut self, limit: usize) -> Bytes {
        let mut all = BytesMut::new();
        while all.len() < limit {
            let Some(Ok(chunk)) = self.chunk().await else { break };
            all.extend_from_slice(&chunk[..chunk.len().min(limit - all.len())]);
        }
        all.freeze()
    }
}

impl Stream for Body {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.incoming).poll_frame(context)) {
                // Trailers say nothing in this protocol, and an empty chunk says nothing at all.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                    _ => {}
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(failure::of_body(error)))),
                None => {
                    self.stream = None;
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}
