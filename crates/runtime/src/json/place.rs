//! Where in an object an error of serde_json happened: the path of the field, for the line and column that it gives.

use std::{fmt::Write as _, ops::Range};

use super::Nesting;

/// How much of a path is shown: the fields that types have are never this deep, nor their keys this long.
const MAX_STEPS: usize = 24;
const MAX_KEY: usize = 253;

/// What the place is in.
enum Within {
    Object { key: Option<Range<usize>>, is_key_next: bool },
    List { index: usize },
}

/// The path of the value that ends or begins at this line and column, both counted from 1 as serde_json does; `None`
/// where that is the whole.
pub(crate) fn path(json: &[u8], line: usize, column: usize) -> Option<String> {
    let start = match line.checked_sub(2) {
        None => 0,
        Some(breaks) => memchr::memchr_iter(b'\n', json).nth(breaks)? + 1,
    };
    let end = json.len().min(start + column);
    let mut within = Vec::new();
    let mut at = 0;
    while at < end {
        match json[at] {
            b'"' => {
                let begin = at;
                at = Nesting::default().end(&json[at..]).map_or(end, |length| at + length);
                match within.last_mut() {
                    // If the key is the end, the error is one of the object.
                    Some(Within::Object { key, is_key_next: true }) => *key = (at < end).then_some(begin..at),
                    _ if at >= end => break,
                    _ => {}
                }
                continue;
            }
            b'{' | b'[' | b'}' | b']' if at + 1 >= end => {
                if matches!(json[at], b'}' | b']') {
                    within.pop();
                }
                break;
            }
            b'{' => within.push(Within::Object { key: None, is_key_next: true }),
            b'[' => within.push(Within::List { index: 0 }),
            b'}' | b']' => drop(within.pop()),
            b':' => {
                if let Some(Within::Object { is_key_next, .. }) = within.last_mut() {
                    *is_key_next = false;
                }
            }
            b',' => match within.last_mut() {
                Some(Within::Object { key, is_key_next }) => (*key, *is_key_next) = (None, true),
                Some(Within::List { index }) => *index += 1,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    written(json, &within)
}

/// `.spec.containers[0].image`
fn written(json: &[u8], within: &[Within]) -> Option<String> {
    let mut path = String::new();
    for step in within.iter().take(MAX_STEPS) {
        let _ = match step {
            Within::Object { key: None, .. } => Ok(()),
            Within::Object { key: Some(key), .. } => match serde_json::from_slice::<String>(&json[key.clone()]) {
                Ok(key)
                    if key.len() <= MAX_KEY
                        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') =>
                {
                    write!(path, ".{key}")
                }
                Ok(key) => write!(path, "[{:?}]", key.chars().take(MAX_KEY).collect::<String>()),
                Err(_) => Ok(()),
            },
            Within::List { index } => write!(path, "[{index}]"),
        };
    }
    if within.len() > MAX_STEPS {
        path.push('…');
    }
    Some(path).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde::de::DeserializeOwned;

    use super::*;

    fn place<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> Option<String> {
        let error = serde_json::from_str::<T>(json).expect_err(json);
        path(json.as_bytes(), error.line(), error.column())
    }

    #[test]
    fn field_with_a_value_of_the_wrong_type_is_named() {
        for (json, expected) in [
            (r#"{"metadata":{"name":7}}"#, ".metadata.name"),
            (r#"{"metadata":{"generation":"x"}}"#, ".metadata.generation"),
            (r#"{"metadata":{"labels":{"a.b/c":{}}}}"#, ".metadata.labels[\"a.b/c\"]"),
            (r#"{"metadata":{"labels":7}}"#, ".metadata.labels"),
            (
                r#"{"spec":{"containers":[{"name":"a"},{"name":"b","ports":[{"containerPort":"http"}]}]}}"#,
                ".spec.containers[1].ports[0].containerPort",
            ),
            ("{\n  \"spec\": {\n    \"containers\": [\n      7 ]}}", ".spec.containers[0]"),
            (r#"{"spec":{"containers":{}}}"#, ".spec.containers"),
            (r#"{"metadata":{"creationTimestamp":"9999-12-31T23:59:59Z"}}"#, ".metadata.creationTimestamp"),
            (r#"{"metadata":{"name":"a","#, ".metadata"),
            (r#"{"metadata":{"na\u006de":[1,2]}}"#, ".metadata.name"),
        ] {
            assert_eq!(place::<Pod>(json).as_deref(), Some(expected), "{json}");
        }
        assert_eq!(place::<Vec<Pod>>(r#"[{},{"metadata":{"name":[]}}]"#).as_deref(), Some("[1].metadata.name"));
    }

    #[test]
    fn error_of_the_whole_has_no_path() {
        for json in ["", "7", "[]", "<html>", "{", r#"{"kind":"#, r#"{"a" 7}"#] {
            let _ = place::<Pod>(json);
        }
        assert_eq!(place::<Pod>("7"), None);
        assert_eq!(place::<Pod>(""), None);
    }
}
