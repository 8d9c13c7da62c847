//! Ownership through the scale subresource.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::merge::{PathElement, ReplicasPaths, from_scale, to_scale};

fn paths() -> ReplicasPaths {
    let path = |names: [&str; 2]| Some(names.map(PathElement::field).to_vec());
    BTreeMap::from([
        ("apps/v1".to_owned(), path(["spec", "replicas"])),
        ("apps/v2".to_owned(), path(["spec", "count"])),
        ("apps/v3".to_owned(), None),
    ])
}

fn entry(manager: &str, operation: &str, api_version: &str, fields: &[&str]) -> Value {
    let fields: Value =
        fields.iter().map(|field| (format!("f:{field}"), json!({}))).collect::<serde_json::Map<_, _>>().into();
    json!({
        "manager": manager, "operation": operation, "apiVersion": api_version, "fieldsType": "FieldsV1",
        "time": "2026-01-01T00:00:00Z", "fieldsV1": { "f:spec": fields },
    })
}

fn of_scale(mut entry: Value, time: bool) -> Value {
    entry["subresource"] = json!("scale");
    if !time {
        entry.as_object_mut().expect("a map").remove("time");
    }
    entry
}

#[test]
fn a_scale_shows_who_owns_the_replicas() {
    let managed_fields = json!([
        entry("a", "Apply", "apps/v1", &["replicas", "selector"]),
        entry("b", "Apply", "apps/v2", &["count"]),
        entry("c", "Update", "apps/v3", &["replicas"]),
        entry("d", "Update", "apps/v1", &["paused"]),
    ]);
    let shown = json!([
        entry("a", "Apply", "autoscaling/v1", &["replicas"]),
        entry("b", "Apply", "autoscaling/v1", &["replicas"]),
    ]);
    assert_eq!(to_scale(Some(&managed_fields), &paths()), Ok(Some(shown)));
}

#[test]
fn a_write_to_scale_takes_the_replicas_from_their_owners() {
    let replicas = |manager: &str| entry(manager, "Update", "autoscaling/v1", &["replicas"]);
    for (before, of_scale_after, after) in [
        // Taken by another manager.
        (
            vec![entry("a", "Apply", "apps/v1", &["replicas", "selector"])],
            vec![of_scale(replicas("s"), true)],
            vec![
                entry("a", "Apply", "apps/v1", &["selector"]),
                of_scale(entry("s", "Update", "apps/v1", &["replicas"]), false),
            ],
        ),
        // Kept by the one that applied.
        (
            vec![entry("a", "Apply", "apps/v1", &["replicas", "selector"])],
            vec![entry("a", "Apply", "autoscaling/v1", &["replicas"])],
            vec![entry("a", "Apply", "apps/v1", &["replicas", "selector"])],
        ),
        // All that it had; and a version that is not known goes.
        (
            vec![entry("a", "Apply", "apps/v1", &["replicas"]), entry("b", "Apply", "apps/v9", &["x"])],
            vec![of_scale(replicas("s"), true)],
            vec![of_scale(entry("s", "Update", "apps/v1", &["replicas"]), false)],
        ),
        // Not the number of replicas.
        (
            vec![entry("a", "Apply", "apps/v3", &["replicas"])],
            vec![entry("s", "Update", "autoscaling/v1", &["other"])],
            vec![entry("a", "Apply", "apps/v3", &["replicas"])],
        ),
    ] {
        let done = from_scale(Some(&json!(before)), Some(&json!(of_scale_after)), "apps/v1", &paths());
        assert_eq!(done, Ok(Some(json!(after))));
    }
    let in_v2 = from_scale(None, Some(&json!([replicas("s")])), "apps/v2", &paths()).expect("valid").expect("one");
    assert_eq!(in_v2[0]["fieldsV1"], json!({ "f:spec": { "f:count": {} } }));
}
