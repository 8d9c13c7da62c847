//! Watching: a stream of events out of an answer that does not end.
//!
//! The server writes JSON objects one after the other, or one protobuf message a frame. Both are cut on bytes, so that
//! neither a chunk of the transport nor a character of several bytes can split an event. kube-apiserver writes an
//! object a line; where lines end does not matter, since others format what they send.

mod event;
mod stream;

pub use event::WatchEvent;
pub use stream::WatchStream;
