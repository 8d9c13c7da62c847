//! Strategic merge patch and JSON merge patch.

use serde_json::{Value, json};

use crate::{
    merge::{PatchError, Type, json_merge, strategic_merge},
    model::Model,
};

fn patched(kind: &str, object: Value, patch: Value) -> Result<Value, PatchError> {
    let model = Model::of(Model::newest()).expect("a model of the newest version");
    let all = model.resources.values().flat_map(|resources| resources.values());
    let schema = &all.into_iter().find(|resource| resource.kind == kind).expect("a kind").schema;
    let (Value::Object(object), Value::Object(patch)) = (object, patch) else { panic!("maps") };
    strategic_merge(object, patch, Type::from(schema)).map(Value::Object)
}

/// The spec of a pod after a patch of it.
#[allow(clippy::needless_pass_by_value, reason = "the tables have values")]
fn pod(spec: Value, patch: Value) -> Result<Value, PatchError> {
    patched("Pod", json!({ "spec": spec }), json!({ "spec": patch })).map(|pod| pod["spec"].clone())
}

#[test]
fn lists_are_merged_by_their_merge_key() {
    let two = json!({ "containers": [{ "name": "a", "image": "1" }, { "name": "b", "image": "1" }] });
    for (patch, containers) in [
        (json!([{ "name": "b", "image": "2" }]), json!([{ "name": "a", "image": "1" }, { "name": "b", "image": "2" }])),
        (
            json!([{ "name": "c", "image": "2" }]),
            json!([{ "name": "c", "image": "2" }, { "name": "a", "image": "1" }, { "name": "b", "image": "1" }]),
        ),
        (json!([{ "name": "a", "image": null }]), json!([{ "name": "a" }, { "name": "b", "image": "1" }])),
        (json!([{ "name": "a", "$patch": "delete" }]), json!([{ "name": "b", "image": "1" }])),
        (json!([{ "$patch": "replace" }, { "name": "c" }]), json!([{ "name": "c" }])),
        (json!([{ "name": "a", "$patch": "delete" }, { "name": "b", "$patch": "delete" }]), json!([])),
    ] {
        assert_eq!(
            pod(two.clone(), json!({ "containers": patch })),
            Ok(json!({ "containers": containers })),
            "{patch}"
        );
    }
}

#[test]
fn the_patch_may_set_the_order_of_a_list() {
    let containers = |names: &str| names.chars().map(|name| json!({ "name": name })).collect::<Value>();
    for (before, patch, order, after) in [
        ("abc", "", "cba", "cba"),
        ("abc", "d", "dabc", "dabc"),
        ("abcd", "", "ca", "bcad"),
        ("ab", "x", "bx", "abx"),
        ("xay", "", "ya", "xya"),
    ] {
        let patch = json!({ "containers": containers(patch), "$setElementOrder/containers": containers(order) });
        let done = pod(json!({ "containers": containers(before) }), patch).map(|spec| spec["containers"].clone());
        assert_eq!(done, Ok(containers(after)), "{before} in the order {order}");
    }
}

#[test]
fn lists_of_scalars_are_united_or_replaced() {
    let before = json!({ "metadata": { "finalizers": ["a", "b"] }, "spec": { "hostAliases": [], "args": ["x"] } });
    let finalizers = |patch: Value| {
        patched("Pod", before.clone(), json!({ "metadata": patch })).map(|pod| pod["metadata"]["finalizers"].clone())
    };
    assert_eq!(finalizers(json!({ "finalizers": ["c", "a"] })), Ok(json!(["c", "a", "b"])));
    assert_eq!(finalizers(json!({ "$deleteFromPrimitiveList/finalizers": ["a", "x"] })), Ok(json!(["b"])));
    assert_eq!(
        finalizers(json!({ "finalizers": ["c"], "$setElementOrder/finalizers": ["c", "b", "a"] })),
        Ok(json!(["c", "b", "a"]))
    );
    let command = |words: Value| json!({ "containers": [{ "name": "a", "command": words }] });
    assert_eq!(pod(command(json!(["x", "y"])), command(json!(["z"]))), Ok(command(json!(["z"]))), "no strategy");
}

#[test]
fn maps_are_merged_replaced_emptied_or_cut_to_keys() {
    let affinity = || json!({ "affinity": { "nodeAffinity": {}, "podAffinity": {} } });
    for (patch, after) in [
        (json!({ "nodeAffinity": null }), json!({ "podAffinity": {} })),
        (json!({ "$patch": "replace", "podAntiAffinity": {} }), json!({ "podAntiAffinity": {} })),
        (json!({ "$patch": "delete" }), json!({})),
        (json!({ "$retainKeys": ["podAffinity"] }), json!({ "podAffinity": {} })),
        (
            json!({ "$retainKeys": ["podAffinity", "podAntiAffinity"], "podAntiAffinity": {} }),
            json!({ "podAffinity": {}, "podAntiAffinity": {} }),
        ),
    ] {
        assert_eq!(pod(affinity(), json!({ "affinity": patch })), Ok(json!({ "affinity": after })), "{patch}");
    }
    // What is new is taken without directives and nulls.
    let new =
        json!({ "affinity": { "nodeAffinity": { "$patch": "replace" }, "podAffinity": null, "podAntiAffinity": {} } });
    assert_eq!(pod(json!({}), new), Ok(json!({ "affinity": { "podAntiAffinity": {} } })));
}

#[test]
fn patches_that_cannot_be_carried_out_are_refused() {
    let containers = json!({ "containers": [{ "name": "a" }] });
    let internal = |message: &str| PatchError::Internal(message.to_owned());
    let malformed = |what: &str| PatchError::BadRequest(format!("invalid patch format of {what}"));
    for (patch, refusal) in [
        (
            json!({ "containers": [{ "image": "x" }] }),
            internal("map: map[image:x] does not contain declared merge key: name"),
        ),
        (json!({ "$patch": "x" }), internal("unknown patch type: x in map: map[$patch:x]")),
        (
            json!({ "containers": [{ "name": "a", "$patch": "x" }] }),
            internal("unknown patch type: x in map: map[$patch:x name:a]"),
        ),
        (
            json!({ "containers": [{ "name": "a", "$patch": "merge" }] }),
            internal("merging lists cannot yet be specified in the patch"),
        ),
        (json!({ "$retainKeys": "a" }), malformed("retainKeys")),
        (json!({ "$retainKeys": ["a"], "hostname": "x" }), malformed("retainKeys")),
        (json!({ "$setElementOrder": [] }), malformed("setElementOrder list")),
        (json!({ "$setElementOrder/containers": "a" }), internal("expected a []interface {}, but received a string")),
        (json!({ "$deleteFromPrimitiveList": [] }), malformed("primitive list")),
        (
            json!({ "containers": [{ "name": "b" }], "$setElementOrder/containers": [{ "name": "c" }] }),
            internal("The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:c]]\n"),
        ),
        (json!({ "containers": ["a"] }), internal("list element types are not identical: [[map[name:a]] [a]]")),
        (json!({ "containers": [["a"]] }), internal("list element types are not identical: [[map[name:a]] [[a]]]")),
    ] {
        assert_eq!(pod(containers.clone(), patch.clone()), Err(refusal), "{patch}");
    }
    let finalizers = json!({ "metadata": { "finalizers": [["a"]] } });
    assert_eq!(
        patched("Pod", finalizers.clone(), finalizers),
        Err(PatchError::Unprocessable("lists of lists are not supported".to_owned()))
    );
    let unknown = json!({ "spec": { "x": {} } });
    assert_eq!(
        patched("Pod", unknown.clone(), unknown),
        Err(internal(r#"unable to find api field in struct PodSpec for the json field "x""#))
    );
    let label = json!({ "metadata": { "labels": { "a": {} } } });
    assert_eq!(
        patched("Pod", label.clone(), label),
        Err(internal("merging an object in json but data type is not struct, instead is: map"))
    );
}

#[test]
fn json_merge_patch_is_that_of_its_rfc_but_for_nulls_in_lists() {
    for (target, patch, result) in [
        (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
        (json!({ "a": "b" }), json!({ "b": "c" }), json!({ "a": "b", "b": "c" })),
        (json!({ "a": "b" }), json!({ "a": null }), json!({})),
        (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
        (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
        (json!({ "a": "c" }), json!({ "a": ["b"] }), json!({ "a": ["b"] })),
        (json!({ "a": { "b": "c" } }), json!({ "a": { "b": "d", "c": null } }), json!({ "a": { "b": "d" } })),
        (json!({ "a": [{ "b": "c" }] }), json!({ "a": [1] }), json!({ "a": [1] })),
        (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
        (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        (json!({ "a": [1] }), json!({ "a": [{ "b": null, "c": 1 }, null] }), json!({ "a": [{ "c": 1 }, null] })),
        (json!({ "a": {} }), json!({ "a": [{ "b": null }] }), json!({ "a": [{ "b": null }] })),
    ] {
        assert_eq!(json_merge(target.clone(), patch.clone()), result, "{target} with {patch}");
    }
}
