//! The path of a URL: which names may stand in it and how they are written.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a path segment must not hold as it is.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Adds the escaped segment, with one `/` in front of it.
pub(super) fn push_segment(path: &mut String, segment: &str) {
    if !path.ends_with('/') {
        path.push('/');
    }
    path.extend(utf8_percent_encode(segment, SEGMENT));
}

/// Adds a path that begins with `/`, or nothing, with one `/` in between.
pub(super) fn push_path(path: &mut String, more: &str) {
    if !more.is_empty() {
        path.truncate(path.trim_end_matches('/').len());
        path.push_str(more);
    }
}

/// Says why a name cannot be a path segment, in client-go's terms: it may be neither empty, `.` nor `..`, and may hold
/// neither `/` nor `%`.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("{what} may not be empty"));
    }
    if name == "." || name == ".." {
        return Err(format!("invalid {what} {name:?}: may not be '.' or '..'"));
    }
    match name.chars().find(|c| matches!(c, '/' | '%')) {
        Some(c) => Err(format!("invalid {what} {name:?}: may not contain '{c}'")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_change_the_path_are_refused() {
        for name in ["", ".", "..", "a/b", "100%"] {
            assert!(check_name("resource name", name).is_err(), "{name:?}");
        }
        for name in ["web", "system:node", "a.b", "..a", "*"] {
            assert!(check_name("resource name", name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn segments_are_escaped() {
        let mut path = String::new();
        push_segment(&mut path, "system:node é?#");
        assert_eq!(path, "/system:node%20%C3%A9%3F%23");
    }
}
