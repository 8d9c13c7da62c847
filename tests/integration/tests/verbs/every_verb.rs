//! Every verb there is, on kinds of namespaces and on kinds of the cluster.

use k8s_client::{
    Listable, Patch, WatchEvent,
    k8s_openapi::{Metadata, Resource, apimachinery::pkg::apis::meta::v1::ObjectMeta},
    object::AnyList as _,
    resource::{Applies, Creates, Deletes, Gets, Lists, Patches, Updates, Watches},
};
use k8s_client_integration_tests::{Test, TestResult, client, control_plane, gone, object, soon, unique};
use serde_json::json;

use crate::{config_map, deployment};

#[tokio::test]
async fn namespaced_kinds_have_every_verb() -> TestResult {
    let test = Test::namespace().await;
    let core = test.client.core_v1();
    every_verb(&core.config_maps(&test.namespace), config_map("web", "1")).await?;
    let secret = object(json!({ "metadata": { "name": "web" }, "stringData": { "key": "value" } }));
    every_verb(&core.secrets(&test.namespace), secret).await?;
    let role = json!({
        "metadata": { "name": "web" },
        "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }],
    });
    every_verb(&test.client.rbac_v1().roles(&test.namespace), object(role)).await
}

#[tokio::test]
async fn cluster_kinds_have_every_verb() -> TestResult {
    let client = client();
    let role = json!({
        "metadata": { "name": unique("reader") },
        "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }],
    });
    every_verb(&client.rbac_v1().cluster_roles(), object(role)).await?;
    let class = json!({ "metadata": { "name": unique("low") }, "value": 7 });
    every_verb(&client.scheduling_v1().priority_classes(), object(class)).await?;
    let class = json!({ "metadata": { "name": unique("fast") }, "provisioner": "example.com/none" });
    every_verb(&client.storage_v1().storage_classes(), object(class)).await
}

#[tokio::test]
async fn kinds_that_controllers_write_too_are_modified_and_deleted() -> TestResult {
    let test = Test::namespace().await;
    let label = |metadata: &mut ObjectMeta| metadata.labels = Some([("seen".to_owned(), "yes".to_owned())].into());

    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.create(&deployment("web", 1)).await?;
    deployments.modify("web", move |web| label(&mut web.metadata)).await?;
    assert_eq!(deployments.list().label_selector("seen=yes").await?.items.len(), 1);
    deployments.delete("web").await?;
    assert!(deployments.get("web").await.is_err_and(|error| error.is_not_found()));

    let volumes = test.client.core_v1().persistent_volumes();
    let name = unique("volume");
    let volume = json!({
        "metadata": { "name": name, "labels": { "only": name } },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "1Gi" }, "hostPath": { "path": "/nowhere" },
        },
    });
    volumes.create(&object(volume)).await?;
    volumes.modify(&name, move |volume| label(&mut volume.metadata)).await?;
    volumes.delete(&name).grace_period_seconds(0).await?;
    if control_plane().has_controllers() {
        // It waits for one of them to take its protection off.
        gone("the volume is gone", || volumes.get(&name)).await;
    }

    let namespaces = test.client.core_v1().namespaces();
    let modified = namespaces.modify(&test.namespace, move |namespace| label(&mut namespace.metadata)).await?;
    assert_eq!(modified.metadata.labels.unwrap_or_default()["seen"], "yes");
    let deleted = namespaces.delete(&test.namespace).await?.object();
    assert!(deleted.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some()));
    Ok(())
}

/// Creates, reads, lists, updates, patches, applies and deletes the object while a watch looks on.
async fn every_verb<C, K>(client: &C, mut object: K::Object) -> TestResult
where
    K: Listable<Object: Resource + Metadata<Ty = ObjectMeta> + Clone + PartialEq + std::fmt::Debug>,
    C: Creates<Kind = K>
        + Gets<Kind = K>
        + Lists<Kind = K>
        + Watches<Kind = K>
        + Updates<Kind = K>
        + Patches<Kind = K>
        + Applies<Kind = K>
        + Deletes<Kind = K>,
{
    let name = object.metadata().name.clone().expect("the test gives it a name");
    object.metadata_mut().labels.get_or_insert_default().insert("only".to_owned(), name.clone());
    let only = format!("only={name}");

    let created = client.create(&object).field_manager("test").await?;
    assert!(created.metadata().uid.is_some());
    assert_eq!(client.get(&name).await?, created);

    let list = client.list().label_selector(&only).await?;
    let version = list.resource_version().expect("a list has a version");
    assert_eq!(list.items(), std::slice::from_ref(&created));
    let mut events = client.watch().label_selector(&only).resource_version(version).await?;

    let mut changed = created.clone();
    changed.metadata_mut().annotations.get_or_insert_default().insert("updated".to_owned(), "yes".to_owned());
    let updated = client.update(&changed).await?;
    assert_eq!(annotation(&updated, "updated"), Some("yes"));
    assert_ne!(updated.metadata().resource_version, created.metadata().resource_version);
    let event = soon("the update is told", events.try_next()).await?;
    assert_eq!(event, Some(WatchEvent::Modified(updated)));

    let patch = Patch::Merge(json!({ "metadata": { "annotations": { "patched": "yes" } } }));
    let patched = client.patch(&name, &patch).await?;
    assert_eq!(annotation(&patched, "patched"), Some("yes"));
    let event = soon("the patch is told", events.try_next()).await?;
    assert_eq!(event, Some(WatchEvent::Modified(patched)));

    let configuration = json!({
        "apiVersion": K::Object::API_VERSION,
        "kind": K::Object::KIND,
        "metadata": { "name": name, "annotations": { "applied": "yes" } },
    });
    let applied = client.apply(&configuration).field_manager("applier").await?;
    assert_eq!(annotation(&applied, "applied"), Some("yes"));
    let event = soon("the application is told", events.try_next()).await?;
    assert_eq!(event, Some(WatchEvent::Modified(applied)));

    client.delete(&name).await?;
    let event = soon("the deletion is told", events.try_next()).await?;
    assert!(matches!(event, Some(WatchEvent::Deleted(_))), "{event:?}");
    assert!(client.get(&name).await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

fn annotation<'a>(object: &'a impl Metadata<Ty = ObjectMeta>, key: &str) -> Option<&'a str> {
    object.metadata().annotations.as_ref()?.get(key).map(String::as_str)
}
