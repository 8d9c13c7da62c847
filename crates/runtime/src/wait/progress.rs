//! What an object is like, in the words of an error: for people who ask how far it came.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::text::{Keep, printable, short_type_name};

/// How many numbers, and how many conditions, of a status are shown.
const SHOWN: usize = 20;

/// The parts of an object that tell how far it is. Whatever else it holds may be long or secret.
#[derive(Deserialize)]
struct Outline {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    status: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    resource_version: Option<String>,
    generation: Option<i64>,
    deletion_timestamp: Option<String>,
    finalizers: Option<Vec<String>>,
}

/// What an object in JSON is like.
pub(super) fn of(json: &[u8]) -> String {
    let Ok(Outline { metadata, status }) = serde_json::from_slice(json) else {
        return "it is there".to_owned();
    };
    let mut text = "it is there".to_owned();
    if let Some(version) = metadata.resource_version {
        let _ = write!(text, " at resourceVersion {version}");
    }
    if let Some(generation) = metadata.generation {
        let _ = write!(text, ", generation {generation}");
    }
    if metadata.deletion_timestamp.is_some() {
        text.push_str(", and is being deleted");
        match metadata.finalizers.unwrap_or_default() {
            finalizers if finalizers.is_empty() => {}
            finalizers => {
                let _ = write!(text, ", for which it waits for the finalizers {}", finalizers.join(", "));
            }
        }
    }
    let status = status.unwrap_or_default();
    let numbers = status.iter().filter_map(|(name, value)| number(name, value));
    let numbers: Vec<_> = numbers.take(SHOWN).collect();
    if !numbers.is_empty() {
        let _ = write!(text, "; status: {}", numbers.join(", "));
    }
    let conditions = status.get("conditions").and_then(Value::as_array).into_iter().flatten();
    let conditions: Vec<_> = conditions.filter_map(condition).take(SHOWN).collect();
    if !conditions.is_empty() {
        let _ = write!(text, "; conditions: {}", conditions.join(", "));
    }
    // The texts are those of others.
    printable(&text, Keep::Nothing).into_owned()
}

/// A member of the status that is short and no secret: a number, or the phase.
fn number(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(format!("{name}={number}")),
        Value::Bool(value) => Some(format!("{name}={value}")),
        Value::String(phase) if name == "phase" => Some(format!("phase={phase}")),
        _ => None,
    }
}

/// A condition, with the reason for its state.
fn condition(condition: &Value) -> Option<String> {
    let field = |name: &str| condition.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let state = format!("{}={}", field("type")?, field("status")?);
    Some(match field("reason") {
        Some(reason) => format!("{state} ({reason})"),
        None => state,
    })
}

/// What a condition is called, by the name of its type: that of a function. Closures have none.
pub(super) fn name_of(condition: &str) -> &str {
    if condition.contains(['{', '(']) {
        return "its condition";
    }
    short_type_name(condition)
}

#[cfg(test)]
mod tests {
    use std::any::type_name_of_val;

    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    use super::{super::conditions, *};

    #[test]
    fn an_object_is_told_by_its_generation_status_and_conditions_and_nothing_else() {
        for (object, text) in [
            (json!({}), "it is there"),
            (json!({ "metadata": null }), "it is there"),
            (
                json!({ "metadata": { "resourceVersion": "7" }, "data": { "password": "aHVudGVyMg==" } }),
                "it is there at resourceVersion 7",
            ),
            (
                json!({
                    "metadata": { "resourceVersion": "7", "generation": 2 },
                    "status": {
                        "observedGeneration": 1,
                        "replicas": 3,
                        "selector": "app=web",
                        "conditions": [
                            { "type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable" },
                            { "type": "Progressing", "status": "True", "reason": "" },
                            { "type": "Odd" },
                            7,
                        ],
                    },
                }),
                "it is there at resourceVersion 7, generation 2; status: observedGeneration=1, replicas=3; \
                 conditions: Available=False (MinimumReplicasUnavailable), Progressing=True",
            ),
            (
                json!({ "status": { "phase": "Pending", "ready": false } }),
                "it is there; status: phase=Pending, ready=false",
            ),
            (json!({ "status": { "phase": "a\nb\u{1b}" } }), "it is there; status: phase=a\\nb\\u{1b}"),
            (
                json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/a", "b"] } }),
                "it is there, and is being deleted, for which it waits for the finalizers example.com/a, b",
            ),
            (
                json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } }),
                "it is there, and is being deleted",
            ),
        ] {
            assert_eq!(of(object.to_string().as_bytes()), text);
        }
        assert_eq!(of(b"no JSON"), "it is there");
    }

    #[test]
    fn functions_have_names_and_closures_have_none() {
        let closure = |pod: Option<&Pod>| pod.is_none();
        let either = conditions::or(conditions::pod_ready, closure);
        let pointer: fn(Option<&Pod>) -> bool = conditions::pod_ready;
        for (name, expected) in [
            (type_name_of_val(&conditions::pod_ready), "pod_ready"),
            (type_name_of_val(&conditions::deleted::<Pod>), "deleted"),
            (type_name_of_val(&closure), "its condition"),
            (type_name_of_val(&either), "its condition"),
            (type_name_of_val(&pointer), "its condition"),
        ] {
            assert_eq!(name_of(name), expected, "{name}");
        }
    }
}
