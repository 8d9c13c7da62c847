//! The error of this crate: [`Error`].

use std::fmt;

/// Why there is no control plane: what was tried, what came back, and what to do.
///
/// `Debug` prints the same words, so that `unwrap` in a test and `?` in its `main` read well.
pub struct Error(String);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// For `map_err`: puts what was tried in front of what came back.
    pub(crate) fn on<E: fmt::Display>(tried: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |came_back| Self(format!("{tried}: {came_back}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
