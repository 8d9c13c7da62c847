//! The work of a leader, as a future that does nothing outside of its term.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use k8s_client_runtime::leading;

use crate::Term;

/// What a panic had to say.
pub(crate) type Panic = Box<dyn Any + Send>;

/// How the work ended.
pub(crate) enum Outcome<T> {
    Returned(T),
    Panicked(Panic),
    /// It was about to run when the term was over.
    TooLate,
}

/// The term, as what runs within it finds it.
struct Around(Term);

impl leading::Term for Around {
    fn is_valid(&self) -> bool {
        self.0.is_valid()
    }

    fn stopping(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.0.stopping())
    }
}

/// Runs the work, within its term. Each time, before any line of it is run, the term must be valid.
pub(crate) struct Guarded<F> {
    work: Pin<Box<F>>,
    term: Arc<Around>,
}

impl<F> Guarded<F> {
    pub(crate) fn new(work: F, term: &Term) -> Self {
        Self { work: Box::pin(work), term: Arc::new(Around(term.clone())) }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Outcome<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.term.0.is_valid() {
            return Poll::Ready(Outcome::TooLate);
        }
        // A future that has panicked is dropped and never seen again; the panic goes on once the lease is released.
        let (term, work) = (self.term.clone(), self.work.as_mut());
        match catch_unwind(AssertUnwindSafe(|| leading::within(term, || work.poll(context)))) {
            Ok(poll) => poll.map(Outcome::Returned),
            Err(panic) => Poll::Ready(Outcome::Panicked(panic)),
        }
    }
}
