//! Work queues for controllers: client-go's `workqueue` for Rust.
//!
//! A [`Queue`] holds the names of the objects that need work. Whoever sees a change adds a name; workers take names and
//! do the work. The queue sees to the rest:
//!
//! * An item that is added many times before it is taken is taken once.
//! * No item is worked on twice at the same time. An item that is added while it is worked on is taken once more
//!   afterwards.
//! * Work that failed is tried again after a pause that grows with each failure of that item.
//! * Items of a higher priority are taken first, and within a priority the oldest.
//!
//! An [`Item`] is a guard. The worker ends it with [`done`](Item::done), [`retry`](Item::retry) or
//! [`again_after`](Item::again_after). An item that is dropped, as by a panic, is tried again.
//!
//! The queue starts no task and needs no runtime but a timer of tokio. It knows nothing of Kubernetes.
//!
//! ```
//! use k8s_client_queue::Queue;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! let queue = Queue::new();
//! queue.add("default/web");
//! queue.add("default/db");
//! queue.add("default/web"); // it is there already
//! queue.close(); // so that this example ends
//!
//! let mut attempts = Vec::new();
//! while let Some(item) = queue.next().await {
//!     attempts.push(item.to_string());
//!     item.done();
//! }
//! assert_eq!(attempts, ["default/web", "default/db"]);
//! # }
//! ```
//!
//! # Where this differs from client-go
//!
//! * An item that is added during the pause after a failure waits for the rest of the pause, and the failure counts as
//!   before. [`Queue::add_now`] ends the pause. In client-go an add skips the pause and the item runs twice.
//! * An item that waits for a later time and is added is taken once, not twice.
//! * The failures of an item are forgotten by `done` and `again_after`. There is no `Forget` to forget.
//! * The bucket that limits all retries of a queue is asked once for each failure.

mod backoff;
mod builder;
mod item;
mod metrics;
mod named;
mod places;
mod queue;
mod state;

pub use backoff::{Bucket, ItemBackoff};
pub use builder::QueueBuilder;
pub use item::Item;
pub use metrics::{Metrics, Stats};
pub use queue::Queue;

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
