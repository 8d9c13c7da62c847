//! The one error of the generator.

use std::fmt;

/// A file that is wrong, the place in it, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: String,
    location: String,
    message: String,
}

impl Error {
    /// An error of a file as a whole.
    pub fn file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self::at(file, "", message)
    }

    /// An error of one place in a file: a JSON path such as `$["/version/"].get`, or `line 12`.
    pub fn at(file: impl Into<String>, location: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), location: location.into(), message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if !self.location.is_empty() {
            write!(f, ": {}", self.location)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Error {}
