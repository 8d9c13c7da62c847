//! The one error of the generator.

use std::fmt;

/// A file that is wrong, the place in it, and what is wrong there; several of them have a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: String,
    location: String,
    message: String,
    others: Vec<Self>,
}

impl Error {
    /// An error of a file as a whole.
    pub fn file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self::at(file, "", message)
    }

    /// An error of one place in a file: a JSON path such as `$["/version/"].get`, or `line 12`.
    pub fn at(file: impl Into<String>, location: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), location: location.into(), message: message.into(), others: Vec::new() }
    }

    /// All of these as one; none if there is none.
    pub fn all(errors: Vec<Self>) -> Result<(), Self> {
        let mut errors = errors.into_iter();
        match errors.next() {
            None => Ok(()),
            Some(mut first) => {
                first.others.extend(errors);
                Err(first)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if !self.location.is_empty() {
            write!(f, ": {}", self.location)?;
        }
        write!(f, ": {}", self.message)?;
        self.others.iter().try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl std::error::Error for Error {}
