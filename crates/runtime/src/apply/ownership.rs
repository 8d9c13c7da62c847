//! Who owns which fields: `metadata.managedFields` and its form `FieldsV1`.

use serde_json::{Map, Value};

use super::Problem;

/// The fields below a point of an object: `f:…`, `k:…`, `v:…` and `i:…`, and whether the point itself is owned (`.`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned<'a>(&'a Map<String, Value>);

/// One step down.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// `f:`: a field or an entry of a map.
    Field(&'a str),
    /// `k:`: the item of a list with these key fields.
    Key(Map<String, Value>),
    /// `v:`: the item of a set with this value.
    Value(Value),
    /// `i:`: the item at a position. No list of Kubernetes is owned so.
    Index,
}

impl<'a> Owned<'a> {
    /// What a `fieldsV1` says.
    pub(super) fn new(fields: &'a Value) -> Result<Self, Problem> {
        fields.as_object().map(Self).ok_or_else(|| Problem::new("is not an object").in_field("fieldsV1"))
    }

    /// Whether there is nothing below: the point is owned as it is.
    pub(super) fn is_leaf(self) -> bool {
        self.0.keys().all(|key| key == ".")
    }

    /// The steps down and what is owned there.
    pub(super) fn steps(self) -> Result<Vec<(Step<'a>, Owned<'a>)>, Problem> {
        self.0.iter().filter(|(key, _)| *key != ".").map(|(key, below)| step(key, below)).collect()
    }
}

fn step<'a>(key: &'a str, below: &'a Value) -> Result<(Step<'a>, Owned<'a>), Problem> {
    let wrong = || Problem::new(format!("managedFields has {key:?}, which is not a part of a path"));
    let below = below.as_object().map(Owned).ok_or_else(wrong)?;
    let (kind, rest) = key.split_once(':').ok_or_else(wrong)?;
    let json = || serde_json::from_str::<Value>(rest).map_err(|_| wrong());
    let step = match kind {
        "f" => Step::Field(rest),
        "k" => match json()? {
            Value::Object(keys) => Step::Key(keys),
            _ => return Err(wrong()),
        },
        "v" => Step::Value(json()?),
        "i" if rest.parse::<i64>().is_ok() => Step::Index,
        _ => return Err(wrong()),
    };
    Ok((step, below))
}

/// The entry of a manager's applies, if the object has one; `subresource` is empty for the object itself. The server
/// keeps one for each manager, with the paths of the version of the API that was applied last.
pub(super) fn applied_by<'a>(
    object: &'a Value,
    manager: &str,
    subresource: &str,
) -> Result<Option<&'a Value>, Problem> {
    let wrong = |what: &str| Problem::new(what).in_field("managedFields").in_field("metadata");
    let entries = match &object["metadata"]["managedFields"] {
        Value::Array(entries) if !entries.is_empty() => entries,
        Value::Null | Value::Array(_) if is_bare(object) => return Ok(None),
        Value::Null | Value::Array(_) => {
            return Err(wrong(
                "is not set: either nobody owns a field of the object, so that a new configuration is the whole, or it was left \
                 out, as by some caches: read the object from the server",
            ));
        }
        _ => return Err(wrong("is not a list")),
    };
    let entry = entries.iter().find(|entry| {
        entry["operation"] == "Apply"
            && entry["manager"] == manager
            && entry["subresource"].as_str().unwrap_or_default() == subresource
    });
    match (entry.and_then(|entry| entry["apiVersion"].as_str()), object["apiVersion"].as_str()) {
        // What is one field there may be several here, or merge otherwise.
        (Some(applied), Some(read)) if applied != read => Err(wrong(&format!(
            "has what the manager applied as {applied}, but the object was read as {read}: read it as {applied}, or apply a \
             whole configuration as {read} first"
        ))),
        _ => Ok(entry),
    }
}

/// Whether there is nothing to own but the name, so that nobody does: the server keeps no empty `managedFields`.
fn is_bare(object: &Value) -> bool {
    let mut rest = object.clone();
    leave_out_what_the_server_sets(&mut rest);
    let Value::Object(fields) = rest else { return false };
    let is_empty = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
    fields.iter().all(|(name, value)| match (name.as_str(), value) {
        ("apiVersion" | "kind", _) => true,
        ("metadata", Value::Object(metadata)) => metadata.keys().all(|name| name == "name" || name == "namespace"),
        (_, value) => is_empty(value),
    })
}

/// The fields of metadata that no client sets.
const SERVERS_METADATA: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Leaves out the status, and the metadata that only the server sets.
pub(super) fn leave_out_what_the_server_sets(value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !SERVERS_METADATA.contains(&name.as_str()));
    }
}
