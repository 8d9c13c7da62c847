//! Extraction from hand-made `managedFields`, for each shape that a value can have.
#![allow(clippy::needless_pass_by_value, reason = "values are written where they are passed")]

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Two types, one of which contains itself.
static OBJECT: Shape = Shape::Record(&[
    ("metadata", METADATA),
    ("spec", Shape::Of(|| &SPEC)),
    ("data", Shape::Untyped),
    ("status", Shape::Record(&[("ready", Shape::Atomic)])),
]);

const METADATA: Shape = Shape::Record(&[
    ("annotations", Shape::Map(&Shape::Atomic)),
    ("finalizers", Shape::Set),
    ("labels", Shape::Map(&Shape::Atomic)),
    ("name", Shape::Atomic),
    ("namespace", Shape::Atomic),
    ("ownerReferences", Shape::Keyed(&[("uid", None)], &Shape::Atomic)),
]);

static SPEC: Shape = Shape::Record(&[
    ("containers", Shape::Keyed(&[("name", None)], &CONTAINER)),
    ("devices", Shape::Keyed(&[("pool", None), ("share", None)], &Shape::Record(&[("state", Shape::Atomic)]))),
    ("emptyDir", Shape::Record(&[("medium", Shape::Atomic)])),
    ("later", Shape::Only(99, 99, &Shape::Atomic)),
    ("numbers", Shape::Set),
    ("replicas", Shape::Atomic),
    ("secrets", Shape::Keyed(&[("name", None)], &Shape::Record(&[("name", Shape::Atomic)]))),
    ("selector", Shape::Atomic),
    ("spec", Shape::Of(|| &SPEC)),
    ("tolerations", Shape::Atomic),
]);

const CONTAINER: Shape = Shape::Record(&[
    ("env", Shape::Keyed(&[("name", None)], &Shape::Record(&[("name", Shape::Atomic), ("value", Shape::Atomic)]))),
    ("image", Shape::Atomic),
    ("name", Shape::Atomic),
    (
        "ports",
        Shape::Keyed(
            &[("containerPort", None), ("protocol", Some("\"TCP\""))],
            &Shape::Record(&[("containerPort", Shape::Atomic), ("name", Shape::Atomic), ("protocol", Shape::Atomic)]),
        ),
    ),
]);

/// What `me` applied of an object with these fields.
fn extract(object: Value, owned: Value) -> std::result::Result<Value, String> {
    extract_value(&OBJECT, &managed(object, owned), "me", "").map_err(|problem| problem.to_string())
}

fn managed(mut object: Value, owned: Value) -> Value {
    object["metadata"]["managedFields"] =
        json!([{ "manager": "me", "operation": "Apply", "apiVersion": "v1", "fieldsV1": owned }]);
    object
}

/// The part of `spec` that is owned.
fn spec(spec: Value, owned: Value) -> Value {
    extract(json!({ "spec": spec }), json!({ "f:spec": owned })).expect("it can be extracted")["spec"].clone()
}

#[test]
fn kind_and_name_are_always_there_and_nothing_that_others_own() {
    let object = json!({
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": { "name": "web", "namespace": "default", "uid": "7", "labels": { "mine": "1", "theirs": "2" } },
        "spec": { "replicas": 3 },
    });
    let owned = json!({ "f:metadata": { "f:labels": { ".": {}, "f:mine": {} } } });
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": { "name": "web", "namespace": "default", "labels": { "mine": "1" } },
    });
    assert_eq!(extract(object.clone(), owned.clone()), Ok(expected));

    let nothing = json!({
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": { "name": "web", "namespace": "default" },
    });
    let object = managed(object, owned);
    for (manager, subresource) in [("other", ""), ("me", "status")] {
        assert_eq!(extract_value(&OBJECT, &object, manager, subresource), Ok(nothing.clone()));
    }
}

#[test]
fn updates_are_not_applies() {
    let mut object = managed(json!({ "spec": { "replicas": 3 } }), json!({ "f:spec": { "f:replicas": {} } }));
    object["metadata"]["managedFields"][0]["operation"] = json!("Update");
    assert_eq!(extract_value(&OBJECT, &object, "me", ""), Ok(json!({ "metadata": {} })));
}

#[test]
fn each_subresource_has_its_own_entry() {
    let mut object = managed(
        json!({ "spec": { "replicas": 3 }, "status": { "ready": 1 } }),
        json!({ "f:spec": { "f:replicas": {} } }),
    );
    object["metadata"]["managedFields"].as_array_mut().unwrap().push(json!({
        "manager": "me",
        "operation": "Apply",
        "subresource": "status",
        "fieldsV1": { "f:status": { "f:ready": {} } },
    }));
    let of = |subresource| extract_value(&OBJECT, &object, "me", subresource).unwrap();
    assert_eq!(of(""), json!({ "metadata": {}, "spec": { "replicas": 3 } }));
    assert_eq!(of("status"), json!({ "metadata": {}, "status": { "ready": 1 } }));
}

#[test]
fn what_was_applied_in_another_version_is_not_guessed() {
    let object = json!({ "apiVersion": "v2", "kind": "Thing", "spec": { "emptyDir": { "medium": "Memory" } } });
    // In v1, this belonged to one manager as a whole.
    let problem = extract(object, json!({ "f:spec": { "f:emptyDir": {} } })).unwrap_err();
    assert!(problem.starts_with("metadata.managedFields: "), "{problem}");
    assert!(problem.contains("applied as v1") && problem.contains("read as v2"), "{problem}");
}

#[test]
fn items_of_a_keyed_list_are_found_by_their_key() {
    let containers = json!({ "containers": [
        { "name": "theirs", "image": "a" },
        { "name": "web", "image": "b", "imagePullPolicy": "Always" },
    ] });
    let owned = json!({ "f:containers": { "k:{\"name\":\"web\"}": { ".": {}, "f:name": {}, "f:image": {} } } });
    assert_eq!(spec(containers, owned), json!({ "containers": [{ "name": "web", "image": "b" }] }));
}

#[test]
fn key_that_is_not_owned_is_told_all_the_same() {
    let containers = json!({ "containers": [{ "name": "web", "image": "b" }] });
    let owned = json!({ "f:containers": { "k:{\"name\":\"web\"}": { "f:image": {} } } });
    assert_eq!(spec(containers, owned), json!({ "containers": [{ "name": "web", "image": "b" }] }));
}

#[test]
fn default_of_a_key_is_known_and_not_claimed() {
    let ports = |ports: Value| json!({ "containers": [{ "name": "web", "ports": ports }] });
    let owned = json!({ "f:containers": { "k:{\"name\":\"web\"}": { ".": {}, "f:name": {}, "f:ports": {
        "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} },
    } } } });
    let all = json!([
        { "containerPort": 80, "protocol": "UDP" },
        { "containerPort": 80, "protocol": "TCP" },
    ]);
    assert_eq!(spec(ports(all), owned.clone()), ports(json!([{ "containerPort": 80 }])));
    // As a server stored it that had no default yet.
    assert_eq!(spec(ports(json!([{ "containerPort": 80 }])), owned), ports(json!([{ "containerPort": 80 }])));
    let claimed = json!({ "f:containers": { "k:{\"name\":\"web\"}": { "f:ports": {
        "k:{\"containerPort\":80,\"protocol\":\"UDP\"}": { ".": {}, "f:containerPort": {}, "f:protocol": {} },
    } } } });
    let udp = json!([{ "containerPort": 80, "protocol": "UDP" }]);
    assert_eq!(spec(ports(udp.clone()), claimed), ports(udp));
}

#[test]
fn key_that_is_not_owned_is_told_where_it_is_not_the_default() {
    let udp = json!({ "containerPort": 80, "protocol": "UDP", "name": "dns" });
    let object = json!({ "containers": [{ "name": "web", "ports": [udp.clone()] }] });
    let owned = json!({ "f:containers": { "k:{\"name\":\"web\"}": { ".": {}, "f:ports": {
        "k:{\"containerPort\":80,\"protocol\":\"UDP\"}": { "f:name": {} },
    } } } });
    assert_eq!(spec(object.clone(), owned), object);
}

#[test]
fn list_that_belonged_to_one_manager_then_is_owned_whole() {
    let object = json!({ "containers": [{ "name": "web", "image": "a" }], "numbers": [1, 2] });
    assert_eq!(spec(object.clone(), json!({ "f:containers": {}, "f:numbers": {} })), object);
}

#[test]
fn item_with_more_of_the_key_is_another() {
    let devices = json!({ "devices": [{ "pool": "a", "share": "x", "state": 1 }, { "pool": "a", "state": 2 }] });
    let owned = json!({ "f:devices": { "k:{\"pool\":\"a\"}": { ".": {}, "f:state": {} } } });
    assert_eq!(spec(devices, owned), json!({ "devices": [{ "pool": "a", "state": 2 }] }));
}

#[test]
fn missing_text_of_a_key_is_the_empty_one() {
    let owned = json!({ "f:secrets": { "k:{\"name\":\"\"}": { ".": {}, "f:name": {} } } });
    assert_eq!(spec(json!({ "secrets": [{}, { "name": "a" }] }), owned), json!({ "secrets": [{}] }));
}

#[test]
fn items_of_one_key_are_owned_as_they_are() {
    let env = |env: Value| json!({ "containers": [{ "name": "web", "env": env }] });
    let twice = json!([{ "name": "A", "value": "1" }, { "name": "A", "value": "2" }]);
    let owned = json!({ "f:containers": { "k:{\"name\":\"web\"}": { ".": {}, "f:name": {}, "f:env": {
        "k:{\"name\":\"A\"}": {},
    } } } });
    assert_eq!(spec(env(twice.clone()), owned), env(twice));
}

#[test]
fn owner_references_are_known_by_uid_and_owned_whole() {
    let owners = json!([{ "uid": "1", "name": "a" }, { "uid": "2", "name": "b", "controller": true }]);
    let owned = json!({ "f:metadata": { "f:ownerReferences": { "k:{\"uid\":\"2\"}": {} } } });
    let part = extract(json!({ "metadata": { "ownerReferences": owners.clone() } }), owned).unwrap();
    assert_eq!(part["metadata"]["ownerReferences"], json!([owners[1]]));
}

#[test]
fn set_has_the_values_that_are_owned_in_the_objects_order() {
    let finalizers = json!({ "metadata": { "finalizers": ["z/1", "b/2", "a/3"] } });
    let owned =
        json!({ "f:metadata": { "f:finalizers": { ".": {}, "v:\"a/3\"": {}, "v:\"z/1\"": {}, "v:\"gone\"": {} } } });
    assert_eq!(extract(finalizers, owned).unwrap()["metadata"]["finalizers"], json!(["z/1", "a/3"]));
    let owned = json!({ "f:numbers": { "v:8080": {} } });
    assert_eq!(spec(json!({ "numbers": [80, 8080] }), owned), json!({ "numbers": [8080] }));
}

#[test]
fn atomic_values_are_owned_whole() {
    let value = json!({
        "selector": { "matchLabels": { "app": "web" } },
        "tolerations": [{ "key": "a" }, { "key": "b" }],
    });
    assert_eq!(spec(value.clone(), json!({ "f:selector": {}, "f:tolerations": {} })), value);
}

#[test]
fn empty_object_that_is_owned_stays_empty() {
    assert_eq!(spec(json!({ "emptyDir": {} }), json!({ "f:emptyDir": {} })), json!({ "emptyDir": {} }));
    // Somebody else filled it.
    let filled = json!({ "emptyDir": { "medium": "Memory" } });
    assert_eq!(spec(filled, json!({ "f:emptyDir": {} })), json!({ "emptyDir": {} }));
}

#[test]
fn type_that_contains_itself_is_followed_down() {
    let value = json!({ "spec": { "spec": { "replicas": 1, "selector": {} } } });
    let owned = json!({ "f:spec": { "f:spec": { "f:replicas": {} } } });
    assert_eq!(spec(value, owned), json!({ "spec": { "spec": { "replicas": 1 } } }));
}

#[test]
fn what_has_no_type_is_owned_field_by_field() {
    let data = json!({ "data": { "spec": { "a": 1, "b": [1, 2], "c": {} }, "$patch": "replace" } });
    let owned = json!({ "f:data": { ".": {}, "f:$patch": {}, "f:spec": { ".": {}, "f:b": {}, "f:c": {} } } });
    let part = extract(data, owned).unwrap();
    assert_eq!(part["data"], json!({ "spec": { "b": [1, 2], "c": {} }, "$patch": "replace" }));
    for scalar in [json!(7), json!("text"), json!([1]), json!({})] {
        let part = extract(json!({ "data": scalar }), json!({ "f:data": {} })).unwrap();
        assert_eq!(part["data"], scalar);
    }
}

#[test]
fn what_has_no_type_may_be_owned_whole() {
    let object = json!({ "data": { "a": { "b": 1 } } });
    let extracted = extract(object.clone(), json!({ "f:data": {} })).expect("it can be extracted");
    assert_eq!(extracted["data"], object["data"]);
}

#[test]
fn keys_with_dots_slashes_and_colons_are_names() {
    let annotations = json!({ "metadata": { "annotations": { "a.b/c:d": "1", ".": "2" } } });
    let owned = json!({ "f:metadata": { "f:annotations": { "f:a.b/c:d": {}, "f:.": {} } } });
    let part = extract(annotations.clone(), owned).unwrap();
    assert_eq!(part["metadata"]["annotations"], annotations["metadata"]["annotations"]);
}

#[test]
fn field_that_the_configuration_lacks_is_named() {
    let owned = json!({ "f:spec": { "f:containers": { "k:{\"name\":\"web\"}": { ".": {}, "f:new": {} } } } });
    let containers = json!({ "spec": { "containers": [{ "name": "a" }, { "name": "web" }] } });
    let problem = extract(containers, owned).unwrap_err();
    assert!(problem.starts_with("spec.containers[1].new: the manager owns this field"), "{problem}");
}

#[test]
fn field_that_the_compiled_types_lack_is_named() {
    let problem = extract(json!({ "spec": {} }), json!({ "f:spec": { "f:later": {} } })).unwrap_err();
    assert!(problem.starts_with("spec.later: ") && problem.contains("compiled in"), "{problem}");
    // Where the object was read without those types, it is there.
    assert_eq!(spec(json!({ "later": 1 }), json!({ "f:later": {} })), json!({ "later": 1 }));
}

#[test]
fn field_that_was_applied_as_null_is_none() {
    assert_eq!(spec(json!({ "replicas": 1 }), json!({ "f:replicas": {}, "f:selector": {} })), json!({ "replicas": 1 }));
}

#[test]
fn object_without_managed_fields_is_an_error() {
    let data = json!({ "key": "value" });
    let labels = json!({ "app": "web" });
    for object in [
        json!({ "data": data }),
        json!({ "data": data, "metadata": { "managedFields": [] } }),
        json!({ "metadata": { "labels": labels } }),
    ] {
        let problem = extract_value(&OBJECT, &object, "me", "").unwrap_err().to_string();
        assert!(problem.starts_with("metadata.managedFields: is not set"), "{problem}");
    }
}

#[test]
fn object_of_a_name_alone_needs_no_managed_fields() {
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "web", "namespace": "default", "uid": "1", "resourceVersion": "7" },
        "status": { "phase": "Active" },
    });
    let expected =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "web", "namespace": "default" } });
    assert_eq!(extract_value(&OBJECT, &object, "me", ""), Ok(expected));
}

#[test]
fn malformed_managed_fields_are_named() {
    for (owned, text) in [
        (json!(null), "fieldsV1: is not an object"),
        (json!([]), "fieldsV1: is not an object"),
        (json!({ "spec": {} }), "\"spec\""),
        (json!({ "x:spec": {} }), "\"x:spec\""),
        (json!({ "f:spec": 7 }), "\"f:spec\""),
        (json!({ "f:spec": { "k:name": {} } }), "\"k:name\""),
        (json!({ "f:spec": { "k:[]": {} } }), "\"k:[]\""),
        (json!({ "f:spec": { "v:": {} } }), "\"v:\""),
        (json!({ "f:spec": { "i:one": {} } }), "\"i:one\""),
    ] {
        let problem = extract(json!({ "spec": { "replicas": 1 } }), owned).unwrap_err();
        assert!(problem.contains(text), "{problem}");
    }
    let object = json!({ "metadata": { "managedFields": "none" } });
    let problem = extract_value(&OBJECT, &object, "me", "").unwrap_err().to_string();
    assert_eq!(problem, "metadata.managedFields: is not a list");
}

static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    vec![
        "metadata",
        "spec",
        "data",
        "containers",
        "name",
        "ports",
        "containerPort",
        "finalizers",
        "f:metadata",
        "f:spec",
        "f:data",
        "f:containers",
        "f:ports",
        "f:finalizers",
        "f:name",
        "k:{\"name\":\"web\"}",
        "k:{}",
        "k:7",
        "v:\"a\"",
        "v:7",
        "i:0",
        "i:",
        ".",
        "",
        "f:",
    ]
});

fn any_json() -> impl Strategy<Value = Value> {
    let key = || prop_oneof![proptest::sample::select(WORDS.clone()).prop_map(str::to_owned), ".{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!("web")),
        Just(json!({})),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_object_and_no_managed_fields_make_it_panic(object in any_json(), owned in any_json()) {
        let _ = extract_value(&OBJECT, &object, "me", "");
        if object.is_object() && (object["metadata"].is_object() || object["metadata"].is_null()) {
            let _ = extract_value(&OBJECT, &managed(object, owned), "me", "");
        }
    }

    #[test]
    fn nothing_is_extracted_that_the_object_has_not(object in any_json(), owned in any_json()) {
        prop_assume!(object.is_object() && (object["metadata"].is_object() || object["metadata"].is_null()));
        if let Ok(part) = extract(object.clone(), owned) {
            prop_assert!(is_part(&part["spec"], &object["spec"]), "{part} of {object}");
            prop_assert!(is_part(&part["data"], &object["data"]), "{part} of {object}");
        }
    }
}

fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Null, _) => true,
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| is_part(part, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.iter().all(|part| whole.iter().any(|whole| is_part(part, whole)))
        }
        (part, whole) => part == whole,
    }
}
