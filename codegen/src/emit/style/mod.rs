//! How generated code is written: names, sentences, gates, and the text that comes of tokens.

pub(super) mod docs;
pub(super) mod format;
pub(super) mod gate;
pub(crate) mod names;
pub(super) mod text;
