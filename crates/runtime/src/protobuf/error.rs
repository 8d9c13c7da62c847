//! Why bytes are no message.

use std::fmt;

/// Why a protobuf message could not be read or written.
#[derive(Debug)]
pub struct Error {
    problem: Problem,
    /// Where in the body, where that is known.
    offset: Option<usize>,
    /// The names of the messages around it, innermost first.
    within: Vec<&'static str>,
}

/// What [`Error`] is about.
#[derive(Debug)]
pub(super) enum Problem {
    /// A statement about the bytes that quotes none of them.
    Wire(&'static str),
    /// A value that a field cannot have. It may be quoted.
    Value(String),
}

impl Error {
    pub(super) fn wire(problem: &'static str) -> Self {
        Self::new(Problem::Wire(problem))
    }

    /// A value that a field cannot have; the text may quote it.
    pub(crate) fn value(problem: impl Into<String>) -> Self {
        Self::new(Problem::Value(problem.into()))
    }

    fn new(problem: Problem) -> Self {
        Self { problem, offset: None, within: Vec::new() }
    }

    /// The same error with the place where it happened, if it has none yet.
    #[cold]
    pub(super) fn at(mut self, offset: usize) -> Self {
        self.offset.get_or_insert(offset);
        self
    }

    /// The same error, inside this message.
    #[cold]
    pub(super) fn within(mut self, message: &'static str) -> Self {
        self.within.push(message);
        self
    }

    /// Where it happened, with nothing of what stands there.
    pub(crate) fn place(&self) -> String {
        let mut place = self.within.iter().rev().copied().collect::<Vec<_>>().join(".");
        if let Some(offset) = self.offset {
            place = if place.is_empty() { format!("byte {offset}") } else { format!("{place}, byte {offset}") };
        }
        place
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Wire(problem) => f.write_str(problem)?,
            Problem::Value(problem) => f.write_str(problem)?,
        }
        match self.place() {
            place if place.is_empty() => Ok(()),
            place => write!(f, " at {place}"),
        }
    }
}

impl std::error::Error for Error {}
