//! Lists as they arrive: items out of chunks, in JSON and in protobuf.
//!
//! The scanners find where an item begins and ends; they follow strings, brackets and lengths and decode nothing. What
//! stands around the items is kept as a list without items, and the codec decodes that like any list. So it is the
//! codec that checks the kind, recognises a Status and reads the metadata.
//!
//! `List::stream` decodes each item when its last byte has arrived. A list that is awaited is the same stream,
//! collected: it is decoded while the rest is still on its way, and its body is never in memory as a whole. Only
//! answers that are traced, and those of a DeleteCollection, are read whole. Lists of custom resources name their kind
//! after the items, so `Listable::decode_item` is given what is known of the list so far.
//!
//! A body that ends before the list does is an error after the whole items, and only a list that ended well has
//! metadata. A streamed list is an ordinary call: it is sent again until its head is there, and its time limit holds to
//! the end. But time that the program spends on an item does not count. kube-apiserver breaks off an answer that it
//! cannot hand over within a minute; pages are for programs that need longer.
//!
//! Architecture invariant: nothing of a body is held but the item that is arriving and what stands around the items.

mod json;
mod pieces;
mod protobuf;
mod stream;
#[cfg(test)]
mod tests;

use pieces::{ListPieces, Piece};
pub use stream::ListStream;

/// Why a body is not a list. It quotes nothing of the body.
type Problem = &'static str;

const CUT_OFF: Problem = "the list has no end";
const EMPTY: Problem = "the answer is empty";
const TOO_LONG: Problem = "an item of the list, or what stands around the items, is longer than 16 MiB";
