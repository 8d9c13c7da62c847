//! The JSON of `managedFields`, which is most of many objects: objects in objects down to empty ones, without a space.
//! Reading that and nothing else takes half the time that reading any JSON does.

use k8s_openapi::serde_json::{self, Map, Value};

/// How deep objects may lie in one another: serde_json's limit.
const MAX_DEPTH: u32 = 128;

/// Reads the set of fields that a manager owns.
pub(super) fn read(json: &[u8]) -> serde_json::Result<Value> {
    let mut rest = json;
    match object(&mut rest, MAX_DEPTH) {
        Some(fields) if rest.is_empty() => Ok(Value::Object(fields)),
        // Whatever else it is, it is rare.
        _ => serde_json::from_slice(json),
    }
}

/// An object of objects; nothing if it is anything else.
fn object(rest: &mut &[u8], depth: u32) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    take(rest, b'{')?;
    if take(rest, b'}').is_some() {
        return Some(fields);
    }
    loop {
        let name = name(rest)?;
        take(rest, b':')?;
        fields.insert(name, Value::Object(object(rest, depth.checked_sub(1)?)?));
        if take(rest, b',').is_none() {
            return take(rest, b'}').map(|()| fields);
        }
    }
}

fn take(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[byte])?;
    Some(())
}

/// A string. One with an escape is left to serde: of the keys of lists, whose names are JSON themselves.
fn name(rest: &mut &[u8]) -> Option<String> {
    let text = rest.strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', text)?;
    if text[end] == b'"' {
        *rest = &text[end + 1..];
        let name = str::from_utf8(&text[..end]).ok()?;
        return (!name.contains(|c: char| c.is_control())).then(|| name.to_owned());
    }
    let mut strings = serde_json::Deserializer::from_slice(rest).into_iter::<String>();
    let name = strings.next()?.ok()?;
    *rest = &rest[strings.byte_offset()..];
    Some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_managers_own_is_read_as_any_json_is() {
        for json in [
            "{}",
            r#"{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{}}"#,
            r#"{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}}"#,
            r#"{"f:é":{"v:\"\\\"":{},"\u00e9":{}}}"#,
            // What is something else, but JSON.
            r#" { "a" : { } } "#,
            r#"{"a":{},"a":{"b":{}}}"#,
            r#"{"a":1}"#,
            "null",
        ] {
            assert_eq!(read(json.as_bytes()).unwrap(), serde_json::from_str::<Value>(json).unwrap(), "{json}");
        }
        for json in ["", "{", r#"{"a"}"#, r#"{"a":{}"#, r#"{"a":{}}x"#, r#"{"a":{},}"#, "{\"\n\":{}}", r#"{"\x":{}}"#] {
            assert!(read(json.as_bytes()).is_err(), "{json}");
        }
        let deep = "{\"a\":".repeat(100_000);
        assert!(read(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_by_serde(json in r#"(\{|\}|"|:|,|[a-z]|\\|\{\}|"f:a":){0,20}"#) {
            prop_assert_eq!(read(json.as_bytes()).ok(), serde_json::from_str::<Value>(&json).ok());
        }
    }
}
