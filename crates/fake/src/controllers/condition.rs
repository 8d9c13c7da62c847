//! Conditions in a status.

use serde_json::{Value, json};

/// Adds a condition, or puts it in the place of the one of its type: `fields` are `status`, `reason` and `message`. One
/// that says the same already stays, with its times; the others follow it in the order of their changes.
pub(super) fn set(conditions: &mut Vec<Value>, kind: &str, fields: [&str; 3], now: &str) {
    let [status, reason, message] = fields;
    let old = conditions.iter().position(|condition| condition["type"] == kind);
    let mut since = now.to_owned();
    if let Some(old) = old.map(|index| &conditions[index]) {
        if old["status"] == status && old["reason"] == reason && old["message"] == message {
            return;
        }
        if old["status"] == status {
            old["lastTransitionTime"].as_str().unwrap_or(now).clone_into(&mut since);
        }
    }
    conditions.retain(|condition| condition["type"] != kind);
    conditions.push(json!({
        "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since,
    }));
}

/// The conditions of a status.
pub(super) fn of(status: &Value) -> Vec<Value> {
    status["conditions"].as_array().cloned().unwrap_or_default()
}
