//! What a program has recorded.

use std::time::SystemTime;

use k8s_client_runtime::machine;
use k8s_openapi::jiff::Timestamp;

use crate::Reference;

/// The longest note that the server takes, in bytes.
const MAX_NOTE: usize = 1024;

/// What kind of event it is: the only two that the server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Type {
    Normal,
    Warning,
}

impl Type {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// What happened once.
#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    pub(crate) regarding: Reference,
    pub(crate) related: Option<Reference>,
    pub(crate) type_: Type,
    pub(crate) reason: String,
    pub(crate) action: String,
    pub(crate) note: String,
    pub(crate) at: Timestamp,
}

/// The time by the system's clock.
pub(crate) fn now() -> Timestamp {
    let since = machine::system_time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let nanoseconds = i128::try_from(since.as_nanos()).unwrap_or(i128::MAX);
    Timestamp::from_nanosecond(nanoseconds).unwrap_or(Timestamp::MAX)
}

/// The note as the server takes it: one that is too long is cut off.
pub(crate) fn fitting(mut note: String) -> String {
    const CUT: &str = "…";
    if note.len() > MAX_NOTE {
        let longest = MAX_NOTE - CUT.len();
        let end = (0..=longest).rev().find(|&end| note.is_char_boundary(end)).unwrap_or_default();
        note.truncate(end);
        note.push_str(CUT);
    }
    note
}

/// The name of an event: the object's, as far as it can be part of an event's name, and a number that no other has.
pub(crate) fn event_name(object: &str, number: i64) -> String {
    /// An event's name has 253 bytes at most, of which the number takes 17.
    const MAX_OBJECT: usize = 236;

    let letters = object.chars().take(MAX_OBJECT).map(|letter| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() || letter == '.' => letter,
        _ => '-',
    });
    let letters: String = letters.collect();
    let labels: Vec<&str> = letters.split('.').map(|label| label.trim_matches('-')).filter(|l| !l.is_empty()).collect();
    let object = if labels.is_empty() { "object".to_owned() } else { labels.join(".") };
    format!("{object}.{number:x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_an_event_is_one_that_the_server_takes() {
        let long = "a".repeat(300);
        for (object, name) in [
            ("web-0", "web-0.ff"),
            ("node.example.com", "node.example.com.ff"),
            ("system:node", "system-node.ff"),
            ("Admin-.-x", "admin.x.ff"),
            ("", "object.ff"),
            ("::", "object.ff"),
            ("é", "object.ff"),
            (&long, &format!("{}.ff", "a".repeat(236))),
        ] {
            assert_eq!(event_name(object, 255), name, "{object}");
        }
        assert!(event_name(&long, i64::MAX).len() <= 253);
    }

    #[test]
    fn long_note_is_cut_between_characters() {
        assert_eq!(fitting("short".to_owned()), "short");
        assert_eq!(fitting("x".repeat(1024)), "x".repeat(1024));
        for note in ["x".repeat(1025), "é".repeat(600), "x".to_owned() + &"é".repeat(600)] {
            let cut = fitting(note.clone());
            assert!(cut.len() <= 1024 && cut.len() > 1020, "{}", cut.len());
            assert!(note.starts_with(cut.strip_suffix('…').expect("it was cut")));
        }
    }
}
