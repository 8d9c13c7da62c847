//! Statuses that do not name their kind.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde_json::{Map, Value};

use super::{MediaType, from_json};
use crate::{protobuf, text::non_empty};

/// The failure that a body reports where nothing else but a failure is expected: a Status, or an object that has a
/// Status's fields and no kind.
pub(crate) fn failure(media_type: MediaType, body: &[u8]) -> Option<Status> {
    let status = match media_type {
        MediaType::Json => json(body)?,
        MediaType::Protobuf => protobuf::status_without_kind(body).ok()??,
    };
    let says = |text: &Option<String>| non_empty(text.as_ref()).is_some();
    let fails = says(&status.reason) || says(&status.message) || status.code.is_some_and(|code| code != 0);
    match status.status.as_deref() {
        Some("Success") => None,
        Some("Failure") => Some(status),
        _ => fails.then_some(status),
    }
}

/// The Status that a body without a kind is, as against an object that lacks its kind: `status` of a Status is a word,
/// and an object has metadata.
pub(crate) fn unnamed_status(body: &[u8]) -> Option<Status> {
    let fields: Map<String, Value> = from_json(body).ok()?;
    let is_object = fields.contains_key("metadata") && !fields.get("status").is_some_and(Value::is_string);
    let is_named = fields.get("kind").is_some_and(|kind| !(kind.is_null() || kind.as_str() == Some("")));
    if is_object || is_named { None } else { of_fields(fields) }
}

fn json(body: &[u8]) -> Option<Status> {
    let mut fields: Map<String, Value> = from_json(body).ok()?;
    if !fields.get("kind").is_none_or(|kind| kind.is_null() || matches!(kind.as_str(), Some("" | "Status"))) {
        return None;
    }
    // What a field of a wrong type says is lost; the reason is not to be lost with it.
    fields.retain(|name, value| of_fields(Map::from_iter([(name.clone(), value.clone())])).is_some());
    of_fields(fields)
}

fn of_fields(mut fields: Map<String, Value>) -> Option<Status> {
    fields.remove("kind");
    fields.remove("apiVersion");
    serde_json::from_value(Value::Object(fields)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_read_whether_or_not_it_names_its_kind() {
        for body in [
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired"}"#,
            r#"{"kind":"Status","reason":"Expired"}"#,
            r#"{"kind":"","apiVersion":"","reason":"Expired"}"#,
            r#"{"kind":null,"metadata":null,"details":null,"reason":"Expired"}"#,
            r#"{"reason":"Expired","more":[1]}"#,
            r#"{"kind":"Status","reason":"Expired","code":"410","message":7,"details":[],"metadata":""}"#,
        ] {
            let status = failure(MediaType::Json, body.as_bytes()).expect(body);
            assert_eq!(status.reason.as_deref(), Some("Expired"), "{body}");
        }
        for body in [r#"{"code":410}"#, r#"{"message":"too old"}"#, r#"{"status":"Failure"}"#] {
            assert!(failure(MediaType::Json, body.as_bytes()).is_some(), "{body}");
        }
        for body in [
            r#"{"kind":"Pod","reason":"Expired"}"#,
            r#"{"kind":"Status","status":"Success","message":"done"}"#,
            r#"{"code":0,"reason":""}"#,
            r#"{"why":7}"#,
            "[]",
            "",
        ] {
            assert_eq!(failure(MediaType::Json, body.as_bytes()), None, "{body}");
        }
        // Envelopes with the names v1 and Status, and without names; the Status has a reason.
        for envelope in [&b"\x0a\x0c\x0a\x02v1\x12\x06Status"[..], b"\x0a\0", b""] {
            let body = [protobuf::MAGIC, envelope, b"\x12\x09\x22\x07Expired"].concat();
            let status = failure(MediaType::Protobuf, &body).expect("a failure");
            assert_eq!(status.reason.as_deref(), Some("Expired"), "{body:?}");
        }
    }
    #[test]
    fn status_without_a_kind_is_told_from_an_object_without_one() {
        for body in
            [r#"{"metadata":{},"status":"Success"}"#, r#"{"status":"Success"}"#, "{}", r#"{"code":200,"kind":""}"#]
        {
            assert!(unnamed_status(body.as_bytes()).is_some(), "{body}");
        }
        for body in [
            r#"{"metadata":{"name":"web"}}"#,
            r#"{"metadata":{"name":"web"},"status":{"phase":"Running"}}"#,
            r#"{"kind":"Pod","status":"Success"}"#,
            "[]",
            "gone",
            "",
        ] {
            assert_eq!(unnamed_status(body.as_bytes()), None, "{body}");
        }
    }
}
