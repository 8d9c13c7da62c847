//! The heap of a test program, counted.

use peak_alloc::PeakAlloc;
use tokio::sync::{Mutex, MutexGuard};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

static ALONE: Mutex<()> = Mutex::const_new(());

/// The heap, which a test that measures has to itself: it is that of the whole process.
#[derive(Debug)]
pub struct Heap(#[expect(dead_code, reason = "held until the test has ended")] MutexGuard<'static, ()>);

impl Heap {
    /// Waits for the other tests of the program.
    pub async fn alone() -> Self {
        Self(ALONE.lock().await)
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
