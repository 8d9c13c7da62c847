//! Objects of one version as another has them, where a field is not just missing.

use serde_json::{Map, Value, json};

use crate::model::Resource;

/// The fields of a version of its resource, for an object that was written in another `apiVersion`.
pub(crate) fn convert(mut value: Value, to: &Resource, from: &str) -> Value {
    match (to.group.as_str(), to.plural.as_str()) {
        ("events.k8s.io", "events") => renamed(&mut value, &EVENT_FIELDS, true),
        ("", "events") => renamed(&mut value, &EVENT_FIELDS, false),
        ("autoscaling", "horizontalpodautoscalers") => {
            autoscaler(&mut value, &to.version, from.rsplit('/').next().unwrap_or(from));
        }
        _ => {}
    }
    value
}

/// Fields of an event of the core group, and what events.k8s.io calls them.
const EVENT_FIELDS: [(&str, &str); 6] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

fn renamed(value: &mut Value, fields: &[(&str, &str)], forwards: bool) {
    let Some(object) = value.as_object_mut() else { return };
    for (a, b) in fields.iter().chain(&[("reportingComponent", "reportingController")]) {
        let (old, new) = if forwards { (a, b) } else { (b, a) };
        if let Some(value) = object.remove(*old) {
            object.insert((*new).to_owned(), value);
        }
    }
}

/// The goal for the CPU is a field of its own in v1, and one of the metrics in v2.
fn autoscaler(value: &mut Value, to: &str, from: &str) {
    let spec = &mut value["spec"];
    let Some(spec) = spec.as_object_mut() else { return };
    let is_cpu = |metric: &Value| metric["type"] == "Resource" && metric["resource"]["name"] == "cpu";
    if to == "v2" && from == "v1" {
        if let Some(goal) = spec.remove("targetCPUUtilizationPercentage") {
            let target = json!({"type": "Utilization", "averageUtilization": goal});
            let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
            spec.insert("metrics".to_owned(), json!([metric]));
        }
    } else if to == "v1" && from == "v2" {
        let metrics = spec.remove("metrics").unwrap_or_default();
        let goal = metrics.as_array().into_iter().flatten().find(|metric| is_cpu(metric));
        let goal = goal.map(|metric| metric["resource"]["target"]["averageUtilization"].clone());
        spec.extend(
            goal.map(|goal| ("targetCPUUtilizationPercentage".to_owned(), goal)).into_iter().collect::<Map<_, _>>(),
        );
    }
}
