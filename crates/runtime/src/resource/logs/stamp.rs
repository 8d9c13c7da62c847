//! The time stamp in front of a line.

use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;

/// The longest stamp: nine digits of a second and an offset.
const LONGEST: usize = "2006-01-02T15:04:05.000000000+07:00".len();

/// A line as its time stamp and what the container wrote. A kubelet that is asked for stamps writes one in front of
/// each line; what has none is its own message.
pub(super) fn split(line: &Bytes) -> Option<(Timestamp, Bytes)> {
    let end = memchr::memchr(b' ', &line[..line.len().min(LONGEST + 1)]);
    // Nothing may stand behind the stamp of an empty line.
    let end = end.or_else(|| (line.len() <= LONGEST).then_some(line.len()))?;
    let stamp = str::from_utf8(&line[..end]).ok()?;
    // Other forms that a `Timestamp` is read from are the container's own text.
    if stamp.as_bytes().get(10) != Some(&b'T') || stamp.as_bytes().get(16) != Some(&b':') {
        return None;
    }
    let timestamp = stamp.parse().ok()?;
    Some((timestamp, line.slice((end + 1).min(line.len())..)))
}

/// Whether a line is the kubelet's own: neither does it have a stamp, nor is it the beginning of one that was cut off.
pub(super) fn is_message(line: &Bytes) -> bool {
    let is_of_a_stamp = |byte: &u8| byte.is_ascii_digit() || b"-T:.Z+ ".contains(byte);
    split(line).is_none() && !(line.len() <= LONGEST && line.iter().all(is_of_a_stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_stamps_and_messages_have_none() {
        let split = |line: &'static str| {
            split(&Bytes::from_static(line.as_bytes()))
                .map(|(stamp, text)| (stamp.to_string(), String::from_utf8_lossy(&text).into_owned()))
        };
        for (line, stamp, text) in [
            ("2026-11-27T10:00:00.123456789Z one", "2026-11-27T10:00:00.123456789Z", "one"),
            ("2026-11-27T10:00:00.1Z  two", "2026-11-27T10:00:00.1Z", " two"),
            ("2026-11-27T10:00:00Z ", "2026-11-27T10:00:00Z", ""),
            ("2026-11-27T10:00:00Z", "2026-11-27T10:00:00Z", ""),
            ("2026-11-27T12:00:00.000000001+02:00 a b", "2026-11-27T10:00:00.000000001Z", "a b"),
        ] {
            assert_eq!(split(line), Some((stamp.to_owned(), text.to_owned())), "{line}");
        }
        for message in [
            "",
            " ",
            "unable to retrieve container logs for containerd://abc",
            "2026-11-27 10:00:00Z text",
            "2026-11-27T10:00:00 text",
            "2026-11-27T10Z text",
            "2026-13-27T10:00:00Z text",
            "2026-11-27T10:00:00.000000000+02:00[Europe/Berlin] text",
        ] {
            assert_eq!(split(message), None, "{message}");
        }
        assert_eq!(super::split(&Bytes::from_static(b"2026-11-27T10:00:00\xff text")), None);
    }

    #[test]
    fn half_a_stamp_is_no_message() {
        for (line, expected) in [
            ("failed to open log file", true),
            ("2026-11-27T10:00:00 text", true),
            ("2026-11-27T10:00:00.123456789Z text", false),
            ("2026-11-27T10:00:00.1234", false),
            ("20", false),
            ("", false),
        ] {
            assert_eq!(is_message(&Bytes::from_static(line.as_bytes())), expected, "{line}");
        }
    }
}
