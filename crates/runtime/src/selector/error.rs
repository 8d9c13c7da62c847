//! What is wrong with a selector.

use std::{error::Error as StdError, fmt};

use crate::error::{Error, ErrorKind};

/// A selector that is not valid: in its text, or in a key or value that it was built of.
///
/// It converts into [`Error`](crate::Error), so `?` works in functions that return that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSelector {
    what: &'static str,
    /// The text that was parsed, and the byte at which it is wrong.
    place: Option<(String, usize)>,
    problem: String,
}

impl InvalidSelector {
    /// A problem at a place of a text.
    pub(super) fn at(what: &'static str, text: &str, offset: usize, problem: impl Into<String>) -> Self {
        Self { what, place: Some((text.to_owned(), offset)), problem: problem.into() }
    }

    /// A problem with a key or a value.
    pub(super) fn of(what: &'static str, problem: impl Into<String>) -> Self {
        Self { what, place: None, problem: problem.into() }
    }

    /// Where in the text the problem is, as an offset in bytes; `None` for a selector that was built.
    pub fn offset(&self) -> Option<usize> {
        self.place.as_ref().map(|(_, offset)| *offset)
    }
}

impl fmt::Display for InvalidSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((text, offset)) = &self.place else {
            return write!(f, "invalid {}: {}", self.what, self.problem);
        };
        let (before, after) = text.split_at_checked(*offset).unwrap_or((text, ""));
        let column = before.chars().count() + 1;
        write!(f, "invalid {} {text:?}: {}, at column {column}", self.what, self.problem)?;
        if after.is_empty() { write!(f, " (the end)") } else { write!(f, " ({after:?})") }
    }
}

impl StdError for InvalidSelector {}

impl From<InvalidSelector> for Error {
    fn from(invalid: InvalidSelector) -> Self {
        Self::new(ErrorKind::Request, invalid.to_string())
    }
}
