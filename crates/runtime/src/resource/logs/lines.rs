//! The lines of one answer.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use futures_util::TryStreamExt;
use http::Method;

use super::{
    LogLine,
    cut::{LineCutter, MAX_LINE},
};
use crate::{error::Result, rest::poll_turn, transport::Body};

/// The lines of a log, as they come: see [`Logs::lines`](super::Logs::lines). It ends where the answer does, which says
/// nothing about the container: [`LogFollower`](super::LogFollower) goes on.
#[must_use = "a stream does nothing until it is polled"]
pub struct LogLines {
    body: Option<Body>,
    cutter: LineCutter,
    url: String,
}

impl LogLines {
    pub(super) fn new(body: Body, url: String) -> Self {
        Self { body: Some(body), cutter: LineCutter::new(MAX_LINE), url }
    }

    /// The next line, or `None` at the end.
    pub async fn try_next(&mut self) -> Result<Option<LogLine>> {
        TryStreamExt::try_next(self).await
    }
}

impl Stream for LogLines {
    type Item = Result<LogLine>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            ready!(poll_turn(context));
            if let Some(piece) = self.cutter.next() {
                return Poll::Ready(Some(Ok(LogLine::plain(piece))));
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_next(context)) {
                Some(Ok(chunk)) => self.cutter.push(chunk),
                Some(Err(error)) => {
                    // Half a line is of no use to anybody.
                    self.body = None;
                    return Poll::Ready(Some(Err(error.with_request(&Method::GET, self.url.clone()))));
                }
                None => {
                    self.body = None;
                    return Poll::Ready(self.cutter.rest().map(LogLine::plain).map(Ok));
                }
            }
        }
    }
}

impl fmt::Debug for LogLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogLines({})", self.url)
    }
}
