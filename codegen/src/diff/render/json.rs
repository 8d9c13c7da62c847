//! JSON for programs.

use serde_json::{Map, Value, json};

use crate::{
    diff::{Change, Removal, Report},
    spec,
};

/// The number of the form, raised when a member changes its meaning or goes.
const FORMAT: u32 = 1;

/// Reports for programs: sorted, without anything that differs from run to run.
pub fn json(reports: &[Report]) -> String {
    let reports: Vec<Value> = reports.iter().map(report).collect();
    spec::json::render(&json!({"format": FORMAT, "reports": reports}))
}

fn report(report: &Report) -> Value {
    let counts = &report.counts;
    let [before, after] = counts.operations;
    json!({
        "from": report.from,
        "to": report.to,
        "group": report.group,
        "operations": {
            "before": before,
            "after": after,
            "added": counts.operations_added,
            "removed": counts.operations_removed,
        },
        "types": {"before": counts.types[0], "after": counts.types[1]},
        "changes": report.changes.iter().map(change).collect::<Vec<_>>(),
        "removals": report.removals.iter().map(removal).collect::<Vec<_>>(),
        "notCompared": report.not_compared,
    })
}

fn removal(removal: &Removal) -> Value {
    json!({"kind": removal.kind.to_string(), "release": removal.release.to_string()})
}

fn change(change: &Change) -> Value {
    let mut fields = Map::new();
    let place = &change.place;
    let texts = [("group", &place.group), ("version", &place.version), ("name", &place.name), ("path", &place.path)];
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    fields.extend(texts.map(|(key, text)| (key.to_owned(), Value::from(text.as_str()))));
    let affects: Vec<&str> = change.kind.audiences().iter().map(|audience| audience.as_str()).collect();
    fields.insert("kind".to_owned(), change.kind.id().into());
    fields.insert("affects".to_owned(), affects.into());
    fields.insert("stability".to_owned(), change.stability().as_str().into());
    for (key, value) in [("before", &change.before), ("after", &change.after)] {
        if let Some(value) = value {
            fields.insert(key.to_owned(), value.as_str().into());
        }
    }
    let reach = &change.reach;
    if !reach.kinds.is_empty() {
        let kinds: Vec<String> = reach.kinds.iter().map(ToString::to_string).collect();
        fields.insert("kinds".to_owned(), kinds.into());
    }
    fields.insert("operations".to_owned(), reach.operations.into());
    if reach.status_only {
        fields.insert("statusOnly".to_owned(), true.into());
    }
    if !reach.gates.is_empty() {
        let gates: Map<String, Value> =
            reach.gates.iter().map(|(name, gate)| (name.clone(), gate.to_string().into())).collect();
        fields.insert("gates".to_owned(), gates.into());
    }
    Value::Object(fields)
}
