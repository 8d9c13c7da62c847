//! The heap of a test program, counted.

use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;
use tokio::runtime::Builder;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

static ALONE: Mutex<()> = Mutex::new(());

/// The heap, which a test that measures has to itself: it is that of the whole process.
#[derive(Debug)]
pub struct Heap(());

impl Heap {
    /// Runs a test with paused time when no other one of the program runs.
    ///
    /// The next one begins when this one's runtime is gone too: what its last tasks give back would be counted.
    ///
    /// # Panics
    ///
    /// If the test does, or if the system has no room for a runtime.
    pub fn alone(test: impl AsyncFnOnce(Heap)) {
        Self::alone_on(Builder::new_current_thread().enable_time().start_paused(true), test);
    }

    /// The same of a test with real time and sockets.
    ///
    /// # Panics
    ///
    /// As [`alone`](Self::alone) does.
    pub fn alone_with_sockets<T>(test: impl AsyncFnOnce(Heap) -> T) -> T {
        Self::alone_on(Builder::new_current_thread().enable_all(), test)
    }

    fn alone_on<T>(runtime: &mut Builder, test: impl AsyncFnOnce(Heap) -> T) -> T {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        runtime.build().expect("a runtime").block_on(test(Heap(())))
    }

    /// The bytes that are in use.
    pub fn used(&self) -> usize {
        HEAP.current_usage()
    }

    /// Forgets the peak that there was.
    pub fn forget_peak(&self) {
        HEAP.reset_peak_usage();
    }

    /// The most bytes that were in use at a time since the peak was forgotten.
    pub fn peak(&self) -> usize {
        HEAP.peak_usage()
    }
}
