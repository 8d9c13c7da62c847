//! Why copying failed.

use std::{fmt, io, path::PathBuf};

use k8s_client_runtime::{Error, ErrorKind};

/// Why copying failed. What was copied until then stays.
#[derive(Debug)]
#[non_exhaustive]
pub enum CopyError {
    /// `tar` could not be run in the container, or the connection was lost.
    Kubernetes(Error),
    /// `tar` ran in the container and failed.
    Tar {
        /// Its exit code.
        code: i32,
        /// What it wrote to standard error, the first part of it.
        message: String,
    },
    /// What came from the container is no archive, or has entries that were not asked for.
    Archive(String),
    /// A file of this machine cannot be read or written.
    Local {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// More bytes come than [`max_bytes`](super::Download::max_bytes) allows.
    TooLarge(u64),
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
        Self::Kubernetes(error)
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
            Self::Kubernetes(error) if lacks_tar(error) => {
                write!(f, "{error}; copying needs the program tar in the container")
            }
            Self::Kubernetes(error) => write!(f, "{error}"),
            Self::Tar { code, message } => write!(f, "tar in the container ended with {code}: {message}"),
            Self::Archive(problem) => write!(f, "what tar in the container sent is refused: {problem}"),
            Self::Local { path, error } => write!(f, "{}: {error}", path.display()),
            Self::TooLarge(limit) => write!(f, "more than {limit} bytes come; allow more by max_bytes"),
            Self::Path(problem) => write!(f, "{problem}"),
        }
    }
}

impl std::error::Error for CopyError {}
