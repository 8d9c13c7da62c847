//! Objects that the server stores and a client may not be able to hold: they hide none of the others.

use k8s_client::{
    Clientset, DynamicClient, Error, Unstructured, WatchEvent,
    dynamic::MetadataClient,
    schema::{GroupVersion, GroupVersionResource},
};
use k8s_client_integration_tests::{Test, TestResult, config_of, soon};
use k8s_client_test_harness::ADMIN_CONTEXT;
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;

use crate::{GROUP, define_widgets, widget, widgets};

fn text(object: &Unstructured) -> TestResult<String> {
    Ok(String::from_utf8(object.to_json()?)?)
}

/// Creates an object of JSON as it is written.
async fn create(test: &Test, resource: &GroupVersionResource, json: String) -> Result<(), Error> {
    let GroupVersion { group, version } = resource.group_version();
    let request = test.client.rest_client().post().group_version(&group, &version).namespace(&test.namespace);
    request.resource(resource.resource.clone()).body("application/json", json).send().await?;
    Ok(())
}

#[tokio::test]
async fn custom_object_nested_200_deep_is_read_and_changed_beside_the_others() -> TestResult {
    define_widgets().await;
    let test = Test::namespace().await;
    let nested = format!("{}1{}", r#"{"a":["#.repeat(100), "]}".repeat(100));
    let deep = format!(
        r#"{{"apiVersion":"{GROUP}/v1","kind":"Widget","metadata":{{"name":"deep"}},"spec":{{"replicas":1,"later":{nested}}}}}"#
    );
    create(&test, &widgets("v1"), deep).await?;
    let client = DynamicClient::new(test.client.rest_client()).resource(widgets("v1")).namespace(&test.namespace);
    client.create(&widget("v1", "sound", 1)).await?;

    let list = client.list().await?;
    let names: Vec<_> = list.items.iter().filter_map(|item| item.name()).collect();
    assert_eq!(names, ["deep", "sound"]);
    assert!(text(&list.items[0])?.contains(&nested), "it is whole");

    let mut events = client.watch().resource_version("0").await?;
    for expected in ["deep", "sound"] {
        let Some(WatchEvent::Added(object)) = soon("it is there", events.try_next()).await? else {
            panic!("{expected} is there")
        };
        assert_eq!(object.name(), Some(expected));
    }

    let metadata = MetadataClient::new(test.client.rest_client()).resource(widgets("v1")).namespace(&test.namespace);
    let names: Vec<_> = metadata.list().await?.items.into_iter().filter_map(|item| item.metadata.name).collect();
    assert_eq!(names, ["deep", "sound"]);

    let changed = client.modify("deep", |deep| deep.set_labels([("app", "deep")])).await?;
    assert!(text(&changed)?.contains(&nested), "it is whole");
    client.delete("deep").await?;
    Ok(())
}

#[tokio::test]
async fn lease_of_the_year_9999_hides_no_other() -> TestResult {
    let test = Test::namespace().await;
    let mut json = config_of(ADMIN_CONTEXT);
    json.disable_protobuf = true;
    let leases = GroupVersionResource::new("coordination.k8s.io", "v1", "leases");
    for (name, time) in [
        ("a", "2026-01-02T03:04:05.000000Z"),
        ("far", "9999-12-31T23:59:59.000000Z"),
        ("z", "2026-01-02T03:04:05.000000Z"),
    ] {
        let lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": name },
            "spec": { "renewTime": time } });
        create(&test, &leases, lease.to_string()).await?;
    }
    for client in [test.client.clone(), Clientset::new(&json)?] {
        let typed = client.coordination_v1().leases(&test.namespace);
        let error = typed.list().await.expect_err("one of them cannot be read");
        check(&error, &test);

        let mut items = typed.list().stream().await?;
        assert_eq!(name_of(items.try_next().await?), "a");
        check(&items.try_next().await.expect_err("it cannot be read"), &test);
        assert_eq!(name_of(items.try_next().await?), "z");
        assert_eq!(items.try_next().await?, None);

        let mut events = typed.watch().resource_version("0").await?;
        for expected in ["a", "far", "z"] {
            match soon("it is there", events.try_next()).await {
                Ok(Some(WatchEvent::Added(lease))) => assert_eq!(name_of(Some(lease)), expected),
                Err(error) if expected == "far" => check(&error, &test),
                other => panic!("{expected}: {other:?}"),
            }
        }

        let dynamic = DynamicClient::new(client.rest_client()).resource(leases.clone()).namespace(&test.namespace);
        assert_eq!(dynamic.list().await?.items[1].object()["spec"]["renewTime"], "9999-12-31T23:59:59.000000Z");
        let metadata = MetadataClient::new(client.rest_client()).resource(leases.clone()).namespace(&test.namespace);
        assert_eq!(metadata.list().await?.items.len(), 3);
    }
    let typed = test.client.coordination_v1().leases(&test.namespace);
    typed.delete("far").await?;
    assert_eq!(typed.list().await?.items.len(), 2);
    Ok(())
}

/// It names the object and the field.
fn check(error: &Error, test: &Test) {
    let object = error.undecodable_object().unwrap_or_else(|| panic!("{error}"));
    assert_eq!((object.namespace.as_deref(), object.name.as_deref()), (Some(test.namespace.as_str()), Some("far")));
    // JSON has the field's name, protobuf only its type's.
    let message = error.to_string();
    assert!(message.contains(".spec.renewTime") || message.contains(".spec.renew_time"), "{message}");
}

fn name_of(lease: Option<Lease>) -> String {
    lease.and_then(|lease| lease.metadata.name).expect("there is one, with a name")
}
