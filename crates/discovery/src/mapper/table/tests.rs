use std::collections::BTreeMap;

use k8s_client_runtime::schema::{GroupVersionKind, ResourceScope};

use super::*;
use crate::model::ApiResourceList;

fn resource(name: &str, singular: &str, kind: &str, short_names: &[&str]) -> ApiResource {
    let mut resource = ApiResource::new(name, GroupVersionKind::new("", "", kind), ResourceScope::Namespaced);
    resource.singular_name = singular.to_owned();
    resource.short_names = short_names.iter().map(|name| (*name).to_owned()).collect();
    if ["pods", "deployments"].contains(&name) {
        resource.categories = vec!["all".to_owned()];
    }
    resource
}

/// A server with the traps that names can be.
fn table() -> Table {
    let mut batch = ApiGroup::new("batch", ["v2", "v1"]);
    batch.preferred_version = "v1".to_owned();
    let groups = vec![
        ApiGroup::new("apps", ["v1", "v1beta1"]),
        // Named last by the server, core comes first all the same.
        ApiGroup::new("", ["v1"]),
        ApiGroup::new("events.k8s.io", ["v1"]),
        batch,
        ApiGroup::new("apps.example.com", ["v1"]),
        ApiGroup::new("dead.example.com", ["v1"]),
    ];
    let list = |group: &str, version: &str, resources: &[ApiResource]| {
        ApiResourceList::new(GroupVersion::new(group, version), resources.to_vec())
    };
    let deployments = [
        resource("deployments", "deployment", "Deployment", &["deploy"]),
        resource("deployments/status", "deployment", "Deployment", &[]),
    ];
    let dead = GroupVersion::new("dead.example.com", "v1");
    Table::new(Arc::new(ServerResources {
        groups,
        resources: vec![
            list("apps", "v1", &deployments),
            list("apps", "v1beta1", &[deployments[0].clone(), resource("scalings", "", "Scaling", &[])]),
            list(
                "",
                "v1",
                &[
                    resource("events", "event", "Event", &["ev"]),
                    resource("pods", "pod", "Pod", &["po"]),
                    resource("services", "service", "Service", &["svc"]),
                ],
            ),
            list("events.k8s.io", "v1", &[resource("events", "event", "Event", &["ev"])]),
            list("batch", "v2", &[resource("jobs", "job", "Job", &[]), resource("queues", "queue", "Queue", &[])]),
            list("batch", "v1", &[resource("jobs", "job", "Job", &[])]),
            list(
                "apps.example.com",
                "v1",
                &[
                    resource("deployments", "deployment", "Deployment", &[]),
                    // A short name and a singular that are the plural of others.
                    resource("things", "pods", "MyThing", &["services"]),
                    resource("aliases", "thing", "MyThing", &[]),
                    resource("twins", "twin", "One", &[]),
                    resource("doubles", "twin", "Two", &[]),
                ],
            ),
        ],
        failures: BTreeMap::from([(dead.clone(), Error::stale(dead))]),
    }))
}

#[test]
fn arguments_mean_what_kubectl_takes_them_for() {
    let table = table();
    for (argument, expected) in [
        ("deployments", "apps/v1, Resource=deployments"),
        ("deployment", "apps/v1, Resource=deployments"),
        ("deploy", "apps/v1, Resource=deployments"),
        ("DEPLOY", "apps/v1, Resource=deployments"),
        ("Deployment", "apps/v1, Resource=deployments"),
        ("Deployment.apps", "apps/v1, Resource=deployments"),
        ("deploy.apps", "apps/v1, Resource=deployments"),
        ("deployments.v1beta1.apps", "apps/v1beta1, Resource=deployments"),
        ("deploy.v1beta1.apps", "apps/v1beta1, Resource=deployments"),
        ("Deployment.v1beta1.apps", "apps/v1beta1, Resource=deployments"),
        // Not version `apps` of group `example.com`, and not group `apps`.
        ("deployments.apps.example.com", "apps.example.com/v1, Resource=deployments"),
        ("deployments.v1.apps.example.com", "apps.example.com/v1, Resource=deployments"),
        // The beginning of a group is enough.
        ("events.ev", "events.k8s.io/v1, Resource=events"),
        ("ev", "v1, Resource=events"),
        ("events", "v1, Resource=events"),
        ("pods.v1.", "v1, Resource=pods"),
        ("pods", "v1, Resource=pods"),
        ("services", "v1, Resource=services"),
        ("jobs", "batch/v1, Resource=jobs"),
        ("jobs.v2.batch", "batch/v2, Resource=jobs"),
        // Only a version that is not preferred has it.
        ("queues", "batch/v2, Resource=queues"),
        // No singular given: the kind in lower case.
        ("scaling", "apps/v1beta1, Resource=scalings"),
        // Neither plural, singular nor short.
        ("MyThing", "apps.example.com/v1, Resource=things"),
        ("mything", "apps.example.com/v1, Resource=things"),
        ("MyThing.v1.apps.example.com", "apps.example.com/v1, Resource=things"),
    ] {
        let mapping =
            table.argument(argument, &Handler::default()).unwrap_or_else(|error| panic!("{argument}: {error}"));
        assert_eq!(mapping.resource.to_string(), expected, "{argument}");
    }
}

#[test]
fn what_is_not_there_is_no_match_and_names_what_could_not_be_read() {
    let table = table();
    for argument in [
        "",
        ".",
        "deployments/status",
        "deployments.v9.apps",
        "deploy.v2.batch",
        "widgets.example.com",
        "...",
        // Only `apps.example.com/v1` has them.
        "things.v1.apps",
    ] {
        let error = table.argument(argument, &Handler::default()).expect_err(argument);
        assert!(error.is_no_match(), "{argument}: {error}");
        assert!(error.to_string().contains("dead.example.com/v1"), "{error}");
    }
}

#[test]
fn short_name_of_several_resources_warns_and_names_them() {
    let table = table();
    for (argument, expected) in [
        ("ev", Some("short name \"ev\" was taken for events, but could also mean events.events.k8s.io")),
        ("EV", Some("short name \"ev\" was taken for events, but could also mean events.events.k8s.io")),
        ("ev.v1.", Some("short name \"ev\" was taken for events, but could also mean events.events.k8s.io")),
        // The group, or its beginning, leaves only one.
        ("ev.events.k8s.io", None),
        ("ev.events", None),
        // A full name.
        ("events", None),
        ("services", None),
        // Two versions of one resource.
        ("deploy", None),
        // Nothing was chosen.
        ("ev.v9.", None),
    ] {
        let (sender, warnings) = std::sync::mpsc::channel();
        let handler = Handler::new(move |ambiguous| sender.send(ambiguous.to_string()).expect("somebody listens"));
        let _ = table.argument(argument, &handler);
        drop(handler);
        assert_eq!(warnings.iter().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "{argument}");
    }
}

#[test]
fn resources_of_one_group_version_that_share_a_name_are_ambiguous() {
    let error = table().argument("twin", &Handler::default()).expect_err("it is one of two");
    assert!(error.is_ambiguous(), "{error}");
    let text = error.to_string();
    assert!(text.contains("Resource=twins or apps.example.com/v1, Resource=doubles"), "{text}");
}

#[test]
fn kinds_map_to_the_first_version_asked_for_or_the_preferred_one() {
    let table = table();
    let mapped = |group: &str, kind: &str, versions: &[&str]| {
        table.kind(&GroupKind::new(group, kind), versions).map(|mapping| mapping.resource.to_string())
    };
    assert_eq!(mapped("batch", "Job", &[]).expect("it is served"), "batch/v1, Resource=jobs");
    assert_eq!(mapped("batch", "Job", &["v2", "v1"]).expect("it is served"), "batch/v2, Resource=jobs");
    assert_eq!(mapped("batch", "Job", &["v3", "v1"]).expect("it is served"), "batch/v1, Resource=jobs");
    assert_eq!(mapped("batch", "Queue", &[]).expect("it is served"), "batch/v2, Resource=queues");
    assert_eq!(mapped("", "Event", &[]).expect("it is served"), "v1, Resource=events");
    // client-go takes the last of those that share a kind.
    assert_eq!(
        mapped("apps.example.com", "MyThing", &[]).expect("it is served"),
        "apps.example.com/v1, Resource=aliases"
    );
    assert!(mapped("batch", "Job", &["v3"]).expect_err("no such version").to_string().contains("Job.batch in v3"));
    assert!(mapped("", "Deployment", &[]).expect_err("another group").is_no_match());
}

#[test]
fn all_meanings_come_in_order_of_precedence() {
    let table = table();
    let all = |resource: &str, version: &str| {
        let wanted = GroupVersionResource::new("", version, resource);
        let found = table.resources(&wanted, &Handler::default()).expect("there are some");
        found.into_iter().map(|mapping| mapping.resource.group_version().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(all("events", ""), ["v1", "events.k8s.io/v1"]);
    assert_eq!(all("deployments", ""), ["apps/v1", "apps/v1beta1", "apps.example.com/v1"]);
    assert_eq!(all("deploy", ""), ["apps/v1", "apps/v1beta1"]);
    assert_eq!(all("jobs", "v2"), ["batch/v2"]);
}

#[test]
fn category_has_each_resource_once() {
    let names: Vec<_> =
        table().category("all").expect("there are some").iter().map(|found| found.resource.to_string()).collect();
    assert_eq!(
        names,
        ["v1, Resource=pods", "apps/v1, Resource=deployments", "apps.example.com/v1, Resource=deployments"]
    );
    assert!(table().category("none").expect_err("there is none").is_no_match());
}
