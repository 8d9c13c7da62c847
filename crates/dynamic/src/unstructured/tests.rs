use std::collections::BTreeMap;

use k8s_client_runtime::k8s_openapi::{
    api::apps::v1::Deployment,
    apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, OwnerReference, Time},
};
use serde_json::json;

use super::*;

fn object(json: Value) -> Unstructured {
    Unstructured::try_from(json).expect("an object")
}

fn time(text: &str) -> Time {
    serde_json::from_value(json!(text)).expect("a time")
}

#[test]
fn what_is_set_is_what_is_read() {
    let mut web = Unstructured::new("apps/v1", "Deployment");
    web.set_name("web");
    web.set_generate_name("web-");
    web.set_namespace("ns");
    web.set_uid("uid");
    web.set_resource_version("7");
    web.set_generation(Some(2));
    web.set_creation_timestamp(Some(time("2026-01-01T00:00:00Z")));
    web.set_deletion_timestamp(Some(time("2026-01-02T00:00:00Z")));
    web.set_deletion_grace_period_seconds(Some(30));
    web.set_labels([("app", "web")]);
    web.set_annotations([("note", "")]);
    web.set_finalizers(&["example.com/wait".to_owned()]);
    let owner = OwnerReference { name: "owner".to_owned(), controller: Some(true), ..OwnerReference::default() };
    web.set_owner_references(std::slice::from_ref(&owner));
    let managed = ManagedFieldsEntry { manager: Some("me".to_owned()), ..ManagedFieldsEntry::default() };
    web.set_managed_fields(std::slice::from_ref(&managed));

    assert_eq!((web.name(), web.generate_name(), web.namespace()), (Some("web"), Some("web-"), Some("ns")));
    assert_eq!((web.uid(), web.resource_version(), web.generation()), (Some("uid"), Some("7"), Some(2)));
    assert_eq!(web.creation_timestamp(), Some(time("2026-01-01T00:00:00Z")));
    assert_eq!(web.deletion_timestamp(), Some(time("2026-01-02T00:00:00Z")));
    assert_eq!(web.deletion_grace_period_seconds(), Some(30));
    assert_eq!(web.labels(), BTreeMap::from([("app".to_owned(), "web".to_owned())]));
    assert_eq!(web.annotations(), BTreeMap::from([("note".to_owned(), String::new())]));
    assert_eq!(web.finalizers(), ["example.com/wait"]);
    assert_eq!((web.owner_references(), web.managed_fields()), (vec![owner], vec![managed]));
    assert_eq!(web.object()["metadata"]["creationTimestamp"], "2026-01-01T00:00:00Z");
    let kind = web.group_version_kind().expect("it has one");
    assert_eq!(kind, GroupVersionKind::new("apps", "v1", "Deployment"));
    let mut other = Unstructured::default();
    other.set_group_version_kind(&kind);
    assert_eq!((other.api_version(), other.kind()), (Some("apps/v1"), Some("Deployment")));
}

#[test]
fn what_is_emptied_is_taken_away() {
    let mut web = object(json!({ "metadata": {
        "name": "web", "labels": { "a": "b" }, "annotations": { "a": "b" }, "finalizers": ["a"],
        "ownerReferences": [{}], "managedFields": [{}], "generation": 1, "deletionTimestamp": "2026-01-02T00:00:00Z",
    } }));
    web.set_name("");
    web.set_labels(BTreeMap::<String, String>::new());
    web.set_annotations(BTreeMap::<String, String>::new());
    web.set_finalizers(&[]);
    web.set_owner_references(&[]);
    web.set_managed_fields(&[]);
    web.set_generation(None);
    web.set_deletion_timestamp(None);
    assert_eq!(web, object(json!({ "metadata": {} })));

    let mut bare = object(json!({ "kind": "Status" }));
    bare.set_resource_version("");
    bare.set_managed_fields(&[]);
    assert_eq!(bare, object(json!({ "kind": "Status" })), "what is not there is not made to be emptied");
}

#[test]
fn wrong_shapes_count_as_not_there() {
    for metadata in [json!(null), json!("text"), json!({ "name": 7, "labels": { "a": 1 }, "finalizers": "a" })] {
        let mut web = object(json!({ "metadata": metadata }));
        assert_eq!((web.name(), web.generation(), web.creation_timestamp()), (None, None, None));
        assert!(web.labels().is_empty() && web.finalizers().is_empty() && web.owner_references().is_empty());
        web.set_name("web");
        assert_eq!(web.name(), Some("web"));
    }
    assert_eq!(object(json!({ "apiVersion": "a/b/c", "kind": "X" })).group_version_kind(), None);
    assert!(Unstructured::try_from(json!([])).is_err());
}

#[test]
fn typed_objects_go_there_and_back() {
    let json = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } } },
        },
    });
    let typed: Deployment = object(json.clone()).to_typed().expect("a deployment");
    assert_eq!(typed.metadata.name.as_deref(), Some("web"));
    assert_eq!(Unstructured::from_typed(&typed), Ok(object(json)));
}

#[test]
fn conversion_names_the_field_that_fails() {
    let mut json = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {},
        "spec": {
            "selector": {},
            "template": { "spec": { "containers": [
                { "name": "a" },
                { "name": "b", "ports": [{ "containerPort": "http" }] },
            ] } },
        },
    });
    let error = object(json.clone()).to_typed::<Deployment>().expect_err("a port is a number");
    assert_eq!(error.path(), ".spec.template.spec.containers[1].ports[0].containerPort");

    json["kind"] = json!("StatefulSet");
    let error = object(json).to_typed::<Deployment>().expect_err("that is another kind");
    assert!(error.to_string().contains("StatefulSet") && error.to_string().contains("Deployment"), "{error}");

    let bad = BTreeMap::from([("spec", BTreeMap::from([((1, 2), 3)]))]);
    let error = Unstructured::from_typed(&bad).expect_err("keys are texts");
    assert_eq!(error.path(), ".spec");
    assert_eq!(
        Unstructured::from_typed(&7).expect_err("no object").to_string(),
        ".: is an integer, expected an object"
    );
}

#[test]
fn float_without_a_fraction_is_read_as_the_integer_that_a_type_expects() {
    let json = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{},
        "spec":{"replicas":2.0,"selector":{},"template":{}}}"#;
    let typed: Deployment = serde_json::from_str::<Unstructured>(json).unwrap().to_typed().unwrap();
    assert_eq!(Unstructured::from_typed(&typed).unwrap().object()["spec"]["replicas"], json!(2));
    let json = json.replace("2.0", "2.5");
    let error = serde_json::from_str::<Unstructured>(&json).unwrap().to_typed::<Deployment>().unwrap_err();
    assert_eq!(error.path(), ".spec.replicas");
}

#[test]
fn damaged_text_is_read_as_go_reads_it_however_deep_the_object_is() {
    for depth in [1, 200] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let json = [
            b"{\"a\\ud800\":\"b\xff\\udc00\",\"deep\":".to_vec(),
            open.into_bytes(),
            close.into_bytes(),
            b"}".to_vec(),
        ];
        let read = Unstructured::from_json(&json.concat()).unwrap();
        assert_eq!(read.object()["a\u{fffd}"], "b\u{fffd}\u{fffd}");
    }
    assert!(Unstructured::from_json(b"{\"a\":\xff}").is_err());
}

#[test]
fn list_may_be_met_as_an_object() {
    let list = object(json!({ "apiVersion": "v1", "kind": "PodList", "items": [{ "metadata": { "name": "a" } }] }));
    assert!(list.is_list());
    assert_eq!(list.into_list().expect("a list").items[0].kind(), Some("Pod"));
    assert!(!Unstructured::new("v1", "Pod").is_list());
    assert!(object(json!({ "items": 7 })).into_list().is_err());
}
