//! A body that is measured until its end.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::{error::Error, transport::Body};

/// The body, at whose end the number of its bytes is told.
pub(super) fn measured(body: Body, ended: impl FnOnce(u64) + Send + Unpin + 'static) -> Body {
    body.wrapped(|body| MeasuredBody { body, bytes: 0, ended: Some(ended) })
}

struct MeasuredBody<F: FnOnce(u64)> {
    body: Body,
    bytes: u64,
    ended: Option<F>,
}

impl<F: FnOnce(u64)> MeasuredBody<F> {
    fn end(&mut self) {
        if let Some(ended) = self.ended.take() {
            ended(self.bytes);
        }
    }
}

impl<F: FnOnce(u64) + Unpin> http_body::Body for MeasuredBody<F> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            _ => self.end(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whoever has read enough drops it.
impl<F: FnOnce(u64)> Drop for MeasuredBody<F> {
    fn drop(&mut self) {
        self.end();
    }
}
