//! managedFields of plain writes, and as JSON.

use serde_json::{Value, json};

use super::server::{Server, custom};
use crate::merge::FieldSet;

#[test]
fn fields_v1_is_read_and_written_as_kubernetes_writes_it() {
    for (text, written) in [
        ("{}", "{}"),
        (r#"{"f:a":{}}"#, r#"{"f:a":{}}"#),
        (r#"{"f:a":{".":{},"f:b":{}}}"#, r#"{"f:a":{".":{},"f:b":{}}}"#),
        (r#"{"f:a":{".":{}}}"#, r#"{"f:a":{}}"#),
        (r#"{"x:unknown":{},"f:a":{}}"#, r#"{"f:a":{}}"#),
        (
            r#"{"v:\"b\"":{},"v:\"a\"":{},"v:2":{},"v:10":{},"v:true":{}}"#,
            r#"{"v:2":{},"v:10":{},"v:\"a\"":{},"v:\"b\"":{},"v:true":{}}"#,
        ),
        (
            r#"{"i:1":{},"v:1":{},"k:{\"b\":1,\"a\":\"<\"}":{},"f:z":{}}"#,
            r#"{"f:z":{},"k:{\"a\":\"\\u003c\",\"b\":1}":{},"v:1":{},"i:1":{}}"#,
        ),
        (r#"{"k:{\"port\":443}":{},"k:{\"port\":80}":{}}"#, r#"{"k:{\"port\":80}":{},"k:{\"port\":443}":{}}"#),
    ] {
        let fields: Value = serde_json::from_str(text).expect("JSON");
        let set = FieldSet::from_fields_v1(&fields).expect(text);
        assert_eq!(set.to_fields_v1_text(), written);
        assert_eq!(FieldSet::from_fields_v1(&set.to_fields_v1()).as_ref(), Ok(&set), "{text}");
    }
    for text in
        [r#"{"a":{}}"#, r#"{"ff:a":{}}"#, r#"{"k:1":{}}"#, r#"{"v:{":{}}"#, r#"{"i:x":{}}"#, r#"{"f:a":1}"#, "[]"]
    {
        let fields: Value = serde_json::from_str(text).expect("JSON");
        assert!(FieldSet::from_fields_v1(&fields).is_err(), "{text}");
    }
}

#[test]
fn a_write_owns_what_it_changes_and_takes_what_it_removes_from_all() {
    let mut server = Server::of("v1", "ConfigMap");
    server.update("a", json!({ "data": { "x": "1", "y": "1" } }));
    server.update("b", json!({ "data": { "y": "2", "z": "2" } }));
    assert_eq!(server.owned("a"), r#"{"f:data":{".":{},"f:x":{}}}"#);
    assert_eq!(server.owned("b"), r#"{"f:data":{"f:y":{},"f:z":{}}}"#);
    server.update("c", json!({ "data": { "y": null } }));
    assert_eq!(server.owned("b"), r#"{"f:data":{"f:z":{}}}"#);
    assert_eq!(server.managers(), ["a Update", "b Update"], "who only removes owns nothing");
    server.update("", json!({ "data": { "x": "3" } }));
    assert_eq!(server.managers(), ["a Update", "b Update", "unknown Update"]);
}

#[test]
fn times_change_with_what_a_manager_changes_only() {
    let mut server = Server::of("v1", "ConfigMap");
    server.update("a", json!({ "data": { "x": "1" } }));
    server.update("b", json!({ "data": { "y": "1" } }));
    assert_eq!(server.entry("a")["time"], "2026-01-01T00:00:01Z");
    let before = server.live.clone();
    server.update("a", json!({ "data": { "x": "1" } }));
    assert_eq!(server.live, before);
    server.update("a", json!({ "data": { "x": "2" } }));
    assert_eq!(server.entry("a")["time"], "2026-01-01T00:00:04Z");
    assert_eq!(server.managers(), ["b Update", "a Update"], "by time");
}

#[test]
fn an_object_keeps_ten_managers_that_update() {
    let mut server = Server::of("v1", "ConfigMap");
    for index in 0..13 {
        let mut data = json!({});
        data[format!("x{index:02}")] = json!("1");
        server.update(&format!("m{index:02}"), json!({ "data": data }));
    }
    let managers = server.managers();
    assert_eq!(
        (managers.len(), managers[0].as_str(), managers[9].as_str()),
        (10, "ancient-changes Update", "m12 Update")
    );
    assert_eq!(server.owned("ancient-changes"), r#"{"f:data":{".":{},"f:x00":{},"f:x01":{},"f:x02":{},"f:x03":{}}}"#);
    assert_eq!(server.entry("ancient-changes")["time"], "2026-01-01T00:00:04Z");
}

#[test]
fn a_body_may_clear_or_replace_the_managers_of_the_resource_itself() {
    let start = || {
        let mut server = Server::of("v1", "ConfigMap");
        server.update("a", json!({ "data": { "x": "1" } }));
        server
    };
    let given = json!([{
        "manager": "given", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
        "fieldsV1": { "f:data": { "f:x": {} } },
    }]);
    let mut wrong = given.clone();
    wrong[0]["operation"] = json!("Delete");
    for (managed_fields, managers) in [
        (json!([]), vec![]),
        (json!([{}]), vec![]),
        (given.clone(), vec!["given Apply", "b Update"]),
        (wrong, vec!["a Update", "b Update"]),
        (Value::Null, vec!["a Update", "b Update"]),
    ] {
        let mut server = start();
        let patch = json!({ "metadata": { "managedFields": managed_fields }, "data": { "y": "1" } });
        server.update("b", patch);
        assert_eq!(server.managers(), managers, "{managed_fields}");
    }
    let mut server = start();
    server.subresource = "status".to_owned();
    server.update("b", json!({ "metadata": { "managedFields": given }, "data": { "y": "1" } }));
    assert_eq!(server.managers(), ["a Update", "b Update status"], "a subresource does not touch them");
}

#[test]
fn managers_of_a_version_that_is_not_served_any_more_go() -> Result<(), String> {
    let spec = json!({ "type": "object", "properties": { "a": { "type": "integer" }, "b": { "type": "integer" } } });
    let mut server = Server::of_custom(&spec);
    server.versions.insert("example.com/v2".to_owned(), custom(&spec));
    server.apply("one", json!({ "spec": { "a": 1 } }))?;
    server.live["apiVersion"] = json!("example.com/v2");
    server.apply("two", json!({ "spec": { "b": 1 } }))?;
    assert_eq!(
        server.apply("two", json!({ "spec": { "a": 2 } })),
        Err(r#"409 Apply failed with 1 conflict: conflict with "one": .spec.a"#.to_owned()),
        "managers of other versions count"
    );
    server.versions.remove("example.com/v1");
    server.apply("two", json!({ "spec": { "a": 2 } }))?;
    assert_eq!(server.managers(), ["two Apply"]);
    Ok(())
}

#[test]
fn who_owned_a_part_of_what_has_become_atomic_owns_all_of_it() -> Result<(), String> {
    let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let mut server = Server::of_custom(&json!({ "type": "object", "properties": { "map": map } }));
    server.apply("a", json!({ "spec": { "map": { "x": "1" } } }))?;
    server.apply("b", json!({ "spec": { "map": { "y": "1" } } }))?;
    let mut atomic = map.clone();
    atomic["x-kubernetes-map-type"] = json!("atomic");
    let spec = json!({ "type": "object", "properties": { "map": atomic, "n": { "type": "integer" } } });
    server.versions.insert("example.com/v1".to_owned(), custom(&spec));
    server.update("c", json!({ "spec": { "n": 1 } }));
    for manager in ["a", "b"] {
        assert_eq!(server.owned(manager), r#"{"f:spec":{"f:map":{}}}"#);
    }
    Ok(())
}

#[test]
fn unknown_fields_are_owned_as_far_down_as_maps_go() -> Result<(), String> {
    let mut server = Server::of_custom(&json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }));
    server.apply("a", json!({ "spec": { "any": { "list": [{ "name": "x" }], "map": { "k": 1 }, "none": null } } }))?;
    assert_eq!(server.owned("a"), r#"{"f:spec":{"f:any":{".":{},"f:list":{},"f:map":{".":{},"f:k":{}},"f:none":{}}}}"#);
    Ok(())
}
