//! One line of a log.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;

use super::cut::Piece;

/// A line of a log without its end, as the bytes that the container wrote: any bytes, not only text.
///
/// It is shown as text, in which bytes that are not UTF-8 are replaced. A line that is longer than 16 MiB comes in
/// pieces, of which only the last [ends](Self::ends) the line.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LogLine {
    bytes: Bytes,
    timestamp: Option<Timestamp>,
    ends: bool,
}

impl LogLine {
    /// What was read, all of it content.
    pub(super) fn plain(piece: Piece) -> Self {
        Self { bytes: piece.bytes, timestamp: None, ends: piece.ends }
    }

    /// Content that had a time stamp in front of it.
    pub(super) fn stamped(bytes: Bytes, timestamp: Timestamp, ends: bool) -> Self {
        Self { bytes, timestamp: Some(timestamp), ends }
    }

    /// The bytes, without the line's end.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The line as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// When the line was written, by the clock of its node. Lines of a [`LogFollower`](super::LogFollower) have it;
    /// those of [`LogLines`](super::LogLines) have it in their text, if it was asked for.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// Whether the line ends here. `false` of each piece but the last of a line that is longer than 16 MiB.
    pub fn ends(&self) -> bool {
        self.ends
    }
}

impl From<LogLine> for Bytes {
    fn from(line: LogLine) -> Self {
        line.bytes
    }
}

impl PartialEq<str> for LogLine {
    fn eq(&self, text: &str) -> bool {
        self.bytes == text.as_bytes()
    }
}

impl PartialEq<&str> for LogLine {
    fn eq(&self, text: &&str) -> bool {
        *self == **text
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl fmt::Debug for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("LogLine");
        if let Some(timestamp) = self.timestamp {
            shown.field("timestamp", &format_args!("{timestamp}"));
        }
        shown.field("text", &self.text()).field("ends", &self.ends).finish_non_exhaustive()
    }
}
