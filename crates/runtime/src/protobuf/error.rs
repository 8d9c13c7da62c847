//! Why bytes are not a message.

use std::fmt;

use crate::json::MAX_DEPTH;

/// Why a protobuf message could not be read or written.
#[derive(Debug)]
pub struct Error {
    problem: Problem,
    /// Where in the body, where that is known.
    offset: Option<usize>,
    /// The messages around it and their fields that were being read, innermost first.
    within: Vec<(&'static str, Option<&'static str>)>,
}

/// What [`Error`] is about.
#[derive(Debug)]
pub(super) enum Problem {
    /// A statement about the bytes that quotes none of them.
    Wire(&'static str),
    /// A value that a field cannot have. It may be quoted.
    Value(String),
    /// JSON in a field that is nested too deep.
    TooDeep,
}

impl Error {
    pub(super) fn wire(problem: &'static str) -> Self {
        Self::new(Problem::Wire(problem))
    }

    /// A value that a field cannot have; the text may quote it.
    pub(crate) fn value(problem: impl Into<String>) -> Self {
        Self::new(Problem::Value(problem.into()))
    }

    /// JSON in a field that is nested too deep.
    pub(super) fn too_deep() -> Self {
        Self::new(Problem::TooDeep)
    }

    pub(super) fn is_too_deep(&self) -> bool {
        matches!(self.problem, Problem::TooDeep)
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

    /// The same error, inside this message and, if that is known, this field of it.
    #[cold]
    pub(super) fn within(mut self, message: &'static str, field: Option<&'static str>) -> Self {
        self.within.push((message, field));
        self
    }

    /// Where it happened, with nothing of what stands there.
    pub(crate) fn place(&self) -> String {
        let message = self.within.last().map(|(message, _)| *message);
        // The underscore tells a field from a word of Rust.
        let fields = self.within.iter().rev().filter_map(|(_, field)| Some(field.as_ref()?.trim_end_matches('_')));
        let mut place = message.into_iter().chain(fields).collect::<Vec<_>>().join(".");
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
            Problem::TooDeep => {
                write!(
                    f,
                    "JSON that is nested more than {MAX_DEPTH} levels deep, which only the dynamic client reads,"
                )?;
            }
        }
        match self.place() {
            place if place.is_empty() => Ok(()),
            place => write!(f, " at {place}"),
        }
    }
}

impl std::error::Error for Error {}
