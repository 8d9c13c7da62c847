//! Watching: a stream of events out of an answer that does not end.
//!
//! The server writes one JSON object a line, or one protobuf message a frame. Both are cut on bytes, so that neither a chunk of
//! the transport nor a character of several bytes can split an event.

mod event;
mod stream;

pub use event::WatchEvent;
pub use stream::WatchStream;
