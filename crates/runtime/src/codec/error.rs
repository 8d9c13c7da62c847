//! Why a body could not be written or read.

use std::fmt;

use crate::{
    json::{self, MAX_DEPTH},
    protobuf,
    text::{Keep, printable},
};

/// How much is shown of a text that is not JSON.
const SHOWN: usize = 60;

/// How much is shown of what serde_json says.
const MAX_QUOTED: usize = 400;

/// Why a body could not be written or read.
pub struct Error(Box<Cause>);

#[derive(Debug)]
enum Cause {
    Json(serde_json::Error),
    /// The path of the field, or how the text begins that is not JSON.
    JsonAt(serde_json::Error, String),
    TooDeep(serde_json::Error, String),
    Protobuf(protobuf::Error),
    Custom(String),
    ListHead(String),
}

impl Error {
    /// An error of a codec of one's own.
    pub fn custom(problem: impl fmt::Display) -> Self {
        Self(Box::new(Cause::Custom(problem.to_string())))
    }

    /// An error of serde_json in this body: with the path of the field, and the beginning of what is not JSON.
    #[doc(hidden)]
    #[must_use]
    pub fn in_json(error: serde_json::Error, json: &[u8]) -> Self {
        let path = json::path(json, error.line(), error.column()).map(|path| format!("{path}: "));
        let cause = if error.to_string().starts_with("recursion limit exceeded") {
            Cause::TooDeep(error, path.unwrap_or_default())
        } else if let Some(path) = path {
            Cause::JsonAt(error, path)
        } else {
            match beginning(json) {
                Some(beginning) => Cause::JsonAt(error, format!("it is not JSON but begins with {beginning}: ")),
                None => Cause::Json(error),
            }
        };
        Self(Box::new(cause))
    }

    /// The error of an item that cannot be read before its list has said its `apiVersion` and `kind`. If these stand
    /// behind the items, the item is read again when they are known; if they are not there at all, this is the error.
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
            Cause::Json(error) | Cause::JsonAt(error, _) | Cause::TooDeep(error, _) => {
                format!("line {} column {}", error.line(), error.column())
            }
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
            Cause::Json(error) => f.write_str(&shortened(error)),
            Cause::JsonAt(error, place) => write!(f, "{place}{}", shortened(error)),
            Cause::TooDeep(_, place) => {
                write!(f, "{place}is nested more than {MAX_DEPTH} levels deep, which only the dynamic client reads")
            }
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

/// What serde_json says, which may quote a value of any length.
fn shortened(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.char_indices().nth(MAX_QUOTED) {
        None => text,
        Some((end, _)) => format!("{}… at line {} column {}", &text[..end], error.line(), error.column()),
    }
}

/// The beginning of a text that is not JSON and does not look like an object or a list of it, in quotes.
fn beginning(text: &[u8]) -> Option<String> {
    let text = text.trim_ascii_start();
    let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
    if text.is_empty() || text.starts_with(b"{") || text.starts_with(b"[") || is_json() {
        return None;
    }
    let shown = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN)]);
    let end = shown.char_indices().nth(SHOWN).map_or(shown.len(), |(end, _)| end);
    let more = if text.len() > end { "…" } else { "" };
    Some(format!("\"{}{more}\"", printable(&shown[..end], Keep::Nothing)))
}
