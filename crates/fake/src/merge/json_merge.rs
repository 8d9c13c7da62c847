//! JSON merge patch, RFC 7386, as the server's library does it.

use serde_json::{Map as Members, Value};

/// The object with the patch: `null` removes, maps are merged, everything else is replaced.
///
/// Beyond the RFC, `null` is also removed from maps within lists that the patch brings, unless such a list takes the
/// place of a map.
pub(crate) fn json_merge(target: Value, patch: Value) -> Value {
    match (target, patch) {
        (Value::Object(mut members), Value::Object(patch)) => {
            merge_members(&mut members, patch);
            Value::Object(members)
        }
        (Value::Object(_), patch) => patch,
        (_, patch) => without_nulls(patch),
    }
}

fn merge_members(members: &mut Members<String, Value>, patch: Members<String, Value>) {
    for (key, value) in patch {
        if value.is_null() {
            members.remove(&key);
            continue;
        }
        let merged = match members.remove(&key) {
            Some(target) => json_merge(target, value),
            None => without_nulls(value),
        };
        members.insert(key, merged);
    }
}

/// The value without the members of maps that are `null`. Items of lists stay.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
