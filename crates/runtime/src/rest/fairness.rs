//! Giving way to other tasks.
//!
//! A connection waits for the network now and then, and lets others run meanwhile. A service of the program's own may
//! always be ready, and a loop over it would never come back to the runtime: neither timers nor a `timeout` around it
//! would fire. So each call, and each piece of a stream, takes a part of what tokio lets a task do at a time.

use std::task::{Context, Poll};

use tokio::task::coop;

/// Ready as long as the task has not had its turn.
pub(crate) fn poll_turn(context: &mut Context<'_>) -> Poll<()> {
    coop::poll_proceed(context).map(|turn| turn.made_progress())
}
