//! Lists as they arrive: items out of chunks, whichever form the list travels in.
//!
//! The scanners find where an item begins and ends, and decode nothing. What stands around the items is kept as a list of its
//! own, one without items, so that the codec itself says whether it is the list that was asked for.
//!
//! Architecture invariant: nothing of a body is held but the item that is arriving and what stands around the items.

mod json;
mod pieces;
mod protobuf;
mod stream;
#[cfg(test)]
mod tests;

use pieces::{Piece, Pieces};
pub use stream::ListStream;

/// Why a body is no list. It quotes nothing of it.
type Problem = &'static str;

const CUT_OFF: Problem = "the answer ends in the middle of the list";
const EMPTY: Problem = "the answer is empty";
const TOO_LONG: Problem = "an item of the list, or what stands around the items, is longer than 16 MiB";
