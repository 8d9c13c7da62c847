//! All verbs, on kinds that the server has built in.

use k8s_client::{
    DynamicClient, Patch, WatchEvent,
    dynamic::nested::{nested_string, set_nested_field},
    k8s_openapi::api::core::v1::ConfigMap,
    resource::{Deleted, DeletedCollection},
    schema::{GroupVersionResource, ResourceScope},
};
use k8s_client_integration_tests::{Test, TestResult, gone, soon};
use serde_json::json;

use crate::{config_map, config_maps, deployment, deployments, mapping, unstructured};

#[tokio::test]
async fn every_verb_works_without_knowing_the_kind() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = config_maps(&test);

    let created = config_maps.create(&config_map("web", "1")).field_manager("test").await?;
    assert!(created.uid().is_some() && created.creation_timestamp().is_some());
    assert_eq!(created.managed_fields()[0].manager.as_deref(), Some("test"));
    let read = config_maps.get("web").await?;
    assert_eq!(read, created);
    assert_eq!((read.api_version(), read.kind(), read.name()), (Some("v1"), Some("ConfigMap"), Some("web")));

    let list = config_maps.list().label_selector("app=test").await?;
    assert_eq!(list.items, [created]);
    let version = list.resource_version().expect("a list has a version");
    let mut events = config_maps.watch().label_selector("app=test").resource_version(version).await?;

    let mut changed = read;
    set_nested_field(changed.object_mut(), "2", &["data", "key"])?;
    let updated = config_maps.update(&changed).await?;
    assert_eq!(nested_string(updated.object(), &["data", "key"])?, Some("2"));
    let error = config_maps.update(&changed).await.expect_err("it is not the last version any more");
    assert!(error.is_conflict(), "{error}");
    assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Modified(updated)));

    let patch = Patch::StrategicMerge(json!({ "data": { "other": "3" } }));
    let patched = config_maps.patch("web", &patch).await?;
    assert_eq!(nested_string(patched.object(), &["data", "other"])?, Some("3"));
    assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Modified(patched)));

    let configuration = unstructured(json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "applied": "4" } }));
    let applied = config_maps.apply("web", &configuration).field_manager("applier").await?;
    assert_eq!(nested_string(applied.object(), &["data", "applied"])?, Some("4"));
    assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Modified(applied)));

    let modified = config_maps.modify("web", |web| web.set_annotations([("seen", "yes")])).await?;
    assert_eq!(modified.annotations()["seen"], "yes");

    assert!(matches!(config_maps.delete("web").await?, Deleted::Status(_)));
    assert!(config_maps.get("web").await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn items_have_the_kind_that_the_server_leaves_out() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = config_maps(&test);
    for name in ["a", "b", "c"] {
        config_maps.create(&config_map(name, "1")).await?;
    }
    let list = config_maps.list().label_selector("app=test").await?;
    assert_eq!(list.kind(), Some("ConfigMapList"));
    let mut pages = config_maps.list().label_selector("app=test").limit(2).pages();
    let first = pages.try_next().await?.expect("a page");
    assert_eq!(
        (first.items.len(), first.remaining_item_count()),
        (2, None),
        "with a selector the server does not count"
    );
    let mut items = config_maps.list().label_selector("app=test").limit(2).items();
    let mut names = Vec::new();
    while let Some(item) = items.try_next().await? {
        assert_eq!((item.api_version(), item.kind()), (Some("v1"), Some("ConfigMap")));
        let typed: ConfigMap = item.to_typed()?;
        names.extend(typed.metadata.name);
    }
    assert_eq!(names, ["a", "b", "c"]);
    Ok(())
}

#[tokio::test]
async fn collection_is_deleted_by_label() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = config_maps(&test);
    config_maps.create(&config_map("a", "1")).await?;
    config_maps.create(&config_map("b", "1")).await?;
    match config_maps.delete_collection().label_selector("app=test").await? {
        DeletedCollection::List(list) => assert_eq!(list.items.len(), 2),
        DeletedCollection::Status(status) => panic!("this server lists what it deleted: {status:?}"),
    }
    assert!(config_maps.list().label_selector("app=test").await?.items.is_empty());
    Ok(())
}

#[tokio::test]
async fn status_is_written_apart_from_the_rest() -> TestResult {
    let test = Test::namespace().await;
    let deployments = DynamicClient::new(test.client.rest_client()).resource(deployments()).namespace(&test.namespace);
    let mut web = deployments.create(&deployment("web", 0)).await?;

    let condition = json!([{ "type": "Tested", "status": "True", "reason": "Test", "message": "by hand" }]);
    set_nested_field(web.object_mut(), condition.clone(), &["status", "conditions"])?;
    set_nested_field(web.object_mut(), 7, &["spec", "replicas"])?;
    // A controller may have been there meanwhile.
    web.set_resource_version("");
    let updated = deployments.update_status(&web).await?;
    assert_eq!(updated.object()["spec"]["replicas"], 0);
    assert_eq!(updated.object()["status"]["conditions"][0]["type"], "Tested");

    let applied = unstructured(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "status": { "conditions": [{ "type": "Applied", "status": "True" }] },
    }));
    let applied = deployments.apply_status("web", &applied).field_manager("test").await?;
    let conditions = applied.object()["status"]["conditions"].as_array().expect("a list");
    assert!(conditions.iter().any(|condition| condition["type"] == "Applied"), "{conditions:?}");

    let scale = deployments.get_subresource("web", "scale").await?;
    assert_eq!((scale.kind(), scale.name()), (Some("Scale"), Some("web")));
    Ok(())
}

#[tokio::test]
async fn eviction_is_created_at_its_pod() -> TestResult {
    let test = Test::namespace().await;
    let pods = GroupVersionResource::new("", "v1", "pods");
    let pods = DynamicClient::new(test.client.rest_client()).resource(pods).namespace(&test.namespace);
    let pod = unstructured(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "web" },
        "spec": { "containers": [{ "name": "main", "image": "main:1" }] },
    }));
    pods.create(&pod).await?;
    let mut eviction = k8s_client::Unstructured::new("policy/v1", "Eviction");
    eviction.set_name("web");
    let answer = pods.create_subresource("web", "eviction", &eviction).await?;
    assert_eq!(answer.kind(), Some("Status"));
    gone("the pod is evicted", || pods.get("web")).await;
    Ok(())
}

#[tokio::test]
async fn all_namespaces_are_listed_without_one() -> TestResult {
    let (here, there) = (Test::namespace().await, Test::namespace().await);
    let all = DynamicClient::new(here.client.rest_client()).resource(GroupVersionResource::new("", "v1", "configmaps"));
    for test in [&here, &there] {
        let mut object = config_map("web", "1");
        object.set_labels([("in", &here.namespace)]);
        config_maps(test).create(&object).await?;
    }
    let listed = all.list().label_selector(format!("in={}", here.namespace)).await?;
    let namespaces: Vec<_> = listed.items.iter().filter_map(|item| item.namespace()).collect();
    assert_eq!(namespaces.len(), 2);
    assert!(namespaces.contains(&here.namespace.as_str()) && namespaces.contains(&there.namespace.as_str()));
    Ok(())
}

#[tokio::test]
async fn known_scope_refuses_what_the_server_has_not() -> TestResult {
    let test = Test::namespace().await;
    config_maps(&test).create(&config_map("there", "1")).await?;
    let dynamic = DynamicClient::new(test.client.rest_client());
    let namespaces = GroupVersionResource::new("", "v1", "namespaces");
    let namespaces = dynamic.mapped(&mapping(namespaces, "Namespace", ResourceScope::Cluster));
    assert_eq!(namespaces.get("default").await?.kind(), Some("Namespace"));
    let error = namespaces.namespace("default").get("default").await.expect_err("namespaces are in no namespace");
    assert_eq!(error.kind(), k8s_client::ErrorKind::Request, "{error}");

    let config_maps = GroupVersionResource::new("", "v1", "configmaps");
    let config_maps = dynamic.mapped(&mapping(config_maps, "ConfigMap", ResourceScope::Namespaced));
    assert!(!config_maps.list().await?.items.is_empty());
    let error = config_maps.create(&config_map("web", "1")).await.expect_err("it needs a namespace");
    assert_eq!(error.kind(), k8s_client::ErrorKind::Request, "{error}");
    Ok(())
}

#[tokio::test]
async fn errors_of_the_server_are_those_of_typed_clients() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = config_maps(&test);
    config_maps.create(&config_map("web", "1")).await?;
    assert!(config_maps.create(&config_map("web", "1")).await.is_err_and(|error| error.is_already_exists()));
    assert!(config_maps.get("other").await.is_err_and(|error| error.is_not_found()));
    let mut wrong = config_map("bad", "1");
    wrong.object_mut().insert("data".to_owned(), json!({ "key": 7 }));
    assert!(config_maps.create(&wrong).await.is_err_and(|error| error.is_bad_request()));
    let unknown = GroupVersionResource::new("no.example.com", "v1", "things");
    let unknown = DynamicClient::new(test.client.rest_client()).resource(unknown);
    assert!(unknown.list().await.is_err_and(|error| error.is_not_found()));
    Ok(())
}
