//! Being asked to stop.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// The program's wish to stop. It stays once it is there: a term may end for another reason after it, and the next must
/// not begin then.
pub(crate) struct Stop<'a, S> {
    asked: Pin<&'a mut S>,
    was_asked: bool,
}

impl<'a, S: Future> Stop<'a, S> {
    pub(crate) fn new(asked: Pin<&'a mut S>) -> Self {
        Self { asked, was_asked: false }
    }
}

impl<S: Future> Future for Stop<'_, S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A future that has ended must not be polled again.
        self.was_asked = self.was_asked || self.asked.as_mut().poll(context).is_ready();
        if self.was_asked { Poll::Ready(()) } else { Poll::Pending }
    }
}
