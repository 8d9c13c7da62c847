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
    /// `i:`: the item at this position.
    Index(usize),
}

impl<'a> Owned<'a> {
    /// What a `fieldsV1` says.
    pub(super) fn new(fields: &'a Value) -> Result<Self, Problem> {
        fields.as_object().map(Self).ok_or_else(|| Problem::new("fieldsV1 is no object"))
    }

    /// The steps down and what is owned there.
    pub(super) fn steps(self) -> impl Iterator<Item = Result<(Step<'a>, Owned<'a>), Problem>> {
        self.0.iter().filter(|(key, _)| *key != ".").map(|(key, below)| {
            let wrong = || Problem::new(format!("managedFields: {key:?} is no field path"));
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
                "i" => Step::Index(rest.parse().map_err(|_| wrong())?),
                _ => return Err(wrong()),
            };
            Ok((step, below))
        })
    }
}

/// The entry of a manager's applies, if the object has one. There is at most one for a manager, an API version and a
/// subresource; `subresource` is empty for the object itself.
pub(super) fn applied_by<'a>(object: &'a Value, manager: &str, subresource: &str) -> Option<&'a Value> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    entries.iter().find(|entry| {
        entry["operation"] == "Apply"
            && entry["manager"] == manager
            && entry["subresource"].as_str().unwrap_or_default() == subresource
    })
}
