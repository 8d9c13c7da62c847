//! Objects that spoil everything around them: a time that no type can hold, and more brackets than serde_json reads.

use k8s_client::{
    Clientset, DynamicClient, Unstructured, WatchEvent,
    dynamic::{MetadataClient, nested::nested_field},
    schema::GroupVersionResource,
};
use k8s_client_integration_tests::{Test, TestResult, config_of, soon};
use k8s_client_test_harness::ADMIN_CONTEXT;
use serde_json::json;

use crate::{GROUP, define_widgets, unstructured, widget, widgets};

fn lease(name: &str, time: &str) -> Unstructured {
    unstructured(json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": name },
        "spec": { "renewTime": time },
    }))
}

#[tokio::test]
async fn lease_of_the_year_9999_is_an_error_of_its_own_in_both_forms() -> TestResult {
    let test = Test::namespace().await;
    let resource = GroupVersionResource::new("coordination.k8s.io", "v1", "leases");
    let dynamic = DynamicClient::new(test.client.rest_client()).resource(&resource).namespace(&test.namespace);
    for (name, time) in [
        ("a", "2026-01-01T00:00:00.000000Z"),
        ("far", "9999-12-31T23:59:59.000000Z"),
        ("z", "9999-12-30T22:00:00.000000Z"),
    ] {
        dynamic.create(&lease(name, time)).await?;
    }
    // Who does not make types of it reads it.
    assert_eq!(dynamic.list().await?.items.len(), 3);
    let metadata = MetadataClient::new(test.client.rest_client()).resource(&resource).namespace(&test.namespace);
    assert_eq!(metadata.list().await?.items.len(), 3);

    for (disable_protobuf, field) in [(false, "Lease.spec.renew_time"), (true, ".spec.renewTime")] {
        let mut config = config_of(ADMIN_CONTEXT);
        config.disable_protobuf = disable_protobuf;
        let leases = Clientset::new(&config)?.coordination_v1().leases(&test.namespace);
        let object = format!("the object {}/far could not be decoded", test.namespace);
        let error = leases.list().await.expect_err("one of them has no type").to_string();
        assert!(error.contains(&object) && error.contains(field), "{error}");
        let error = leases.get("far").await.expect_err("it has no type").to_string();
        assert!(error.contains(field), "{error}");

        let (mut names, mut errors) = (Vec::new(), 0);
        let mut items = leases.list().stream().await?;
        loop {
            match items.try_next().await {
                Ok(Some(lease)) => names.extend(lease.metadata.name),
                Ok(None) => break,
                Err(error) => {
                    errors += 1;
                    assert_eq!(error.undecodable_object().and_then(|object| object.name.as_deref()), Some("far"));
                }
            }
        }
        assert_eq!((names, errors), (vec!["a".to_owned(), "z".to_owned()], 1));

        let mut events = leases.watch().await?;
        let mut names = Vec::new();
        for _ in 0..3 {
            match soon("it is there", events.try_next()).await {
                Ok(Some(WatchEvent::Added(lease))) => names.extend(lease.metadata.name),
                Err(error) if error.undecodable_object().is_some() => names.push("an error".to_owned()),
                other => panic!("{other:?}"),
            }
        }
        names.sort();
        assert_eq!(names, ["a", "an error", "z"]);
    }
    Ok(())
}

#[tokio::test]
async fn deep_custom_resource_is_read_by_all_who_need_no_type_for_it() -> TestResult {
    let test = Test::namespace().await;
    define_widgets().await;
    let dynamic = DynamicClient::new(test.client.rest_client()).resource(widgets("v1")).namespace(&test.namespace);
    let metadata = MetadataClient::new(test.client.rest_client()).resource(widgets("v1")).namespace(&test.namespace);
    dynamic.create(&widget("v1", "shallow", 1)).await?;
    let version = dynamic.list().await?.resource_version().expect("a list has a version").to_owned();
    let mut events = dynamic.watch().resource_version(&version).await?;
    let mut metadata_events = metadata.watch().resource_version(&version).await?;

    // The deepest of them is as deep as kube-apiserver stores.
    let depths = [200, 2000, 9_990];
    for depth in depths {
        let spec = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let json =
            format!(r#"{{"apiVersion":"{GROUP}/v1","kind":"Widget","metadata":{{"name":"w{depth}"}},"spec":{spec}}}"#);
        let created = dynamic.create(&Unstructured::from_json(json.as_bytes())?).await?;
        let path = vec!["a"; depth];
        let path = [&["spec"], &path[..]].concat();
        assert_eq!(nested_field(created.object(), &path)?, Some(&json!(1)));
        assert_eq!(dynamic.get(created.name().expect("it has one")).await?, created);
        assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Added(created.clone())));
        let Some(WatchEvent::Added(reduced)) = soon("it is told", metadata_events.try_next()).await? else {
            panic!("it was added");
        };
        assert_eq!(reduced.metadata.name.as_deref(), created.name());
        // What the server keeps of the manager is as deep.
        assert_eq!((reduced.metadata.uid.as_deref(), reduced.metadata.managed_fields), (created.uid(), None));

        let mut changed = created;
        changed.set_labels([("app", "deep")]);
        let updated = dynamic.update(&changed).await?;
        assert_eq!(updated.labels(), changed.labels());
        let _ = soon("it is told", events.try_next()).await?;
        let _ = soon("it is told", metadata_events.try_next()).await?;
    }
    let list = dynamic.list().await?;
    assert_eq!(list.items.len(), depths.len() + 1);
    let mut items = dynamic.list().stream().await?;
    for expected in &list.items {
        assert_eq!(items.try_next().await?.as_ref(), Some(expected));
    }
    let list = metadata.list().await?;
    let with_managers = list.items.iter().filter(|item| item.metadata.managed_fields.is_some());
    assert_eq!((list.items.len(), with_managers.count()), (depths.len() + 1, 1));
    dynamic.delete_collection().await?;
    Ok(())
}
