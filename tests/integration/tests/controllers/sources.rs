//! Whatever lists and watches can be followed, and while it cannot, the informer waits for it.

use std::time::Duration;

use k8s_client::{
    DynamicClient, ResourceClient, custom_resource,
    dynamic::{MetadataClient, Unstructured},
    informer::{Event, Informer, InformerError},
    k8s_openapi::{
        apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
        apimachinery::pkg::apis::meta::v1::ObjectMeta,
    },
    schema::GroupVersionResource,
};
use k8s_client_integration_tests::{Test, TestResult, client_of, eventually, field, object, soon, unique};
use k8s_client_test_harness::{UNPRIVILEGED_CONTEXT, UNPRIVILEGED_USER};
use serde::{Deserialize, Serialize};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

/// A type of the program's own, of which the server has more fields.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Lease {
    metadata: ObjectMeta,
    spec: Holder,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    holder_identity: String,
}

custom_resource!(Lease, "coordination.k8s.io/v1", "leases", Namespaced);

#[tokio::test]
async fn dynamic_metadata_and_own_types_are_followed_as_typed_ones_are() -> TestResult {
    let test = Test::namespace().await;
    let rest = test.client.rest_client();
    let leases = test.client.coordination_v1().leases(&test.namespace);
    let resource = GroupVersionResource::new("coordination.k8s.io", "v1", "leases");
    let there =
        json!({ "metadata": { "name": "there", "labels": { "app": "test" } }, "spec": { "holderIdentity": "one" } });
    leases.create(&object(there)).await?;

    let typed = Informer::of(leases.clone()).label_selector("app=test").start();
    let dynamic = Informer::of(DynamicClient::new(rest).resource(&resource).namespace(&test.namespace))
        .label_selector("app=test")
        .start();
    let managed = Informer::of(DynamicClient::new(rest).resource(&resource).namespace(&test.namespace))
        .label_selector("app=test")
        .with_managed_fields()
        .start();
    let metadata = Informer::of(MetadataClient::new(rest).resource(&resource).namespace(&test.namespace))
        .label_selector("app=test")
        .start();
    let own = Informer::of(ResourceClient::<Lease>::namespaced(rest, &test.namespace))
        .label_selector("app=test")
        .whole()
        .start();
    typed.synced_within(LIMIT).await?;
    dynamic.synced_within(LIMIT).await?;
    managed.synced_within(LIMIT).await?;
    metadata.synced_within(LIMIT).await?;
    own.synced_within(LIMIT).await?;

    let mut changes = dynamic.subscribe();
    assert!(matches!(soon("the object", changes.next()).await, Some(Event::Added(_))));
    assert!(matches!(soon("the mark", changes.next()).await, Some(Event::Synced)));
    let written = leases
        .modify("there", |lease| lease.spec.get_or_insert_default().holder_identity = Some("two".to_owned()))
        .await?;
    let version = written.metadata.resource_version.expect("the server gives versions");
    typed.wait_for(&version, LIMIT).await?;
    dynamic.wait_for(&version, LIMIT).await?;
    managed.wait_for(&version, LIMIT).await?;
    metadata.wait_for(&version, LIMIT).await?;
    own.wait_for(&version, LIMIT).await?;

    let read = dynamic.lister().get(&test.namespace, "there").expect("it is there");
    assert_eq!(read.object()["spec"]["holderIdentity"], "two");
    assert_eq!(
        (read.kind(), read.api_version()),
        (Some("Lease"), Some("coordination.k8s.io/v1")),
        "each says its kind"
    );
    assert!(!read.object()["metadata"].as_object().expect("an object").contains_key("managedFields"));
    let read = managed.lister().get(&test.namespace, "there").expect("it is there");
    assert!(read.object()["metadata"]["managedFields"].is_array(), "who asks for them has them");
    let Some(Event::Updated { old, new }) = soon("the change", changes.next()).await else { panic!("it has changed") };
    assert_eq!(
        (&old.object()["spec"]["holderIdentity"], &new.object()["spec"]["holderIdentity"]),
        (&json!("one"), &json!("two"))
    );
    let read = metadata.lister().get(&test.namespace, "there").expect("it is there");
    assert_eq!(read.metadata.resource_version.as_ref(), Some(&version));
    assert!(read.metadata.managed_fields.is_none());
    let read = own.lister().get(&test.namespace, "there").expect("it is there");
    assert_eq!(read.spec.holder_identity, "two");
    for labelled in [typed.lister().list(&"app=test".parse()?).len(), dynamic.lister().list(&"app=test".parse()?).len()]
    {
        assert_eq!(labelled, 1);
    }

    leases.delete("there").await?;
    eventually("the deletion", || async {
        let all = [typed.lister().len(), dynamic.lister().len(), metadata.lister().len(), own.lister().len()];
        (all == [0; 4]).then_some(())
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn resource_that_appears_goes_and_comes_again_is_followed() -> TestResult {
    let test = Test::namespace().await;
    let group = format!("{}.example.com", unique("informer"));
    let resource = GroupVersionResource::new(group.as_str(), "v1", "gadgets");
    let gadgets = DynamicClient::new(test.client.rest_client()).resource(resource).namespace(&test.namespace);
    let informer = Informer::of(gadgets.clone()).start();
    let error = soon("the refusal", informer.synced()).await.expect_err("there is no such resource");
    assert!(matches!(&error, InformerError::Refused(error) if error.is_not_found()), "{error}");

    let mut gadget = Unstructured::new(&format!("{group}/v1"), "Gadget");
    gadget.set_name("web");
    let definitions = test.client.apiextensions_v1().custom_resource_definitions();
    let definition: CustomResourceDefinition = object(json!({
        "metadata": { "name": format!("gadgets.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": { "plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList" },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
            }],
        },
    }));
    let mut changes = informer.subscribe();
    let mut uids = Vec::new();
    for _ in 0..2 {
        definitions.create(&definition).await?;
        let created = eventually("it is served", || async { gadgets.create(&gadget).await.ok() }).await;
        eventually("it is followed", || async { informer.lister().get(&test.namespace, "web") }).await;
        informer.synced_within(LIMIT).await?;
        uids.push(created.uid().expect("the server gives uids").to_owned());

        definitions.delete(&format!("gadgets.{group}")).await?;
        // The server deletes the objects first, and the informer sees that.
        eventually("it is gone", || async { informer.lister().is_empty().then_some(()) }).await;
        eventually("the refusal", || async { informer.health().error.filter(|error| error.is_not_found()) }).await;
        let health = informer.health();
        assert!(health.synced && !health.ended);
    }
    let mut told = Vec::new();
    informer.shutdown().await;
    while let Some(event) = changes.next().await {
        match event {
            Event::Added(object) => told.push(("added", field(&*object, "/metadata/uid"))),
            Event::Deleted { last, .. } => told.push(("deleted", field(&*last, "/metadata/uid"))),
            Event::Updated { .. } | Event::Synced => {}
        }
    }
    // Whoever reads late is not told of an object that came and went.
    assert!(told.is_empty(), "{told:?}");
    assert_ne!(uids[0], uids[1]);
    Ok(())
}

#[tokio::test]
async fn permission_that_is_given_taken_and_given_again_is_noticed() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&object(json!({ "metadata": { "name": "web" } }))).await?;
    let unprivileged = client_of(UNPRIVILEGED_CONTEXT);
    let informer = Informer::of(unprivileged.core_v1().config_maps(&test.namespace)).start();
    let error = soon("the refusal", informer.synced()).await.expect_err("it may not");
    for word in ["forbidden", "configmaps", UNPRIVILEGED_USER] {
        assert!(error.to_string().contains(word), "{error}");
    }

    let roles = test.client.rbac_v1().roles(&test.namespace);
    let bindings = test.client.rbac_v1().role_bindings(&test.namespace);
    roles
        .create(&object(json!({
            "metadata": { "name": "reader" },
            "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"] }],
        })))
        .await?;
    let binding = object(json!({
        "metadata": { "name": "reader" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": UNPRIVILEGED_USER }],
    }));
    bindings.create(&binding).await?;
    informer.synced_within(LIMIT).await?;
    assert!(informer.lister().get(&test.namespace, "web").is_some());
    assert!(informer.health().error.is_none());
    let mut changes = informer.subscribe();

    // A watch that is open goes on; the next one is refused. Its time limit would bring that, in minutes.
    bindings.delete("reader").await?;
    // The authorizer hears of it a little later; one that begins before that has a watch for minutes, too.
    let other = eventually("the refusal", || async {
        let other = Informer::of(unprivileged.core_v1().config_maps(&test.namespace)).start();
        soon("an answer", other.synced()).await.is_err().then_some(other)
    })
    .await;
    assert!(other.health().error.is_some_and(|error| error.is_forbidden()));
    assert!(informer.health().synced);
    bindings.create(&binding).await?;
    other.synced_within(LIMIT).await?;
    let version = config_maps.create(&object(json!({ "metadata": { "name": "new" } }))).await?;
    let version = version.metadata.resource_version.expect("the server gives versions");
    informer.wait_for(&version, LIMIT).await?;
    other.wait_for(&version, LIMIT).await?;
    assert!(changes.next().await.is_some());
    Ok(())
}
