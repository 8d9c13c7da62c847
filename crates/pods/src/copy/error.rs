//! Why copying failed.

use std::{fmt, io, path::PathBuf};

use k8s_client_runtime::{Error, ErrorKind};

/// Why copying failed. What was copied until then stays.
#[derive(Debug)]
#[non_exhaustive]
pub enum CopyError {
    /// `tar` could not be run in the container, or the connection was lost.
    Client(Error),
    /// `tar` ran in the container and failed.
    Tar {
        /// The path in the container.
        remote: String,
        /// Its exit code.
        code: i32,
        /// What it wrote to standard error, the first part of it.
        message: String,
    },
    /// What came from the container is not an archive, or has entries that were not asked for.
    Archive {
        /// The path in the container.
        remote: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Not all was copied, though `tar` says nothing of it.
    Incomplete {
        /// The path in the container.
        remote: String,
        /// What was lost, and how.
        problem: String,
    },
    /// A file of this machine cannot be read or written.
    Local {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The content that was to be written cannot be read.
    Content {
        /// The path in the container.
        remote: String,
        /// What the reader says.
        error: io::Error,
    },
    /// More bytes come than [`max_bytes`](super::Download::max_bytes) allows.
    TooLarge {
        /// The path in the container.
        remote: String,
        /// How many bytes are allowed.
        limit: u64,
    },
    /// More entries come than [`max_entries`](super::Download::max_entries) allows.
    TooMany {
        /// The path in the container.
        remote: String,
        /// How many entries are allowed.
        limit: u64,
    },
    /// The path in the container cannot be copied.
    Path(String),
}

impl CopyError {
    pub(super) fn local(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Local { path, error }
    }
}

impl From<Error> for CopyError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

/// Whether the container has no program of this name, in the words of its runtime.
fn lacks_tar(error: &Error) -> bool {
    let text = error.to_string();
    error.kind() == ErrorKind::Api && (text.contains("executable file not found") || text.contains("no such file"))
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) if lacks_tar(error) => {
                write!(f, "{error}; copying needs the program tar in the container")
            }
            Self::Client(error) => write!(f, "{error}"),
            Self::Tar { remote, code, message } => {
                write!(f, "copying {remote:?} of the container: tar ended with exit code {code}: {message}")
            }
            Self::Archive { remote, problem } => {
                write!(f, "copying {remote:?} of the container: the archive that tar sent is refused: {problem}")
            }
            Self::Incomplete { remote, problem } => {
                write!(f, "copying {remote:?} of the container: the copy is not complete: {problem}; copy it again")
            }
            Self::Local { path, error } => write!(f, "{} on this machine: {error}", path.display()),
            Self::Content { remote, error } => {
                write!(f, "writing {remote:?} of the container: the content cannot be read: {error}")
            }
            Self::TooLarge { remote, limit } => write!(
                f,
                "copying {remote:?} of the container: it has more than {limit} bytes; `max_bytes` allows more"
            ),
            Self::TooMany { remote, limit } => write!(
                f,
                "copying {remote:?} of the container: it has more than {limit} entries; `download` copies more, if \
                 its `max_entries` allows it"
            ),
            Self::Path(problem) => write!(f, "{problem}"),
        }
    }
}

impl std::error::Error for CopyError {}
