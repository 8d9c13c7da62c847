use std::fmt;

/// Tells which file of a spec is wrong, where in it, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: String,
    location: String,
    message: String,
}

impl Error {
    /// Is about a file as a whole.
    pub fn file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self::at(file, "", message)
    }

    /// Is about one place in a file: a JSON path such as `$["/version/"].get`, or `line 12`.
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
