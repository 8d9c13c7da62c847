//! Who keeps an HTTP/2 connection going: [`Driver`].
//!
//! A connection has a task of its own. To go through it costs each call two hops between threads, which is more than
//! all the rest of a small call. So a call that is alone on its connection sends and receives by itself; the task goes
//! on where there are several streams, or none, or one that is read as it comes.
//!
//! Anybody may poll the connection at any time, since it always has the same waker: the driver's own. That one wakes
//! the call that is alone, or else the task. A call that is alone is not known to HTTP/2 as the one who waits; in
//! return, whoever else polls the connection wakes it, and so does whoever opens a second stream. So a call that nobody
//! polls, although it was woken, holds up nobody but itself.
//!
//! Those who wait for what comes on other streams are woken [`Later`]: when the connection has been polled, so once for
//! all that has come. h2 wakes them for each frame, and they would wait for its lock.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use h2::client;

use super::stream::Stream;

/// An HTTP/2 connection that those who wait for something on it keep going.
pub(super) struct Driver {
    /// None when the connection has ended.
    connection: Mutex<Option<Box<Driven>>>,
    /// Somebody wanted to poll the connection while another did.
    missed: AtomicBool,
    ended: AtomicBool,
    /// h2 has called the waker while it was to be quiet, and will not call it again until the connection has been
    /// polled.
    unheard: AtomicBool,
    wakers: Mutex<Wakers>,
    streams: AtomicUsize,
    /// The pool has no use for the connection any more, so that it ends with its last stream.
    left_pool: AtomicBool,
}

/// What is called when the connection has been polled.
pub(super) type Polled = Box<dyn FnMut(&client::Connection<Stream, Bytes>) + Send>;

struct Driven {
    connection: client::Connection<Stream, Bytes>,
    waker: Waker,
    polled: Option<Polled>,
}

#[derive(Default)]
struct Wakers {
    /// The connection's task.
    task: Option<Waker>,
    /// The call that is alone, while it waits.
    caller: Option<Waker>,
}

impl Driver {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            connection: Mutex::default(),
            missed: AtomicBool::default(),
            ended: AtomicBool::default(),
            unheard: AtomicBool::default(),
            wakers: Mutex::default(),
            streams: AtomicUsize::default(),
            left_pool: AtomicBool::default(),
        })
    }

    /// Takes in the connection. `polled` is called from now on whenever it has been polled.
    pub(super) fn begin(self: &Arc<Self>, connection: client::Connection<Stream, Bytes>, polled: Polled) {
        let waker = Waker::from(self.clone());
        *self.connection() = Some(Box::new(Driven { connection, waker, polled: Some(polled) }));
    }

    /// Ends the connection, if it has not ended by itself.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        drop(self.connection().take());
        self.wake_caller();
    }

    /// Leaves `polled` uncalled from now on.
    pub(super) fn forget_polled(&self) {
        if let Some(driven) = &mut *self.connection() {
            driven.polled = None;
        }
    }

    /// Counts one more stream, which is why nobody is alone any more.
    pub(super) fn stream_opened(&self) {
        self.streams.fetch_add(1, Ordering::Relaxed);
        self.wake_caller();
    }

    pub(super) fn stream_closed(&self) {
        self.streams.fetch_sub(1, Ordering::Release);
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Acquire)
    }

    /// Says that no more streams will be opened.
    pub(super) fn leave_pool(&self) {
        self.left_pool.store(true, Ordering::SeqCst);
        self.wake_task();
    }

    /// Keeps the connection going to its end, for its task.
    pub(super) fn poll_as_task(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut wakers = self.wakers();
        if !wakers.task.as_ref().is_some_and(|task| task.will_wake(context.waker())) {
            wakers.task = Some(context.waker().clone());
        }
        drop(wakers);
        self.drive();
        self.wake_caller();
        if self.ended.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Polls the connection as often as there is something to do on it.
    pub(super) fn drive(&self) {
        if !self.try_drive() {
            self.missed.store(true, Ordering::SeqCst);
            // Whoever has it now sees that, if the connection is still not to be had.
            self.try_drive();
        }
    }

    fn try_drive(&self) -> bool {
        let mut connection = match self.connection.try_lock() {
            Ok(connection) => connection,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        self.unheard.store(false, Ordering::SeqCst);
        let held = Held::begin();
        // Taken out, so that a connection that panics is not polled again.
        let driven = connection.take();
        *connection = driven.and_then(|mut driven| driven.poll().is_pending().then_some(driven));
        if connection.is_none() && !self.ended.swap(true, Ordering::AcqRel) {
            self.wake_task();
        }
        drop(connection);
        drop(held);
        if self.missed.swap(false, Ordering::SeqCst) {
            self.wake();
        }
        true
    }

    /// Makes h2 do something for the one stream that there is, without waking anybody. What is to be sent needs a
    /// `poll_alone` behind it; the end of a stream needs nothing.
    pub(super) fn quietly<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = {
            let _quiet = Quiet::begin();
            work()
        };
        if self.left_pool.load(Ordering::SeqCst) {
            self.wake_task();
        }
        done
    }

    /// Makes h2 send something for one of many streams, which wakes the task.
    pub(super) fn aloud<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = work();
        if self.unheard.load(Ordering::SeqCst) {
            self.wake_task();
        }
        done
    }

    /// Polls for an answer; the connection first, if no other stream is on it. `owed`: the connection has to be polled
    /// in any case, since something is to be sent that nobody knows of, or since the caller was alone before and may
    /// have been woken for it.
    pub(super) fn poll_alone<T>(
        &self,
        context: &mut Context<'_>,
        owed: &mut bool,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let alone = self.wait_alone(context.waker());
        if alone || *owed {
            self.drive();
        }
        *owed = alone;
        if !alone {
            return poll(context);
        }
        let polled = poll(&mut Context::from_waker(Waker::noop()));
        if polled.is_ready() && !self.wait_no_longer() {
            // What the caller was woken for may have come behind its own answer.
            self.wake_task();
        }
        polled
    }

    /// Whether there is one stream only, so that whoever has it may do without the task.
    pub(super) fn is_alone(&self) -> bool {
        self.streams() == 1
    }

    /// Makes this the waker of the call that is alone, if it is.
    fn wait_alone(&self, waker: &Waker) -> bool {
        // Who opens a stream counts it before it asks for this lock.
        let mut wakers = self.wakers();
        let alone = self.is_alone();
        if alone {
            wakers.caller = Some(waker.clone());
        }
        alone
    }

    /// Forgets the call that is alone, because it has what it waited for or is given up. False if it has been woken.
    pub(super) fn wait_no_longer(&self) -> bool {
        let caller = self.wakers().caller.take();
        caller.is_some()
    }

    pub(super) fn wake_task(&self) {
        let task = self.wakers().task.clone();
        if let Some(task) = task {
            task.wake();
        }
    }

    fn wake_caller(&self) {
        let caller = self.wakers().caller.take();
        if let Some(caller) = caller {
            caller.wake();
        }
    }

    fn wake(&self) {
        let waker = {
            let mut wakers = self.wakers();
            wakers.caller.take().or_else(|| wakers.task.clone())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn connection(&self) -> MutexGuard<'_, Option<Box<Driven>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        // Nothing panics while it holds the lock.
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driven {
    fn poll(&mut self) -> Poll<()> {
        let polled = Pin::new(&mut self.connection).poll(&mut Context::from_waker(&self.waker));
        if let Some(told) = &mut self.polled {
            told(&self.connection);
        }
        // Its streams are told what went wrong.
        polled.map(drop)
    }
}

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if Quiet::holds() {
            self.unheard.store(true, Ordering::SeqCst);
        } else {
            Driver::wake(self);
        }
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// Who is to be woken later. None while no connection is polled.
    static HELD: RefCell<Option<Vec<Waker>>> = const { RefCell::new(None) };
}

/// Wakes another waker, but not while this thread polls a connection: then it does so afterwards.
pub(super) struct Later(Waker);

impl Later {
    /// A waker that wakes this one later.
    pub(super) fn waker(waker: &Waker) -> Waker {
        Arc::new(Self(waker.clone())).into()
    }
}

impl Wake for Later {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // At the very end of a thread there is nothing to hold it any more.
        let held = HELD.try_with(|held| held.borrow_mut().as_mut().map(|held| held.push(self.0.clone())));
        if held.ok().flatten().is_none() {
            self.0.wake_by_ref();
        }
    }
}

/// While it exists, this thread polls a connection. Behind it, all are woken whom that concerned.
struct Held;

impl Held {
    fn begin() -> Self {
        let _ = HELD.try_with(|held| _ = held.borrow_mut().get_or_insert_default());
        Self
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Waking may run anything, so nothing is borrowed by then.
        let held = HELD.try_with(RefCell::take).ok().flatten();
        held.into_iter().flatten().for_each(Waker::wake);
    }
}

/// While it exists, what this thread does wakes nobody.
struct Quiet(bool);

impl Quiet {
    fn begin() -> Self {
        Self(QUIET.replace(true))
    }

    fn holds() -> bool {
        QUIET.get()
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_reads_a_stream_is_woken_when_the_connection_has_been_polled() {
        let woken = Arc::<Woken>::default();
        let later = Later::waker(&Waker::from(woken.clone()));
        let count = || woken.0.load(Ordering::Relaxed);
        later.wake_by_ref();
        assert_eq!(count(), 1, "nothing is polled");
        let held = Held::begin();
        later.wake_by_ref();
        // Other threads do not poll anything.
        std::thread::scope(|threads| _ = threads.spawn(|| later.wake_by_ref()));
        assert_eq!(count(), 2, "by the other thread");
        drop(held);
        assert_eq!(count(), 3);
        later.wake();
        assert_eq!(count(), 4, "nothing is polled any more");
    }
}
