//! Calls that may run only while something holds.

use std::{
    cell::Cell,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

/// The condition of a program for its calls.
pub(crate) type Condition = Box<dyn Fn() -> bool + Send + Sync>;

thread_local! {
    /// Whether this thread is within a call.
    static IN_CALL: Cell<bool> = const { Cell::new(false) };
}

/// Lets calls run, from one `await` to the next, for as long as it is open. It never opens again.
pub(crate) struct Gate {
    conditions: Vec<Condition>,
    closed: AtomicBool,
    /// Held by every call while it runs.
    running: RwLock<()>,
}

impl Gate {
    pub(crate) fn new(conditions: Vec<Condition>) -> Self {
        Self { conditions, closed: AtomicBool::new(false), running: RwLock::new(()) }
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::SeqCst) && self.conditions.iter().all(|holds| holds())
    }

    /// Closes the gate. When this returns, no line of a call runs, in whatever thread.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // A call that drops its own controller cannot wait for itself.
        if !IN_CALL.get() {
            drop(self.running.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Runs this unless the gate is closed.
    fn pass<R>(&self, run: impl FnOnce() -> R) -> Option<R> {
        /// Also when the call panics.
        struct InCall(bool);
        impl Drop for InCall {
            fn drop(&mut self) {
                IN_CALL.set(self.0);
            }
        }
        let _running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        let _in_call = InCall(IN_CALL.replace(true));
        self.is_open().then(run)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// A call behind a gate. It ends with `None` when it is about to run and the gate is closed.
pub(crate) struct Gated<F> {
    gate: Arc<Gate>,
    call: Pin<Box<F>>,
}

impl<F> Gated<F> {
    pub(crate) fn new(gate: Arc<Gate>, call: F) -> Self {
        Self { gate, call: Box::pin(call) }
    }
}

impl<F: Future> Future for Gated<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Self { gate, call } = &mut *self;
        match gate.pass(|| call.as_mut().poll(context)) {
            Some(poll) => poll.map(Some),
            None => Poll::Ready(None),
        }
    }
}
