//! A body that must end in time.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    error::{Error, ErrorKind},
    transport::Body,
};

/// The body, ended with this error at the deadline if it has not ended by itself.
pub(in crate::rest) fn until(deadline: Instant, body: Body, late: fn() -> Error) -> Body {
    body.wrapped(|body| TimedBody { body, deadline: Some(Box::pin(sleep_until(deadline))), late })
}

/// The error of a watch that the server was told to end, and did not.
pub(in crate::rest) fn endless_watch() -> Error {
    let problem = "the server did not end the watch in time; watch again from the last event's version";
    Error::new(ErrorKind::Timeout, problem)
}

struct TimedBody {
    body: Body,
    /// None once it has passed.
    deadline: Option<Pin<Box<Sleep>>>,
    late: fn() -> Error,
}

impl http_body::Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // What has arrived is handed out, however late it is asked for.
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            return frame;
        }
        let passed = self.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(context).is_ready());
        if !passed {
            return Poll::Pending;
        }
        // The stream is given back at once, and there is nothing more to come.
        (self.body, self.deadline) = (Body::default(), None);
        Poll::Ready(Some(Err((self.late)())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Silence;

    impl http_body::Body for Silence {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_with_one_error() {
        let mut body = until(Instant::now() + Duration::from_secs(90), Body::new(Silence), endless_watch);
        let error = body.chunk().await.expect("an end").expect_err("of the time");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(body.chunk().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_arrived_is_not_lost() {
        let mut body = until(Instant::now(), Body::from("late"), endless_watch);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(body.chunk().await.expect("bytes").expect("whole"), "late");
        assert!(body.chunk().await.is_none());
    }
}
