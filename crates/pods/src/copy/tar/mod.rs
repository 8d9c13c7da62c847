//! Archives as `tar` reads and writes them: POSIX with the extensions of GNU for long names.
//!
//! The other end may be hostile, so nothing is held that is larger than a few names, and nothing is taken for an
//! archive that is not one.

mod header;
mod reader;
mod writer;

pub(super) use header::Kind;
pub(super) use reader::{Entry, Event, Reader};
pub(super) use writer::{END, header, padding};

/// Archives consist of blocks of so many bytes.
pub(super) const BLOCK: usize = 512;

/// Why something is not an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

impl Malformed {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// How many bytes fill the last block of so much data.
pub(super) fn fill(size: u64) -> usize {
    let block = BLOCK as u64;
    // Less than a block fits.
    usize::try_from((block - size % block) % block).unwrap_or(0)
}
