//! Why a body could not be written or read.

use std::fmt;

use crate::protobuf;

/// Why a body could not be written or read.
pub struct Error(Box<Cause>);

#[derive(Debug)]
enum Cause {
    Json(serde_json::Error),
    Protobuf(protobuf::Error),
    Custom(String),
    ListHead(String),
}

impl Error {
    /// An error of a codec of one's own.
    pub fn custom(problem: impl fmt::Display) -> Self {
        Self(Box::new(Cause::Custom(problem.to_string())))
    }

    /// The error of an item that cannot be read before its list has said its `apiVersion` and `kind`. If these stand behind the
    /// items, the item is read again when they are known; if they are not there at all, this is the error.
    pub fn needs_list_head(problem: impl fmt::Display) -> Self {
        Self(Box::new(Cause::ListHead(problem.to_string())))
    }

    /// Whether it is [that error](Error::needs_list_head).
    pub(crate) fn is_of_list_head(&self) -> bool {
        matches!(*self.0, Cause::ListHead(_))
    }

    /// Where in the body it happened, with nothing of what stands there, which may be a secret.
    pub(crate) fn place(&self) -> String {
        match &*self.0 {
            Cause::Json(error) => format!("line {} column {}", error.line(), error.column()),
            Cause::Protobuf(error) => error.place(),
            Cause::Custom(_) | Cause::ListHead(_) => String::new(),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self(Box::new(Cause::Json(error)))
    }
}

impl From<protobuf::Error> for Error {
    fn from(error: protobuf::Error) -> Self {
        Self(Box::new(Cause::Protobuf(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Json(error) => error.fmt(f),
            Cause::Protobuf(error) => error.fmt(f),
            Cause::Custom(problem) | Cause::ListHead(problem) => f.write_str(problem),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}
