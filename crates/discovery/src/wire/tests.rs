use k8s_client_runtime::schema::{GroupVersion, GroupVersionKind, ResourceScope};
use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof},
    proptest,
    sample::Index,
};
use serde_json::{Value, json};

use super::{
    Entry, Root, aggregated,
    plain::{self, GroupsFile, ResourcesFile},
};
use crate::model::{ApiGroup, ApiResourceList, ServerResources};

const AGGREGATED: &str = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[
    {"metadata":{"name":"apps"},"versions":[
        {"version":"v1","freshness":"Current","resources":[
            {"resource":"deployments","responseKind":{"group":"","version":"","kind":"Deployment"},"scope":"Namespaced",
             "singularResource":"deployment","verbs":["get","list"],"shortNames":["deploy"],"categories":["all"],
             "subresources":[
                {"subresource":"scale","verbs":["get"],
                 "responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"}},
                {"subresource":"nothing","responseKind":null,"verbs":["get"]}]},
            {"resource":"ghosts","responseKind":null,"scope":"Cluster","verbs":null,
             "subresources":[{"subresource":"log","responseKind":{"kind":"Log"},"verbs":["get"]}]}]},
        {"version":"v0","resources":null}]},
    {"metadata":{"name":"dead.example.com"},"versions":[
        {"version":"v2","freshness":"Stale"},
        {"version":"v1","freshness":"Current","resources":[]}]}]}"#;

fn group_version(text: &str) -> GroupVersion {
    text.parse().expect("it is a group-version")
}

fn document(text: &str) -> Entry {
    serde_json::from_str(text).expect("it is an object")
}

fn read_aggregated(text: &str) -> ServerResources {
    aggregated::read(&document(text), Root::Groups).expect("it has a list of items")
}

fn read_plain(text: &str) -> ServerResources {
    plain::read_groups(&document(text)).expect("it has a list of groups")
}

fn names(list: Option<&ApiResourceList>) -> Vec<&str> {
    list.expect("it can be read").resources.iter().map(|resource| resource.name.as_str()).collect()
}

fn failed(all: &ServerResources) -> Vec<(&str, &str)> {
    all.failures.keys().map(|failed| (failed.group.as_str(), failed.version.as_str())).collect()
}

#[test]
fn aggregated_document_becomes_flat_lists_and_failures() {
    let all = read_aggregated(AGGREGATED);
    let apps = all.of(&group_version("apps/v1"));
    assert_eq!(names(apps), ["deployments", "deployments/scale", "ghosts/log"]);
    let apps = &apps.expect("it is fresh").resources;
    assert_eq!(apps[0].kind, GroupVersionKind::new("apps", "v1", "Deployment"));
    assert_eq!(apps[1].kind, GroupVersionKind::new("autoscaling", "v1", "Scale"));
    assert_eq!(apps[1].scope, ResourceScope::Namespaced);
    assert_eq!(apps[2].kind, GroupVersionKind::new("apps", "v1", "Log"));

    assert_eq!(all.groups[1].versions, ["v2", "v1"]);
    assert_eq!(all.groups[1].preferred_version, "v1", "v2 cannot be read");
    assert_eq!(failed(&all), [("dead.example.com", "v2")]);
}

#[test]
fn documents_of_kubectl_are_written_and_read_back() {
    let all = read_aggregated(AGGREGATED);
    let text = serde_json::to_string(&ResourcesFile::of(&all.resources[0])).expect("it is plain data");
    let expected = concat!(
        r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[{"name":"deployments","#,
        r#""singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["get","list"],"#,
        r#""shortNames":["deploy"],"categories":["all"]},{"name":"deployments/scale","singularName":"deployment","#,
        r#""namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get"]}"#
    );
    assert!(text.starts_with(expected), "{text}");
    let apps = group_version("apps/v1");
    assert_eq!(plain::read_resources_file(&document(&text), &apps).expect("it was written so"), all.resources[0]);
    assert!(plain::read_resources_file(&document(&text), &group_version("apps/v2")).is_err());

    let groups = [vec![ApiGroup::new("", ["v1"])], all.groups].concat();
    let text = serde_json::to_string(&GroupsFile::of(&groups)).expect("it is plain data");
    assert!(text.contains(r#""preferredVersion":{"groupVersion":"dead.example.com/v1","version":"v1"}"#), "{text}");
    assert_eq!(plain::read_groups_file(&document(&text)).expect("it was written so"), groups);
    let damaged = text.replace(r#""name":"apps""#, r#""name":7"#);
    assert!(plain::read_groups_file(&document(&damaged)).is_err());
}

#[test]
fn nulls_are_what_is_not_there() {
    for text in ["{}", r#"{"items":null,"groups":null,"versions":null,"resources":null}"#, "null"] {
        for all in [read_aggregated(text), read_plain(text), plain::read_core(&document(text))] {
            assert!(all.groups.is_empty() && all.failures.is_empty(), "{text}");
        }
        let list =
            plain::read_resources(&document(text), &group_version("apps/v1")).expect("there is nothing to refuse");
        assert!(list.resources.is_empty());
    }
    let all = read_aggregated(
        r#"{"items":[null,{"metadata":null,"versions":null},{"metadata":{"name":null},"versions":[]},
            {"metadata":{"name":"apps"},"versions":[
                null,
                {"version":null,"freshness":null,"resources":null},
                {"version":"v1","freshness":null,"resources":[null,{"resource":null,"responseKind":{"kind":"Ghost"}},
                    {"resource":"deployments","responseKind":{"group":null,"version":null,"kind":"Deployment"},
                     "scope":null,"singularResource":null,"verbs":[null,"get"],"shortNames":null,"categories":[null],
                     "subresources":[null,
                        {"subresource":"scale","responseKind":{"group":null,"kind":"Scale"},"verbs":null},
                        {"subresource":null,"responseKind":{"kind":"Ghost"}}]}]}]}]}"#,
    );
    assert!(all.failures.is_empty(), "{:?}", all.failures);
    assert_eq!(all.groups, [ApiGroup::new("apps", ["v1"])]);
    let apps = all.of(&group_version("apps/v1"));
    assert_eq!(names(apps), ["deployments", "deployments/scale"]);
    assert_eq!(apps.expect("it is there").resources[0].verbs, ["get"]);

    let all = read_plain(
        r#"{"groups":[null,{"name":null,"versions":null,"preferredVersion":null},
            {"name":"apps","versions":[null,{"groupVersion":null,"version":"v1"},{"groupVersion":null,"version":null}],
             "preferredVersion":{"groupVersion":null,"version":null}}]}"#,
    );
    assert!(all.failures.is_empty(), "{:?}", all.failures);
    assert_eq!(all.groups, [ApiGroup::new("apps", ["v1"])]);
    assert_eq!(plain::read_core(&document(r#"{"versions":[null,"v1"]}"#)).groups, [ApiGroup::new("", ["v1"])]);

    let list = r#"{"resources":[null,{"name":null,"kind":"Ghost"},{"name":"ghosts","kind":null},
        {"name":"pods","singularName":null,"namespaced":null,"group":null,"version":null,"kind":"Pod","verbs":null,
         "shortNames":[null,"po"],"categories":null}]}"#;
    let list = plain::read_resources(&document(list), &group_version("v1")).expect("it can be read");
    assert_eq!(names(Some(&list)), ["pods"]);
    assert_eq!(list.resources[0].short_names, ["po"]);
}

#[test]
fn a_version_may_be_named_by_its_group_version_alone() {
    let all = read_plain(
        r#"{"groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1beta1"},{"groupVersion":"apps/v1"}],
            "preferredVersion":{"groupVersion":"apps/v1"}}]}"#,
    );
    assert_eq!(all.groups[0].versions, ["v1beta1", "v1"]);
    assert_eq!(all.groups[0].preferred_version, "v1");
    let core = plain::read_groups_file(&document(r#"{"groups":[{"name":"","versions":[{"groupVersion":"v1"}]}]}"#));
    assert_eq!(core.expect("it can be read"), [ApiGroup::new("", ["v1"])]);
}

#[test]
fn what_is_of_another_type_is_reported_with_its_group_and_the_rest_is_read() {
    for (entry, expected) in [
        (r#"{"metadata":{"name":"odd"},"versions":"v1"}"#, ("odd", "")),
        (r#"{"metadata":{"name":"odd"},"versions":["v1"]}"#, ("odd", "")),
        (r#"{"metadata":{"name":"odd"},"versions":[{"version":1}]}"#, ("odd", "")),
        (r#"{"metadata":{"name":"odd"},"versions":[{"version":"v1","freshness":0}]}"#, ("odd", "v1")),
        (r#"{"metadata":{"name":"odd"},"versions":[{"version":"v1","resources":{}}]}"#, ("odd", "v1")),
        (r#"{"metadata":{"name":"odd"},"versions":[{"version":"v1","resources":[{"verbs":"get"}]}]}"#, ("odd", "v1")),
        (r#"{"metadata":{"name":7},"versions":[{"version":"v1","resources":[]}]}"#, ("", "")),
        (r#"{"metadata":{},"versions":[{"version":"v1","resources":[]}]}"#, ("", "")),
        (r#""odd""#, ("", "")),
    ] {
        let sound = r#"{"metadata":{"name":"sound"},"versions":[{"version":"v1","resources":[]}]}"#;
        for text in [format!(r#"{{"items":[{entry},{sound}]}}"#), format!(r#"{{"items":[{sound},{entry}]}}"#)] {
            let all = read_aggregated(&text);
            assert_eq!(failed(&all), [expected], "{text}");
            assert!(all.of(&group_version("sound/v1")).is_some(), "{text}");
            let (failed, error) = all.failures.first_key_value().expect("it is one");
            let message = error.to_string();
            assert!(message.starts_with("the entry of ") && message.contains(&failed.group), "{message}");
            assert!(all.of(&group_version("v1")).is_none(), "an entry without a name is not the core group");
        }
    }
    let all = read_aggregated(
        r#"{"items":[{"metadata":{"name":"odd"},"versions":[{"version":"v2","resources":5},{"version":"v1"}]}]}"#,
    );
    assert_eq!((all.groups[0].versions.len(), all.groups[0].preferred_version.as_str()), (2, "v1"));
    assert_eq!(failed(&all), [("odd", "v2")]);
    assert!(all.failure(&group_version("odd/v1")).is_none());

    let all = read_plain(
        r#"{"groups":[{"name":"sound","versions":[{"version":"v1"}]},{"name":"odd","versions":[5,{"version":"v1"}]}]}"#,
    );
    assert_eq!(all.groups.iter().map(|group| group.versions.len()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(failed(&all), [("odd", "")]);
    assert!(all.failure(&group_version("odd/v9")).is_some(), "it may be what could not be read");
    assert_eq!(failed(&plain::read_core(&document(r#"{"versions":5}"#))), [("", "")]);
}

#[test]
fn a_group_that_is_named_twice_is_one_group() {
    let entry = |versions: &str| format!(r#"{{"metadata":{{"name":"apps"}},"versions":[{versions}]}}"#);
    let version = |version: &str, resource: &str| {
        format!(
            r#"{{"version":"{version}","resources":[{{"resource":"{resource}","responseKind":{{"kind":"Any"}}}}]}}"#
        )
    };
    let (first, second) = (entry(&version("v1", "a")), entry(&[version("v2", "b"), version("v1", "c")].join(",")));
    let all = read_aggregated(&format!(r#"{{"items":[{first},{second}]}}"#));
    assert_eq!(all.groups, [ApiGroup::new("apps", ["v1", "v2"])]);
    assert_eq!(names(all.of(&group_version("apps/v1"))), ["a", "c"]);
    assert_eq!(names(all.of(&group_version("apps/v2"))), ["b"]);
}

/// Three groups, of which the one in the middle is to be spoilt.
fn aggregated_groups() -> Value {
    let group = |name: &str, resource: &str| {
        json!({ "metadata": { "name": name, "creationTimestamp": null }, "versions": [
            { "version": "v1", "freshness": "Current", "resources": [{
                "resource": resource, "responseKind": { "group": "", "version": "", "kind": "Any" },
                "scope": "Namespaced", "singularResource": "any",
                "verbs": ["get"], "shortNames": ["a"], "categories": ["all"],
                "subresources": [{ "subresource": "scale", "responseKind": { "kind": "Scale" }, "verbs": ["get"] }],
            }] },
            { "version": "v2", "freshness": "Stale" },
        ] })
    };
    json!({ "items": [group("before", "befores"), group("odd", "odds"), group("behind", "behinds")] })
}

fn plain_groups() -> Value {
    let group = |name: &str| {
        let version = |version: &str| json!({ "groupVersion": format!("{name}/{version}"), "version": version });
        json!({ "name": name, "versions": [version("v1"), version("v2")], "preferredVersion": version("v1"),
            "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0" }] })
    };
    json!({ "groups": [group("before"), group("odd"), group("behind")] })
}

/// The paths of all that is in a value, itself first.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| paths(item, &format!("{path}/{at}"), found));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, field)| paths(field, &format!("{path}/{name}"), found)),
        _ => {}
    }
}

/// Puts texts in the place of parts of the middle entry.
fn spoilt(mut document: Value, list: &str, changes: &[(Index, String)]) -> String {
    for (at, (part, _)) in changes.iter().enumerate() {
        let mut parts = Vec::new();
        paths(&document[list][1], "", &mut parts);
        *document[list][1].pointer_mut(part.get(&parts).as_str()).expect("it is the path of a part") =
            json!(format!("@{at}@"));
    }
    let mut text = document.to_string();
    for (at, (_, replacement)) in changes.iter().enumerate() {
        text = text.replace(&format!("\"@{at}@\""), replacement);
    }
    text
}

/// JSON of any kind, with what spoils most: names of others, numbers that no type holds, and depth.
fn json() -> impl Strategy<Value = String> {
    let known = prop_oneof![
        "null|true|0|-1|1e999|\\[\\]|\\{\\}",
        "\"(|odd|before|behind|v1|Stale|/|\\\\u0000|\\\\ud800)\"",
        Just("[".repeat(300) + &"]".repeat(300)),
    ];
    let any = any::<String>().prop_map(|text| Value::String(text).to_string());
    let field = prop_oneof!["name|version|versions|groupVersion|resources|kind".prop_map(|name| format!("\"{name}\""))];
    prop_oneof![known, any].prop_recursive(3, 12, 4, move |inner| {
        let fields = proptest::collection::vec((field.clone(), inner.clone()), 0..4).prop_map(|fields| {
            let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
            format!("{{{}}}", fields.join(","))
        });
        let items = proptest::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![fields, items]
    })
}

fn changes() -> impl Strategy<Value = Vec<(Index, String)>> {
    proptest::collection::vec((any::<Index>(), json()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_one_entry_is_the_others_are_read(changes in changes()) {
        let sound = read_aggregated(&aggregated_groups().to_string());
        let text = spoilt(aggregated_groups(), "items", &changes);
        let all = read_aggregated(&text);
        for name in ["before", "behind"] {
            let group = all.groups.iter().find(|group| group.name == name).expect("it is sound");
            assert!(group.versions.iter().any(|version| version == "v1"), "{text}");
            let list = sound.of(&GroupVersion::new(name, "v1")).expect("it is sound");
            for resource in &list.resources {
                assert_eq!(all.get(&list.group_version.with_resource(&resource.name)), Some(resource), "{text}");
            }
        }
        for (failed, error) in &all.failures {
            assert!(error.to_string().contains(&failed.group.escape_debug().to_string()), "{text}: {error}");
        }
    }

    #[test]
    fn whatever_one_entry_of_a_plain_document_is_the_others_are_read(changes in changes()) {
        let text = spoilt(plain_groups(), "groups", &changes);
        let all = read_plain(&text);
        for name in ["before", "behind"] {
            let group = all.groups.iter().find(|group| group.name == name).expect("it is sound");
            assert!(["v1", "v2"].iter().all(|version| group.versions.iter().any(|known| known == version)), "{text}");
        }
        assert!(all.groups.iter().all(|group| !group.name.is_empty()), "{text}");
    }

    #[test]
    fn whatever_a_list_of_resources_is_it_is_read_or_refused(changes in changes()) {
        let resource = json!({ "name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod",
            "verbs": ["get"], "shortNames": ["po"], "group": "", "version": "v1", "categories": ["all"] });
        let text = spoilt(json!({ "resources": [resource.clone(), resource] }), "resources", &changes);
        let _ = plain::read_resources(&document(&text), &group_version("v1"));
    }
}
