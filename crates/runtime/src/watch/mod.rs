//! Watching: a stream of events out of an answer that does not end.
//!
//! The server writes one JSON object a line. Lines are cut on bytes, so that neither a chunk of the transport nor a
//! character of several bytes can split an event.

mod event;
mod lines;
mod stream;

pub use event::WatchEvent;
pub(crate) use lines::AnswerLines;
pub use stream::WatchStream;
